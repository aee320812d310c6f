# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of how long playbooks took, from what Ansible's callback junit writes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "speed"))
import report

FIRST = """<?xml version="1.0" ?>
<testsuites><testsuite>
  <testcase classname="playbooks/site.yml:9" name="[lvs1] Check: all of it: Look at the hosts" time="1.5"/>
  <testcase classname="playbooks/site.yml:9" name="[rs1] Check: all of it: Look at the hosts" time="2.0"/>
  <testcase classname="roles/one/tasks/main.yml:3" name="[rs1] Make: a.b.one : Install" time="5.0"/>
  <testcase classname="roles/one/tasks/main.yml:9" name="[rs1] Make: a.b.one : Wait" time="9.0"><skipped/></testcase>
  <testcase classname="roles/two/tasks/main.yml:3" name="[lvs1] Make: a.b.two : Install" time="7.25"/>
</testsuite></testsuites>"""
BEFORE_THE_ROLES = FIRST.replace("</testsuite>", "", 1).partition('  <testcase classname="roles/one')[0]
SECOND = BEFORE_THE_ROLES + "</testsuite></testsuites>"


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path) -> Path:
    (tmp_path / "site-1000.25.xml").write_text(SECOND, encoding="utf-8")
    (tmp_path / "site-999.5.xml").write_text(FIRST, encoding="utf-8")
    return tmp_path


def test_a_task_lasts_as_long_as_on_the_slowest_host_and_counts_once(folder: Path) -> None:
    first, second = report.runs(folder)
    assert (first.tasks, first.seconds) == (
        {"plays": 1, "a.b.one": 1, "a.b.two": 1},
        {"plays": 2.0, "a.b.one": 5.0, "a.b.two": 7.25},
    )
    assert (second.tasks, second.seconds) == ({"plays": 1}, {"plays": 2.0})


def test_the_table_has_a_line_for_each_run_and_one_for_all(folder: Path) -> None:
    lines = report.table(report.runs(folder)).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "tasks and seconds plays one two together",
        "site 1 2.0 s 1 5.0 s 1 7.2 s 3 14.2 s",
        "site 1 2.0 s 0 0.0 s 0 0.0 s 1 2.0 s",
        "all 2 4.0 s 1 5.0 s 1 7.2 s 4 16.2 s",
    ]
