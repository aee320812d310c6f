# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does with keepalived, its files, the table and the VIPs, in which order, and what it leaves alone."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _daemon_work,
    _engine,
    _keepalived,
    _keepalived_daemon,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import ServerState, ServiceState
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import Daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import (
    CONFIG,
    ENGINE,
    HEADER,
    SECRET,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_sync import Sync
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, VRRP, Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import Step, after
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute, Link
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import SyncDaemon
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table

VIP = "192.0.2.10"
DROP_IN, KEPT = ENGINE.drop_in, ENGINE.kept
WEB = ServiceKey.addressed("tcp", VIP, 80)
RS1, RS2 = RealServer("192.0.2.11", 80), RealServer("192.0.2.12", 80)
DESCRIBED = Table.of([(Service(WEB), [RS1, RS2])])
TEXT = f"{HEADER}\nvirtual_server\n"
OURS = {CONFIG: TEXT, SECRET: "password", DROP_IN: ENGINE.drop_in_text}


def record(side: str) -> VipRecord:
    return VipRecord(side=side, interface="eth0", prefix=32, label=None, host_route=False, announced=True)


WANTED = _keepalived.Request(TEXT, DESCRIBED, {}, secret="password", vips={VIP: record(VRRP)})
NOTHING = dataclasses.replace(WANTED, config="", secret="", described=Table(), vips={})


def states(rs2: bool = True) -> dict[ServiceKey, ServiceState]:
    """Both are well, or the second has failed."""
    servers = {RS1.key: ServerState(1, 1, True, True), RS2.key: ServerState(1, 1, rs2, rs2)}
    return {WEB: ServiceState(True, True, servers)}


class World:
    """A host, its keepalived and its kernel; it writes down what is done to it."""

    engine = ENGINE

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self.table = Table()
        self.reports = [states()]
        self.texts: dict[str, str] = {}
        self.syncing: dict[str, SyncDaemon] = {}
        self.unit = {"UnitFileState": "disabled", "ActiveState": "inactive"}
        links = {name: Link(1, name, "02:00:00:00:00:01", loopback=name == "lo") for name in ("lo", "eth0")}
        self.host = Host(links, (), (), {}, {}, frozenset(), frozenset(), Manifest())
        files, kernel = _engine._files, _daemon_work._host_kernel
        monkeypatch.setattr(_engine, "look", lambda *_args: self.look())
        monkeypatch.setattr(_engine, "_write", lambda path, *_args: self.done.append(f"write {path}"))
        monkeypatch.setattr(files, "write", lambda path, _text, _mode: self.done.append(f"write {path}"))
        monkeypatch.setattr(files, "remove", lambda path: self.done.append(f"remove {path}"))
        monkeypatch.setattr(files, "read", lambda path: dict.get(self.texts, path))  # texts is replaced
        monkeypatch.setattr(kernel, "read", lambda: self.host)
        monkeypatch.setattr(kernel, "apply", lambda steps, _host: self._touch(steps))
        monkeypatch.setattr(_daemon_work._manifest, "save", self._record)

    def look(self) -> _engine.Found:
        return _engine.Found(self.engine, self.texts, frozenset(), self.unit)

    def running(self) -> None:
        """Keepalived works here with what is wanted."""
        self.texts, self.unit = dict(OURS), {"UnitFileState": "enabled", "ActiveState": "active"}
        self.table = DESCRIBED
        manifest = Manifest({"keepalived": (str(WEB),)}, moved={VIP: record(VRRP)})
        self.host = dataclasses.replace(self.host, manifest=manifest)

    def hold(self, interface: str = "eth0") -> None:
        self.host = dataclasses.replace(self.host, addresses=(*self.host.addresses, Address(VIP, 32, interface)))

    def _touch(self, steps: t.Iterable[t.Any]) -> None:
        for step in steps:
            self.done.append(str(step))
            self.host = step.done(self.host)

    def _record(self, manifest: Manifest) -> None:
        self.host = dataclasses.replace(self.host, manifest=manifest)

    # ---- the daemon

    def judge(self, *_texts: str) -> None:
        self.done.append("judge")

    def systemctl(self, *words: str) -> str:
        self.done.append(f"systemctl {' '.join(words)}")
        return ""

    def leave(self) -> None:
        self.done.append("leave")

    def states(self) -> dict[ServiceKey, ServiceState]:
        return copy.deepcopy(self.reports.pop(0) if len(self.reports) > 1 else self.reports[0])

    # ---- the kernel's table

    def read(self) -> Table:
        return self.table

    def apply(self, steps: t.Sequence[Step]) -> None:
        self.done += [str(step) for step in steps]
        self.table = after(self.table, steps)

    # ---- sync daemons

    def daemons(self) -> dict[str, SyncDaemon]:
        return dict(self.syncing)

    def start(self, daemon: SyncDaemon) -> None:
        self.syncing[daemon.role] = daemon

    def stop(self, role: str) -> None:
        del self.syncing[role]

    def run(self, request: _keepalived.Request, check_mode: bool = False) -> list[str]:
        work = _keepalived.Work(request, self, self, self, check_mode)  # type: ignore[arg-type]
        work.run()
        return work.changes


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_file_is_judged_before_it_is_written_and_written_before_the_start(world: World) -> None:
    world.table = DESCRIBED
    changes = world.run(WANTED)
    assert world.done == [
        "judge",
        f"write {SECRET}",
        f"write {CONFIG}",
        f"write {DROP_IN}",
        "systemctl daemon-reload",
        "systemctl enable keepalived.service",
        "systemctl start keepalived.service",
    ]
    assert changes[1:] == world.done[1:]
    assert world.host.manifest.services == {"keepalived": (str(WEB),)} and world.host.manifest.vips_of(VRRP)


def test_the_second_run_has_nothing_to_do(world: World) -> None:
    world.running()
    assert world.run(WANTED, check_mode=True) == world.run(WANTED) == world.done == []


def test_a_new_text_is_reloaded(world: World) -> None:
    world.running()
    world.run(dataclasses.replace(WANTED, config=TEXT + "more\n"))
    assert world.done == ["judge", f"write {CONFIG}", "systemctl reload keepalived.service"]


def test_a_refused_file_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: object) -> None:
        raise OptionError(["no"])

    monkeypatch.setattr(world, "judge", refuse)
    with pytest.raises(OptionError):
        world.run(WANTED)
    assert world.done == [] and world.host.manifest.empty


def test_drift_is_mended_and_a_failed_server_stays_out(world: World) -> None:
    world.running()
    world.reports = [states(rs2=False)]
    world.table = Table.of([(Service(WEB), [RS1._replace(weight=7), RealServer("192.0.2.99", 80)])])
    wanted = ["-e -t 192.0.2.10:80 -r 192.0.2.11:80 -g -w 1", "-d -t 192.0.2.10:80 -r 192.0.2.99:80"]
    assert world.run(WANTED, check_mode=True) == wanted and world.done == []
    assert world.run(WANTED) == wanted


def test_what_fails_between_two_looks_is_looked_at_again(world: World) -> None:
    world.running()
    world.table = Table.of([(Service(WEB), [RS1])])
    world.reports = [states(), states(rs2=False), states(rs2=False)]
    assert world.run(WANTED) == []


def test_a_vip_that_serves_stands_on_lo_while_keepalived_begins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hold()
    manifest = Manifest({DIRECTOR: (str(WEB), "tcp 192.0.2.10:81")}, {VIP: record(DIRECTOR)})
    route = HostRoute(VIP, "eth0")
    world.host = dataclasses.replace(world.host, manifest=manifest, routes=(route,))
    world.table = DESCRIBED
    world.run(WANTED)
    start = world.done.index("systemctl start keepalived.service")
    assert "dev lo" in world.done[start - 1] and world.done[start - 1].startswith(f"ip address add {VIP}/32")
    assert world.done[start + 1 :] == [f"ip address del {VIP}/32 dev lo", f"ip route del {VIP} dev eth0 scope link"]
    assert world.host.manifest.services == {DIRECTOR: ("tcp 192.0.2.10:81",), "keepalived": (str(WEB),)}
    assert world.host.manifest.vips_of(VRRP) and not world.host.manifest.vips_of(DIRECTOR)


def test_handing_over_leaves_table_and_vips_in_the_kernel(world: World) -> None:
    world.running()
    world.hold()
    world.run(dataclasses.replace(NOTHING, hand_over=True))
    assert world.done[0] == "leave" and world.table == DESCRIBED and world.host.addresses
    assert world.host.manifest.services == {DIRECTOR: (str(WEB),)} and world.host.manifest.vips_of(DIRECTOR)


def test_a_director_without_the_vips_hands_nothing_over(world: World) -> None:
    world.running()
    world.run(dataclasses.replace(NOTHING, hand_over=True))
    assert world.done[0] == "systemctl stop keepalived.service" and world.host.manifest.empty


def test_what_a_killed_keepalived_has_left_goes(world: World) -> None:
    world.running()
    world.hold()
    world.unit["ActiveState"] = "failed"
    world.run(NOTHING)
    assert "-D -t 192.0.2.10:80" in world.done and f"ip address del {VIP}/32 dev eth0" in world.done
    assert world.host.manifest.empty


def test_a_file_of_somebody_elses_is_kept(world: World) -> None:
    world.texts = {CONFIG: "theirs\n"}
    world.table = DESCRIBED
    world.run(WANTED)
    assert world.done.index(f"write {KEPT}") < world.done.index(f"write {CONFIG}")


def test_where_nothing_is_ours_nothing_is_done(world: World) -> None:
    world.texts = {CONFIG: "theirs\n"}
    world.unit["ActiveState"] = "active"
    assert world.run(NOTHING) == world.done == []


def test_a_real_server_that_is_a_director_too_keeps_its_vip(world: World) -> None:
    """Whatever becomes of keepalived."""
    served = {VIP: record("real_server")}
    world.host = dataclasses.replace(world.host, manifest=Manifest(vips=served))
    world.hold("lo")
    world.run(WANTED)
    assert world.host.manifest.vips == served and world.host.manifest.moved
    world.texts = dict(OURS)
    world.hold()
    world.run(NOTHING)
    assert world.host.manifest.vips == served and not world.host.manifest.moved
    assert [one.interface for one in world.host.standing(VIP)] == ["lo"]


# ---- sync daemons


def syncing(role: str, syncid: int = 51) -> dict[str, SyncDaemon]:
    return {role: SyncDaemon(role, "eth0", syncid, "224.0.0.81", 8848, 1, 1472)}


SYNCED = dataclasses.replace(WANTED, sync=Sync("eth0", 51))
ASKING = {**OURS, CONFIG: f"{HEADER}\nglobal_defs {{\n  lvs_sync_daemon eth0 front id 52\n}}\n"}


@pytest.mark.parametrize("role", ["master", "backup"])
def test_which_role_a_sync_daemon_has_is_keepaliveds_to_say(world: World, role: str) -> None:
    world.running()
    world.syncing = syncing(role)
    assert world.run(SYNCED) == [] and list(world.syncing) == [role]


@pytest.mark.parametrize(("here", "role"), [(True, "master"), (False, "backup")])
def test_a_sync_daemon_of_other_words_keeps_the_right_one_out(
    world: World, monkeypatch: t.Any, here: bool, role: str
) -> None:
    monkeypatch.setattr(_keepalived, "mtu", lambda _name: 1500)
    world.running()
    if here:
        world.hold()
    world.syncing = syncing("master", 52)
    changes = world.run(SYNCED)
    assert changes[0] == "--stop-daemon master" and world.syncing == syncing(role)


def test_keepalived_leaves_a_sync_daemon_that_is_asked_for_no_more(world: World) -> None:
    world.running()
    world.texts, world.syncing = dict(ASKING), syncing("master", 52)
    assert "--stop-daemon master" in world.run(WANTED) and not world.syncing


def test_a_sync_daemon_of_somebody_else_stays(world: World) -> None:
    world.running()
    world.syncing = syncing("master", 7)
    assert world.run(WANTED) == [] and world.syncing


def test_with_keepalived_its_sync_daemon_goes(world: World) -> None:
    world.running()
    world.hold()
    world.texts, world.syncing = dict(ASKING), syncing("master", 52)
    world.run(dataclasses.replace(NOTHING, hand_over=True))
    assert not world.syncing


@pytest.mark.parametrize(
    ("codes", "good"), [((0,), True), ((5,), False), ((-15, 6), True), ((143, 5), False), ((6,), False)]
)
def test_what_keepalived_says_of_a_file(codes: tuple[int, ...], good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some end over the lines about script security, and without these they miss them."""
    left = list(codes)
    monkeypatch.setattr(_keepalived_daemon, "program", lambda: "/sbin/keepalived")
    judge = Daemon(lambda _command: (left.pop(0), "", "it says why")).judge
    if good:
        judge(TEXT, "", SECRET)
    else:
        with pytest.raises(OptionError, match="it says why"):
            judge(TEXT, "", SECRET)
    assert not left
