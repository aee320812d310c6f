# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_rs_arp on a real kernel, judged by ip, /proc/sys and a neighbour's arping."""

from __future__ import annotations

import stat
from pathlib import Path

import guest
import pytest
from segment import HOST_MAC, Segment, addresses, everything, manifest, setting, write_setting

VIP, OTHER, VIP6 = "192.0.2.10", "192.0.2.11", "2001:db8::10"
IGNORE, ANNOUNCE = "net/ipv4/conf/all/arp_ignore", "net/ipv4/conf/all/arp_announce"


@pytest.fixture(name="segment")
def fixture_segment(host):
    segment = Segment()
    segment.neighbour("client", 2)
    return segment


@pytest.fixture(name="apply")
def fixture_apply(run_module):
    """apply(*vips, **options) -> the result of a run that must not fail."""

    def apply(*vips, check=False, **options):
        listed = [vip if isinstance(vip, dict) else {"address": vip} for vip in vips]
        result = run_module("lvs_rs_arp", {"vips": listed, **options}, check=check)
        assert not result.get("failed"), result["msg"]
        return result

    return apply


@pytest.fixture(name="refused")
def fixture_refused(run_module):
    """refused(*vips, **options) -> the findings of a run that must change nothing."""

    def refused(*vips, **options):
        listed = [vip if isinstance(vip, dict) else {"address": vip} for vip in vips]
        before = everything(), manifest()
        result = run_module("lvs_rs_arp", {"vips": listed, **options})
        assert result.get("failed") and "Traceback" not in result["msg"]
        assert (everything(), manifest()) == before
        return result["findings"]

    return refused


# ---- ARP by rules

GATEWAY = "192.0.2.2"


@pytest.fixture(name="rules")
def fixture_rules(run_module):
    """rules(*vips): keep these from ARP by nftables."""

    def rules(*vips, **sources):
        entries = [{"addresses": vips, "sources": [{"interface": "eth0", "address": "192.0.2.1", "prefix": 24}]}]
        result = run_module("lvs_nft", {"table": "realserver", "silent": entries if vips else []})
        assert not result.get("failed"), result

    return rules


def test_rules_keep_silent_and_no_setting_is_touched(segment, apply, rules):
    clean = everything()
    rules(VIP, OTHER)
    result = apply(VIP, OTHER, silence_by="nftables")
    assert segment.who_have("client", VIP, OTHER, "192.0.2.1") == {VIP: set(), OTHER: set(), "192.0.2.1": {HOST_MAC}}
    assert (setting(IGNORE), setting(ANNOUNCE), result["settings"]) == ("0", "0", {})
    apply(purge=True, silence_by="nftables")
    rules()
    assert everything() == clean and manifest() == {}


def test_a_host_that_answers_as_its_vip_asks_as_itself(segment, apply, rules):
    """What the kernel asks for a packet that has the VIP as its source; seen by the one who is asked."""
    rules(VIP)
    apply(VIP, silence_by="nftables")
    segment.ask("client", "ip neighbour flush dev eth0")
    guest.sh(f"ip neighbour flush dev eth0; ping -c 1 -W 1 -I {VIP} {GATEWAY}", check=False)
    assert segment.cached("client", VIP) is None and segment.cached("client", "192.0.2.1") == HOST_MAC
    assert "lladdr" in guest.sh(f"ip neighbour show {GATEWAY}")


def test_it_is_refused_without_rules_and_not_silent_after_a_flush(segment, apply, rules, refused, run_module):
    why = f"VIP {VIP}: no rule of nftables keeps it from ARP, so it would answer. Run lvs_nft with silent before."
    assert refused(VIP, silence_by="nftables") == [why]
    rules(VIP)
    apply(VIP, silence_by="nftables")
    facts = run_module("lvs_host_facts", {})["ansible_facts"]["lvs_host"]
    assert (facts["silent"], facts["silenced"]) == ([VIP], [VIP])
    guest.sh("nft flush ruleset")
    facts = run_module("lvs_host_facts", {})["ansible_facts"]["lvs_host"]
    assert (facts["silent"], facts["silenced"]) == ([], []) and segment.who_has("client", VIP) == {HOST_MAC}


def test_from_one_way_to_the_other_it_never_answers(segment, apply, rules):
    apply(VIP)
    rules(VIP)
    apply(VIP, silence_by="nftables")
    assert (setting(IGNORE), setting(ANNOUNCE)) == ("0", "0") and segment.who_has("client", VIP) == set()
    apply(VIP)
    rules()
    assert (setting(IGNORE), setting(ANNOUNCE)) == ("1", "2") and segment.who_has("client", VIP) == set()


# ---- ARP


@pytest.mark.parametrize("found", [0, 1, 2])
def test_silent_while_it_holds_vips_and_as_before_afterwards(segment, apply, found):
    write_setting(IGNORE, found)
    answers = {HOST_MAC} if found == 0 else set()
    guest.sh(f"ip address add {VIP}/32 dev lo")
    assert segment.who_has("client", VIP) == answers
    guest.sh(f"ip address del {VIP}/32 dev lo")
    before = everything()

    apply(VIP, OTHER)
    assert segment.who_have("client", VIP, OTHER, "192.0.2.1") == {VIP: set(), OTHER: set(), "192.0.2.1": {HOST_MAC}}
    apply(VIP, state="absent")
    assert segment.who_has("client", OTHER) == set()
    assert setting(IGNORE) == str(found or 1)
    apply(OTHER, state="absent")

    assert everything() == before
    assert manifest() == {}
    guest.sh(f"ip address add {VIP}/32 dev lo")
    assert segment.who_has("client", VIP) == answers


def test_a_vip_made_by_hand_is_silenced_and_becomes_ours(segment, apply):
    guest.sh(f"ip address add {VIP}/32 broadcast {VIP} dev lo label lo:7")
    assert segment.who_has("client", VIP) == {HOST_MAC}
    assert apply(VIP)["vips"][0]["label"] == "lo:7"
    assert segment.who_has("client", VIP) == set()
    apply(VIP, state="absent")
    assert addresses("lo") == {}


def test_the_vip_is_no_sender_of_arp_requests(segment, apply):
    def ping_as_vip():
        segment.ask("client", f"ip neighbour del {VIP} dev eth0", check=False)
        guest.sh("ip neighbour flush dev eth0")
        guest.sh(f"ping -c 1 -W 1 -I {VIP} 192.0.2.2", check=False)
        return segment.cached("client", VIP)

    guest.sh(f"ip address add {VIP}/32 dev lo")
    assert ping_as_vip() == HOST_MAC
    apply(VIP)
    assert ping_as_vip() is None


@pytest.mark.parametrize("spoiled", [3, 4])
def test_a_card_whose_own_value_spoils_it_is_silenced(segment, apply, spoiled):
    write_setting("net/ipv4/conf/eth0/arp_ignore", spoiled)
    guest.sh(f"ip address add {VIP}/32 dev lo")
    write_setting(IGNORE, 1)
    assert segment.who_has("client", VIP) == {HOST_MAC}
    apply(VIP)
    assert segment.who_has("client", VIP) == set()
    apply(VIP, state="absent")
    assert setting("net/ipv4/conf/eth0/arp_ignore") == str(spoiled)


def test_listed_cards_are_silent_by_themselves(segment, apply):
    result = apply(VIP, arp_interfaces=["eth0"])
    assert result["settings"] == {
        f"net.ipv4.conf.{where}.{name}": value
        for where in ("all", "eth0")
        for name, value in (("arp_ignore", "1"), ("arp_announce", "2"))
    }
    write_setting(IGNORE, 0)
    assert segment.who_has("client", VIP) == set()


def test_a_card_with_a_dot_in_its_name(segment, apply):
    guest.sh("ip link add link eth0 name eth0.7 type vlan id 7 || ip link add eth0.7 type veth peer name veth7")
    result = apply(VIP, arp_interfaces=["eth0.7"])
    assert setting("net/ipv4/conf/eth0.7/arp_ignore") == "1"
    assert result["settings"]["net.ipv4.conf.eth0/7.arp_ignore"] == "1"
    guest.sh("sysctl -w net.ipv4.conf.eth0/7.arp_ignore=1")


def test_a_dummy_interface_holds_it_as_silently(segment, apply):
    guest.sh("ip link add dummy0 type dummy && ip link set dummy0 up")
    guest.sh(f"ip address add {VIP}/32 dev dummy0")
    assert segment.who_has("client", VIP) == {HOST_MAC}
    guest.sh(f"ip address del {VIP}/32 dev dummy0")
    apply({"address": VIP, "interface": "dummy0"})
    assert segment.who_has("client", VIP) == set()
    assert addresses("dummy0")[f"{VIP}/32"]["label"] == "dummy0:0"
    assert guest.sh(f"ip route show {VIP}").split() == [VIP, "dev", "dummy0", "scope", "link"]


def test_a_dummy_interface_that_is_not_there_is_made_and_removed(segment, apply):
    result = apply({"address": VIP, "interface": "dummy5"}, {"address": VIP6, "interface": "dummy5"})
    assert result["devices"] == ["dummy5"]
    assert {f"{VIP}/32", f"{VIP6}/128"} <= {*addresses("dummy5")}
    assert segment.who_has("client", VIP) == set()
    assert not apply({"address": VIP, "interface": "dummy5"}, {"address": VIP6, "interface": "dummy5"})["changed"]
    apply(VIP, purge=True)
    assert "dummy5" not in guest.sh("ip -brief link")
    assert f"{VIP}/32" in addresses("lo")


def test_ipv6_is_silent_without_any_setting(segment, apply):
    before = setting(IGNORE)
    result = apply(VIP6)
    assert result["settings"] == {} and setting(IGNORE) == before
    segment.ask("client", f"ping -c 1 -W 1 {VIP6}", check=False)
    assert segment.cached("client", VIP6) is None
    assert "src 2001:db8::1 " in guest.sh("ip route get 2001:db8::2")


# ---- addresses and routes


def test_the_vip_stands_as_the_guides_have_it(apply):
    result = apply(VIP, VIP6)
    found = addresses("lo")
    assert (found[f"{VIP}/32"]["label"], found[f"{VIP}/32"]["broadcast"]) == ("lo:0", VIP)
    assert "nodad" in guest.sh("ip -6 address show dev lo scope global") and f"{VIP6}/128" in found
    assert guest.sh(f"ip route show {VIP}").split() == [VIP, "dev", "lo", "scope", "link"]
    ipv4 = {"address": VIP, "prefix": 32, "interface": "lo", "label": "lo:0", "broadcast": VIP, "host_route": True}
    ipv6 = {**ipv4, "address": VIP6, "prefix": 128, "label": None, "broadcast": None, "host_route": False}
    assert result["vips"] == [ipv4, ipv6]
    assert result["changes"] == [
        f"# record: {VIP} is ours, {VIP6} is ours, net.ipv4.conf.all.arp_ignore was 0, "
        "net.ipv4.conf.all.arp_announce was 0",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        "sysctl -w net.ipv4.conf.all.arp_announce=2",
        f"ip address add {VIP}/32 broadcast {VIP} dev lo label lo:0",
        f"ip route add {VIP} dev lo scope link",
        f"ip address add {VIP6}/128 dev lo nodad",
    ]


def test_a_second_run_changes_nothing(apply):
    vips = [VIP, {"address": OTHER, "label": "lo:web"}, VIP6]
    first = apply(*vips)
    before = everything(), Path("/var/lib/openlvs/manifest.json").read_bytes()
    second = apply(*vips)
    assert first["changed"] and not second["changed"]
    assert second["changes"] == [] and second["diff"]["before"] == second["diff"]["after"] == first["diff"]["after"]
    assert second["vips"] == first["vips"] and second["settings"] == first["settings"]
    assert (everything(), Path("/var/lib/openlvs/manifest.json").read_bytes()) == before


def test_check_mode_says_what_a_run_then_does(apply):
    before = everything()
    foretold = apply(VIP, VIP6, check=True)
    assert everything() == before
    assert not list(Path("/var/lib/openlvs").iterdir()) and not Path("/run/openlvs.lock").exists()
    done = apply(VIP, VIP6)
    assert {**done, "invocation": None} == {**foretold, "invocation": None}
    foretold = apply(check=True, purge=True)
    done = apply(purge=True)
    assert {**done, "invocation": None} == {**foretold, "invocation": None}


def test_the_diff_is_what_stands_there(apply):
    diff = apply(VIP)["diff"]
    assert diff["before"] == {
        "vips": [],
        "settings": {"net.ipv4.conf.all.arp_announce": "0", "net.ipv4.conf.all.arp_ignore": "0"},
    }
    assert diff["after"]["settings"] == {"net.ipv4.conf.all.arp_announce": "2", "net.ipv4.conf.all.arp_ignore": "1"}
    assert [vip["address"] for vip in diff["after"]["vips"]] == [VIP]


def test_labels_take_the_lowest_free_number(apply):
    guest.sh("ip address add 198.51.100.1/32 dev lo label lo:0")
    result = apply(VIP, {"address": OTHER, "label": "lo:2"}, "192.0.2.12")
    labels = [vip["label"] for vip in result["vips"]]
    assert labels == ["lo:1", "lo:2", "lo:3"]
    assert [entry["label"] for entry in addresses("lo").values()] == ["lo:0", *labels]


def test_another_label_and_no_host_route_on_second_thought(apply):
    apply(VIP)
    result = apply({"address": VIP, "label": "lo:9", "host_route": False})
    assert addresses("lo")[f"{VIP}/32"]["label"] == "lo:9"
    assert guest.sh(f"ip route show {VIP}") == ""
    assert result["vips"][0]["host_route"] is False
    assert not apply({"address": VIP, "host_route": False})["changed"]


def test_the_vip_moves_to_another_interface(segment, apply):
    guest.sh("ip link add dummy0 type dummy && ip link set dummy0 up")
    apply(VIP)
    apply({"address": VIP, "interface": "dummy0"})
    assert addresses("lo") == {} and f"{VIP}/32" in addresses("dummy0")
    assert "dev dummy0" in guest.sh(f"ip route show {VIP}")
    assert segment.who_has("client", VIP) == set()


def test_a_prefix_that_somebody_widened_is_put_right(segment, apply):
    apply(VIP)
    guest.sh(f"ip address del {VIP}/32 dev lo && ip address add {VIP}/24 dev lo")
    assert apply(VIP)["changed"]
    assert list(addresses("lo")) == [f"{VIP}/32"]
    assert "local 192.0.2.0/24" not in guest.sh("ip route show table local")


def test_after_a_reboot_the_values_found_first_still_count(apply):
    before = everything()
    apply(VIP)
    # the kernel has forgotten all of it, and the settings of the next boot are there again
    guest.sh(f"ip route del {VIP} dev lo && ip address del {VIP}/32 dev lo")
    apply(VIP)
    apply(VIP, state="absent")
    assert everything() == before


# ---- what is ours


def test_the_record_is_for_root_alone(apply):
    apply(VIP)
    path = Path("/var/lib/openlvs/manifest.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.stat().st_uid == 0
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_purge_takes_ours_and_leaves_everything_else(run_module, apply, segment):
    guest.sh("ip address add 198.51.100.1/32 dev lo && ip route add 198.51.100.9 dev eth0")
    run_module("lvs_vip", {"vips": [{"address": "192.0.2.20", "interface": "eth0"}]})
    before = everything()
    apply(VIP, OTHER, VIP6)
    apply(VIP, purge=False)
    assert {f"{OTHER}/32", f"{VIP6}/128"} <= set(addresses("lo"))
    apply(VIP, purge=True)
    assert set(addresses("lo")) == {"198.51.100.1/32", f"{VIP}/32"}
    result = apply(purge=True)
    assert everything() == before
    assert result["vips"] == [] and result["settings"] == {}
    assert list(manifest()["vips"]) == ["192.0.2.20"]


def test_what_is_not_recorded_stays(apply):
    guest.sh(f"ip address add {VIP}/32 dev lo")
    result = apply(VIP, state="absent")
    assert not result["changed"] and f"{VIP}/32" in addresses("lo")
    assert f"ip address del {VIP}/32 dev lo" in str(result["warnings"])


def test_a_setting_that_somebody_changed_since_stays(apply):
    apply(VIP)
    write_setting(IGNORE, 8)
    result = apply(VIP, state="absent")
    assert setting(IGNORE) == "8" and setting(ANNOUNCE) == "0"
    assert len(result["warnings"]) == 1 and "net.ipv4.conf.all.arp_ignore: it stays at 8" in str(result["warnings"])
    assert manifest() == {}


def test_the_settings_go_with_the_last_ipv4_vip(apply):
    apply(VIP, VIP6)
    result = apply(VIP, state="absent")
    assert setting(IGNORE) == "0" and result["settings"] == {}
    assert list(manifest()["vips"]) == [VIP6]


# ---- refusals


def test_all_findings_come_at_once_and_nothing_is_changed(refused):
    guest.sh("ip link add dummy0 type dummy")
    findings = refused(
        f"{VIP}/24", "192.0.2", "224.0.0.18", "fe80::1", {"address": OTHER, "label": "eth0:0"}, {"address": OTHER}
    )
    assert len(findings) == 6
    assert findings[0].startswith(f"vips[0] '{VIP}/24': ") and "takes the whole network for its own" in findings[0]
    for finding, words in zip(findings[1:], ["neither", "single host", "link-local", "begin with it", "listed twice"]):
        assert words in finding


def test_places_where_a_vip_cannot_stand(refused, segment):
    guest.sh("ip link add dummy0 type dummy")
    findings = refused(
        {"address": VIP, "interface": "eth0"}, {"address": OTHER, "interface": "dummy0"}, "192.0.2.1",
        {"address": VIP6, "interface": "lo1"}, arp_interfaces=["eth9"],
    )  # fmt: skip
    own = "own address: 192.0.2.1/24 on eth0"
    for words in ("is a network card", "dummy0 is down", own, "no interface 'lo1'", "arp_interfaces 'eth9'"):
        assert [words in finding for finding in findings].count(True) == 1, words


def test_a_wide_address_on_lo_that_is_not_ours_is_refused(refused):
    guest.sh(f"ip address add {VIP}/24 dev lo")
    [finding] = refused(VIP)
    assert f"{VIP}/24 on lo is there already" in finding and "answers ARP for every address" in finding


def test_a_vip_of_the_directors_side_is_refused(refused, run_module, segment):
    run_module("lvs_vip", {"vips": [{"address": VIP, "interface": "eth0"}]})
    [finding] = refused(VIP)
    assert "records it here as that of a director" in finding


def test_an_ipv6_vip_where_ipv6_is_off_is_refused(refused):
    write_setting("net/ipv6/conf/lo/disable_ipv6", 1)
    [finding] = refused(VIP6, VIP)
    assert "net.ipv6.conf.lo.disable_ipv6=0" in finding


def test_a_route_in_the_way_is_refused(refused, segment):
    guest.sh(f"ip route add {VIP} via 192.0.2.2")
    [finding] = refused(VIP)
    assert f"{VIP} via 192.0.2.2 dev eth0" in finding


# ---- without the library


def test_a_first_check_needs_nothing(first_run):
    before, modules = everything(), guest.lsmod()
    result = first_run("lvs_rs_arp", {"vips": [{"address": VIP}]}, check=True)
    assert result["changed"] and f"ip address add {VIP}/32 broadcast {VIP} dev lo label lo:0" in result["changes"]
    assert everything() == before and guest.lsmod() == modules


def test_a_run_without_the_library_fails_before_it_changes_anything(first_run):
    before = everything()
    result = first_run("lvs_rs_arp", {"vips": [{"address": VIP}]})
    assert result["failed"] and "python3-pyroute2" in result["msg"]
    assert everything() == before and manifest() == {}
