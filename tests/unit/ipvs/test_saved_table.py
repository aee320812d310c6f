# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that brings the table back: whole, private, and nobody else's file is lost."""

from __future__ import annotations

import os

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._saved_table import HEADER, judge, save

LINES = ["-A -t 192.0.2.10:80 -s wlc", "-a -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 1"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rules"


def files(path):
    return {found.name: found.read_text() for found in path.parent.iterdir()}


def run(path, lines):
    """What check mode says and leaves alone, the run does, and a second run has nothing to do."""
    before = files(path)
    checked = save(str(path), lines, check_mode=True)
    assert files(path) == before
    assert save(str(path), lines, check_mode=False) == checked
    assert save(str(path), lines, check_mode=False) is None
    return checked


def test_the_file_holds_the_lines_and_belongs_to_root_alone(path):
    assert run(path, LINES) == f"write {path}"
    assert files(path) == {"rules": "\n".join([HEADER, *LINES, ""])}
    assert path.stat().st_mode & 0o777 == 0o600
    os.chmod(path, 0o644)
    assert run(path, LINES) == f"write {path}"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_header_is_a_comment_that_says_how_to_load_the_rest():
    assert HEADER.startswith("# openlvs.lvs: ") and "grep -v '^#' FILE | ipvsadm -R" in HEADER


def test_it_goes_with_the_last_line(path):
    assert run(path, []) is None
    run(path, LINES)
    assert run(path, []) == f"remove {path}"
    assert files(path) == {}


def test_a_file_of_others_comes_back_as_it_was(path):
    path.write_text("theirs\n")
    path.chmod(0o640)
    assert run(path, []) is None
    assert run(path, LINES) == f"write {path}"
    assert files(path)["rules.before-openlvs"] == "theirs\n"
    assert run(path, LINES[:1]) == f"write {path}"
    assert run(path, []) == f"bring back {path} from {path}.before-openlvs"
    assert files(path) == {"rules": "theirs\n"} and path.stat().st_mode & 0o777 == 0o640


def test_the_first_file_of_others_is_the_one_that_comes_back(path):
    path.write_text("theirs\n")
    run(path, LINES)
    path.write_text("somebody saved the table by hand\n")
    run(path, LINES)
    assert files(path)["rules.before-openlvs"] == "theirs\n"


def test_our_own_file_that_others_replaced_is_left_alone_when_nothing_is_listed(path):
    run(path, LINES)
    path.write_text("theirs\n")
    assert run(path, []) is None
    assert files(path) == {"rules": "theirs\n"}


def test_a_draft_that_a_power_cut_left_is_no_obstacle(path):
    path.with_name("rules.new-openlvs").write_text("half a li")
    run(path, LINES)
    assert set(files(path)) == {"rules"}


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(LvsError, match=r"File .*/none/rules: cannot save the table in it: No such file or directory"):
        save(str(tmp_path / "none" / "rules"), LINES, check_mode=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "a whole path"), ("rules", "a whole path"), ("{}/no/rules", "no directory"), ("{}", "else than")],
)
def test_a_place_that_cannot_be_is_refused_before_anything_is_done(tmp_path, name, why):
    with pytest.raises(OptionError) as caught:
        judge(name.format(tmp_path))
    assert why in str(caught.value)
    judge(str(tmp_path / "rules"))
