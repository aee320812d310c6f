# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does with ldirectord, its file and the table, in which order, and what it leaves alone."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _ldirectord
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_files import CONFIG, ENGINE, HEADER
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, Manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, Table
from test_keepalived_run import World
from test_ldirectord_state import ADDED, DESCRIBED, GONE, RS1, RS6, SIX, START, WEB, log

TEXT = f"{HEADER}\nvirtual\n"
WANTED = _ldirectord.Request(TEXT, DESCRIBED, {})
NOTHING = _ldirectord.Request("", Table(), {})
NAMES = (str(WEB), str(SIX))
ALL_WELL = log(START, *ADDED)


class Here(World):
    """A host with ldirectord, which says what its log says."""

    engine = ENGINE
    text = ALL_WELL

    def running(self) -> None:
        self.texts = {CONFIG: TEXT, ENGINE.drop_in: ENGINE.drop_in_text}
        self.unit = {"UnitFileState": "enabled", "ActiveState": "active"}
        self.table = DESCRIBED
        self.host = dataclasses.replace(self.host, manifest=Manifest({"ldirectord": NAMES}))

    def log(self) -> str:
        return self.text

    def work(self, request: _ldirectord.Request, check_mode: bool = False) -> list[str]:
        work = _ldirectord.Work(request, self, self, check_mode)  # type: ignore[arg-type]
        work.run()
        return work.changes


@pytest.fixture(name="here")
def fixture_here(monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.setattr(_ldirectord, "wait_until", lambda true: true())
    return Here(monkeypatch)


def test_a_table_of_the_director_is_taken_over_by_a_file_that_is_judged_first(here: Here) -> None:
    here.table = DESCRIBED
    here.host = dataclasses.replace(here.host, manifest=Manifest({DIRECTOR: (*NAMES, "tcp 192.0.2.10:81")}))
    here.work(WANTED)
    assert here.done == [
        "judge",
        f"write {CONFIG}",
        f"write {ENGINE.drop_in}",
        "systemctl daemon-reload",
        "systemctl enable ldirectord.service",
        "systemctl start ldirectord.service",
    ]
    assert here.host.manifest.services == {DIRECTOR: ("tcp 192.0.2.10:81",), "ldirectord": NAMES}


CLUSTERED = dataclasses.replace(WANTED, clustered=True)


def test_a_cluster_starts_it_after_boot(here: Here) -> None:
    """Now it runs, and has a table, before the cluster has heard of it."""
    here.table = DESCRIBED
    here.unit = {"UnitFileState": "enabled", "ActiveState": "inactive"}
    here.work(CLUSTERED)
    assert here.done[-2:] == ["systemctl disable ldirectord.service", "systemctl start ldirectord.service"]


def test_the_second_run_has_nothing_to_do_and_a_dead_server_stays_out(here: Here) -> None:
    here.running()
    assert here.work(WANTED, check_mode=True) == here.work(WANTED) == here.done == []
    here.text = log(START, *ADDED, GONE)
    here.table = Table.of([(Service(WEB), [RS1]), (Service(SIX), [RS6])])
    assert here.work(WANTED) == []


def test_drift_is_mended_and_ldirectord_looks_at_all_again(here: Here) -> None:
    here.running()
    here.text = log(START, *ADDED, GONE)
    here.table = Table.of([(Service(WEB), [RealServer("192.0.2.99", 80)]), (Service(SIX), [RS6])])
    wanted = ["-a -t 192.0.2.10:80 -r 192.0.2.11:80 -g -w 1", "-d -t 192.0.2.10:80 -r 192.0.2.99:80"]
    assert here.work(WANTED, check_mode=True) == wanted and here.done == []
    assert here.work(WANTED) == wanted
    assert here.done == [*wanted, "systemctl reload ldirectord.service"]


def test_a_new_text_is_reloaded_and_what_left_it_goes(here: Here) -> None:
    here.running()
    less = Table.of([(Service(WEB), list(DESCRIBED.servers(WEB).values()))])
    here.work(_ldirectord.Request(TEXT + "more\n", less, {}))
    assert here.done[:3] == ["judge", f"write {CONFIG}", "systemctl reload ldirectord.service"]
    assert list(here.table.services) == [WEB] and here.host.manifest.services == {"ldirectord": (str(WEB),)}


def test_a_refused_file_changes_nothing(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_config: str) -> None:
        raise OptionError(["no"])

    monkeypatch.setattr(here, "judge", refuse)
    with pytest.raises(OptionError):
        here.work(WANTED)
    assert here.done == [] and here.host.manifest.empty


def test_a_daemon_that_does_not_build_its_table_is_told(here: Here) -> None:
    with pytest.raises(LvsError, match="does not work with its new file"):
        here.work(WANTED)


def test_handing_over_leaves_the_table_and_going_takes_it(here: Here) -> None:
    here.running()
    here.work(dataclasses.replace(NOTHING, hand_over=True))
    assert here.done[0] == "systemctl stop ldirectord.service" and here.table == DESCRIBED
    assert here.host.manifest.services == {DIRECTOR: NAMES}
    here.running()
    here.work(NOTHING)
    assert not here.table.services and here.host.manifest.empty


def test_where_nothing_is_ours_nothing_is_done(here: Here) -> None:
    here.texts = {CONFIG: "theirs\n"}
    assert here.work(NOTHING) == here.done == []


def test_one_that_is_about_to_be_started_again_is_stopped(here: Here) -> None:
    here.running()
    here.unit = {**here.unit, "ActiveState": "activating"}
    assert here.work(NOTHING)[0] == "systemctl stop ldirectord.service"
