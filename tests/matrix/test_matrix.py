# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix names what it runs and what cannot be run, and is not content with less than a whole, healthy recap."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import life
import pytest
import results
from cells import EVERY, OUT_OF_REACH, Library, choose
from life import judge
from log import Log, Trouble

GOOD = """\
client                     : ok=1    changed=0    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
lvs1                       : ok=19   changed=7    unreachable=0    failed=0    skipped=5    rescued=0    ignored=0
rs1                        : ok=15   changed=5    unreachable=0    failed=0    skipped=4    rescued=0    ignored=0
rs2                        : ok=15   changed=5    unreachable=0    failed=0    skipped=4    rescued=0    ignored=0
"""


def names(*patterns: str, everything: bool = False) -> list[str]:
    """The names of the cells that are chosen."""
    return [cell.name for cell in choose(patterns, everything)]


def test_plan_has_every_guest_kernel_and_ansible_core() -> None:
    lives = [name.split(":") for name in names("*:*:*")]
    assert {(guest, kernel) for guest, kernel, _controller in lives} == {
        (guest, kernel) for guest in ("bullseye", "bookworm", "trixie") for kernel in ("6.1", "6.12", "own")
    }
    series = {(guest, controller.split("-")[0]) for guest, kernel, controller in lives if kernel == "own"}
    assert series == {
        (guest, core) for guest in ("bullseye", "bookworm", "trixie") for core in ("2.18", "2.19", "2.20", "2.21")
    }


def test_no_cell_of_what_cannot_exist() -> None:
    assert not [cell.name for cell in EVERY if cell.name.endswith(("2.20-py3.11", "2.21-py3.11"))]
    assert OUT_OF_REACH["ansible-core 2.21 on Python 3.11"] == "it needs Python 3.12 to 3.14"


def test_choice_by_pattern() -> None:
    assert names("bullseye:6.*", "sanity:2.18*") == [
        "bullseye:6.1:2.19-py3.11",
        "bullseye:6.12:2.19-py3.11",
        "sanity:2.18-py3.11",
    ]
    assert names("trixie:6.1:2.21-py3.12", everything=True) == ["trixie:6.1:2.21-py3.12"]


@pytest.mark.parametrize("pattern", ["trixie:6.1:2.21-py3.12", "bulseye:*"])
def test_pattern_without_a_cell(pattern: str) -> None:
    with pytest.raises(LookupError, match="No cell of the plan is called"):
        choose(["bookworm:*", pattern], False)


def test_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(results, "KEPT", tmp_path)
    first, other = choose(["bullseye:6.1:2.19-py3.11", "bullseye:6.1:2.21-py3.12"], True)
    results.keep(first, {"ansible-core": "2.19.99", "kernel": "6.1.99", "result": "ok", "at": "1234567"})
    page = results.page()
    assert "| bullseye |  |  | 6.1.99 | 2.19.99 | 3.11 | ok |  | 1234567 |  |" in page
    assert "| bullseye |  |  | 6.12 | 2.19 | 3.11 | not run |  |  |  |" in page
    assert "2.21 | 3.12" not in page
    results.keep(other, {"result": "FAILED: 3 site: it changed something"})
    assert "| bullseye |  |  | 6.1 | 2.21 | 3.12 | FAILED: 3 site: it changed something |  |  |  |" in results.page()


HEADER = """\
guest kernel 7.3.4-openlvs.1, Python {python}, pyroute2 {version}, uid 0
collected 9 items
===== 9 passed, 20 deselected in 3.21s =====
"""


class Fake(Log):
    """Kernel tests that nobody runs: with 0.6.13 they fail."""

    def __init__(self, python: str) -> None:
        self.python, self.ran = python, []

    def run(self, step: str, environment: Mapping[str, str], *command: str | Path) -> str:
        if command[0] != life.KERNEL_TESTS:
            return ""
        version = environment["OPENLVS_PYROUTE2"]
        self.ran.append((version, environment["OPENLVS_LAB_SUITE"], environment.get("OPENLVS_PYTHON")))
        if version == "0.6.13":
            raise Trouble(f"{step}: exit code 1")
        return HEADER.format(python=self.python, version=version)


def test_every_version_of_pyroute2_is_tried() -> None:
    tests = Fake("3.12.1")
    found = life.run(Library(12), tests)
    assert found["0.5.14"] == "does not import" and found["0.6.13"] == "FAILED" and found["0.9.7"] == "9 passed"
    assert (found["result"], found["Python"]) == ("FAILED: pyroute2 0.6.13: exit code 1", "3.12.1")
    assert {run[1:] for run in tests.ran} == {("trixie", "3.12")} and len(tests.ran) == 6
    with pytest.raises(Trouble, match="another Python"):
        life.run(Library(11), tests)


def test_good_recap() -> None:
    judge("2 site", GOOD, True)
    judge("3 site", GOOD.replace("changed=7", "changed=0").replace("changed=5", "changed=0"), False)


@pytest.mark.parametrize(
    ("output", "changes", "finding"),
    [
        (GOOD, False, "2 site: it changed something"),
        (GOOD.replace("changed=7", "changed=0").replace("changed=5", "changed=0"), True, "2 site: nothing changed"),
        (GOOD.replace("unreachable=0", "unreachable=1", 2), True, "client, lvs1 failed"),
        (GOOD.replace("failed=0    skipped=4", "failed=1    skipped=4"), True, "rs1, rs2 failed"),
        (GOOD.replace("rs2 ", "rs3 "), True, "rs2 not in the recap"),
        ("", True, "lvs1, rs1, rs2 not in the recap"),
    ],
)
def test_bad_recap(output: str, changes: bool, finding: str) -> None:
    with pytest.raises(Trouble, match=finding):
        judge("2 site", output, changes)
