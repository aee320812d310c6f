# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address a real server is reached by, and which interface a VIP goes to."""

from __future__ import annotations

import pytest
from cluster_builders import build, facts, web

NOTHING = {"lvs_addresses": None, "lvs_interface": None}
LVS1 = facts(("10.99.0.5/24", "eth0"), ("192.0.2.5/24", "eth1"), ("2001:db8::5/64", "eth1"))
RS1 = facts(("10.99.0.11/24", "eth0"), ("192.0.2.11/24", "eth1"), ("2001:db8::11/64", "eth1"))
RS2 = facts(("10.99.0.12/24", "eth0"), ("192.0.2.12/24", "eth1"), ("2001:db8::12/64", "eth1"))
BY_LOOKING = {
    "lvs1": {**NOTHING, "lvs_host": LVS1},
    "rs1": {**NOTHING, "lvs_host": RS1},
    "rs2": {**NOTHING, "lvs_host": RS2},
}


def addresses(outcome, number=0):
    return [one["address"] for one in outcome.view("lvs1")["director_services"][number]["real_servers"]]


def test_all_by_looking():
    """Nothing is written down: everything is in the network of the VIP."""
    outcome = build(web(), hosts=BY_LOOKING)
    assert outcome.findings == [] and outcome.warnings == []
    assert addresses(outcome) == ["192.0.2.11", "192.0.2.12"]
    assert outcome.view("lvs1")["director_vips"] == [{"address": "192.0.2.77", "prefix": 32, "interface": "eth1"}]
    assert outcome.view("rs1")["realserver_arp_interfaces"] == ["eth1"]


def test_dual_stack():
    outcome = build(web(vip=None, vips=[{"address": "192.0.2.77"}, {"address": "2001:DB8::77"}]), hosts=BY_LOOKING)
    assert outcome.findings == []
    assert addresses(outcome) == ["192.0.2.11", "192.0.2.12"]
    assert addresses(outcome, 1) == ["2001:db8::11", "2001:db8::12"]
    assert [one["prefix"] for one in outcome.view("lvs1")["director_vips"]] == [32, 128]
    assert [one["address"] for one in outcome.view("rs2")["realserver_vips"]] == ["192.0.2.77", "2001:db8::77"]


def test_what_is_written_wins_over_what_is_seen():
    hosts = {**BY_LOOKING, "rs1": {**BY_LOOKING["rs1"], "lvs_addresses": ["10.99.0.11"]}}
    assert addresses(build(web(), hosts=hosts)) == ["10.99.0.11", "192.0.2.12"]


def test_of_several_written_ones_the_one_in_the_directors_network():
    hosts = {"rs1": {"lvs_addresses": ["198.51.100.11", "2001:db8::11", "192.0.2.11"]}}
    assert addresses(build(web(), hosts=hosts))[0] == "192.0.2.11"


def test_the_entry_wins_over_the_host():
    outcome = build(web(real_servers=[{"host": "rs1", "address": "192.0.2.111"}]))
    assert addresses(outcome) == ["192.0.2.111"]


def test_a_vip_outside_of_the_directors_networks_needs_an_interface():
    text = (
        "lvs_services[0] web: vip 198.51.100.77 is on no subnet of director lvs1 (10.99.0.0/24 on eth0, 192.0.2.0/24"
        " on eth1): say which interface by vips[].interface or lvs_interface"
    )
    outcome = build(web(vip="198.51.100.77"), hosts=BY_LOOKING)
    assert text in [one.replace(", 2001:db8::/64 on eth1", "") for one in outcome.findings]


def test_a_vip_outside_of_all_networks_with_the_interface_towards_the_real_servers():
    outcome = build(web(vip=None, vips=[{"address": "198.51.100.77", "interface": "eth1"}]), hosts=BY_LOOKING)
    assert outcome.findings == []
    assert addresses(outcome) == ["192.0.2.11", "192.0.2.12"]


def test_no_guess_between_two_networks():
    hosts = {**BY_LOOKING, "lvs1": {**NOTHING, "lvs_host": facts(("10.99.0.5/24", "eth0"), ("192.0.2.5/24", "eth0"))}}
    outcome = build(web(vip=None, vips=[{"address": "198.51.100.77", "interface": "eth1"}]), hosts=hosts)
    assert outcome.findings == [
        f"lvs_services[0] web: real server {name} has 10.99.0.{n} on eth0, 192.0.2.{n} on eth1, each of which may be"
        " the one for director lvs1: say which by lvs_interface or lvs_addresses"
        for name, n in (("rs1", 11), ("rs2", 12))
    ]


def test_the_hosts_interface_decides_between_two_networks():
    lvs1 = {**NOTHING, "lvs_host": facts(("10.99.0.5/24", "eth0"), ("192.0.2.5/24", "eth0"))}
    hosts = {**BY_LOOKING, "lvs1": lvs1}
    for name in ("rs1", "rs2"):
        hosts[name] = {**hosts[name], "lvs_interface": "eth1"}
    outcome = build(web(vip=None, vips=[{"address": "198.51.100.77", "interface": "eth1"}]), hosts=hosts)
    assert outcome.findings == []
    assert addresses(outcome) == ["192.0.2.11", "192.0.2.12"]


class TestNoSubnetInCommon:
    TEXT = (
        "lvs_services[0] web: real server rs1 (198.51.100.11) is on no subnet directly connected to its director lvs1"
        " ({}): forward dr needs both on one layer 2. Say its address there by lvs_addresses"
    )
    WRITTEN = ("Say its address there by lvs_addresses", "Is its address right?")

    def test_by_what_is_written(self):
        outcome = build(web(), hosts={"rs1": {"lvs_addresses": ["198.51.100.11/24"]}})
        assert outcome.findings == [self.TEXT.format("192.0.2.0/24")]

    def test_by_looking(self):
        hosts = {**BY_LOOKING, "rs1": {**NOTHING, "lvs_host": facts(("198.51.100.11/24", "eth1"))}}
        assert build(web(), hosts=hosts).findings == [self.TEXT.format("10.99.0.0/24, 192.0.2.0/24")]

    def test_an_unmanaged_machine(self):
        servers = [{"address": "198.51.100.11", "unmanaged": True}]
        text = self.TEXT.format("192.0.2.0/24").replace("rs1 (198.51.100.11)", "198.51.100.11")
        assert build(web(real_servers=servers)).findings == [text.replace(*self.WRITTEN)]

    def test_an_address_that_the_entry_has(self):
        """It comes before ``lvs_addresses``, which would be of no use here."""
        servers = [{"host": "rs1", "address": "198.51.100.11"}]
        text = self.TEXT.format("192.0.2.0/24").replace(*self.WRITTEN)
        assert build(web(real_servers=servers)).findings == [text]

    def test_nothing_is_claimed_without_knowing(self):
        hosts = {"lvs1": {"lvs_addresses": ["192.0.2.5"]}, "rs1": {"lvs_addresses": ["198.51.100.11"]}}
        assert build(web(), hosts=hosts).findings == []

    def test_the_network_of_the_vip_counts(self):
        """A public VIP with its network's prefix makes its network directly connected."""
        vips = [{"address": "198.51.100.77", "prefix": 24, "interface": "eth1"}]
        hosts = {"rs1": {"lvs_addresses": ["198.51.100.11/24"]}}
        assert build(web(vip=None, vips=vips), hosts=hosts).findings == []


RS1_NOT_REACHED = {**BY_LOOKING, "rs1": NOTHING}


class TestNotReached:
    """An unreachable host never blocks changes for the others."""

    def test_a_real_server_stays_in_the_table_as_it_is(self):
        outcome = build(web(), hosts=RS1_NOT_REACHED)
        assert outcome.findings == []
        assert outcome.warnings == [
            "rs1: its address for vip 192.0.2.77 is not known: nobody could look at rs1, and lvs_addresses has none."
            " Real servers stay in that table until it is known"
        ]
        assert addresses(outcome) == ["192.0.2.12"]
        assert outcome.view("lvs1")["director_purge_real_servers"] is False

    def test_it_keeps_its_own_work(self):
        outcome = build(web(), hosts=RS1_NOT_REACHED)
        assert outcome.view("rs1")["realserver_vips"] == [{"address": "192.0.2.77", "interface": "lo"}]

    def test_a_director_without_a_written_interface(self):
        outcome = build(web(), hosts={**BY_LOOKING, "lvs1": NOTHING})
        assert outcome.findings == []
        assert outcome.view("lvs1")["director_vips"] == []
        assert outcome.warnings[0] == "lvs1: nobody could look there, so the interface for vip 192.0.2.77 is not known"
        assert outcome.warnings[1].startswith(
            "rs1: its address for vip 192.0.2.77 is not known: nobody could look at lvs1, and"
        )


@pytest.mark.parametrize(
    ("servers", "text"),
    [
        (
            [{"host": "rs1", "address": "192.0.2.5"}],
            "address 192.0.2.5 of real server rs1 is director lvs1's own: packets would never leave the director",
        ),
        (
            [{"address": "192.0.2.5", "unmanaged": True}],
            "address 192.0.2.5 of real server 192.0.2.5 is director lvs1's own: packets would never leave the director",
        ),
        (
            [{"host": "rs1", "address": "192.0.2.12"}],
            "address 192.0.2.12 of real server rs1 is rs2's own: which of the two is meant?",
        ),
        (
            [{"address": "192.0.2.12", "unmanaged": True}],
            "address 192.0.2.12 of real server 192.0.2.12 is rs2's own: write host: rs2 in place of it",
        ),
        (
            [{"host": "rs1"}, {"address": "192.0.2.11", "unmanaged": True}],
            "real servers rs1 and 192.0.2.11 have the same address 192.0.2.11",
        ),
    ],
)
def test_an_address_of_somebody_else(servers, text):
    assert f"lvs_services[0] web: {text}" in build(web(real_servers=servers)).findings


def test_one_family_has_no_real_server():
    vips = [{"address": "192.0.2.77"}, {"address": "2001:db8::77"}]
    servers = [{"address": "192.0.2.50", "unmanaged": True}]
    text = "lvs_services[0] web: vip 2001:db8::77 has no real server of its family: add one, or leave the VIP out"
    assert build(web(vip=None, vips=vips, real_servers=servers)).findings == [text]


def test_a_host_has_no_address_of_the_family():
    hosts = {**BY_LOOKING, "rs1": {**NOTHING, "lvs_host": facts(("192.0.2.11/24", "eth1"))}}
    text = "lvs_services[0] web: real server rs1 has no IPv6 address: set lvs_addresses or lvs_interface there"
    assert build(web(vip="2001:db8::77"), hosts=hosts).findings == [text]


class TestInterfaces:
    def test_an_interface_that_the_director_lacks(self):
        vips = [{"address": "192.0.2.77", "interface": "eth2"}]
        text = (
            "lvs_services[0] web: vip 192.0.2.77: interface 'eth2' does not exist: there are lo, eth0, eth1 (did you"
            " mean 'eth1'?) on director lvs1"
        )
        assert build(web(vip=None, vips=vips), hosts=BY_LOOKING).findings == [text]

    @pytest.mark.parametrize("variable", ["lvs_interface", "lvs_vip_interface"])
    def test_a_host_variable_names_one_that_is_not_there(self, variable):
        hosts = {**BY_LOOKING, "rs1": {**BY_LOOKING["rs1"], "lvs_addresses": ["192.0.2.11"], variable: "bond0"}}
        text = f"rs1: {variable} 'bond0' does not exist: there are lo, eth0, eth1"
        assert build(web(), hosts=hosts).findings == [text]

    def test_the_device_of_the_vips(self):
        outcome = build(web(), hosts={"rs1": {"lvs_vip_interface": "dummy0"}})
        assert outcome.view("rs1")["realserver_vips"] == [{"address": "192.0.2.77", "interface": "dummy0"}]

    @pytest.mark.parametrize("hosts", [{"rs1": {"lvs_interface": "eth1", "lvs_vip_interface": "eth1"}}, None])
    def test_the_device_that_receives_the_requests_cannot_hold_a_vip(self, hosts):
        hosts = hosts or {**BY_LOOKING, "rs1": {**BY_LOOKING["rs1"], "lvs_vip_interface": "eth1"}}
        text = (
            "rs1: lvs_vip_interface 'eth1' receives the requests, so the host would answer ARP for a VIP there. Use lo"
            " or a dummy device"
        )
        assert build(web(), hosts=hosts).findings == [text]


@pytest.mark.parametrize("vip", ["192.0.2.0", "192.0.2.255"])
def test_an_address_that_no_host_can_have(vip):
    text = (
        f"lvs_services[0] web: vip {vip} is the first or the last address of 192.0.2.0/24, where director lvs1 is: no"
        " host can have it"
    )
    assert build(web(vip=vip)).findings == [text]
