# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the collection against ipvsadm(8) on one real kernel, and print ratios with their spread as Markdown.

ipvsadm and the module work in turn in the lab's guest `kernel`, the controller's share is measured here, and all of it
is repeated. Seconds are of processor time, but for playbooks. They depend on the machine, so ratios are what counts.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

import figures
import tables
from inside import LAB, Guest, guest, memory

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
SMALL, WHOLE = (4, 20, 100), (20, 200, 1000)
MEMORY, STEADY = (150.0, 100.0), 1.25

Found = dict[str, t.Any]


def write_files(root: Path, sizes: t.Sequence[int], controller: t.Any) -> None:
    """What the guest needs for each size."""
    (root / "payload-of-nothing").write_bytes(controller.payload([]))
    for size in sizes:
        folder = root / str(size)
        folder.mkdir()
        services = controller.check(tables.described(size))
        edited = tables.with_weights_edited(services)
        before, after = tables.rules(services), tables.rules(edited)
        (folder / "payload").write_bytes(controller.payload(services))
        (folder / "payload-edited").write_bytes(controller.payload(edited))
        for name, lines in (("rules", before), ("edited", after), ("edits", tables.edits(before, after))):
            (folder / name).write_text("".join(f"{line}\n" for line in lines))


def controller_share(described: list[tables.Item], controller: t.Any) -> Found:
    """Seconds of each part, and the size of what is sent."""
    found: Found = {}
    found["check"], services = controller.timed(lambda: controller.check(described))
    found["template"], templated = controller.timed(lambda: controller.template(services))
    found["payload"], payload = controller.timed(lambda: controller.payload(templated))
    found["plan"] = controller.timed_as_in_the_module(controller.plan_of(services))
    with tempfile.TemporaryFile() as file:
        file.write(payload)
        file.seek(0)
        before = sum(os.times()[:4])
        guest("cat >/dev/null", file)
        found["send"] = sum(os.times()[:4]) - before
    found["bytes"] = len(payload)
    found["all"] = sum(found[part] for part in ("check", "template", "payload", "send"))
    return found


def play(which: str) -> float:
    """Seconds of a whole ansible-playbook that makes a small table, in one task or in a loop of tasks."""
    guest("ipvsadm -C")
    inventory = subprocess.run([LAB, "inventory"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    command = ["ansible-playbook", "-i", inventory, "-i", "kernel,", str(HERE / "loop.yml"), "--tags", which]
    start = time.monotonic()
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.monotonic() - start
    count = int(guest("ipvsadm -Sn | wc -l; ipvsadm -C"))
    if done.returncode or count != 25:
        sys.exit(f"{shlex.join(command)}: the table has {count} lines\n{done.stdout}")
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of everything, to see that the bench works")
    parser.add_argument("--repeat", type=int, default=5, help="how many times; default 5")
    given = parser.parse_args()
    os.environ.update(ANSIBLE_HOME=str(CHECKOUT / ".ansible"), ANSIBLE_PIPELINING="1")
    sizes = SMALL if given.small else WHOLE
    # Ansible reads the environment when it is imported; from here on Python finds the collection.
    importlib.import_module("ansible.plugins.loader").init_plugin_loader()
    controller = importlib.import_module("controller")
    controller.payload([])  # Ansible caches the module's code

    subprocess.run([CHECKOUT / "tests" / "kernel" / "prepare"], stdout=subprocess.DEVNULL, check=True)
    kernel = Guest()
    inside: Found = {}
    most: list[dict[str, float]] = []
    shares: list[Found] = []
    plays: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_files(root, sizes, controller)
        place = guest("mktemp -d /srv/bench.XXXXXX").strip()
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            guest(f"tar -C {place} -x", t.cast("t.IO[bytes]", tar.stdout))
        try:
            for number in range(given.repeat):
                print(f"repetition {number + 1} of {given.repeat}", file=sys.stderr)
                for tool in (kernel.ipvsadm, kernel.module):
                    for size in sizes:
                        inside.setdefault(str(size), {}).setdefault(tool.__name__, []).append(tool(f"{place}/{size}"))
                most.append(memory(f"{place}/{sizes[-1]}"))
                shares.append({str(size): controller_share(tables.described(size), controller) for size in sizes})
                plays.append({which: play(which) for which in ("one", "loop")})
        finally:
            guest(f"rm -rf {place}; ip netns del bench")
    print("\n".join(report(sizes, inside, most, shares, plays)))


def report(
    sizes: t.Sequence[int],
    inside: Found,
    most: list[dict[str, float]],
    shares: list[Found],
    plays: list[dict[str, float]],
) -> t.Iterator[str]:
    """The tables."""
    largest = str(sizes[-1])

    def of(tool: str, act: str, size: str = largest) -> list[float]:
        return [found[act] for found in inside[size][tool]]

    def work(act: str, size: str = largest) -> list[float]:
        return [all - start for all, start in zip(of("module", act, size), of("module", "start", size))]

    def share(part: str, size: str = largest) -> list[float]:
        return [found[size][part] for found in shares]

    release = guest("uname -r").strip()
    count = sizes[-1] * tables.EACH
    yield f"{sizes[-1]:,} services x {tables.EACH} real servers, {len(most)} repetitions, guest kernel {release}."
    yield "Each figure is a median (smallest-largest)."
    yield ""
    loads, saves = of("ipvsadm", "load"), of("ipvsadm", "same")
    rows = [
        figures.Row("load the table", work("load"), "`ipvsadm -R`", loads, (1, 0.5)),
        figures.Row("the same, with the start of Python", of("module", "load"), "`ipvsadm -R`", loads),
        figures.Row("change nothing", work("same"), "`ipvsadm -Sn`", saves, (1.5, 1)),
        figures.Row("the same, with the start of Python", of("module", "same"), "`ipvsadm -Sn`", saves),
        figures.Row("change 1 % of the weights", work("edit"), "`ipvsadm -R` of the edits", of("ipvsadm", "edit")),
        figures.Row(
            "5 services with 4 real servers each in one task, playbook from start to end",
            [found["one"] for found in plays],
            "a loop of single tasks",
            [found["loop"] for found in plays],
        ),
        figures.Row(f"controller: check, template, send {count:,}", share("all"), "`ipvsadm -R`", loads, (1,)),
        figures.Row("the same", share("all"), "the module's load", of("module", "load"), (1,)),
    ]
    yield from figures.ratios(rows)
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield f"| start of Python with all imports, seconds | {figures.spread(of('module', 'start'))} |"
    for what, act in (("loading", "load"), ("changing nothing", "same")):
        found = [one[act] for one in most]
        answer = figures.reached(max(found), MEMORY, " MiB")
        yield f"| most memory of the module {what}, MiB | {figures.spread(found, 0)}; aim: reached: {answer} |"
    for part, what in (
        ("check", "check the description"),
        ("template", "template the director's services"),
        ("payload", "make the module's payload"),
        ("send", f"send it, {shares[0][largest]['bytes'] / 1e6:.1f} MB"),
    ):
        yield f"| controller: {what}, seconds | {figures.spread(share(part))} |"
    yield ""
    yield from figures.linear(
        {
            "the pure plan": {size * tables.EACH: share("plan", str(size)) for size in sizes},
            "load the table": {size * tables.EACH: work("load", str(size)) for size in sizes},
            "change nothing": {size * tables.EACH: work("same", str(size)) for size in sizes},
            "the controller's part": {size * tables.EACH: share("all", str(size)) for size in sizes},
        },
        STEADY,
    )


if __name__ == "__main__":
    main()
