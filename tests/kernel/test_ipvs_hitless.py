# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ipvs_services under an open load of real clients lose no request; what does lose some is seen to."""

from __future__ import annotations

import time

import guest
import pytest
from ipvs import VIP, table
from killing import kill
from load import answering, load
from segment import Segment, write_setting

DIRECT, MASKED = ("rs1", "rs2", "rs3"), ("rs4", "rs5", "rs6")
NUMBER = {name: 10 + int(name[2:]) for name in (*DIRECT, *MASKED)}
ADDRESS = {name: f"192.0.2.{number}" for name, number in NUMBER.items()}
PORTS = {80: DIRECT, 81: MASKED}
TARGETS = [(kind, VIP, port) for kind in ("tcp", "udp", "kept") for port in PORTS]
RATE = 120


@pytest.fixture(name="segment", autouse=True)
def fixture_segment(host):
    """A director, a client, three real servers behind direct routing and three behind NAT."""
    segment = Segment()
    segment.neighbours({"client": 2, **NUMBER})
    guest.sh(f"ip address add {VIP}/32 dev eth0")
    for name, value in (("ip_forward", 1), ("conf/all/send_redirects", 0), ("conf/eth0/send_redirects", 0)):
        write_setting(f"net/ipv4/{name}", value)
    for name in NUMBER:
        if name in DIRECT:
            segment.ask(name, "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore")
            segment.ask(name, "echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce")
            segment.ask(name, f"ip address add {VIP}/32 dev lo")
        else:
            segment.ask(name, "ip route add 192.0.2.2 via 192.0.2.1")  # answers go the way that questions came
    with answering({name: (VIP if name in DIRECT else ADDRESS[name], 80) for name in NUMBER}):
        yield segment


def loaded(weight=1, drained=(), without=()):
    """The services that have clients.

    Their scheduler stays: while the kernel changes it they have none and refuse new connections. That moment is long
    on machines with several processors, and none on the guest, which has one.
    """
    return [
        {
            "vip": VIP,
            "port": port,
            "protocol": protocol,
            "real_servers": [
                {
                    "address": ADDRESS[name],
                    "weight": 0 if name in drained else weight + place,
                    **({"forward": "nat", "port": 80} if name in MASKED else {}),
                }
                for place, name in enumerate(names)
                if name not in without
            ],
        }
        for port, names in PORTS.items()
        for protocol in ("tcp", "udp")
    ]


def others(count, scheduler="rr", weight=1):
    """Services that nobody asks for."""
    return [
        {
            "vip": VIP,
            "port": port,
            "scheduler": scheduler,
            "real_servers": [{"address": ADDRESS[name], "weight": weight} for name in DIRECT[:2]],
        }
        for port in range(1000, 1000 + count)
    ]


@pytest.fixture(name="apply")
def fixture_apply(run_module):
    """apply(services) -> how many things it changed."""

    def apply(services):
        options = {"services": services, "owner": "me", "purge_real_servers": True}
        result = run_module("ipvs_services", options, diff=False)
        assert not result.get("failed"), result
        return len([change for change in result["changes"] if change.startswith("-")])

    return apply


def drain(run_module, names):
    """Wait until the real servers have no connection left that is open, as the documentation of the module says."""
    addresses = {ADDRESS[name] for name in names}
    while any(
        server["active_connections"]
        for service in run_module("ipvs_info", {})["services"]
        for server in service["real_servers"]
        if server["address"] in addresses and service["protocol"] == "tcp"
    ):
        time.sleep(0.1)


def test_no_request_is_lost_while_the_table_changes(apply, run_module, tmp_path):
    apply(loaded())
    changes = []
    leaving = ("rs1", "rs4")
    with load("client", TARGETS, RATE, 10, tmp_path / "requests") as clients:
        time.sleep(0.5)
        changes.append(apply(loaded() + others(34)))
        changes.append(apply(loaded(weight=5) + others(34, "mh", weight=7)))
        changes.append(apply(loaded(drained=leaving) + others(34, "mh")))
        drain(run_module, leaving)
        changes.append(apply(loaded(without=leaving)))
        changes.append(apply(loaded() + others(34)))
        time.sleep(0.5)
    print(f"{clients}; meanwhile {sum(changes)} changes in {len(changes)} runs: {changes}")
    requests = clients.requests()
    assert clients.lost() == []
    assert {request.server for request in requests} == set(NUMBER)
    assert len(requests) > 100 * requests[-1].due and max(changes) >= 100


def test_no_request_is_lost_when_a_run_is_killed_at_any_step(apply, tmp_path):
    before, after = loaded()[:2], loaded(weight=5, drained=("rs2",))[:2] + others(1)
    targets = [target for target in TARGETS if target[2] == 80]
    apply(before)
    effects = 0
    with load("client", targets, 40, 10, tmp_path / "requests") as clients:  # for so many runs there is little time
        while kill({"services": after, "owner": "me", "purge_real_servers": True}, effects):
            apply(after)
            apply(before)
            effects += 1
    print(f"{clients}; meanwhile a run was killed at each of {effects} places, completed, and taken back")
    assert clients.lost() == [] and effects > 10


WEB = f"-t {VIP}:80"
OTHER_WAYS = {
    "flush and restore": "ipvsadm -Sn >/tmp/rules; ipvsadm -C; ipvsadm -R </tmp/rules",
    "remove and add again": f"ipvsadm -Sn | grep -- '{WEB} ' >/tmp/rules; ipvsadm -D {WEB}; ipvsadm -R </tmp/rules",
}


def until(it_is_so, act):
    """Act until it is so; how often that was."""
    for times in range(1, 100):
        act()
        if it_is_so():
            return times
    raise AssertionError("it never was so")


def test_what_other_ways_lose_is_seen(apply, tmp_path):
    apply(loaded())
    before = sorted(table())
    for way, command in OTHER_WAYS.items():
        with load("client", TARGETS, RATE, 2, tmp_path / way) as clients:
            time.sleep(0.5)
            assert not clients.lost()
            times = until(clients.lost, lambda command=command: guest.sh(command))
        assert sorted(table()) == before
        print(f"{clients}; meanwhile {way}, {times} times")
    with load("client", TARGETS, RATE, 2, tmp_path / "undrained") as clients:
        time.sleep(1)
        apply(loaded(without=("rs1", "rs4")))
        both = {("kept", 80), ("kept", 81)}
        until(lambda: both <= {(request.kind, request.port) for request in clients.lost()}, lambda: time.sleep(0.1))
    print(f"{clients}; meanwhile two real servers left that were not drained")
