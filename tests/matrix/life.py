# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one cell: a cluster's life on fresh hosts, or the sanity tests; exit codes and recaps judge each step."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import controller
from cells import PINNED, Life, Sanity
from controller import CHECKOUT, LAB, Ready, Trouble

HOSTS = {"lvs1", "rs1", "rs2"}  # those of examples/inventory.yml that hold something
STEPS: tuple[tuple[str, list[str], bool], ...] = (  # playbook, its arguments, whether it has to change something
    ("site", ["--check"], True),
    ("site", [], True),
    ("site", [], False),
    ("verify", [], False),
    ("reboot", [], False),
    ("verify", [], False),
    ("teardown", [], True),
)
PATIENCE = 1200  # seconds, for a step that hangs
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+) ", re.MULTILINE)
ASK = "python3 --version; dpkg-query --show --showformat '${Version}\n' python3-pyroute2; uname --kernel-release"


class Log:
    """Runs commands and keeps what they say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text("")

    def run(self, step: str, command: list[str], environment: dict[str, str]) -> str:
        """The command's output; Trouble when it fails or hangs."""
        with self.path.open("a") as log:
            log.write(f"\n==== {step}: {' '.join(command)}\n")
            log.flush()
            start = self.path.stat().st_size
            try:
                done = subprocess.run(
                    command, cwd=CHECKOUT, env=environment, check=False, timeout=PATIENCE,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
            except subprocess.TimeoutExpired as exc:
                raise Trouble(f"{step}: no end after {PATIENCE} s") from exc
        if done.returncode:
            raise Trouble(f"{step}: exit code {done.returncode}")
        return self.path.read_bytes()[start:].decode(errors="replace")


def run(cell: Life | Sanity, log: Log) -> dict[str, str]:
    """Run the cell; what was found out about it, or Trouble that names the step that failed."""
    return _sanity(cell, log) if isinstance(cell, Sanity) else _life(cell, log)


def _sanity(cell: Sanity, log: Log) -> dict[str, str]:
    ready = controller.ready(cell.controller, dict(os.environ))
    if len(ready.python) > 1:
        raise Trouble(f"sanity: needs a Python {cell.controller.python} of this machine")
    log.run("sanity", [str(CHECKOUT / "tests/sanity")], {**ready.environment, "PYTHON": ready.python[0]})
    return ready.facts()


def _life(cell: Life, log: Log) -> dict[str, str]:
    lab = {**os.environ, "OPENLVS_LAB_DRIVER": "uml"}
    lab |= {"OPENLVS_LAB_SUITE": cell.guest, "OPENLVS_LAB_KERNEL": cell.kernel}
    log.run("kernel and image", ["make", "lab-kernel", f"KERNEL={cell.kernel}", "lab-image"], lab)
    ready = controller.ready(cell.controller, lab)
    log.run("lab down", [str(LAB), "down"], lab)
    log.run("lab up", [str(LAB), "up"], lab)
    with ThreadPoolExecutor(1) as pool:  # the kernel tests have a guest of their own
        tests = None
        if cell.controller == PINNED:
            kernel_log = Log(log.path.with_suffix(".kernel.log"))
            tests = pool.submit(kernel_log.run, "kernel tests", [str(CHECKOUT / "tests/kernel/run")], lab)
        facts = {**ready.facts(), **_cluster(ready, lab, log)}
        if tests:
            facts["kernel tests"] = tests.result().splitlines()[-1].split(" in ")[0]
    return facts


def _cluster(ready: Ready, lab: dict[str, str], log: Log) -> dict[str, str]:
    """From bare hosts to a cluster that survives a reboot, and back."""
    inventory = log.run("inventory", [str(LAB), "inventory"], lab).strip()
    environment = {**lab, **ready.environment, "ANSIBLE_HOME": str(CHECKOUT / ".ansible"), "ANSIBLE_PIPELINING": "1"}
    play = [*ready.python, "-m", "ansible", "playbook", "-i", inventory, "-i", "examples/inventory.yml"]
    versions: list[str] = []
    for number, (name, arguments, changes) in enumerate(STEPS, 1):
        step = " ".join([f"{number} {name}", *arguments])
        if name == "reboot":
            log.run(step, [str(LAB), "reboot", *sorted(HOSTS)], lab)
            versions = log.run("versions", [str(LAB), "exec", "lvs1", ASK], lab).split()
        else:
            judge(step, log.run(step, [*play, f"playbooks/{name}.yml", *arguments], environment), changes)
    _python, guest, pyroute2, kernel = versions
    return {"its Python": guest, "pyroute2": pyroute2, "kernel": kernel.split("-")[0]}


def judge(step: str, output: str, changes: bool) -> None:
    """Trouble unless every host is in the recap, well, and something or nothing has changed."""
    recap = {host: [int(number) for number in numbers] for host, *numbers in RECAP.findall(output)}
    if missing := HOSTS - set(recap):
        raise Trouble(f"{step}: {', '.join(sorted(missing))} not in the recap")
    if ill := [host for host, (_changed, unreachable, failed) in recap.items() if unreachable or failed]:
        raise Trouble(f"{step}: {', '.join(ill)} failed")
    if any(changed for changed, _unreachable, _failed in recap.values()) != changes:
        raise Trouble(f"{step}: {'nothing changed' if changes else 'it changed something'}")
