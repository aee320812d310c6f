# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_settings on a real kernel, judged by /proc/sys and by ip."""

from __future__ import annotations

import subprocess
import sys

import guest
import pytest
from segment import Segment, manifest, setting, write_setting

ADVERTISE = """
import socket, struct
channel = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
channel.bind(("fe80::99", 0, 0, socket.if_nametoindex("eth0")))
channel.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0), ("ff02::1%eth0", 0))
"""


@pytest.fixture(name="segment", autouse=True)
def fixture_segment(host):
    segment = Segment()
    segment.neighbour("client", 2)
    return segment


@pytest.fixture(name="apply")
def fixture_apply(run_module):
    """apply(**options) -> the result of a run that must not fail."""

    def apply(check=False, **options):
        result = run_module("lvs_settings", options, check=check)
        assert not result.get("failed"), result["msg"]
        return result

    return apply


def everything() -> str:
    """All that turns with forwarding, to be compared before and after."""
    names = "ip_forward conf/*/forwarding conf/*/accept_redirects conf/*/send_redirects"
    return guest.sh(
        f"cd /proc/sys/net/ipv4 && grep -H . {names}; cd ../ipv6 && grep -H . conf/*/forwarding conf/*/accept_ra;"
        "ip route; ip -6 route | sed 's/ expires.*//'"
    )


def test_forwarding_is_on_until_it_is_given_back(apply):
    write_setting("net/ipv4/conf/all/accept_redirects", 0)
    before = everything()
    result = apply(ip_forward=True)
    assert setting("net/ipv4/ip_forward") == "1"
    assert (result["settings"], result["found"]["net.ipv4.ip_forward"]) == ({"net.ipv4.ip_forward": "1"}, "0")
    assert apply(ip_forward=True)["changes"] == []
    assert apply()["changes"] == [] and setting("net/ipv4/ip_forward") == "1"
    result = apply(purge=True)
    assert everything() == before and result["settings"] == result["found"] == manifest() == {}


def test_forwarding_that_was_on_before_stays_on(apply):
    write_setting("net/ipv4/ip_forward", 1)
    assert apply(ip_forward=True)["found"] == {}
    apply(purge=True)
    assert setting("net/ipv4/ip_forward") == "1"


def test_a_host_that_listens_to_routers_keeps_the_route_that_it_has_from_one(segment, apply):
    before = everything()
    advertise(segment)
    assert "proto ra" in guest.sh("ip -6 route show default")
    apply(ipv6_forward=True)
    assert setting("net/ipv6/conf/eth0/forwarding") == "1"
    assert "proto ra" in guest.sh("ip -6 route show default")
    apply(purge=True)
    assert "proto ra" in guest.sh("ip -6 route show default")
    guest.sh("ip -6 route flush proto ra; ip -6 route flush default", check=False)
    assert everything() == before and manifest() == {}


def advertise(segment: Segment) -> None:
    """The client is a router, for half an hour, and says so."""
    segment.ask("client", "ip -6 address add fe80::99/64 dev eth0 nodad")
    subprocess.run(["ip", "netns", "exec", "client", sys.executable, "-c", ADVERTISE], check=True)
    guest.sh("sleep 0.3")


def test_redirects_are_kept_back_until_they_are_given_back(apply):
    names = [f"net.ipv4.conf.{where}.send_redirects" for where in ("all", "eth0")]
    result = apply(no_redirects=["eth0"])
    assert result["settings"] == dict.fromkeys(names, "0")
    assert [setting(name.replace(".", "/")) for name in names] == ["0", "0"]
    assert setting("net/ipv4/conf/default/send_redirects") == "1"
    assert apply(no_redirects=["eth0"])["changes"] == []
    apply(purge=True)
    assert [setting(name.replace(".", "/")) for name in names] == ["1", "1"] and manifest() == {}


def test_settings_of_ipvs_hold_while_they_are_asked_for_and_come_back(apply):
    asked = {"conntrack": 1, "drop_entry": 1, "sync_threshold": "5 60", "expire_nodest_conn": True}
    foretold = apply(ipvs_settings=asked, check=True)
    result = apply(ipvs_settings=asked)
    assert [step.split()[-1] for step in foretold["changes"] if "sysctl" in step] == [
        step.split()[-1] for step in result["changes"] if "sysctl" in step
    ]
    assert [setting(f"net/ipv4/vs/{name}") for name in asked] == ["1", "1", "5\t60", "1"]
    assert result["settings"] == {
        "net.ipv4.vs.conntrack": "1",
        "net.ipv4.vs.drop_entry": "1",
        "net.ipv4.vs.expire_nodest_conn": "1",
        "net.ipv4.vs.sync_threshold": "5 60",
    }
    assert not apply(ipvs_settings=asked)["changed"] and not apply()["changed"]
    apply(ipvs_settings={"conntrack": 1}, purge=True)
    assert [setting(f"net/ipv4/vs/{name}") for name in asked] == ["1", "0", "3\t50", "0"]
    apply(purge=True)
    assert setting("net/ipv4/vs/conntrack") == "0" and manifest() == {}


def test_settings_that_cannot_be_are_refused_together(run_module):
    before = everything()
    result = run_module("lvs_settings", {"ip_forward": True, "ipvs_settings": {"conntrak": 1, "drop_entry": 9}})
    assert result["findings"] == [
        "ipvs_settings: conntrak: no such setting is known (did you mean 'conntrack'?).",
        "ipvs_settings: drop_entry: '9' is not a whole number from 0 to 3.",
    ]
    assert everything() == before and manifest() == {}


def test_a_size_of_the_connection_table_that_waits_is_told(apply):
    result = apply(ipvs_settings={"conntrack": 1, "conn_tab_bits": 16})
    assert "conn_tab_bits is 12: 16 takes effect when ip_vs is loaded again" in str(result["warnings"])
