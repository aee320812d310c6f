# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sync daemons: what may be described, and that only what differs is restarted."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import SyncDaemon, converge, read

SAID = {
    "state": "present",
    "role": "master",
    "interface": "eth1",
    "syncid": 0,
    "group": "224.0.0.81",
    "port": 8848,
    "ttl": 1,
    "maxlen": None,
}
MASTER = SyncDaemon("master", "eth1", 0, "224.0.0.81", 8848, 1, 1472)
BACKUP = replace(MASTER, role="backup")


def mtu(interface):
    return {"eth1": 1500, "jumbo": 9000, "narrow": 1280, "lo": 65536}.get(interface)


def wanted(**said):
    return read({**SAID, **said}, mtu)


class Kernel:
    """Runs sync daemons; refuses to start those that it is told to."""

    def __init__(self, *running, refuse=lambda daemon: 0):
        self.running = {daemon.role: daemon for daemon in running}
        self.refuse = refuse
        self.calls = []

    def daemons(self):
        return dict(self.running)

    def start(self, daemon):
        self.calls.append(f"start {daemon.role}")
        if self.refuse(daemon):
            raise KernelError("refused.", errno.ENETUNREACH)
        assert daemon.role not in self.running
        self.running[daemon.role] = daemon

    def stop(self, role):
        self.calls.append(f"stop {role}")
        del self.running[role]


def test_what_is_left_out_is_what_the_kernel_takes_by_itself():
    assert wanted() == {"master": MASTER}
    assert wanted(role="both") == {"master": MASTER, "backup": BACKUP}
    assert wanted(role="both", state="absent", interface=None) == {"master": None, "backup": None}


@pytest.mark.parametrize(
    ("interface", "group", "master", "backup"),
    [
        ("eth1", "224.0.0.81", 1472, 1472),
        ("jumbo", "224.0.0.81", 1472, 8972),
        ("narrow", "224.0.0.81", 1472, 1472),
        ("lo", "224.0.0.81", 1472, 65507),
        ("jumbo", "ff05::51", 1452, 8952),
    ],
)
def test_the_longest_message_follows_the_interface(interface, group, master, backup):
    found = wanted(role="both", interface=interface, group=group)
    assert (found["master"].maxlen, found["backup"].maxlen) == (master, backup)


def test_an_address_is_written_as_the_kernel_does():
    assert wanted(group="FF05:0::51")["master"].group == "ff05::51"


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        (
            {"interface": "eth7"},
            "Sync daemon master: interface 'eth7' is not there. It is the one on which the other directors are.",
        ),
        ({"interface": "an-interface-name-that-is-long"}, "is not there"),
        ({"interface": ""}, "interface '' is not there"),
        ({"syncid": 256}, "Sync daemon master: syncid 256 is out of range. Use 0 to 255."),
        ({"syncid": -1}, "syncid -1 is out of range"),
        ({"port": 0}, "port 0 is out of range. Use 1 to 65535."),
        ({"port": True}, "Sync daemon master: port True is no number."),
        ({"maxlen": True}, "Sync daemon master: maxlen True is no number."),
        ({"ttl": 0}, "ttl 0 is out of range. Use 1 to 255."),
        ({"ttl": 256}, "ttl 256 is out of range"),
        (
            {"group": "192.0.2.1"},
            "group '192.0.2.1' is not a multicast address: 224.0.0.0 to 239.255.255.255, or one of ff00::/8.",
        ),
        ({"group": "2001:db8::1"}, "group '2001:db8::1' is not a multicast address"),
        ({"group": "all"}, "group 'all' is not a multicast address"),
        ({"maxlen": 0}, "maxlen 0 is out of range for a master. Use 1 to 65507."),
        ({"maxlen": 65508}, "maxlen 65508 is out of range"),
        ({"maxlen": 65488, "group": "ff02::51"}, "Use 1 to 65487."),
        ({"role": "backup", "maxlen": 1023}, "maxlen 1023 is out of range for a backup. Use 1024 to 65507."),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(said, finding):
    with pytest.raises(OptionError) as caught:
        wanted(**said)
    (found,) = caught.value.findings
    assert finding in found


def test_all_findings_come_at_once():
    with pytest.raises(OptionError) as caught:
        wanted(syncid=999, port=0, ttl=0, group="x", interface="x", maxlen=0)
    assert len(caught.value.findings) == 6


def test_it_starts_and_stops():
    kernel = Kernel()
    outcome = converge(kernel, wanted(), check_mode=False)
    start = (
        "--start-daemon master --mcast-interface eth1 --syncid 0 --mcast-group 224.0.0.81 --mcast-port 8848"
        " --mcast-ttl 1 --sync-maxlen 1472"
    )
    assert outcome.changes == [start] and outcome.diff == {"before": "", "after": f"{start}\n"}
    assert kernel.running == {"master": MASTER}
    assert converge(kernel, wanted(), check_mode=False).changes == []
    assert converge(kernel, wanted(state="absent"), check_mode=False).changes == ["--stop-daemon master"]
    assert converge(kernel, wanted(state="absent"), check_mode=False).changes == [] and kernel.running == {}


def test_what_runs_as_described_goes_on_and_so_does_the_other_role():
    kernel = Kernel(MASTER, BACKUP)
    assert converge(kernel, wanted(role="both"), check_mode=False).changes == [] and kernel.calls == []
    converge(kernel, wanted(syncid=5), check_mode=False)
    assert kernel.calls == ["stop master", "start master"]
    assert kernel.running == {"master": replace(MASTER, syncid=5), "backup": BACKUP}
    kernel.calls.clear()
    outcome = converge(kernel, wanted(role="both", syncid=5), check_mode=False)
    assert kernel.calls == ["stop backup", "start backup"] and outcome.changes[0] == "--stop-daemon backup"
    converge(kernel, wanted(role="backup", state="absent"), check_mode=False)
    assert set(kernel.running) == {"master"}


def test_check_mode_says_it_and_does_nothing():
    kernel = Kernel(MASTER)
    checked = converge(kernel, wanted(role="both", ttl=9), check_mode=True)
    assert kernel.calls == []
    assert checked == converge(kernel, wanted(role="both", ttl=9), check_mode=False)
    assert dict(checked.after) == kernel.running


def test_the_one_that_ran_comes_back_when_the_new_one_is_refused():
    kernel = Kernel(MASTER, refuse=lambda daemon: daemon.ttl == 9)
    with pytest.raises(KernelError) as caught:
        converge(kernel, wanted(ttl=9), check_mode=False)
    assert str(caught.value) == "refused. The one that ran before runs again."
    assert caught.value.details["applied"] == ["--stop-daemon master", str(MASTER)]
    assert kernel.running == {"master": MASTER}


def test_when_neither_starts_that_is_said():
    kernel = Kernel(MASTER, refuse=lambda daemon: True)
    with pytest.raises(KernelError, match="cannot be started again either, so none runs") as caught:
        converge(kernel, wanted(ttl=9), check_mode=False)
    assert caught.value.details["applied"] == ["--stop-daemon master"]
