# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routers that do not ask who has a VIP: what they get, and what cannot work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof import look_from
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.hosts import prove_router
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.services import prove_vip
from cluster_builders import build, facts, web

MAC = "02:00:00:00:00:05"


def seen(*addresses, **more):
    found = facts(*addresses)
    found["links"]["eth1"]["mac"] = MAC
    return {"lvs_host": {**found, **more}}


LVS1 = seen(("192.0.2.5/24", "eth1"))
ROUTER = seen(("198.51.100.1/24", "eth0"), ("192.0.2.1/24", "eth1"))
AUDIBLE = {"lvs_arp": "router"}


def routed(*services, **hosts):
    all_hosts = {"lvs1": LVS1, "r1": ROUTER, "rs1": AUDIBLE, **hosts}
    return build(*(services or (web(routers=["r1"]),)), hosts=all_hosts)


def test_a_router_gets_an_entry_for_each_vip_of_its_director():
    outcome = routed(web(routers=["r1"], vip=None, vips=[{"address": "192.0.2.77"}, {"address": "2001:db8::77"}]))
    entries = outcome.view("r1")["router_neighbours"]
    assert entries == [
        {"address": address, "interface": "eth1", "mac": MAC} for address in ("192.0.2.77", "2001:db8::77")
    ]
    assert outcome.view("r1")["router_purge"] and outcome.result["routers"] == ["r1"]
    assert "r1" in outcome.result["members"] and outcome.view("rs1")["realserver_arp"] == "router"


def test_routers_may_be_a_group_and_are_looked_at_when_no_service_names_them():
    groups = {"lvs_directors": ["lvs1"], "lvs_routers": ["r1"]}
    outcome = build(web(routers="lvs_routers"), hosts={"lvs1": LVS1, "r1": ROUTER}, groups=groups)
    assert len(outcome.view("r1")["router_neighbours"]) == 1
    left = build(web(), hosts={"lvs1": LVS1, "r1": ROUTER}, groups=groups)
    assert left.view("r1")["router_neighbours"] == [] and left.result["routers"] == []


def test_entries_that_left_the_description():
    kept = seen(("192.0.2.1/24", "eth1"), neighbours=[{"address": "192.0.2.77", "interface": "eth1", "mac": MAC}])
    outcome = build(web(), hosts={"r1": kept})
    assert outcome.result["routers"] == ["r1"] and outcome.view("r1")["router_purge"]


@pytest.mark.parametrize(
    ("services", "hosts", "text"),
    [
        (
            [web()],
            {},
            "real server rs1 has lvs_arp: router, so it answers ARP for vip 192.0.2.77, and no router is named that"
            " would not ask. Say by routers who routes there, or leave lvs_arp out",
        ),
        (
            [web(routers=["lvs1"])],
            {},
            "router lvs1 is a director of it, too: it takes packets to vip 192.0.2.77 itself. Leave it out of routers",
        ),
        (
            [],
            {"r1": seen(("198.51.100.1/24", "eth0"))},
            "router r1 must have one interface on the segment of lvs1's eth1, and has none: say which by its"
            " lvs_interface, or name the router that is there",
        ),
        (
            [],
            {"r1": {}},
            "nobody could look at r1, so the entry for vip 192.0.2.77 on r1 is not known, and without it rs1 would"
            " answer for the VIP. Run again when r1 can be reached",
        ),
        (
            [],
            {"lvs1": {}},
            "nobody could look at lvs1, so the entry for vip 192.0.2.77 on r1 is not known, and without it rs1 would"
            " answer for the VIP. Run again when lvs1 can be reached",
        ),
        ([web(routers="r1")], {}, "routers: group 'r1' is not in the inventory; it is a host: write routers: [r1]"),
    ],
)
def test_what_cannot_work(services, hosts, text):
    found = routed(*services, **hosts).findings
    assert f"lvs_services[0] web: {text}" in found


def test_a_vip_that_moves_by_itself():
    vrrp = [{"name": "one", "id": 7, "directors": [{"host": "lvs1", "priority": 100}]}]
    service = web(routers=["r1"], vip=None, vips=[{"address": "192.0.2.77", "vrrp": "one"}])
    outcome = build(service, hosts={"lvs1": LVS1, "r1": ROUTER}, engine="keepalived", vrrp=vrrp)
    assert any(
        "is moved between directors by lvs_vrrp 'one', and a static entry on r1" in one for one in outcome.findings
    )


def test_an_entry_that_is_there_stays_while_its_director_cannot_be_reached():
    neighbours = [{"address": "192.0.2.77", "interface": "eth1", "mac": MAC}]
    outcome = routed(lvs1={}, r1=seen(("192.0.2.1/24", "eth1"), neighbours=neighbours))
    assert outcome.findings == [] and outcome.view("r1")["router_purge"] is False
    assert any("r1: nobody could look at lvs1" in one and "it stays as it is" in one for one in outcome.warnings)


def test_neighbour_discovery_needs_no_router():
    servers = [{"address": "2001:db8::11", "host": "rs1"}]
    lvs1 = seen(("192.0.2.5/24", "eth1"), ("2001:db8::5/64", "eth1"))
    assert routed(web(vip="2001:db8::77", real_servers=servers), lvs1=lvs1).findings == []


def look(host, mac, **facts_found):
    links = {"lo": {"mac": "00:00:00:00:00:00", "loopback": True}, "eth1": {"mac": mac, "loopback": False}}
    boot = {"found": {"unit": {"name": "openlvs-router.service", "present": True, "enabled": True}, "files": []}}
    found = {"lvs_host": {"links": links, **facts_found}, "__router_applied": {"changes": []}, "__router_boot": boot}
    return look_from(host, True, found)


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ([MAC], ""),
        ([None], "it has no static entry for it, and asks"),
        ([], "it has no static entry for it, and asks"),
        (["02:00:00:00:00:99"], "it sends them to 02:00:00:00:00:99"),
    ],
)
def test_verify_looks_where_a_router_sends(there, why):
    view = routed().view("r1")
    neighbours = [{"address": "192.0.2.77", "interface": "eth1", "mac": mac} for mac in there]
    looks = {"lvs1": look("lvs1", MAC), "r1": look("r1", "02:00:00:00:00:01", neighbours=neighbours)}
    sent, enabled, _files = prove_router(view, looks["r1"], looks)
    assert sent.claim == f"requests for VIP 192.0.2.77 go to lvs1 ({MAC}) by eth1, whoever answers ARP for it"
    assert (sent.holds, sent.why) == (not why, why) and enabled.holds


def test_who_may_answer_beside_the_director():
    looks = {
        "lvs1": look("lvs1", MAC),
        "rs1": replace(look("rs1", "02:00:00:00:00:11"), answers={"192.0.2.77": [MAC, "02:00:00:00:00:12"]}),
        "rs2": replace(look("rs2", "02:00:00:00:00:12"), answers={"192.0.2.77": [MAC, "02:00:00:00:00:11"]}),
    }
    well = prove_vip("192.0.2.77", ("lvs1", "eth1"), {"rs1", "rs2"}, {"rs1", "rs2"}, looks)
    claim = f"only lvs1 ({MAC}), and rs1 and rs2, whom routers do not ask, answer ARP for it"
    assert (well.claim, well.holds) == (claim, True)
    looks["rs1"].facts["arp"] = looks["rs2"].facts["arp"] = {"all": {"arp_ignore": 0}}
    bad = prove_vip("192.0.2.77", ("lvs1", "eth1"), {"rs1", "rs2"}, {"rs1"}, looks)
    assert not bad.holds and bad.why.startswith("rs2 (02:00:00:00:00:12; arp_ignore is 0 there) answers too")
