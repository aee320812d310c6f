# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of docs/ipvsadm.md: the kernel has the same by hand and by a task, and no option of ipvsadm is left out."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import time
from dataclasses import dataclass

import guest
import pytest
import yaml
from ipvs import thresholds

PAGE = guest.CHECKOUT / "docs" / "ipvsadm.md"
MODULES = "ansible_collections.openlvs.lvs.plugins.modules."
RULES = "/var/lib/rules"


@dataclass(frozen=True)
class Row:
    """A row of the page, and what its section says was there before."""

    options: tuple[str, ...]
    given: str
    hand: str
    task: str
    returned: tuple[str, ...]

    def __str__(self) -> str:
        return self.hand


def code(cell: str) -> tuple[str, ...]:
    return tuple(re.findall("`([^`]+)`", cell))


def rows() -> list[Row]:
    found = []
    for section in PAGE.read_text().split("\n## ")[1:]:
        given = "\n".join(re.findall("```sh\n(.*?)```", section, re.DOTALL))
        for line in section.splitlines():
            if not line.startswith("| `"):
                continue
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            (hand,), (task,) = code(cells[1]), code(cells[2])
            found.append(Row(code(cells[0]), given, hand, task, code(cells[3]) if len(cells) > 3 else ()))
    return found


ROWS = rows()
CHANGING = [row for row in ROWS if not row.returned and row.task.startswith("ipvs_")]
LOOKING = [row for row in ROWS if row.returned]


def bash(script: str) -> str:
    done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
    return done.stdout


def run(row: Row, run_module, check: bool = False) -> dict:
    ((name, params),) = yaml.safe_load(row.task).items()
    result = run_module(name, params, check=check)
    assert not result.get("failed"), result
    return result


def prepare(row: Row) -> None:
    """What the section says, and what its client did is counted: the kernel takes two seconds for that."""
    bash(row.given or "true")
    deadline = time.monotonic() + 20
    while "/dev/udp/" in row.given and not any(connections()):
        assert time.monotonic() < deadline, "the kernel counts nothing"
        time.sleep(0.1)


def connections() -> list[int]:
    """Of each service and real server, counted."""
    lines = bash("ipvsadm -Ln --stats --exact").splitlines()[3:]
    return [int(line.split()[-5]) for line in lines]


def state() -> dict[str, object]:
    """Everything that ipvsadm shows, and the file of rules."""
    return {
        "table": bash("ipvsadm -Sn"),
        "thresholds": thresholds(),
        "daemons": bash("ipvsadm -L --daemon"),
        "timeouts": bash("ipvsadm -L --timeout"),
        "connections": connections(),
        "file": sorted(bash(f"cat {RULES} 2>/dev/null | grep -v ^# || true").splitlines()),
    }


@pytest.mark.parametrize("row", CHANGING, ids=str)
def test_a_task_leaves_the_kernel_as_the_hand_does(row, run_module):
    prepare(row)
    before = state()
    bash(row.hand)
    by_hand = state()
    assert by_hand != before, "the command changes nothing"
    with guest.fresh_host():
        prepare(row)
        assert run(row, run_module, check=True)["changed"] is True and state() == before
        assert run(row, run_module)["changed"] is True
        assert state() == by_hand
        assert run(row, run_module)["changed"] is False


def values(found: object, path: str) -> list[object]:
    """``a[].b`` of nested lists and dictionaries; what is not there is no value."""
    for part in path.split("."):
        name = part.replace("[]", "")
        found = [one[name] for one in found] if isinstance(found, list) else found[name]
        if part.endswith("[]") and found and isinstance(found[0], list):
            found = [one for inner in found for one in inner]
    return [one for one in (found if isinstance(found, list) else [found]) if one is not None]


@pytest.mark.parametrize("row", LOOKING, ids=str)
def test_a_task_returns_what_the_hand_shows(row, run_module):
    prepare(row)
    for _attempt in range(3):  # a rate may be reckoned anew between the two looks
        shown = re.split(r"[\s,:()=]+", bash(row.hand))
        result = run(row, run_module)
        found = {path: values(result, path) for path in row.returned}
        missing = {path: some for path, some in found.items() if not {str(one) for one in some} <= {*shown}}
        if not missing:
            break
    assert all(found.values()), found
    assert not missing, shown


def test_help_is_there():
    (row,) = [row for row in ROWS if row.options == ("-h", "--help")]
    name = shlex.split(row.task)[1].rpartition(".")[2]
    assert "Usage" in bash(row.hand)
    assert yaml.safe_load(importlib.import_module(MODULES + name).DOCUMENTATION)["options"]


def test_no_option_is_left_out():
    told = re.findall(r"(?<![\w-])--?[A-Za-z0-9][\w-]*", bash("ipvsadm --help"))
    assert len(ROWS) == len({row.hand for row in ROWS})
    assert {option for row in ROWS for option in row.options} == set(told)


def test_an_option_is_used_in_its_row():
    """In one of its spellings, but for what ipvsadm does anyway."""
    for row in ROWS:
        words = shlex.split(row.hand.replace("<<<", " "))
        used = {word for word in words if word.startswith("-")} | {
            f"-{letter}" for letter in "".join(word[1:] for word in words if re.fullmatch("-[A-Za-z]{2,}", word))
        }
        assert used & set(row.options), row
