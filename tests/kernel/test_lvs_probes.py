# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_host_facts, lvs_arp_probe and lvs_connect on a real kernel."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import guest
import pytest
from segment import HOST_MAC, Segment, addresses, everything, write_setting

VIP, VIP6 = "192.0.2.10", "2001:db8::10"


@pytest.fixture(name="segment")
def fixture_segment(host):
    return Segment()


@pytest.fixture(name="facts")
def fixture_facts(run_module):
    def facts():
        result = run_module("lvs_host_facts", {})
        assert result["changed"] is False
        return result["ansible_facts"]["lvs_host"]

    return facts


def vips(*listed):
    return {"vips": [vip if isinstance(vip, dict) else {"address": vip} for vip in listed]}


# ---- facts


def test_the_facts_are_what_ip_sees(segment, facts):
    guest.sh("ip address add 192.0.2.9/32 dev eth0 label eth0:9")
    found = facts()
    links = json.loads(guest.sh("ip -j address"))
    assert {*found["links"]} == {link["ifname"] for link in links}
    for link in links:
        seen = found["links"][link["ifname"]]
        flags = {"up": "UP" in link["flags"], "loopback": "LOOPBACK" in link["flags"], "mtu": link["mtu"]}
        assert {key: seen[key] for key in flags} == flags
        if link["link_type"] in ("ether", "loopback"):  # ip shows the ends of a tunnel there
            assert seen["mac"] == link["address"]
    assert sorted(found["addresses"], key=str) == sorted(
        (
            {
                "address": entry["local"],
                "prefix": entry["prefixlen"],
                "interface": link["ifname"],
                "scope": entry["scope"],
                "label": entry.get("label"),
            }
            for link in links
            for entry in link["addr_info"]
        ),
        key=str,
    )
    assert found["ip_forward"] == 0
    assert found["arp"]["all"] == {"arp_ignore": 0, "arp_announce": 0}
    assert {*found["arp"]} == {"all", *found["links"]}


def test_the_facts_tell_what_is_ours(segment, facts, run_module):
    assert facts()["vips"] == [] and facts()["services"] == {} and facts()["silent"] == []
    run_module("lvs_rs_arp", vips(VIP, VIP6))
    run_module("lvs_vip", vips({"address": "192.0.2.20", "interface": "eth0"}))
    found = facts()
    assert [(vip["address"], vip["side"], vip["interface"]) for vip in found["vips"]] == [
        (VIP, "real_server", "lo"),
        (VIP6, "real_server", "lo"),
        ("192.0.2.20", "director", "eth0"),
    ]
    assert found["silent"] == [VIP, VIP6]


@pytest.mark.parametrize(
    ("spoil", "silent"),
    [
        ("echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore", [VIP6]),
        ("echo 3 >/proc/sys/net/ipv4/conf/eth0/arp_ignore", [VIP6]),
        ("echo 1 >/proc/sys/net/ipv4/conf/all/arp_announce", [VIP6]),
        ("cd /proc/sys/net/ipv4/conf; echo 0 >all/arp_ignore; echo 8 >eth0/arp_ignore", [VIP, VIP6]),
        (f"ip address del {VIP}/32 dev lo", [VIP6]),
        (f"ip address add {VIP}/24 dev lo", [VIP6]),
        (f"ip address add {VIP}/32 dev eth0", [VIP6]),
        (f"ip address del {VIP6}/128 dev lo", [VIP]),
        ("ip link set lo down", []),
    ],
)
def test_silent_is_only_what_is_there_and_silent_now(segment, facts, run_module, spoil, silent):
    run_module("lvs_rs_arp", vips(VIP, VIP6))
    guest.sh(spoil)
    assert facts()["silent"] == silent


def test_the_facts_need_nothing_and_load_nothing(first_run):
    modules = guest.lsmod()
    result = first_run("lvs_host_facts", {})
    assert result["ansible_facts"]["lvs_host"]["ip_vs_loaded"] is False
    assert guest.lsmod() == modules


def test_the_facts_see_ip_vs(facts):
    guest.sh("ipvsadm -Sn")
    assert facts()["ip_vs_loaded"] is True


def test_the_facts_import_no_pyroute2():
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print(sorted(m for m in sys.modules if 'pyroute2' in m))"
    path = guest.MODULES / "lvs_host_facts.py"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("module", ["lvs_host_facts", "lvs_rs_arp", "lvs_vip"])
def test_a_broken_record_is_named_and_kept(segment, run_module, module):
    path = Path("/var/lib/openlvs/manifest.json")
    path.write_text("{half")
    result = run_module(module, {} if module == "lvs_host_facts" else vips())
    assert result["failed"] and str(path) in result["msg"] and "backup" in result["msg"]
    assert path.read_text() == "{half"


# ---- who has it


def test_all_that_answer_are_heard(segment, run_module):
    macs = [segment.neighbour("one", 11), segment.neighbour("two", 12)]
    for name in ("one", "two"):
        segment.ask(name, f"ip address add {VIP}/32 dev eth0 && ip address add {VIP6}/128 dev eth0 nodad")
    options = {"vips": [VIP, "192.0.2.11", VIP6, "192.0.2.99", "2001:DB8:0::99"], "interface": "eth0", "timeout": 0.5}
    before = everything()
    result = run_module("lvs_arp_probe", options, check=True)
    assert result["answers"] == [
        {"vip": VIP, "macs": macs},
        {"vip": "192.0.2.11", "macs": macs[:1]},
        {"vip": VIP6, "macs": macs},
        {"vip": "192.0.2.99", "macs": []},
        {"vip": "2001:db8::99", "macs": []},
    ]
    assert result["changed"] is False and everything() == before


def test_asking_makes_nobody_believe_anything_of_the_vip(segment, run_module):
    segment.neighbour("client", 2)
    segment.believe("client", VIP, "02:00:00:00:00:99")
    guest.sh(f"ip address flush dev eth0 && ip address add {VIP}/24 dev eth0")  # the VIP is its only address
    run_module("lvs_arp_probe", {"vips": [VIP], "interface": "eth0", "timeout": 0.2})
    assert segment.cached("client", VIP) == "02:00:00:00:00:99"


def test_one_without_an_address_can_ask_too(segment, run_module):
    mac = segment.neighbour("one", 11)
    guest.sh("ip address flush dev eth0")
    options = {"vips": ["192.0.2.11", "2001:db8::b"], "interface": "eth0", "timeout": 0.5}
    assert [answer["macs"] for answer in run_module("lvs_arp_probe", options)["answers"]] == [[mac], [mac]]


def test_the_probe_sees_the_real_server_become_silent(segment, run_module):
    mac = segment.neighbour("client", 2)
    write_setting("net/ipv4/conf/all/arp_ignore", 0)
    guest.sh(f"ip address add {VIP}/32 dev lo")
    options = {"vips": [VIP], "interface": "eth0", "timeout": 0.3}

    def heard():
        code = "import guest, json, sys; print(json.dumps(guest.run_module('lvs_arp_probe', json.loads(sys.argv[1]))))"
        command = ["ip", "netns", "exec", "client", sys.executable, "-c", code, json.dumps(options)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(guest.__file__).parent)
        return json.loads(done.stdout)["answers"][0]["macs"]

    assert heard() == [HOST_MAC] and mac != HOST_MAC
    run_module("lvs_rs_arp", vips(VIP))
    assert heard() == []


def test_what_cannot_be_asked(segment, run_module):
    result = run_module("lvs_arp_probe", {"vips": ["web"], "interface": "eth9", "count": 0})
    assert [finding.split(":")[0] for finding in result["findings"]] == ["vips[0] 'web'", "interface 'eth9'", "count 0"]
    assert "no Ethernet" in run_module("lvs_arp_probe", {"vips": [VIP], "interface": "lo"})["msg"]


# ---- connections


def test_connections_are_counted_and_closed(segment, run_module):
    segment.neighbour("server", 11)
    with segment.serving("server", ("192.0.2.11", 80), ("2001:db8::b", 80)):
        targets = [{"vip": "192.0.2.11", "port": 80}, {"vip": "2001:db8::b", "port": 80, "count": 3}]
        result = run_module("lvs_connect", {"targets": targets}, check=True)
        assert segment.ask("server", "ss -Htn") == ""  # nothing is left half-open
    assert [(target["asked"], target["answered"], target["errors"]) for target in result["targets"]] == [
        (12, 12, []),
        (3, 3, []),
    ]
    assert result["changed"] is False


def test_what_goes_wrong_is_counted(segment, run_module):
    segment.neighbour("server", 11)
    segment.ask("server", "ip route add blackhole 192.0.2.1/32")  # hears, and cannot answer
    targets = [{"vip": "192.0.2.1", "port": 81, "count": 2}, {"vip": "192.0.2.11", "port": 80, "timeout": 0.2}]
    refused, silent = run_module("lvs_connect", {"targets": targets})["targets"]
    assert (refused["asked"], refused["answered"]) == (2, 0)
    assert refused["errors"] == [{"message": "connection refused", "count": 2}]
    assert (silent["asked"], silent["answered"]) == (3, 0)
    assert silent["errors"] == [{"message": "no answer in time", "count": 3}]


def test_questions_over_udp_and_sctp(segment, run_module):
    """An answer from the VIP is one, from elsewhere not; a refusal is heard, and silence says nothing."""
    segment.neighbour("server", 11)
    segment.ask("server", "ip address add 192.0.2.12/24 dev eth0 && ip address add 2001:db8::c/64 dev eth0 nodad")
    probe = {"protocol": "udp", "count": 3, "probe": "77 68 6f"}
    targets = [
        *({"vip": vip, "port": 7, **probe} for vip in ("192.0.2.12", "2001:db8::c")),
        *({"vip": vip, "port": 7, "protocol": "sctp", "count": 3} for vip in ("192.0.2.12", "2001:db8::c")),
        {"vip": "192.0.2.12", "port": 9, "protocol": "udp", "count": 2},
    ]
    with segment.answering("server", 7):
        results = run_module("lvs_connect", {"targets": targets})["targets"]
    assert [(one["asked"], one["answered"], one["known"]) for one in results] == [
        *[(3, 3, True)] * 4,
        (2, 0, False),
    ]
    refusals = results[-1]["errors"]
    assert [one["message"] for one in refusals] == ["connection refused"]

    segment.ask("server", "ip route replace 192.0.2.1/32 dev eth0 src 192.0.2.11")
    careless = "import socket\no = socket.socket(type=2)\no.bind((str(), 7))\nwhile 1: o.sendto(*o.recvfrom(9))"
    server = subprocess.Popen(["ip", "netns", "exec", "server", sys.executable, "-c", careless])
    try:
        while "UNCONN" not in segment.ask("server", "ss -Hlun"):
            time.sleep(0.05)
        [elsewhere] = run_module("lvs_connect", {"targets": targets[:1]})["targets"]
        quiet = {"vip": "192.0.2.12", "port": 9, "protocol": "udp", "count": 2}
        segment.ask("server", "ip route replace blackhole 192.0.2.1/32")
        [silent] = run_module("lvs_connect", {"targets": [quiet]})["targets"]
    finally:
        server.kill()
        server.wait()
    assert (elsewhere["asked"], elsewhere["answered"]) == (3, 0)
    assert elsewhere["errors"][0]["message"].startswith("answered from 192.0.2.11, where clients expect nobody")
    assert (silent["asked"], silent["answered"], silent["errors"], silent["known"]) == (2, 0, [], False)


def test_what_is_no_question(run_module):
    targets = [{"vip": VIP, "port": 7, "probe": "00"}, {"vip": VIP, "port": 7, "protocol": "udp", "probe": "who"}]
    findings = run_module("lvs_connect", {"targets": targets})["findings"]
    assert findings == [
        "targets[0] probe: nothing is said on tcp connections. It is for udp.",
        "targets[1] probe 'who': it is not hexadecimal, two digits for each byte.",
    ]


def test_what_cannot_be_connected_to(run_module):
    result = run_module("lvs_connect", {"targets": [{"vip": "web", "port": 0, "count": 0}]})
    assert len(result["findings"]) == 3 and addresses("lo") == {}
