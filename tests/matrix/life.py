# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one cell: a cluster's life on fresh hosts, or tests; exit codes and recaps judge each step."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import controller
from cells import NOT_IMPORTED, PYROUTE2, Cell, Library, Life, Sanity
from controller import Ready
from log import CHECKOUT, LAB, Log, Trouble

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
KERNEL_TESTS = CHECKOUT / "tests/kernel/run"
# all that modules write through pyroute2: each kind of address, with a route and without, there and gone again
# each kind of address that modules write through pyroute2, with a route and without, there and gone again
WRITING = ("-k", "change_do_so or (test_lvs_vip and (stands or prefix or speak or purge))")
RAN = re.compile(r"^guest kernel (?P<kernel>[0-9.]+).*, Python (?P<Python>[0-9.]+), pyroute2 (\S+),", re.MULTILINE)
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+) ", re.MULTILINE)
ASK = "python3 --version; dpkg-query --show --showformat '${Version}\n' python3-pyroute2; uname --kernel-release"


def run(cell: Cell, log: Log) -> dict[str, str]:
    """Run the cell; what was found out about it, or Trouble that names the step that failed."""
    if isinstance(cell, Life):
        return _life(cell, log)
    return _sanity(cell, log) if isinstance(cell, Sanity) else _library(cell, log)


def _sanity(cell: Sanity, log: Log) -> dict[str, str]:
    ready = controller.ready(cell.controller, dict(os.environ), log)
    if ready.place:
        raise Trouble(f"it needs a Python {cell.controller.python} of this machine")
    log.run("sanity", {**ready.environment, "PYTHON": ready.python[0]}, CHECKOUT / "tests/sanity")
    return ready.facts()


def _library(cell: Library, log: Log) -> dict[str, str]:
    """Every version is tried, whatever comes of those before it."""
    lab = {**os.environ, "OPENLVS_LAB_DRIVER": "uml", "OPENLVS_LAB_SUITE": cell.guest}
    if not cell.own:
        lab["OPENLVS_PYTHON"] = cell.python
    log.run("kernel and image", lab, "make", "lab-kernel", "lab-image")
    log.run("lab down", lab, LAB, "down")
    found: dict[str, str] = {}
    for version in PYROUTE2:
        if (version, cell.minor) in NOT_IMPORTED:
            found[version] = "does not import"
            continue
        try:
            said = log.run(f"pyroute2 {version}", {**lab, "OPENLVS_PYROUTE2": version}, KERNEL_TESTS, "-v", *WRITING)
        except Trouble as exc:
            found[version] = "FAILED"
            found["result"] = f"FAILED: {exc}"
        else:
            ran = RAN.search(said)
            if not ran or ran[3] != version or not ran["Python"].startswith(f"{cell.python}."):
                raise Trouble(f"pyroute2 {version}: another one, or another Python, was tested")
            found |= {**ran.groupdict(), version: _passed(said).split(",")[0]}
    return found


def _passed(output: str) -> str:
    """Pytest's last line without the time."""
    return output.splitlines()[-1].split(" in ")[0].strip("= ")


def _life(cell: Life, log: Log) -> dict[str, str]:
    lab = {**os.environ, "OPENLVS_LAB_DRIVER": "uml"}
    lab |= {"OPENLVS_LAB_SUITE": cell.guest, "OPENLVS_LAB_KERNEL": cell.kernel}
    log.run("kernel and image", lab, "make", "lab-kernel", f"KERNEL={cell.kernel}", "lab-image")
    ready = controller.ready(cell.controller, lab, log)
    log.run("lab down", lab, LAB, "down")
    log.run("lab up", lab, LAB, "up")
    with ThreadPoolExecutor(1) as pool:  # the kernel tests have a guest of their own
        tests = None
        if cell.tests_modules:
            kernel_log = Log(log.path.with_suffix(".kernel.log"))
            tests = pool.submit(kernel_log.run, "kernel tests", lab, KERNEL_TESTS)
        facts = {**ready.facts(), **_cluster(ready, lab, log)}
        if tests:
            facts["kernel tests"] = _passed(tests.result())
    return facts


def _cluster(ready: Ready, lab: dict[str, str], log: Log) -> dict[str, str]:
    """From bare hosts to a cluster that survives a reboot, and back."""
    inventory = log.run("inventory", lab, LAB, "inventory").strip()
    environment = {**ready.environment, "ANSIBLE_HOME": str(CHECKOUT / ".ansible"), "ANSIBLE_PIPELINING": "1"}
    play = [*ready.python, "-m", "ansible", "playbook", "-i", inventory, "-i", "examples/inventory.yml"]
    versions: list[str] = []
    for number, (name, arguments, changes) in enumerate(STEPS, 1):
        step = " ".join([f"{number} {name}", *arguments])
        if name == "reboot":
            log.run(step, lab, LAB, "reboot", *sorted(HOSTS))
            versions = log.run("versions", lab, LAB, "exec", "lvs1", ASK).split()
        else:
            judge(step, log.run(step, environment, *play, f"playbooks/{name}.yml", *arguments), changes)
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
