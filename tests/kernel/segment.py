# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ethernet segment around the test's host, and the questions that its neighbours ask.

The host has eth0 with 192.0.2.1/24 and 2001:db8::1/64. Each neighbour is a network namespace of its own with an eth0.
Questions are asked with other people's tools: arping, ping, ip.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import guest

importlib.import_module("pyroute2.netlink.rtnl.rtmsg")  # once here, not again in every module run, a fork of this

ANSWER = str(Path(__file__).with_name("answer.py"))
HOST_MAC = "02:00:00:00:00:01"


class Segment:
    """A bridge with the host and its neighbours on it."""

    def __init__(self) -> None:
        # the names of namespaces are kept in /run, which tests share
        guest.sh("mkdir -p /run/netns && mount -t tmpfs none /run/netns && ip netns add switch")
        write_setting("net/ipv6/conf/default/accept_dad", 0)  # addresses that are tentative for a second
        _ip(
            "link add eth0 type veth peer name p-host netns switch",
            f"link set eth0 address {HOST_MAC} up",
            "address add 192.0.2.1/24 dev eth0",
            "address add 2001:db8::1/64 dev eth0 nodad",
        )
        _ip("link add br0 type bridge", "link set br0 up", "link set p-host master br0 up", namespace="switch")

    def neighbour(self, name: str, number: int) -> str:
        """One more machine, 192.0.2.NUMBER and 2001:db8::NUMBER; its MAC."""
        self.neighbours({name: number})
        return _mac(number)

    def neighbours(self, numbers: dict[str, int]) -> None:
        """Several of them."""
        for name, number in numbers.items():
            guest.sh(f"ip netns add {name}")
            _ip(
                f"link add p-{name} type veth peer name eth0 netns {name}",
                f"link set p-{name} master br0 up",
                namespace="switch",
            )
            _ip(
                "link set lo up",
                f"link set eth0 address {_mac(number)} up",
                f"address add 192.0.2.{number}/24 dev eth0",
                f"address add 2001:db8::{number:x}/64 dev eth0 nodad",
                namespace=name,
            )
        # a new link carries nothing until the kernel has noticed that it is up, which can take a second
        for number in numbers.values():
            guest.sh(f"until ping -qc 1 -W 0.1 192.0.2.{number}; do :; done")
        guest.sh("ip neighbour flush dev eth0")

    def ask(self, name: str, command: str, check: bool = True) -> str:
        """What a shell line prints on a neighbour."""
        return guest.sh(f"ip netns exec {name} sh -c '{command}'", check)

    def who_have(self, name: str, *asked: str) -> dict[str, set[str]]:
        """The MACs that answer ARP for each address, asked twice on a neighbour, all at the same time."""
        arping = ["ip", "netns", "exec", name, "arping", "-c", "2", "-w", "1", "-I", "eth0"]
        running = {
            address: subprocess.Popen([*arping, address], stdout=subprocess.PIPE, text=True) for address in asked
        }
        printed = {address: process.communicate()[0] for address, process in running.items()}
        assert all(re.search(r"Sent \d+ probes", text) for text in printed.values()), f"arping did not ask: {printed}"
        return {
            address: {mac.lower() for mac in re.findall(r"\[([0-9A-Fa-f:]{17})\]", text)}
            for address, text in printed.items()
        }

    def who_has(self, name: str, address: str) -> set[str]:
        """The MACs that answer ARP for one address."""
        return self.who_have(name, address)[address]

    def cached(self, name: str, address: str) -> str | None:
        """The MAC that a neighbour has in its cache for an address."""
        entries = json.loads(self.ask(name, f"ip -j neighbour show to {address} dev eth0") or "[]")
        return entries[0].get("lladdr") if entries else None

    def believe(self, name: str, address: str, mac: str) -> None:
        """Let a neighbour have learned this MAC long ago."""
        self.ask(name, f"ip neighbour replace {address} lladdr {mac} dev eth0 nud stale")

    @contextlib.contextmanager
    def serving(self, name: str, *places: tuple[str, int]) -> Iterator[None]:
        """Web servers on a neighbour, by address and port."""
        server = ["ip", "netns", "exec", name, sys.executable, "-m", "http.server"]
        running = [
            subprocess.Popen([*server, str(port), "--bind", address], stderr=subprocess.DEVNULL, cwd="/proc")
            for address, port in places
        ]
        try:
            while self.ask(name, "ss -Hltn").count("LISTEN") < len(places):
                time.sleep(0.05)
            yield
        finally:
            for process in running:
                process.kill()
                process.wait()

    @contextlib.contextmanager
    def answering(self, name: str, *ports: int) -> Iterator[None]:
        """A neighbour says its name there, over TCP, UDP and SCTP and from the address that was asked."""
        command = ["ip", "netns", "exec", name, sys.executable, ANSWER, "answer", name, *map(str, ports)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout and process.stdout.readline() == b"ready\n"
                yield
            finally:
                process.kill()


def _mac(number: int) -> str:
    return f"02:00:00:00:00:{number:02x}"


def _ip(*commands: str, namespace: str | None = None) -> None:
    """Several commands of ip(8) in one process."""
    options = ["-n", namespace] if namespace else []
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(commands), text=True, check=True)


def addresses(interface: str) -> dict[str, dict[str, Any]]:
    """The global addresses of an interface as ip(8) sees them, by ADDRESS/PREFIX."""
    [link] = json.loads(guest.sh(f"ip -j address show dev {interface}"))
    found = [entry for entry in link["addr_info"] if entry.get("scope") == "global"]
    return {f"{entry['local']}/{entry['prefixlen']}": entry for entry in found}


def everything() -> str:
    """Addresses, routes and settings of the host, to be compared before and after."""
    return guest.sh(
        "ip -o address | sed 's/valid_lft.*//' && ip route show table all && ip -6 route && cd /proc/sys/net/ipv4 &&"
        "grep -H . ip_forward conf/*/arp_ignore conf/*/arp_announce"
    )


def setting(name: str) -> str:
    """A value under /proc/sys."""
    return (Path("/proc/sys") / name).read_text().strip()


def write_setting(name: str, value: int) -> None:
    """Set it."""
    (Path("/proc/sys") / name).write_text(str(value))


def manifest() -> dict[str, Any]:
    """What is recorded as ours; empty where there is no record."""
    path = Path("/var/lib/openlvs/manifest.json")
    return dict(json.loads(path.read_text())) if path.exists() else {}
