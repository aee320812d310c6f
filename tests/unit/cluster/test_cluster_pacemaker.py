# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services whose VIPs a cluster of Pacemaker moves: what the directors are to do, and what cannot work."""

from __future__ import annotations

import typing as t

import pytest
from cluster_builders import Outcome, build, facts, web

HTTP = {"type": "http", "path": "/", "interval": 2}
BOTH = ["lvs1", "lvs2"]
NODES = [{"host": "lvs1", "id": 1}, {"host": "lvs2", "id": 2}]
FRONT = {"name": "front", "directors": NODES, "fencing": False}
KEY = "k" * 128


def director(last: int, interface: str = "eth1", **pacemaker: t.Any) -> dict[str, t.Any]:
    return {
        "lvs_addresses": [f"192.0.2.{last}/24"],
        "lvs_interface": None,
        "lvs_host": {**facts((f"192.0.2.{last}/24", interface)), "pacemaker": pacemaker},
    }


def cluster(*others: t.Any, service: t.Any = None, front: t.Any = None, **hosts: t.Any) -> Outcome:
    """Two directors, with changes to the service, to the cluster, and to hosts."""
    described = web(**{"checks": [HTTP], "directors": BOTH, **(service or {})})
    known = {"lvs1": director(5), "lvs2": director(6), **hosts}
    clusters = [] if front is False else [{**FRONT, **(front or {})}]
    return build(described, *others, engine="pacemaker", pacemaker=clusters, hosts=known)


def test_both_directors_have_the_file_and_neither_has_the_vip_for_good() -> None:
    outcome = cluster()
    assert not outcome.findings
    for name in BOTH:
        view = outcome.view(name)
        assert view["director_vips"] == [] and view["director_daemons"] == ["ldirectord"]
        assert len(view["ldirectord_virtual_servers"]) == 1
        assert view["pacemaker_nodes"] == [
            {"name": "lvs1", "id": 1, "addresses": ["192.0.2.5"]},
            {"name": "lvs2", "id": 2, "addresses": ["192.0.2.6"]},
        ]
        assert view["pacemaker_vips"] == [{"address": "192.0.2.77", "prefix": 32, "interface": "eth1"}]
        assert (view["pacemaker_name"], view["pacemaker_fencing"], view["pacemaker_complete"]) == ("front", False, True)
    assert outcome.view("rs1")["pacemaker_nodes"] == []


def test_connections_are_told_where_the_vips_stand_or_where_it_is_said() -> None:
    assert cluster().view("lvs1")["pacemaker_sync"] == {}
    outcome = cluster(front={"sync": {"id": 7}})
    assert not outcome.findings
    assert outcome.view("lvs2")["pacemaker_sync"] == {"interface": "eth1", "id": 7}
    assert cluster(front={"sync": {"id": 7, "interface": "eth0"}}).view("lvs1")["pacemaker_sync"]["interface"] == "eth0"
    passages = outcome.view("lvs1")["firewall_passages"]
    assert [one for one in passages if one["what"] == "connections of which other directors tell"]


def test_what_the_directors_tell_each_other_passes_the_firewall() -> None:
    passages = cluster().view("lvs1")["firewall_passages"]
    assert {
        "what": "what other directors of the cluster tell",
        "protocol": "udp",
        "sources": ["192.0.2.6"],
        "destinations": ["192.0.2.5"],
        "ports": ["5405"],
    } in passages


def test_a_director_whose_addresses_nobody_knows_leaves_the_cluster_as_it_is() -> None:
    outcome = cluster(lvs2={"lvs_addresses": None, "lvs_host": None})
    assert outcome.view("lvs1")["pacemaker_complete"] is False


def test_one_that_cannot_be_looked_at_is_in_by_what_is_written() -> None:
    outcome = cluster(lvs2={"lvs_addresses": ["192.0.2.6/24"], "lvs_host": None})
    assert outcome.view("lvs1")["pacemaker_complete"] is True


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            lambda: cluster(service={"directors": ["lvs1"]}),
            "has one director, lvs1: under lvs_engine 'pacemaker' VIPs move",
        ),
        (lambda: cluster(front=False), "its directors are lvs1 and lvs2, and no cluster of lvs_pacemaker has these"),
        (lambda: cluster(front={"fencing": None}), "does not say fencing: true, where the cluster can switch off"),
        (lambda: cluster(front={"fencing": True}), "fencing: true, and the cluster has no device"),
        (
            lambda: cluster(lvs1=director(5, fencing_devices=["ipmi"])),
            "fencing: false, and the cluster has devices for it, ipmi",
        ),
        (lambda: cluster(lvs1=director(5, foreign=True)), "director lvs1 is in a cluster that somebody else has made"),
        (lambda: cluster(lvs2=director(6, "eth0")), "vip 192.0.2.77 would be on eth1 of lvs1 and eth0 of lvs2"),
        (
            lambda: cluster(lvs2={**director(6), "lvs_host": {**facts(("198.51.100.6/24", "eth1")), "pacemaker": {}}}),
            "vip 192.0.2.77 is on no subnet of director lvs2 (198.51.100.0/24 on eth1)",
        ),
        (
            lambda: cluster(
                service={"vip": None, "vips": [{"address": "192.0.2.77", "interface": "eth1"}]},
                lvs2={**director(6), "lvs_host": {**facts(("198.51.100.6/24", "eth1")), "pacemaker": {}}},
            ),
            "share no network there: lvs1 is in 192.0.2.0/24, lvs2 is in 198.51.100.0/24. An address moves within one",
        ),
        (
            lambda: cluster(front={"interfaces": ["eth9"]}),
            "interface 'eth9' does not exist on lvs1: there are lo, eth0, eth1",
        ),
        (lambda: cluster(front={"interfaces": ["eth0"]}), "lvs1 has no address on eth0"),
        (
            lambda: cluster(front={"interfaces": [f"eth{number}" for number in range(9)]}),
            "has 9 interfaces: Corosync uses 8 at most",
        ),
        (lambda: cluster(front={"sync": True}), "has no id, by which the directors know"),
        (lambda: cluster(front={"sync": {"interface": "eth1"}}), "has no id, by which the directors know"),
        (
            lambda: cluster(front={"sync": {"id": 7, "interface": "eth9"}}),
            "sync: interface 'eth9' does not exist on lvs1",
        ),
        (lambda: cluster(front={"directors": [NODES[0], {"host": "lvs2"}]}), "has no id: it is written down"),
        (
            lambda: cluster(front={"directors": [NODES[0], {"host": "lvs2", "id": 1}]}),
            "host 'lvs2' with id 1: one before",
        ),
        (lambda: cluster(front={"directors": [{"host": "lvs3", "id": 1}]}), "host 'lvs3' is not in the inventory"),
        (lambda: cluster(lvs1={**director(5), "pacemaker_authkey": "short"}), "must have 128 to 4096 characters"),
        (
            lambda: cluster(lvs1={**director(5), "pacemaker_authkey": KEY}),
            "pacemaker_authkey is not the same on lvs1, lvs2",
        ),
        (
            lambda: cluster(service={"vip": None, "vips": [{"address": "192.0.2.77", "vrrp": "x"}]}),
            "vrrp 'x' is not in lvs_vrrp",
        ),
    ],
)
def test_what_cannot_work(outcome: t.Callable[[], Outcome], text: str) -> None:
    found = outcome().findings
    assert any(text in one for one in found), found


def test_a_host_is_in_one_cluster_alone() -> None:
    other = {**FRONT, "name": "back"}
    known = {"lvs1": director(5), "lvs2": director(6)}
    service = web(checks=[HTTP], directors=BOTH)
    outcome = build(service, engine="pacemaker", pacemaker=[FRONT, other], hosts=known)
    assert any("lvs1 is in cluster 'front' already" in one for one in outcome.findings)


def test_the_key_is_in_no_view_and_no_finding() -> None:
    outcome = cluster(lvs1={**director(5), "pacemaker_authkey": KEY})
    assert KEY not in str(outcome)
