# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one cell: a cluster's life on fresh hosts, or the sanity tests; exit codes and recaps judge each step."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import controller
from cells import Cell, Life, Sanity
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
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+) ", re.MULTILINE)
ASK = "python3 --version; dpkg-query --show --showformat '${Version}\n' python3-pyroute2; uname --kernel-release"


def run(cell: Cell, log: Log) -> dict[str, str]:
    """Run the cell; what was found out about it, or Trouble that names the step that failed."""
    return _sanity(cell, log) if isinstance(cell, Sanity) else _life(cell, log)


def _sanity(cell: Sanity, log: Log) -> dict[str, str]:
    ready = controller.ready(cell.controller, dict(os.environ), log)
    if ready.place:
        raise Trouble(f"it needs a Python {cell.controller.python} of this machine")
    log.run("sanity", {**ready.environment, "PYTHON": ready.python[0]}, CHECKOUT / "tests/sanity")
    return ready.facts()


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
            tests = pool.submit(kernel_log.run, "kernel tests", lab, CHECKOUT / "tests/kernel/run")
        facts = {**ready.facts(), **_cluster(ready, lab, log)}
        if tests:
            facts["kernel tests"] = tests.result().splitlines()[-1].split(" in ")[0]
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
