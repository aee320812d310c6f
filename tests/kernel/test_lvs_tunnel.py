# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_tunnel on a real kernel, under the packets of a real director: a neighbour whose IPVS tunnels to the host."""

from __future__ import annotations

import subprocess
import sys
import time

import guest
import pytest
from segment import Segment, manifest, setting, write_setting

VIP, VIP6, HOST, HOST6 = "192.0.2.10", "2001:db8::10", "192.0.2.1", "2001:db8::1"
FAMILIES = [(vip, address) for vip in (VIP, VIP6) for address in (HOST, HOST6)]
GUE = {"tunnel_type": "gue", "tunnel_port": 6080}
WRAPPINGS = {
    "ipip": {},
    "gre": {"tunnel_type": "gre"},
    "gre-csum": {"tunnel_type": "gre", "tunnel_checksum": "csum"},
    "gue": GUE,
    "gue-csum": {**GUE, "tunnel_checksum": "csum"},
    "gue-remcsum": {**GUE, "tunnel_checksum": "remcsum"},
}
DEVICES = ("tunl0", "sit0", "gre0", "ip6gre0", "lvs-")


@pytest.fixture(name="segment", autouse=True)
def fixture_segment(host):
    """The host holds the VIPs and serves there; the director has them on its card; the client asks."""
    segment = Segment()
    segment.neighbours({"client": 2, "director": 3})
    director = (
        f"ip address add {VIP}/32 dev eth0 && ip address add {VIP6}/128 dev eth0 nodad preferred_lft 0 &&"
        "sysctl -qw net.ipv4.conf.all.rp_filter=0"
    )
    segment.ask("director", director)
    guest.run_module("lvs_rs_arp", {"vips": [{"address": VIP}, {"address": VIP6}]})
    server = [sys.executable, "-m", "http.server", "80", "--bind", "::"]
    with subprocess.Popen(server, stderr=subprocess.DEVNULL, cwd="/var/lib") as process:
        while "LISTEN" not in guest.sh("ss -Hltn"):
            time.sleep(0.05)
        yield segment
        process.kill()


@pytest.fixture(name="apply")
def fixture_apply(run_module):
    """apply(*tunnels, **options) -> the result of a run that must not fail."""

    def apply(*tunnels, check=False, **options):
        result = run_module("lvs_tunnel", {"tunnels": list(tunnels), **options}, check=check)
        assert not result.get("failed"), result["msg"]
        return result

    return apply


def tunnel(address=HOST, *vips, **options):
    """An item of the module's option."""
    return {"address": address, "vips": list(vips) or [VIP], **options}


def send(segment, vip, address, **options):
    """Have the director tunnel the requests for this VIP to this address."""
    bracketed = [f"[{one}]:80" if ":" in one else f"{one}:80" for one in (vip, address)]
    words = {"tunnel_type": "--tun-type {}", "tunnel_port": "--tun-port {}", "tunnel_checksum": "--tun-{}"}
    told = " ".join(words[name].format(value) for name, value in options.items())
    commands = [f"ipvsadm -A -t {bracketed[0]} -s rr", f"ipvsadm -a -t {bracketed[0]} -r {bracketed[1]} -i {told}"]
    segment.ask("director", " && ".join(["ipvsadm -C", *commands]))


def answered(segment, vip, patience=1):
    """Whether the client's request is."""
    url = f"http://[{vip}]/" if ":" in vip else f"http://{vip}/"
    return "<html" in segment.ask("client", f"curl -gs -m {patience} {url}", check=False)


def tunnels_there():
    """Every tunnel device that is up or ours, every port of GUE, and every setting that has to do with it."""
    seen = guest.sh("ip -br link && ip fou show 2>/dev/null; ip -6 fou show 2>/dev/null; true").splitlines()
    seen = [line for line in seen if line.startswith(("port", "lvs-")) or ("UP" in line and "NOARP" in line)]
    values = guest.sh("cd /proc/sys/net/ipv4/conf && grep -H . all/rp_filter default/rp_filter eth0/rp_filter")
    return seen, values, guest.sh("ip -o address"), {k: v for k, v in manifest().items() if k != "vips"}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_the_client_is_answered_whatever_is_inside_and_outside(segment, apply, wrapping):
    options = WRAPPINGS[wrapping]
    before = tunnels_there()
    for vip, address in FAMILIES:
        send(segment, vip, address, **options)
        assert not answered(segment, vip, 0.3), "only the tunnel of another family is there"
        result = apply(tunnel(address, vip, **options), purge=True)
        assert answered(segment, vip), (vip, address, result["changes"])
        assert apply(tunnel(address, vip, **options), purge=True)["changes"] == []
    apply(purge=True)
    assert not answered(segment, vip, 0.3)
    assert tunnels_there() == before


def test_check_mode_says_what_a_run_then_does(apply):
    wanted = [tunnel(HOST, VIP, VIP6, **GUE), tunnel(HOST6, VIP, tunnel_type="gre", tunnel_checksum="csum")]
    before = tunnels_there()
    checked = apply(*wanted, check=True)
    assert tunnels_there() == before
    done = apply(*wanted)
    assert (checked["changes"], checked["diff"]) == (done["changes"], done["diff"])
    assert apply(check=True, purge=True)["changes"] == apply(purge=True)["changes"] != []


def test_without_purge_what_is_there_stays_for_the_vips_of_both(segment, apply):
    apply(tunnel(HOST, VIP))
    assert apply(tunnel(HOST, VIP6), tunnel(HOST6, VIP6))["tunnels"][0]["vips"] == [VIP, VIP6]
    for vip in (VIP, VIP6):
        send(segment, vip, HOST)
        assert answered(segment, vip)


def test_a_tunnel_of_somebody_else_stays_up(apply):
    apply(tunnel())
    guest.sh("ip link set tunl0 down")
    apply(purge=True)
    guest.sh("ip link add name tunl0 type ipip 2>/dev/null; ip link set tunl0 up && ip fou add port 6080 gue")
    apply(tunnel(HOST, VIP, **GUE))
    apply(purge=True)
    assert "UP" in guest.sh("ip -br link show tunl0") and "port 6080 gue" in guest.sh("ip fou show")


def test_facts_tell_what_is_received(run_module, apply):
    def receiving():
        facts = run_module("lvs_host_facts", {})["ansible_facts"]["lvs_host"]
        return [one["receiving"] for one in facts["tunnels"]]

    apply(tunnel(HOST, VIP, VIP6, **GUE))
    assert receiving() == [[VIP, VIP6]]
    for spoil, mend, left in (
        ("ip link set tunl0 down", "ip link set tunl0 up", [VIP6]),
        ("ip link set sit0 down", "ip link set sit0 up", [VIP]),
        ("sysctl -qw net.ipv4.conf.all.rp_filter=2", "sysctl -qw net.ipv4.conf.all.rp_filter=0", [VIP6]),
        ("ip fou del port 6080", "ip fou add port 6080 gue", []),
        (
            "ip fou del port 6080 && ip fou add port 6080 ipproto 4",
            "ip fou del port 6080 && ip fou add port 6080 gue",
            [],
        ),
    ):
        guest.sh(spoil)
        assert receiving() == [left], spoil
        guest.sh(mend)
        assert receiving() == [[VIP, VIP6]], mend


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tunnel_type": "gue"}, "tunnel_type gue needs tunnel_port"),
        ({"tunnel_port": 6080}, "tunnel_port 6080: a tunnel of type ipip has no port"),
        (
            {"tunnel_type": "gre", "tunnel_checksum": "remcsum"},
            "tunnel_checksum remcsum: remote checksum offload is for",
        ),
        ({"address": "192.0.2.99"}, "it is none of this host's addresses"),
        ({"address": "192.0.2.1/24"}, "it is neither an IPv4 nor an IPv6 address"),
        ({"vips": []}, "vips is empty"),
        ({"vips": ["224.0.0.1"]}, "it is not an address that directors can send to"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_changed(run_module, options, words):
    before = tunnels_there()
    result = run_module("lvs_tunnel", {"tunnels": [{**tunnel(), **options}]})
    assert result["failed"] and words in result["msg"]
    assert tunnels_there() == before


@pytest.mark.parametrize("everywhere", [0, 1, 2])
@pytest.mark.parametrize("default", [0, 2])
def test_rp_filter_gives_way_and_stays_where_it_was_elsewhere(segment, apply, everywhere, default):
    guest.sh("ip link del lvs-gre0 2>/dev/null; true")
    write_setting("net/ipv4/conf/all/rp_filter", everywhere)
    write_setting("net/ipv4/conf/default/rp_filter", default)
    write_setting("net/ipv4/conf/eth0/rp_filter", 1)
    before = tunnels_there()
    options = WRAPPINGS["gre-csum"]  # its device is a new one
    send(segment, VIP, HOST, **options)
    result = apply(tunnel(**options))
    assert answered(segment, VIP), result["changes"]
    assert setting("net/ipv4/conf/all/rp_filter") == "0"
    assert setting("net/ipv4/conf/eth0/rp_filter") == str(max(everywhere, 1))
    assert setting("net/ipv4/conf/default/rp_filter") == str(max(everywhere, default))
    assert result["settings"]["net.ipv4.conf.lvs-gre0.rp_filter"] == "0"
    apply(purge=True)
    assert tunnels_there() == before
