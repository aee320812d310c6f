# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules ipvs_service, ipvs_real_server and ipvs_info on a real table, judged by ipvsadm."""

from __future__ import annotations

import socket

import pytest
from ipvs import VIP, VIP6, counted, table, thresholds

SERVICE = {"vip": VIP, "port": 80}
SERVER = {**SERVICE, "address": "198.51.100.1"}


@pytest.fixture
def apply(run_module):
    """apply(module, **options): check mode says it, the run does it, and changes nothing the second time."""

    def run(name, **options):
        before = table()
        checked = run_module(name, options, check=True)
        assert table() == before
        result = run_module(name, options)
        assert not result.get("failed"), result
        assert checked == result
        again = run_module(name, options)
        assert again["changed"] is False and again["changes"] == []
        return result

    return run


def test_a_service_comes_changes_and_goes(apply, sh):
    assert apply("ipvs_service", **SERVICE, scheduler="rr")["service"] == f"tcp {VIP}:80"
    assert table() == [f"-A -t {VIP}:80 -s rr"]
    sh(f"ipvsadm -a -t {VIP}:80 -r 198.51.100.7 -g")
    result = apply("ipvs_service", **SERVICE, scheduler="sh", persistent=60)
    assert len(result["changes"]) == 1 and result["changes"][0].startswith("-E ")
    assert table()[1:] == [f"-a -t {VIP}:80 -r 198.51.100.7:80 -g -w 1"]
    assert apply("ipvs_service", **SERVICE, state="absent")["changes"] == [f"-D -t {VIP}:80"]
    assert table() == []


@pytest.mark.parametrize(
    ("identity", "name", "option"),
    [
        ({"vip": VIP, "port": 53, "protocol": "udp"}, f"udp {VIP}:53", f"-u {VIP}:53"),
        ({"vip": VIP6, "port": 53, "protocol": "sctp"}, f"sctp [{VIP6}]:53", f"--sctp-service [{VIP6}]:53"),
        ({"mark": 3}, "mark 3 ipv4", "-f 3"),
        ({"mark": 3, "family": "ipv6"}, "mark 3 ipv6", "-f 3 -6"),
    ],
)
def test_every_way_to_name_a_service(apply, identity, name, option):
    assert apply("ipvs_service", **identity)["service"] == name
    assert table() == [f"-A {option} -s wlc"]
    address = "2001:db8::1" if ":db8:" in option or "-6" in option else "198.51.100.1"
    apply("ipvs_real_server", **identity, address=address)
    assert len(table()) == 2
    apply("ipvs_real_server", **identity, address=address, state="absent")
    apply("ipvs_service", **identity, state="absent")
    assert table() == []


def test_the_same_mark_stands_for_two_families(apply):
    apply("ipvs_service", mark=3)
    apply("ipvs_service", mark=3, family="ipv6")
    apply("ipvs_service", mark=3, state="absent")
    assert table() == ["-A -f 3 -6 -s wlc"]


def test_a_real_server_comes_changes_and_goes(apply, sh):
    sh(f"ipvsadm -A -t {VIP}:80 -s rr; ipvsadm -a -t {VIP}:80 -r 198.51.100.7 -g -w 3 -x 5")
    result = apply("ipvs_real_server", **SERVER, weight=2, upper_threshold=100, lower_threshold=50)
    assert result["service"] == f"tcp {VIP}:80" and result["real_server"] == "198.51.100.1:80"
    assert result["changes"] == [f"-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 2 -x 100 -y 50"]
    assert apply("ipvs_real_server", **SERVER, weight=0)["changes"] == [f"-e -t {VIP}:80 -r 198.51.100.1:80 -g -w 0"]
    assert apply("ipvs_real_server", **SERVER, weight=0)["diff"] == {"before": "", "after": ""}
    apply("ipvs_real_server", **SERVER, forward="tun")
    apply("ipvs_real_server", **SERVER, server_port=8080, forward="nat")
    assert table()[1:] == [
        f"-a -t {VIP}:80 -r 198.51.100.1:80 -i -w 1 --tun-type ipip",
        f"-a -t {VIP}:80 -r 198.51.100.1:8080 -m -w 1",
        f"-a -t {VIP}:80 -r 198.51.100.7:80 -g -w 3",
    ]
    apply("ipvs_real_server", **SERVER, state="absent")
    apply("ipvs_real_server", **SERVER, server_port=8080, state="absent")
    assert table() == [f"-A -t {VIP}:80 -s rr", f"-a -t {VIP}:80 -r 198.51.100.7:80 -g -w 3"]
    assert thresholds() == {"198.51.100.7:80": (5, 0)}


def test_a_tunnel_comes_changes_and_goes(apply):
    apply("ipvs_service", **SERVICE)
    tunnel = {"address": "2001:db8::1", "forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080}
    apply("ipvs_real_server", **SERVICE, **tunnel, tunnel_checksum="csum")
    assert table()[1:] == [f"-a -t {VIP}:80 -r [2001:db8::1]:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum"]
    changes = apply("ipvs_real_server", **SERVICE, **tunnel, weight=5)["changes"]
    assert changes == [f"-e -t {VIP}:80 -r [2001:db8::1]:80 -i -w 5 --tun-type gue --tun-port 6080 --tun-nocsum"]
    result = apply("ipvs_real_server", **SERVICE, address="2001:db8::1", forward="tun", tunnel_type="gre")
    assert result["diff"]["before"].endswith("-i -w 5 --tun-type gue --tun-port 6080 --tun-nocsum\n")
    assert result["diff"]["after"].endswith("-i -w 1 --tun-type gre --tun-nocsum\n")
    assert table()[1:] == [f"-a -t {VIP}:80 -r [2001:db8::1]:80 -i -w 1 --tun-type gre --tun-nocsum"]
    apply("ipvs_real_server", **SERVICE, address="2001:db8::1", forward="tun")
    assert table()[1:] == [f"-a -t {VIP}:80 -r [2001:db8::1]:80 -i -w 1 --tun-type ipip"]


def test_a_persistence_engine_comes_and_goes(apply):
    sip = {"vip": VIP, "port": 5060, "protocol": "udp", "persistent": 60}
    apply("ipvs_service", **sip, pe="sip")
    assert table() == [f"-A -u {VIP}:5060 -s wlc -p 60 --pe sip"]
    apply("ipvs_service", **sip, pe="sip", scheduler="rr")
    assert table() == [f"-A -u {VIP}:5060 -s rr -p 60 --pe sip"]
    apply("ipvs_service", **sip)
    assert table() == [f"-A -u {VIP}:5060 -s wlc -p 60"]


def test_what_could_not_be_added_today_can_be_removed(apply, sh):
    sh(f"ipvsadm -A -t {VIP}:80; ipvsadm -a -t {VIP}:80 -r {VIP}:80 -m; ipvsadm -a -t {VIP}:80 -r 198.51.100.1:81 -m")
    apply("ipvs_real_server", **SERVICE, address=VIP, state="absent")
    apply("ipvs_real_server", **SERVER, server_port=81, state="absent")
    assert table() == [f"-A -t {VIP}:80 -s wlc"]


def test_a_real_server_needs_its_service(run_module):
    result = run_module("ipvs_real_server", SERVER)
    assert result["failed"]
    assert (
        result["msg"] == f"Service tcp {VIP}:80: it is not in the table, so it can have no real server. Add it first."
    )
    assert run_module("ipvs_real_server", {**SERVER, "state": "absent"})["changed"] is False
    assert run_module("ipvs_real_server", SERVER, check=True)["changed"] is True


@pytest.mark.parametrize("name", ["ipvs_service", "ipvs_real_server"])
def test_what_goes_together(run_module, name):
    server = {"address": "198.51.100.1"} if name == "ipvs_real_server" else {}
    assert "one of the following is required: vip, mark" in run_module(name, server)["msg"]
    assert "mutually exclusive: vip|mark" in run_module(name, {**server, "vip": VIP, "port": 1, "mark": 3})["msg"]
    assert "required together: vip, port" in run_module(name, {**server, "vip": VIP})["msg"]
    assert "vip 'web'" in run_module(name, {**server, "vip": "web", "port": 80})["msg"]


def test_info_counts(run_module, sh):
    sh(f"ip address add {VIP}/32 dev lo")
    sh(f"ipvsadm -A -u {VIP}:9 -s rr -p 60 -M 255.255.255.0 && ipvsadm -a -u {VIP}:9 -r 127.0.0.1 -g -w 2 -x 9 -y 3")
    sh("ipvsadm -A -f 3 -6 -s mh -b mh-port")
    for _dummy in range(4):
        socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (VIP, 9))
    assert counted("4 4 0") == ["4", "4", "0"]
    result = run_module("ipvs_info", {})
    assert result["available"] is True and result["changed"] is False
    first, second = result["services"]
    stats = first.pop("stats")
    # client and real server are this host too, so the kernel sees the answers (ICMP: nobody listens)
    assert (stats["conns"], stats["inpkts"], stats["inbytes"], stats["outpkts"]) == (4, 4, 116, 4)
    assert set(stats) >= {"outbytes", "cps", "inpps", "outpps", "inbps", "outbps"}
    (server,) = first.pop("real_servers")
    assert server.pop("stats")["conns"] == 4
    assert server == {
        "address": "127.0.0.1",
        "port": 9,
        "forward": "dr",
        "weight": 2,
        "upper_threshold": 9,
        "lower_threshold": 3,
        "tunnel_type": None,
        "tunnel_port": None,
        "tunnel_checksum": None,
        "active_connections": 0,
        "inactive_connections": 4,
        "persistent_connections": 1,
    }
    assert first == {
        "service": f"udp {VIP}:9",
        "vip": VIP,
        "port": 9,
        "protocol": "udp",
        "mark": None,
        "family": "ipv4",
        "scheduler": "rr",
        "scheduler_flags": [],
        "persistent": 60,
        "netmask": "255.255.255.0",
        "pe": None,
        "ops": False,
    }
    assert second["service"] == "mark 3 ipv6" and second["mark"] == 3 and second["family"] == "ipv6"
    assert second["vip"] is None and second["port"] is None and second["protocol"] is None
    assert second["scheduler_flags"] == ["mh-port"] and second["real_servers"] == []


def test_info_of_some(run_module, sh):
    for identity in (f"-t {VIP}:80", f"-t {VIP}:81", f"-t [{VIP6}]:80", "-f 3", "-f 3 -6"):
        sh(f"ipvsadm -A {identity}")

    def names(**options):
        return [found["service"] for found in run_module("ipvs_info", options)["services"]]

    assert names() == [f"tcp {VIP}:80", f"tcp {VIP}:81", f"tcp [{VIP6}]:80", "mark 3 ipv4", "mark 3 ipv6"]
    assert names(vip=VIP) == [f"tcp {VIP}:80", f"tcp {VIP}:81"]
    assert names(vip="2001:0DB8::0010") == [f"tcp [{VIP6}]:80"]
    assert names(mark=3) == ["mark 3 ipv4", "mark 3 ipv6"]
    assert names(mark=4) == names(vip="192.0.2.99") == []
    assert "vip 'web': it is not an IPv4 or IPv6 address" in run_module("ipvs_info", {"vip": "web"})["msg"]


def test_info_reads_what_only_others_make(run_module, sh):
    sh("ipvsadm -A -t 203.0.113.1:80 -s rr -b flag-1,flag-3")
    sh("ipvsadm -a -t 203.0.113.1:80 -r 198.51.100.8:80 -i --tun-type gre --tun-csum")
    (found,) = run_module("ipvs_info", {})["services"]
    assert found["scheduler_flags"] == ["flag-1", "flag-3"]
    (server,) = found["real_servers"]
    assert (server["forward"], server["tunnel_type"], server["tunnel_checksum"]) == ("tun", "gre", "csum")


def test_a_real_server_that_is_reached_in_another_way_is_said_so(run_module, sh):
    sh("ipvsadm -A -t 192.0.2.10:80 -s rr && ipvsadm -a -t 192.0.2.10:80 -r 198.51.100.1:80 -m -w 5")
    task = {"vip": "192.0.2.10", "port": 80, "address": "198.51.100.1", "weight": 0}
    assert not run_module("ipvs_real_server", {**task, "forward": "nat"}).get("warnings")
    (warning,) = run_module("ipvs_real_server", task)["warnings"]
    assert "198.51.100.1:80: it was reached by nat, and now is by dr, which breaks its open connections" in str(warning)
