# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_vip on a real kernel, judged by ip, /proc/sys, and what its neighbours believe."""

from __future__ import annotations

import subprocess
import time

import guest
import pytest
from segment import HOST_MAC, Segment, addresses, everything, manifest, write_setting

VIP, VIP6, ELSEWHERE = "192.0.2.10", "2001:db8::10", "02:00:00:00:00:99"


@pytest.fixture(name="segment", autouse=True)
def fixture_segment(host):
    segment = Segment()
    segment.neighbour("client", 2)
    return segment


@pytest.fixture(name="apply")
def fixture_apply(run_module):
    """apply(*vips, **options) -> the result of a run that must not fail."""

    def apply(*vips, check=False, **options):
        listed = [{"interface": "eth0", **(vip if isinstance(vip, dict) else {"address": vip})} for vip in vips]
        result = run_module("lvs_vip", {"vips": listed, **options}, check=check)
        assert not result.get("failed"), result["msg"]
        return result

    return apply


def test_the_vip_stands_and_answers(segment, apply):
    result = apply(VIP, VIP6)
    found = addresses("eth0")
    assert (found[f"{VIP}/32"]["label"], found[f"{VIP}/32"]["broadcast"]) == ("eth0:0", VIP)
    assert guest.sh(f"ip route show {VIP}").split() == [VIP, "dev", "eth0", "scope", "link"]
    assert segment.who_has("client", VIP) == {HOST_MAC}
    segment.ask("client", f"ping -c 1 -W 1 {VIP6}")
    assert [vip["address"] for vip in result["vips"]] == [VIP, VIP6]


@pytest.mark.parametrize("vip", [VIP, VIP6])
def test_neighbours_that_believed_otherwise_believe_it(segment, apply, vip):
    segment.believe("client", vip, ELSEWHERE)
    apply(vip)
    assert segment.cached("client", vip) == HOST_MAC


def test_an_ipv6_router_announces_itself_as_one(segment, apply):
    write_setting("net/ipv6/conf/eth0/forwarding", 1)
    segment.believe("client", VIP6, ELSEWHERE)
    apply(VIP6)
    assert " router " in segment.ask("client", f"ip neighbour show {VIP6}")


def test_it_announces_three_times_and_only_what_is_new(segment, apply):
    listen = ["ip", "netns", "exec", "client", "tcpdump", "-lnqi", "eth0", f"arp and arp src {VIP} or icmp6[0] == 136"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tcpdump:
        tcpdump.stderr.readline(), tcpdump.stderr.readline()  # it listens
        time.sleep(0.2)
        apply(VIP, VIP6)
        apply(VIP, VIP6)
        time.sleep(0.2)
        tcpdump.terminate()
        heard = tcpdump.stdout.read().splitlines()
    assert [f"Request who-has {VIP} tell {VIP}" in line for line in heard].count(True) == 3, heard
    assert [f"{VIP6} > ff02::1: ICMP6, neighbor advertisement" in line for line in heard].count(True) == 3, heard


def test_a_second_run_changes_nothing(apply):
    vips = [VIP, {"address": "192.0.2.11", "prefix": 24}, VIP6]
    first, before = apply(*vips), everything()
    second = apply(*vips)
    assert first["changed"] and not second["changed"] and second["changes"] == []
    assert second["diff"]["before"] == second["diff"]["after"] == first["diff"]["after"]
    assert second["vips"] == first["vips"] and everything() == before


def test_check_mode_says_what_a_run_then_does(apply):
    before = everything()
    foretold = apply(VIP, VIP6, check=True)
    assert everything() == before and manifest() == {}
    assert {**apply(VIP, VIP6), "invocation": None} == {**foretold, "invocation": None}


def test_the_networks_prefix_and_a_label_as_in_old_guides(segment, apply):
    before = everything()
    result = apply({"address": VIP, "prefix": 24, "label": "eth0:0", "host_route": False})
    found = addresses("eth0")[f"{VIP}/24"]
    assert (found["label"], found["broadcast"], found["secondary"]) == ("eth0:0", "192.0.2.255", True)
    assert result["vips"][0]["broadcast"] == "192.0.2.255"
    apply(VIP, purge=True)
    assert list(addresses("eth0")) == ["192.0.2.1/24", f"{VIP}/32", "2001:db8::1/64"]
    apply(VIP, state="absent")
    assert everything() == before and manifest() == {}


def test_the_director_does_not_speak_as_its_vip(segment, apply):
    apply(VIP, VIP6)
    assert "src 192.0.2.1 " in guest.sh("ip route get 192.0.2.2")
    assert "src 2001:db8::1 " in guest.sh("ip route get 2001:db8::2")


def test_purge_takes_ours_and_leaves_everything_else(run_module, apply):
    guest.sh("ip address add 192.0.2.50/32 dev eth0")
    run_module("lvs_rs_arp", {"vips": [{"address": "192.0.2.20"}]})
    before = everything()
    apply(VIP, VIP6)
    apply(VIP6, purge=True)
    assert f"{VIP}/32" not in addresses("eth0")
    apply(purge=True)
    assert everything() == before and list(manifest()["vips"]) == ["192.0.2.20"]


# ---- refusals


def test_the_directors_own_address_is_refused_on_every_run(run_module, apply):
    for _run in range(2):
        before = everything()
        own = [{"address": "192.0.2.1", "interface": "eth0", "prefix": 24}, {"address": VIP, "interface": "eth0"}]
        result = run_module("lvs_vip", {"vips": own})
        assert result["failed"] and "own address: 192.0.2.1/24 on eth0" in result["msg"]
        assert everything() == before
        apply(VIP)


def test_a_primary_address_does_not_take_others_with_it(run_module, apply):
    apply({"address": "198.51.100.10", "prefix": 24})
    guest.sh("ip address add 198.51.100.99/24 dev eth0")
    absent = {"vips": [{"address": "198.51.100.10", "interface": "eth0"}], "state": "absent"}
    result = run_module("lvs_vip", absent)
    assert result["failed"] and "promote_secondaries" in result["msg"] and "198.51.100.99/24" in result["msg"]
    write_setting("net/ipv4/conf/eth0/promote_secondaries", 1)
    assert not run_module("lvs_vip", absent).get("failed")
    assert "198.51.100.99/24" in addresses("eth0")


def test_an_interface_that_is_down_is_refused(run_module):
    guest.sh("ip link set eth0 down")
    result = run_module("lvs_vip", {"vips": [{"address": VIP, "interface": "eth0"}]})
    assert result["failed"] and "ip link set eth0 up" in result["msg"]
