# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnels in a description: what directors and real servers get of them, and what is refused."""

from __future__ import annotations

import pytest
from cluster_builders import build, facts, web

FAR = {"lvs_addresses": ["198.51.100.9/24"]}
V6 = {"lvs_addresses": ["2001:db8::12/64"]}
DUAL = {"lvs1": {"lvs_addresses": ["192.0.2.5/24", "2001:db8::5/64"], "lvs_interface": "eth1"}, "rs2": V6}


def tunnels(outcome, host="rs1"):
    assert outcome.findings == []
    return outcome.view(host)["realserver_tunnels"]


def servers(outcome):
    return [
        {key: value for key, value in server.items() if key not in ("name", "port", "weight")}
        for server in outcome.view("lvs1")["director_services"][0]["real_servers"]
    ]


def test_both_ends_of_a_tunnel_to_another_network():
    outcome = build(web(forward="tun"), hosts={"rs1": FAR})
    assert servers(outcome)[0] == {"address": "198.51.100.9", "forward": "tun", "tunnel_type": "ipip"}
    expected = {"address": "198.51.100.9", "tunnel_type": "ipip", "vips": ["192.0.2.77"]}
    assert tunnels(outcome) == [{**expected, "sources": ["192.0.2.5"], "mtu": 1500}]
    assert [vip["address"] for vip in outcome.view("rs1")["realserver_vips"]] == ["192.0.2.77"]


def test_services_share_a_tunnel():
    gue = {"forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080}
    outcome = build(web(**gue), web(name="api", vip="192.0.2.78", **gue), web(name="dr", port=81))
    (tunnel,) = tunnels(outcome)
    assert (tunnel["tunnel_port"], tunnel["vips"]) == (6080, ["192.0.2.77", "192.0.2.78"])


def test_a_real_server_of_another_wrapping_than_the_services():
    own = {"host": "rs2", "tunnel_type": "gre", "tunnel_checksum": "csum"}
    outcome = build(web(forward="tun", tunnel_type="gue", tunnel_port=6080, real_servers=[{"host": "rs1"}, own]))
    assert servers(outcome)[0]["tunnel_port"] == 6080
    assert servers(outcome)[1] == {
        "address": "192.0.2.12",
        "forward": "tun",
        "tunnel_type": "gre",
        "tunnel_checksum": "csum",
    }


@pytest.mark.parametrize("entry", [{"host": "rs2"}, {"host": "rs2", "address": "2001:db8::12"}])
def test_a_real_server_of_the_other_family(entry):
    outcome = build(web(forward="tun", real_servers=[{"host": "rs1"}, entry]), hosts=DUAL)
    assert [server["address"] for server in servers(outcome)] == ["192.0.2.11", "2001:db8::12"]
    assert tunnels(outcome, "rs2")[0]["sources"] == ["2001:db8::5"]


def test_an_unmanaged_machine_of_the_other_family():
    entry = {"address": "2001:db8::50", "unmanaged": True}
    outcome = build(web(forward="tun", real_servers=[entry]), hosts=DUAL)
    assert [server["address"] for server in servers(outcome)] == ["2001:db8::50"]
    (warning,) = outcome.warnings
    assert "takes packets out of the tunnel" in warning


def test_the_mtu_is_the_smaller_one_of_both_ends():
    looks = {"lvs1": facts(("192.0.2.5/24", "eth1")), "rs1": facts(("192.0.2.11/24", "eth0"))}
    for host, name, mtu in (("lvs1", "eth1", 1400), ("rs1", "eth0", 9000)):
        looks[host]["links"][name]["mtu"] = mtu
    outcome = build(web(forward="tun"), hosts={name: {"lvs_host": look} for name, look in looks.items()})
    assert tunnels(outcome)[0]["mtu"] == 1400


def test_the_addresses_of_a_director_are_those_seen_there_too_but_for_vips():
    look = facts(
        ("192.0.2.5/24", "eth1"), ("192.0.2.6/24", "eth1"), ("192.0.2.77/32", "eth1"), vips={"192.0.2.77": "director"}
    )
    outcome = build(web(forward="tun"), hosts={"lvs1": {"lvs_host": look}})
    assert tunnels(outcome)[0]["sources"] == ["192.0.2.5", "192.0.2.6"]


@pytest.mark.parametrize(("vips", "leaves"), [(["192.0.2.77"], False), (["192.0.2.77", "192.0.2.78"], True)])
def test_a_host_whose_tunnel_left_the_description_leaves(vips, leaves):
    tunnel = {"address": "192.0.2.11", "tunnel_type": "ipip", "tunnel_port": None, "tunnel_checksum": "nocsum"}
    look = {**facts(("192.0.2.11/24", "eth0")), "tunnels": [{**tunnel, "vips": vips, "receiving": vips}]}
    outcome = build(web(forward="tun"), hosts={"rs1": {"lvs_host": look}})
    assert (outcome.result["leaving"] == ["rs1"]) is leaves


@pytest.mark.parametrize(
    ("changes", "hosts", "text"),
    [
        ({"tunnel_type": "gue"}, {}, "tunnel_type gue: forward dr has no tunnel. Say forward: tun, or leave it out"),
        ({"forward": "tun", "tunnel_type": "vxlan"}, {}, "tunnel_type 'vxlan' is unknown: one of ipip, gue, gre"),
        ({"forward": "tun", "tunnel_type": "gue"}, {}, "tunnel_type gue needs tunnel_port"),
        ({"forward": "tun", "tunnel_port": 6080}, {}, "tunnel_port 6080: a tunnel of type ipip has no port"),
        ({"forward": "tun", "tunnel_checksum": "csum"}, {}, "tunnel_checksum csum: a tunnel of type ipip has none"),
        ({"forward": "tun", "tunnel_port": 70000}, {}, "tunnel_port 70000 is out of range: 1 to 65535"),
        (
            {"forward": "tun", "real_servers": [{"host": "rs1", "port": 8080}]},
            {},
            "forward tun hands packets on unchanged, so the port cannot change",
        ),
        (
            {"forward": "tun", "real_servers": [{"host": "rs2"}]},
            {"rs2": V6},
            "nobody could look at director lvs1, and its lvs_addresses have no IPv6 address, so real server rs2",
        ),
    ],
)
def test_what_cannot_work(changes, hosts, text):
    outcome = build(web(**changes), hosts=hosts)
    assert any(text in finding for finding in outcome.findings), outcome.findings


@pytest.mark.parametrize("other", [{"name": "dns", "port": 53}, {"name": "dns", "forward": "nat", "port": 5353}])
def test_a_port_takes_packets_out_of_a_tunnel_or_serves(other):
    tunnelled = web(forward="tun", tunnel_type="gue", tunnel_port=53)
    dns = web(protocol="udp", **other, real_servers=[{"host": "rs1", **({"port": 53} if "forward" in other else {})}])
    text = (
        "real server rs1 takes packets out of tunnels at udp port 53, tunnel_port of gue, and could not serve anything"
    )
    assert [text in one for one in build(tunnelled, dns).findings if "tunnel_port" in one] == [True]
    assert "tunnel_port" not in str(build(tunnelled, {**dns, "protocol": "tcp"}).findings)


def test_one_address_takes_gre_with_checksums_or_without():
    gre = {"forward": "tun", "tunnel_type": "gre"}
    outcome = build(web(**gre), web(name="api", port=81, **gre, tunnel_checksum="csum"))
    known = "nocsum in lvs_services[0] web: one address takes either, not both. Say the same in both"
    text = f"lvs_services[1] api: tunnel_checksum of gre to rs1 (192.0.2.11) is csum here and {known}"
    assert outcome.findings[0] == text
