# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does with Corosync and Pacemaker on a director, in which order, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _corosync, _daemon_work
from ansible_collections.openlvs.lvs.plugins.module_utils._corosync import COROSYNC, HEADER, PACEMAKER, Request
from ansible_collections.openlvs.lvs.plugins.module_utils._corosync_loaded import is_loaded
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, VRRP, Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, Link

VIP, KEY = "192.0.2.10", "k" * 128
TEXT = f"{HEADER} Changes made here do not last.\ntotem {{\n}}\n"
DEFAULT = "totem {\n}\nnodelist {\n  node {\n    ring0_addr: 127.0.0.1\n  }\n}\n"
FOREIGN = DEFAULT.replace("127.0.0.1", "198.51.100.9")
RECORD = VipRecord(side=VRRP, interface="eth0", prefix=32, label=None, host_route=False, announced=False)
WANTED = Request(TEXT, KEY, {VIP: RECORD})


class World:
    """A host with both daemons; it writes down what is done to it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.loaded = True
        self.unit = {"UnitFileState": "enabled", "ActiveState": "inactive"}
        links = {name: Link(1, name, "02:00:00:00:00:01", loopback=name == "lo") for name in ("lo", "eth0")}
        self.host = Host(links, (), (), {}, {}, frozenset(), frozenset(), Manifest())
        self.config, self.key, self.cib = folder / "corosync.conf", folder / "authkey", folder / "cib"
        for name, path in (("CONFIG", self.config), ("KEY", self.key), ("_CIB", self.cib)):
            monkeypatch.setattr(_corosync, name, str(path))
        monkeypatch.setattr(_corosync, "KEPT", f"{self.config}.before-openlvs")
        monkeypatch.setattr(_corosync, "_MODES", {str(self.config): 0o644, str(self.key): 0o400})
        monkeypatch.setattr(_corosync._host_kernel, "read", lambda: self.host)
        monkeypatch.setattr(_corosync._host_kernel, "apply", lambda steps, _host: self.done.extend(map(str, steps)))
        monkeypatch.setattr(_daemon_work._manifest, "save", self._record)
        self.cib.mkdir()
        (self.cib / "cib.xml").write_text("old")

    def _record(self, manifest: Manifest) -> None:
        self.host = dataclasses.replace(self.host, manifest=manifest)

    def states(self) -> dict[str, dict[str, str]]:
        return {COROSYNC: self.unit, PACEMAKER: self.unit}

    def judge(self, config: str, _key: str) -> None:
        self.done.append("judge")
        if "bad" in config:
            raise OptionError(["no"])

    def has_loaded(self, _config: str) -> bool:
        return self.loaded

    def systemctl(self, word: str, name: str) -> None:
        self.done.append(f"{word} {name}")

    def work(self, request: Request, check_mode: bool = False) -> _corosync.Work:
        work = _corosync.Work(request, t.cast("t.Any", self), check_mode)
        work.run()
        return work


@pytest.fixture(name="here")
def fixture_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


@pytest.fixture(name="clustered")
def fixture_clustered(here: World) -> World:
    """It works as wanted."""
    here.work(WANTED)
    here.unit = {"UnitFileState": "enabled", "ActiveState": "active"}
    here.done.clear()
    return here


def test_files_that_are_judged_first_and_a_key_for_root_alone(here: World) -> None:
    here.work(WANTED)
    assert here.done == ["judge", f"start {COROSYNC}", f"start {PACEMAKER}"]
    assert here.config.read_text() == TEXT and here.key.read_text() == KEY
    assert os.stat(here.key).st_mode & 0o777 == 0o400
    assert here.host.manifest.moved == {VIP: RECORD}


def test_check_mode_only_tells_and_never_the_key(here: World) -> None:
    changes = here.work(WANTED, check_mode=True).changes
    assert f"write {here.key}" in changes and KEY not in str(changes) and KEY not in repr(WANTED)
    assert not here.config.exists() and not here.key.exists() and here.done == ["judge"]


def test_the_second_run_has_nothing_to_do(clustered: World) -> None:
    assert clustered.work(WANTED).changes == [] == clustered.done


def test_a_new_file_is_told_to_a_running_cluster_by_somebody_else(clustered: World) -> None:
    work = clustered.work(dataclasses.replace(WANTED, config=TEXT + "more\n"))
    assert work.reload and clustered.done == ["judge"]


def test_a_file_of_a_run_that_was_cut_off_is_told_by_the_next_one(clustered: World) -> None:
    clustered.loaded = False
    work = clustered.work(WANTED)
    assert work.reload and work.changes == ["corosync-cfgtool -R"] and not clustered.done


FILE = """# a comment
totem {
    version: 2
    cluster_name: other
    token: 1000
}
nodelist {
    node {
        name: lvs1
        ring0_addr: 192.0.2.1
    }
    node {
        name: lvs2
        ring0_addr: 192.0.2.2
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
"""
SHOWN = """nodelist.local_node_pos (u32) = 0
nodelist.node.0.name (str) = lvs1
nodelist.node.0.ring0_addr (str) = 192.0.2.1
nodelist.node.1.name (str) = lvs2
nodelist.node.1.ring0_addr (str) = 192.0.2.2
quorum.provider (str) = corosync_votequorum
quorum.two_node (u8) = 1
runtime.config.totem.token (u32) = 1000
totem.cluster_name (str) = front
totem.interface.0.bindnetaddr (str) = 192.0.2.1
totem.token (u32) = 1000
totem.version (u32) = 2
"""


@pytest.mark.parametrize(
    ("loaded", "found", "shown"),
    [
        (True, "", ""),
        (False, "\ntotem.token (u32) = 1000", "\ntotem.token (u32) = 3000"),
        (False, "node.1.ring0_addr (str) = 192.0.2.2", "node.1.ring0_addr (str) = 192.0.2.3"),
        (False, "quorum.two_node (u8) = 1\n", ""),
        (False, "quorum.two_node (u8) = 1\n", "quorum.two_node (u8) = 1\nnodelist.node.2.name (str) = lvs3\n"),
        (False, "quorum.two_node (u8) = 1\n", "quorum.two_node (u8) = 1\nquorum.auto_tie_breaker (u8) = 1\n"),
    ],
)
def test_what_a_daemon_has_loaded_is_told_from_its_file(loaded: bool, found: str, shown: str) -> None:
    """The name of a cluster cannot change before all start anew, so it is not waited for."""
    assert found in SHOWN
    assert is_loaded(FILE, SHOWN.replace(found, shown, 1) if found else SHOWN) is loaded


def test_a_refused_file_changes_nothing(clustered: World) -> None:
    with pytest.raises(OptionError):
        clustered.work(dataclasses.replace(WANTED, config=TEXT + "bad\n"))
    assert clustered.config.read_text() == TEXT


def test_the_distributions_own_makes_room_and_comes_back(here: World) -> None:
    here.config.write_text(DEFAULT)
    here.unit = {"UnitFileState": "enabled", "ActiveState": "active"}
    here.work(WANTED)
    assert here.done[-4:] == [f"stop {PACEMAKER}", f"stop {COROSYNC}", f"start {COROSYNC}", f"start {PACEMAKER}"]
    assert not list(here.cib.iterdir())  # that of a cluster of this host alone
    here.work(Request(""))
    assert here.config.read_text() == DEFAULT and not here.key.exists() and here.host.manifest.empty


def test_a_cluster_of_somebody_elses_is_refused(here: World) -> None:
    here.config.write_text(FOREIGN)
    with pytest.raises(OptionError, match="somebody else has made"):
        here.work(WANTED)
    assert here.config.read_text() == FOREIGN and not here.done
    assert here.work(Request("")).changes == []


def test_handing_over_leaves_the_vips_that_are_here(clustered: World) -> None:
    clustered.host = dataclasses.replace(clustered.host, addresses=(Address(VIP, 32, "eth0"),))
    clustered.work(Request("", hand_over=True))
    assert clustered.done[:2] == [f"stop {PACEMAKER}", f"stop {COROSYNC}"]
    assert clustered.host.manifest.vips[VIP]["side"] == DIRECTOR and not clustered.host.manifest.moved
    assert not [one for one in clustered.done if VIP in one]


def test_going_takes_what_a_dead_cluster_has_left(clustered: World) -> None:
    clustered.host = dataclasses.replace(clustered.host, addresses=(Address(VIP, 32, "eth0"),))
    clustered.work(Request(""))
    assert clustered.done[-1] == f"ip address del {VIP}/32 dev eth0" and clustered.host.manifest.empty


def test_a_cluster_that_others_use_stays(clustered: World) -> None:
    assert clustered.work(Request("", stays=True)).changes == ["# record: the cluster has nothing here any more"]
    assert clustered.config.exists() and not clustered.done and not clustered.host.manifest.moved


def test_a_vip_on_an_interface_that_is_not_there(here: World) -> None:
    record = VipRecord(**{**RECORD, "interface": "eth9"})
    with pytest.raises(OptionError, match="no interface 'eth9'"):
        here.work(Request(TEXT, KEY, {VIP: record}))
