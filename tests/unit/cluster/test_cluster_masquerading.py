# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Masquerading in a description: the way back through the director, and what a director's own address can serve."""

from __future__ import annotations

import pytest
from cluster_builders import HOSTS, SEEN, build, facts, only, web


def test_a_director_hides_clients_from_the_real_servers_that_are_reached_so():
    servers = [{"host": "rs1", "port": 8080}, {"host": "rs2", "forward": "dr"}]
    outcome = build(web(forward="fullnat", real_servers=servers))
    view = outcome.view("lvs1")
    assert [one["forward"] for one in view["director_services"][0]["real_servers"]] == ["nat", "dr"]
    client = {"addresses": ["192.0.2.77"], "ports": ["80"], "protocol": "tcp"}
    assert view["director_masquerade"] == [{**client, "servers": ["192.0.2.11"]}]
    passing = {"addresses": ["192.0.2.11"], "ports": ["8080"], "protocol": "tcp"}
    assert view["director_forward"] == {"ipv4": [passing], "ipv6": []}
    assert (
        view["director_ipvs_settings"] == {"conn_reuse_mode": 3, "conntrack": 1} and view["director_ip_forward"] is True
    )
    assert outcome.view("rs1")["realserver_vips"] == []


def test_who_wants_a_director_to_forward_gets_no_limits():
    outcome = build(web(forward="fullnat", real_servers=[{"host": "rs1"}]), hosts={"lvs1": {"lvs_ip_forward": True}})
    assert outcome.view("lvs1")["director_forward"] == {"ipv4": [], "ipv6": []}
    assert "lvs1: lvs_ip_forward: true lets it forward for everybody" in str(outcome.warnings)


def nat_cluster(*gateways: str):
    """A director with a public and a private leg, and a real server behind it."""
    return build(
        web(forward="nat", real_servers=[{"host": "rs1", "port": 8080}]),
        hosts={
            "lvs1": {"lvs_addresses": [], "lvs_host": facts(("192.0.2.5/24", "eth1"), ("198.51.100.1/24", "eth0"))},
            "rs1": {"lvs_addresses": [], "lvs_host": facts(("198.51.100.11/24", "eth0"), gateways=gateways)},
        },
    )


def test_the_way_back_through_whichever_director_serves():
    changes = {"forward": "nat", "directors": ["lvs1", "lvs2"], "vip": None}
    vips = [{"address": "192.0.2.77", "vrrp": "front"}]
    front = {"name": "front", "id": 51, "directors": [{"host": name, "priority": 9} for name in ("lvs1", "lvs2")]}
    hosts = {
        "lvs2": HOSTS["lvs1"] | {"lvs_addresses": ["192.0.2.6/24"]},
        "rs1": {"lvs_host": facts(("192.0.2.11/24", "eth1"))},
    }
    found = build(web(**changes, vips=vips), hosts=hosts, vrrp=[front], engine="keepalived").findings
    assert [one.partition(": forward nat")[0] for one in found] == [
        "lvs_services[0] web: real server rs1 (192.0.2.11) has no route through whichever serves of lvs1 and lvs2 (its"
        " gateways: 192.0.2.1)"
    ]
    assert found[0].endswith("Make a VIP that moves with them its gateway")


def test_masquerading_needs_a_way_back_through_the_director():
    assert only(nat_cluster("198.51.100.254", "2001:db8::1")) == (
        "lvs_services[0] web: real server rs1 (198.51.100.11) has no route through its director lvs1 (its gateways:"
        " 198.51.100.254): forward nat needs the answers to come back there, where they get the VIP as their source."
        " Make 198.51.100.1 its default gateway, or set lvs_gateway: director there"
    )


def test_answers_leave_through_the_director_where_that_is_asked_for():
    hosts = {
        "lvs1": {"lvs_host": facts(("192.0.2.5/24", "eth1"), ("198.51.100.1/24", "eth0"))},
        "rs1": {
            "lvs_addresses": ["198.51.100.11"],
            "lvs_gateway": "director",
            "lvs_host": facts(("198.51.100.11/24", "eth0"), gateways=["198.51.100.254"]),
        },
    }
    servers = [{"host": "rs1", "port": 8080}]
    outcome = build(web(forward="nat", real_servers=servers), hosts=hosts)
    answers = [{"address": "198.51.100.11", "protocol": "tcp", "port": 8080, "gateway": "198.51.100.1"}]
    assert outcome.view("rs1")["realserver_answers"] == answers and outcome.findings == []
    assert build(web(), hosts=hosts).view("rs1")["realserver_answers"] == []
    far = {**hosts, "lvs1": {"lvs_addresses": ["192.0.2.5/24"], "lvs_host": facts(("192.0.2.5/24", "eth1"))}}
    assert "is in no network of lvs1: no address of lvs1 can be its gateway" in only(
        build(web(forward="nat", real_servers=servers), hosts=far)
    )


def test_ways_of_answers_that_left_the_description_leave_the_host():
    seen = facts(("192.0.2.11/24", "eth1"))
    seen["answers"] = [{"address": "192.0.2.11", "protocol": "tcp", "port": 80, "gateway": "192.0.2.5"}]
    assert build(web(), hosts={"rs1": {"lvs_host": seen}}).result["leaving"] == ["rs1"]


def test_direct_routing_by_way_of_its_own_director_is_warned_of():
    for gateways, warned in ((["192.0.2.5"], True), (["192.0.2.5", "192.0.2.1"], False), ([], False)):
        hosts = {"lvs1": {"lvs_host": facts(("192.0.2.5/24", "eth1"))}}
        outcome = build(
            web(), hosts={**hosts, "rs1": {"lvs_host": facts(("192.0.2.11/24", "eth1"), gateways=gateways)}}
        )
        assert any("rs1 lead through its director lvs1 (192.0.2.5)" in text for text in outcome.warnings) is warned


def test_a_real_server_that_is_another_vip_of_its_director():
    other = web(name="api", vip="192.0.2.78", real_servers=[{"address": "192.0.2.77", "unmanaged": True}])
    text = "address 192.0.2.77 of real server 192.0.2.77 is director lvs1's own: packets would never leave the director"
    assert only(build(web(), other)) == f"lvs_services[1] api: {text}"


@pytest.mark.parametrize("gateway", ["198.51.100.1", "192.0.2.77"])
def test_masquerading_with_a_way_back(gateway):
    outcome = nat_cluster("198.51.100.254", gateway)
    assert not outcome.findings
    assert outcome.view("lvs1")["director_ip_forward"] is True
    assert outcome.view("lvs1")["director_no_redirects"] == ["eth1"]
    assert outcome.view("lvs1")["director_services"][0]["real_servers"] == [
        {"name": "rs1", "address": "198.51.100.11", "port": 8080, "weight": 1, "forward": "nat"}
    ]
    assert outcome.view("rs1")["realserver_vips"] == []


class TestTheDirectorsOwnAddress:
    """The first mistake of the field notes: a real server that takes it cuts the director off."""

    TEXT = (
        "lvs_services[0] web: vip 192.0.2.5 is lvs1's own address{}: a real server that takes it would cut lvs1 off."
        " Choose an address that no host has. A director can serve its own address where all real servers are reached"
        " by forward nat."
    )

    def test_where_it_masquerades_it_is_served_as_it_stands(self):
        servers = [{"address": "192.0.2.50", "unmanaged": True}]
        outcome = build(web(vip="192.0.2.5", forward="nat", real_servers=servers), hosts=SEEN)
        assert outcome.findings == [] and outcome.view("lvs1")["director_vips"] == []
        assert outcome.view("lvs1")["director_services"][0]["vip"] == "192.0.2.5"
        for words in ({"affinity": "client"}, {"affinity": "mark", "port": None, "ports": ["20-80"]}):
            described = web(**{"vip": "192.0.2.5", "forward": "nat", "real_servers": servers, **words})
            assert "port 22 is that of its ssh" in only(build(described, hosts=SEEN))
        assert only(build(web(vip="192.0.2.5", port=22, forward="nat", real_servers=servers), hosts=SEEN)) == (
            "lvs_services[0] web: vip 192.0.2.5 is lvs1's own address, and port 22 is that of its ssh: nobody could"
            " reach the director there. Choose another port or VIP"
        )

    def test_by_what_is_written(self):
        assert only(build(web(vip="192.0.2.5"))) == self.TEXT.format("")

    def test_by_a_live_look(self):
        assert only(build(web(vip="192.0.2.5"), hosts=SEEN)) == self.TEXT.format(" (eth1)")

    def test_on_the_second_run_too(self):
        """A run that recorded the address as a VIP must not hide that the inventory calls it the director's own."""
        seen = facts(("192.0.2.5/24", "eth1"), vips={"192.0.2.5": "director"})
        assert only(build(web(vip="192.0.2.5"), hosts={"lvs1": {"lvs_host": seen}})) == self.TEXT.format(" (eth1)")

    def test_by_the_address_that_we_connect_to(self):
        assert only(build(web(vip="192.0.2.6"), hosts={"lvs1": {"ansible_host": "192.0.2.6"}})) == self.TEXT.format(
            ""
        ).replace("2.5", "2.6")

    def test_an_address_of_a_host_that_is_no_director(self):
        text = (
            "lvs_services[0] web: vip 192.0.2.11 is rs1's own address: whoever else takes it would cut rs1 off. Choose"
            " an address that no host has."
        )
        assert only(build(web(vip="192.0.2.11"))) == text

    def test_a_vip_that_is_recorded_as_ours_is_fine(self):
        lvs1 = facts(("192.0.2.5/24", "eth1"), ("192.0.2.77/32", "eth1"), vips={"192.0.2.77": "director"})
        rs1 = facts(("192.0.2.11/24", "eth1"), ("192.0.2.77/32", "lo"), vips={"192.0.2.77": "real_server"})
        assert build(web(), hosts={"lvs1": {"lvs_host": lvs1}, "rs1": {"lvs_host": rs1}}).findings == []

    def test_a_vip_that_was_set_up_by_hand(self):
        rs1 = facts(("192.0.2.11/24", "eth1"), ("192.0.2.77/32", "lo"))
        text = (
            "lvs_services[0] web: vip 192.0.2.77 is rs1's own address (lo): whoever else takes it would cut rs1 off."
            " Choose an address that no host has; or, if it was set up by hand as a VIP before, take it off lo first."
        )
        assert only(build(web(), hosts={"rs1": {"lvs_host": rs1}})) == text

    def test_a_cluster_that_was_set_up_by_hand(self):
        """Every host that has it is named at once, not one a run."""
        lvs1 = facts(("192.0.2.5/24", "eth1"), ("192.0.2.77/32", "eth1"))
        rs1 = facts(("192.0.2.11/24", "eth1"), ("192.0.2.77/32", "lo"))
        rs2 = facts(("192.0.2.12/24", "eth1"), ("192.0.2.77/32", "lo"))
        hosts = {"lvs1": {"lvs_host": lvs1}, "rs1": {"lvs_host": rs1}, "rs2": {"lvs_host": rs2}}
        findings = build(web(), hosts=hosts).findings
        named = [text.partition("vip 192.0.2.77 is ")[2].partition("'s own")[0] for text in findings]
        assert named == ["lvs1", "rs1", "rs2"]
