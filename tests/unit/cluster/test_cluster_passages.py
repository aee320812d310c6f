# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each host's firewall must let through, in each way of forwarding."""

from __future__ import annotations

from cluster_builders import build, facts, web

ON = {"hook": "output", "tracked": "untracked"}


def told(outcome, host):
    """The passages without the words that name them."""
    return [
        {key: value for key, value in one.items() if key != "what"} for one in outcome.view(host)["firewall_passages"]
    ]


def test_direct_routing():
    outcome = build(web(), hosts={"rs1": {"lvs_firewall": "open"}})
    target = {"protocol": "tcp", "destinations": ["192.0.2.77"], "ports": ["80"]}
    assert told(outcome, "lvs1") == [
        {**target, "interface": "eth1", "tracked": "half", "balanced": True},
        {**target, **ON},
    ]
    assert told(outcome, "rs1") == [target]
    assert [outcome.view(host)["firewall_open"] for host in ("lvs1", "rs1")] == [False, True]


def test_masquerading_lets_answers_through_and_rewrites_ports():
    servers = [{"host": "rs1", "port": 8080}, {"host": "rs2"}]
    director = facts(("192.0.2.5/24", "eth1"))
    outcome = build(web(forward="nat", real_servers=servers), hosts={"lvs1": {"lvs_host": director}})
    answers = [one for one in told(outcome, "lvs1") if one.get("hook") == "forward"]
    assert answers == [
        {"protocol": "tcp", "hook": "forward", "sources": ["192.0.2.11"], "source_ports": ["8080"], "tracked": "half"},
        {"protocol": "tcp", "hook": "forward", "sources": ["192.0.2.12"], "source_ports": ["80"], "tracked": "half"},
    ]
    assert told(outcome, "rs1") == [{"protocol": "tcp", "destinations": ["192.0.2.11"], "ports": ["8080"]}]


def test_with_connection_tracking_nothing_is_half():
    outcome = build(web(forward="fullnat"))
    assert {one.get("tracked") for one in told(outcome, "lvs1")} == {None}


def test_several_ports_of_one_service_go_together():
    outcome = build(web(port=None, ports=["80", "443", "8000-8010"], affinity="mark"))
    assert told(outcome, "lvs1")[0]["ports"] == ["80", "443", "8000-8010"]
    assert told(outcome, "rs1")[0]["ports"] == ["80", "443", "8000-8010"]


def test_tunnels_come_from_directors_alone_and_what_is_in_them_comes_out_of_them():
    outcome = build(web(forward="tun", tunnel_type="gue", tunnel_port=6080))
    ends = {"sources": ["192.0.2.5"], "destinations": ["192.0.2.11"]}
    assert told(outcome, "rs1") == [
        {"protocol": "tcp", "destinations": ["192.0.2.77"], "ports": ["80"]},
        {"protocol": "udp", **ends, "ports": ["6080"]},
    ]
    ipip, gre = (build(web(forward="tun", tunnel_type=kind)) for kind in ("ipip", "gre"))
    assert [told(one, "rs1")[1] for one in (ipip, gre)] == [
        {"protocol": "ipencap", **ends},
        {"protocol": "gre", **ends},
    ]


def test_directors_hear_each_other():
    vrrp = {"name": "front", "id": 51, "interface": "eth1"}
    vrrp["directors"] = [{"host": "lvs1", "priority": 150}, {"host": "lvs2", "priority": 100}]
    vips = [{"address": "192.0.2.77", "vrrp": "front"}]
    hosts = {"lvs2": {"lvs_addresses": ["192.0.2.6/24"], "lvs_interface": "eth1"}}
    groups = {"lvs_directors": ["lvs1", "lvs2"], "lvs_real_servers": ["rs1", "rs2"]}
    service = web(vip=None, vips=vips, checks=[{"type": "tcp"}])

    def heard(**changes):
        outcome = build(service, engine="keepalived", vrrp=[{**vrrp, **changes}], hosts=hosts, groups=groups)
        assert not outcome.findings
        return [one for one in told(outcome, "lvs1") if one["protocol"] in ("vrrp", "udp")]

    sign = {"protocol": "vrrp", "sources": ["192.0.2.6"], "interface": "eth1"}
    assert heard() == [{**sign, "destinations": ["224.0.0.18"]}]
    assert heard(multicast="224.0.100.19") == [{**sign, "destinations": ["224.0.100.19"]}]
    assert heard(unicast=True) == [{**sign, "destinations": ["192.0.2.5"]}]
    synced = {"protocol": "udp", "destinations": ["224.0.0.81"], "ports": ["8848"], "interface": "eth1"}
    assert heard(unicast=True, sync=True)[0] == synced
