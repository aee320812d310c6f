# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnels on the lab, packet by packet: a real server beyond the router, a client that hears no ICMP, a stranger.

What must not happen is made to happen first: without the rules of the real server transfers hang and strangers get in.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from playing import LAB, lab, on, play

HOSTS = ("client", "router", "lvs1", "rs1", "rs2", "rsfar")
FAR, FAR6 = "10.99.1.6", "fd99:1::6"
ECHO = 7000  # where a real server sends back what it gets
GUE = {"tunnel_type": "gue", "tunnel_port": 6080}
GRE = {"tunnel_type": "gre"}
CHECKED = {"tunnel_checksum": "csum"}
# name: VIP, address of the real server, wrapping
WAYS: dict[str, tuple[str, str, dict[str, t.Any]]] = {
    "ipip": ("192.168.0.121", FAR, {}),
    "gue": ("192.168.0.122", FAR, GUE),
    "gre": ("192.168.0.123", FAR, GRE),
    "ipip6": ("fd99:2::121", FAR6, {}),
    "gue6": ("fd99:2::122", FAR6, {**GUE, "tunnel_checksum": "remcsum"}),
    "gre6": ("fd99:2::123", FAR6, {**GRE, **CHECKED}),
    "4in6": ("192.168.0.124", FAR6, {}),
    "6in4": ("fd99:2::124", FAR, {}),
}
MOVED = "192.168.0.125"  # its real servers change from direct routing to a tunnel and back
NO_ICMP = (
    "iptables -I INPUT -p icmp -j DROP; iptables -I OUTPUT -p icmp -j DROP;"
    "ip6tables -I INPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP"
)
SERVER = """
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        got = bytearray()
        while data := self.request.recv(65536):
            got += data
        self.request.sendall(got)
class Server(socketserver.ThreadingTCPServer):
    address_family, allow_reuse_address = 10, True
Server(("::", %d), Echo).serve_forever()
"""
CLIENT = """
import hashlib, os, socket, sys
sent = os.urandom(1 << 20)
with socket.create_connection((sys.argv[1], %d), timeout=float(sys.argv[2])) as way:
    way.sendall(sent)
    way.shutdown(socket.SHUT_WR)
    got = bytearray()
    while data := way.recv(65536):
        got += data
print("same" if got == sent else f"sent {len(sent)}, got {len(got)}")
"""


def description(moved: str) -> dict[str, t.Any]:
    """:arg moved: how packets for the last service are forwarded."""
    services: list[dict[str, t.Any]] = [
        {
            "name": name,
            "vip": vip,
            "ports": [80, ECHO],
            "forward": "tun",
            **wrapping,
            "real_servers": [{"host": "rsfar", "address": address}],
        }
        for name, (vip, address, wrapping) in WAYS.items()
    ]
    both = [{"host": "rs1"}, {"host": "rs2"}]
    services.append(
        {"name": "moved", "vip": MOVED, "port": 80, "scheduler": "rr", "forward": moved, "real_servers": both}
    )
    hosts = {
        "lvs1": {"lvs_addresses": ["192.168.0.75/24", "fd99:2::11/64"]},
        "rs1": {"lvs_addresses": ["192.168.0.45/24"]},
        "rs2": {"lvs_addresses": ["192.168.0.55/24"]},
        "rsfar": {"lvs_addresses": [f"{FAR}/24", f"{FAR6}/64"]},
    }
    return {"all": {"vars": {"lvs_services": services}, "hosts": hosts}}


class Site:
    """Playbooks on the lab."""

    def __init__(self, inventory: Path) -> None:
        self._inventory = inventory

    def play(self, playbook: str, moved: str = "dr") -> str:
        self._inventory.write_text(json.dumps(description(moved)))
        return play(f"playbooks/{playbook}.yml", self._inventory)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """The clusters, and servers that send back what they get; taken away in the end."""
    lab("reset", *HOSTS)
    site = Site(tmp_path_factory.mktemp("inventory") / "cluster.json")
    site.play("site")
    on("rsfar", f"cat >/root/echo.py <<'EOF'\n{SERVER % ECHO}\nEOF\nsystemd-run --unit=echo python3 /root/echo.py")
    on("client", f"cat >/root/send.py <<'EOF'\n{CLIENT % ECHO}\nEOF")
    yield site
    on("rsfar", "systemctl stop echo")
    site.play("teardown")


def get(vip: str, patience: float = 3) -> str:
    """Who answers the client at port 80."""
    return on("client", f"curl -gs -m {patience} http://{f'[{vip}]' if ':' in vip else vip}/", check=False).strip()


def transfer(vip: str, patience: float) -> str:
    """What becomes of 1 MiB to the VIP and back."""
    return on("client", f"python3 /root/send.py {vip} {patience} 2>&1 | tail -n 1", check=False).strip()


@pytest.fixture
def deaf() -> t.Iterator[None]:
    """A client that neither hears nor sends ICMP, and has forgotten what it has heard."""
    on("client", f"{NO_ICMP}; ip route flush cache; ip -6 route flush cache")
    yield
    on("client", NO_ICMP.replace("-I", "-D"))


def test_everything_holds(site: Site) -> None:
    said = site.play("verify")
    assert re.search(r"Of \d+ claims \d+ hold, 0 fail, 0 could not be asked", said), said


@pytest.mark.parametrize("name", WAYS)
def test_a_mebibyte_passes_both_ways_without_icmp(site: Site, deaf: None, name: str) -> None:
    vip = WAYS[name][0]
    assert transfer(vip, 20) == "same"


def test_without_the_rules_it_hangs(site: Site, deaf: None) -> None:
    on("rsfar", "nft flush chain inet openlvs_realserver segments")
    try:
        assert {name: transfer(vip, 4) for name, (vip, *_rest) in WAYS.items()} == dict.fromkeys(
            WAYS, "TimeoutError: timed out"
        )
    finally:
        on("rsfar", "nft -f /etc/openlvs/realserver.nft")


STRANGERS = {
    "ipip": f"type ipip local 10.99.1.3 remote {FAR}",
    "gue": f"type ipip local 10.99.1.3 remote {FAR} encap gue encap-sport auto encap-dport 6080",
    "gre": f"type gre local 10.99.1.3 remote {FAR}",
    "ipip6": f"type ip6tnl mode any local fd99:1::3 remote {FAR6}",
    "6in4": f"type sit local 10.99.1.3 remote {FAR}",
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_s_tunnel_ends_at_the_rules(site: Site, name: str) -> None:
    """The client wraps packets itself, past the director: they are taken without the rules, and dropped with them."""
    vip = WAYS[name][0]
    route = f"-6 route add {vip}/128" if ":" in vip else f"route add {vip}/32"
    make = f"modprobe fou && ip link add stranger {STRANGERS[name]} && ip link set stranger up"
    on("client", f"{make} && ip {route} dev stranger")
    try:
        assert get(vip, 2) == ""
        on("rsfar", "nft flush chain inet openlvs_realserver tunnels")
        assert get(vip, 2) == "rsfar"
    finally:
        on("rsfar", "nft -f /etc/openlvs/realserver.nft")
        on("client", "ip link del stranger")


@pytest.mark.parametrize("name", ["ipip", "gue", "gre", "ipip6"])
def test_packets_come_wrapped_and_answers_go_past_the_director(site: Site, name: str) -> None:
    vip, address, _wrapping = WAYS[name]
    listen = "timeout 4 tcpdump -lnqi any '{}' 2>/dev/null | grep -c IP"
    asked = {
        ("rsfar", "wrapped"): f"src host {'fd99:2::11' if ':' in address else '192.168.0.75'} and dst host {address}",
        ("lvs1", "answers"): f"src host {vip} and src port 80",
        ("client", "answers"): f"src host {vip} and src port 80",
    }
    running = {
        key: subprocess.Popen([LAB, "exec", key[0], listen.format(what)], stdout=subprocess.PIPE, text=True)
        for key, what in asked.items()
    }
    time.sleep(1.5)
    assert get(vip) == "rsfar"
    seen = {key: int(process.communicate()[0]) for key, process in running.items()}
    assert seen["rsfar", "wrapped"] >= 4 and seen["client", "answers"] >= 3 and seen["lvs1", "answers"] == 0, seen


@pytest.mark.parametrize(("way", "most"), [("tun", 0), ("dr", 30)])
def test_changing_the_way(site: Site, way: str, most: int) -> None:
    """One request every tenth of a second while the playbook changes the way of a service that is in use.

    On the way back connections that still send into a tunnel share the kernel's route to a real server with later ones.
    """
    asking = f"while [ -e /root/asking ]; do curl -s -m 5 http://{MOVED}/ || echo lost; sleep 0.1; done"
    on("client", "touch /root/asking")
    with subprocess.Popen([LAB, "exec", "client", asking], stdout=subprocess.PIPE, text=True) as client:
        site.play("site", way)
        on("client", "rm /root/asking")
        answers = client.communicate()[0].split()
    print(f"to {way}: {answers.count('lost')} of {len(answers)} requests lost")
    assert len(answers) > 50 and answers.count("lost") <= most
    assert on("lvs1", f"ipvsadm -Ln -t {MOVED}:80").count({"tun": "Tunnel", "dr": "Route"}[way]) == 2
    assert ("tunl0" in on("rs1", "ip -br link show up")) is (way == "tun")
