# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_neighbours: what a router sends to a VIP reaches its director, whatever a real server says that is not silent."""

from __future__ import annotations

import json

import guest
import pytest
from segment import Segment, manifest

VIP, VIP6 = "192.0.2.10", "2001:db8::10"
HELD = "ip address add {0}/{1} dev {2}"


@pytest.fixture(name="segment", autouse=True)
def fixture_segment(host):
    """The host is the router. The director and a real server that answers for the VIPs are its neighbours."""
    segment = Segment()
    segment.neighbours({"director": 2, "rs1": 3})
    for name in ("director", "rs1"):
        segment.ask(name, HELD.format(VIP, 32, "eth0"))
        segment.ask(name, HELD.format(VIP6, 128, "eth0 nodad"))
    return segment


def asked_for(*macs):
    return {
        "neighbours": [
            {"address": address, "interface": "eth0", "mac": mac} for address, mac in zip((VIP, VIP6), macs)
        ],
        "purge": True,
    }


DIRECTOR, RS1 = "02:00:00:00:00:02", "02:00:00:00:00:03"
BOTH = asked_for(DIRECTOR, DIRECTOR)


def echoes(segment, name):
    """How many pings a neighbour has got, over IPv4 and IPv6."""
    four = segment.ask(name, "grep ^Icmp: /proc/net/snmp").splitlines()
    found = dict(zip(*(line.split() for line in four)))
    six = dict(line.split() for line in segment.ask(name, "cat /proc/net/snmp6").splitlines())
    return int(found["InEchos"]), int(six["Icmp6InEchos"])


def reached(segment, vip):
    """Which neighbour gets what is sent to the VIP, right after the real server has told everybody that it has it."""
    segment.ask("rs1", f"arping -q -U -c 1 -I eth0 {VIP}")
    before = {name: echoes(segment, name) for name in ("director", "rs1")}
    guest.sh(f"ping -q -c 2 -i 0.2 -W 1 {vip}", check=False)
    number = int(":" in vip)
    return {name for name in before if echoes(segment, name)[number] > before[name][number]}


def entry(address):
    """How the kernel shows it: (MAC, state)."""
    shown = json.loads(guest.sh(f"ip -j neighbour show to {address} dev eth0 nud permanent") or "[]")
    return (shown[0]["lladdr"], shown[0]["state"]) if shown else None


def believe(*macs):
    """The router has learned these MACs just now, and will soon ask again."""
    for address, mac in zip((VIP, VIP6), macs):
        guest.sh(f"ip neighbour replace {address} lladdr {mac} dev eth0 nud stale")


def test_a_real_server_that_talks_takes_the_vip_without_an_entry_and_does_not_with_one(segment, run_module):
    believe(DIRECTOR, RS1)
    assert reached(segment, VIP) == reached(segment, VIP6) == {"rs1"}
    result = run_module("lvs_neighbours", BOTH)
    assert result["changed"] and result["changes"] == [
        f"ip neighbour replace {VIP} lladdr {DIRECTOR} dev eth0 nud permanent",
        f"ip -6 neighbour replace {VIP6} lladdr {DIRECTOR} dev eth0 nud permanent",
    ]
    assert reached(segment, VIP) == reached(segment, VIP6) == {"director"}
    assert entry(VIP) == entry(VIP6) == (DIRECTOR, ["PERMANENT"])
    assert run_module("lvs_neighbours", BOTH)["changed"] is False


def test_the_entry_follows_and_goes(segment, run_module):
    run_module("lvs_neighbours", BOTH)
    moved = run_module("lvs_neighbours", asked_for(RS1, DIRECTOR))
    assert moved["changes"] == [f"ip neighbour replace {VIP} lladdr {RS1} dev eth0 nud permanent"]
    assert reached(segment, VIP) == {"rs1"}
    gone = run_module("lvs_neighbours", asked_for())
    assert gone["changed"] and gone["neighbours"] == [] and manifest() == {}
    assert entry(VIP) is None and entry(VIP6) is None


def test_without_purge_what_is_not_listed_stays(run_module):
    run_module("lvs_neighbours", BOTH)
    result = run_module("lvs_neighbours", {"neighbours": [], "purge": False})
    assert result["changed"] is False and [one["address"] for one in result["neighbours"]] == [VIP, VIP6]


def test_an_entry_of_somebody_else_comes_back(run_module):
    guest.sh(f"ip neighbour replace {VIP} lladdr {RS1} dev eth0 nud permanent")
    run_module("lvs_neighbours", BOTH)
    assert entry(VIP) == (DIRECTOR, ["PERMANENT"])
    assert run_module("lvs_neighbours", asked_for())["changed"] is True
    assert entry(VIP) == (RS1, ["PERMANENT"]) and manifest() == {}


def test_what_was_taken_away_comes_back_and_is_known_meanwhile(run_module):
    run_module("lvs_neighbours", BOTH)
    guest.sh("ip link set eth0 down && ip link set eth0 up")
    facts = run_module("lvs_host_facts", {})["ansible_facts"]["lvs_host"]["neighbours"]
    assert facts == [{"address": address, "interface": "eth0", "mac": None} for address in (VIP, VIP6)]
    assert run_module("lvs_neighbours", BOTH)["changed"] is True and entry(VIP) == (DIRECTOR, ["PERMANENT"])


def test_check_mode_does_nothing(run_module):
    result = run_module("lvs_neighbours", BOTH, check=True)
    assert result["changed"] and len(result["changes"]) == len(result["neighbours"]) == len((VIP, VIP6))
    assert entry(VIP) is None and manifest() == {}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"mac": "01:00:5e:00:00:01"}, "mac '01:00:5e:00:00:01' is not that of a single machine"),
        ({"interface": "eth9"}, "interface 'eth9' does not exist: there are lo, "),
        ({"address": "192.0.2.10/24"}, "does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_done(run_module, changes, text):
    wrong = {"address": VIP, "interface": "eth0", "mac": DIRECTOR, **changes}
    result = run_module("lvs_neighbours", {"neighbours": [*BOTH["neighbours"], wrong]})
    assert result["failed"] and text in result["findings"][0] and entry(VIP) is None
