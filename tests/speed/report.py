# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell how many tasks playbooks ran and how long that took, by role: report.py FOLDER

The folder holds what Ansible's own callback junit wrote, a file for each run of a playbook. A task counts when it ran
on a host at least, and lasts as long as on the slowest one, for hosts work side by side.
"""

from __future__ import annotations

import re
import sys
import typing as t
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ENVIRONMENT = {"ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit", "JUNIT_HIDE_TASK_ARGUMENTS": "true"}
PLAYS = "plays"
_NAME = re.compile(r"\[(?P<host>[^]]+)\] (?P<play>.*?): (?:(?P<role>[\w.]+) : )?(?P<task>.*)", re.DOTALL)


class Run(t.NamedTuple):
    """One run of a playbook.

    :attr tasks: role -> how many tasks.
    :attr seconds: role -> how long they took. What stands in no role goes by the name PLAYS.
    """

    playbook: str
    tasks: Counter[str]
    seconds: Counter[str]


def runs(folder: Path) -> list[Run]:
    """The runs in their order, which the files' names tell."""
    files = sorted(folder.glob("*.xml"), key=lambda file: float(file.stem.rpartition("-")[2]))
    return [_run(file) for file in files]


def _run(file: Path) -> Run:
    slowest: dict[tuple[str, ...], float] = {}
    for case in ET.parse(file).iter("testcase"):
        name = _NAME.fullmatch(case.get("name", ""))
        if name is None or case.find("skipped") is not None:
            continue
        key = (name["role"] or PLAYS, name["play"], name["task"], case.get("classname", ""))
        slowest[key] = max(slowest.get(key, 0.0), float(case.get("time", 0)))
    tasks, seconds = Counter[str](), Counter[str]()
    for (role, *_where), time in slowest.items():
        tasks[role] += 1
        seconds[role] += time  # type: ignore[assignment]
    return Run(file.stem.rpartition("-")[0], tasks, seconds)


def table(found: t.Sequence[Run]) -> str:
    """A line for each run, and one for all of them."""
    roles = sorted({role for run in found for role in run.tasks}, key=lambda role: (role != PLAYS, role))
    total = Run("all", sum((run.tasks for run in found), Counter()), sum((run.seconds for run in found), Counter()))
    heads = [*(role.rpartition(".")[2] for role in roles), "together"]
    lines = [f"{'tasks and seconds':30}" + "".join(f"{head:>16}" for head in heads)]
    for run in [*found, total]:
        cells = [(run.tasks[role], run.seconds[role]) for role in roles]
        cells.append((sum(run.tasks.values()), sum(run.seconds.values())))
        lines.append(f"{run.playbook:30}" + "".join(f"{tasks:>7} {time:>6.1f} s" for tasks, time in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(runs(Path(sys.argv[1]))))
