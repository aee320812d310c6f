# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way packets go in each way of forwarding, from one description: seen by the client and by the director.

After the cluster is built, after a reboot and after a change: who answered, from which source address, and whether the
answers went through the director. After it is taken away: nobody answers, and the hosts are as they were.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from playing import lab, on, play

PORT, PROTOCOLS = 7, ("tcp", "udp", "sctp")
DIRECTOR, SERVERS, CLIENT = "lvs1", ("rs1", "rs2"), "client"
REQUESTS = 6  # of each protocol to each VIP


@dataclass(frozen=True)
class Mode:
    """A way of forwarding.

    :attr vips: where clients ask.
    :attr addresses: those of director and real servers.
    :attr through: whether answers pass the director.
    :attr gateway: what ``lvs_gateway`` of the real servers says.
    """

    forward: str
    vips: tuple[str, ...]
    addresses: dict[str, list[str]]
    through: bool = False
    gateway: str | None = None

    def description(self, weights: tuple[int, int], scheduler: str) -> dict[str, t.Any]:
        """An inventory: the same for all but the words for the way."""
        service = {
            "name": "echo",
            "vips": [{"address": vip} for vip in self.vips],
            "port": PORT,
            "protocol": [*PROTOCOLS],
            "probe": {"text": "who"},
            "forward": self.forward,
            "scheduler": scheduler,
            "real_servers": [{"host": name, "weight": weight} for name, weight in zip(SERVERS, weights)],
        }
        hosts = {name: {"lvs_addresses": found} for name, found in self.addresses.items()}
        for name in SERVERS:
            where = [found.partition("/")[0] for found in self.addresses[name]] if self.through else self.vips
            hosts[name] |= {"lab_answers": [PORT, *where]} | ({"lvs_gateway": self.gateway} if self.gateway else {})
        return {"all": {"vars": {"lvs_services": [service]}, "hosts": {**hosts, CLIENT: {"lab_answers": [PORT]}}}}


LAN = {
    "lvs1": ["192.168.1.121/24", "fd99:2::11/64"],
    "rs1": ["192.168.1.118/24", "fd99:2::21/64"],
    "rs2": ["192.168.1.119/24", "fd99:2::22/64"],
}
BEHIND = {
    "lvs1": ["192.168.4.4/24", "fd99:2::11/64"],
    "rs1": ["192.168.4.3/24", "fd99:2::21/64"],
    "rs2": ["192.168.4.2/24", "fd99:2::22/64"],
}
MODES = [
    Mode("dr", ("192.168.1.210", "fd99:2::210"), LAN),
    Mode("nat", ("192.168.4.210", "fd99:2::210"), BEHIND, through=True, gateway="director"),
    Mode("fullnat", ("192.168.4.211", "fd99:2::211"), BEHIND, through=True),
    Mode("tun", ("192.168.1.212", "fd99:2::212"), LAN),
]


class Packet(t.NamedTuple):
    """One that passed an interface."""

    direction: str
    source: str
    port: int
    target: str
    asked: int


_PACKET = re.compile(r" (?P<direction>In|Out) +IP6? (?P<source>\S+)\.(?P<port>\d+) > (?P<target>\S+)\.(?P<asked>\d+):")


class Cluster:
    """The lab with one mode on it."""

    def __init__(self, mode: Mode, folder: Path) -> None:
        self.mode = mode
        self._inventory = folder / "cluster.json"

    def describe(self, weights: tuple[int, int], scheduler: str) -> None:
        """What the playbooks shall make."""
        self._inventory.write_text(json.dumps(self.mode.description(weights, scheduler)))

    def play(self, playbook: str) -> str:
        """Run a playbook."""
        return play(playbook, self._inventory)

    def prepare(self) -> None:
        """What the site has: routes, and servers that say their name."""
        self.play("molecule/default/prepare.yml")

    def ask(self, requests: int = REQUESTS) -> dict[tuple[str, str], list[str]]:
        """Who answered, by VIP and protocol."""
        asked = [(vip, protocol) for vip in self.mode.vips for protocol in PROTOCOLS]
        questions = [{"protocol": protocol, "address": vip, "port": PORT, "count": requests} for vip, protocol in asked]
        answers = json.loads(on(CLIENT, f"python3 /srv/answer.py ask {shlex.quote(json.dumps(questions))}"))
        return dict(zip(asked, answers))


def watch(host: str) -> None:
    """Begin to note the packets of the service."""
    tcpdump = f"tcpdump -i any -nn -l port {PORT}"
    on(host, f"systemd-run -q --collect --unit=watch sh -c 'exec {tcpdump} >/tmp/seen 2>/tmp/watching'")
    on(host, "until grep -q listening /tmp/watching; do sleep 0.1; done")


def seen(host: str) -> list[Packet]:
    """The packets that were noted."""
    lines = on(host, "sleep 0.5; systemctl stop watch; cat /tmp/seen; rm /tmp/seen /tmp/watching").splitlines()
    found = [match.groupdict() for match in map(_PACKET.search, lines) if match]
    return [Packet(**{**one, "port": int(one["port"]), "asked": int(one["asked"])}) for one in found]


_LOOKS = (
    "ip -o address | sed 's/valid_lft.*//; s/^[0-9]*: //'",
    "ip -o link | cut -d' ' -f2 | sort",
    "ip route show table all | sed 's/expires.*//'",
    "ip rule",
    "sysctl -a 2>/dev/null | grep -E 'arp_(ignore|announce)|ip_forward |rp_filter|send_redirects'",
    "tail -n +4 /proc/net/ip_vs 2>/dev/null",
    "nft list tables 2>/dev/null",
    "ls /etc/systemd/system /etc/sysctl.d /etc/modules-load.d",
)


# The kernel's own ends of tunnels are there as long as their modules are.
_KERNELS_OWN = re.compile(r"(tunl0|sit0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0)[.:@]")


def look(host: str) -> list[str]:
    """Addresses, links, routes, rules, settings, tables, units: what a cluster changes."""
    return [f"{host}: {line}" for line in on(host, "; ".join(_LOOKS)).splitlines() if not _KERNELS_OWN.search(line)]


def show(cluster: Cluster, when: str, shares: tuple[int, int]) -> None:
    """Ask, and check all that was seen."""
    mode = cluster.mode
    hosts = (CLIENT, DIRECTOR)
    for host in hosts:
        watch(host)
    answered = cluster.ask()
    at_client, at_director = (seen(host) for host in hosts)
    for (vip, protocol), names in answered.items():
        counts = Counter(names)
        assert tuple(counts[name] for name in SERVERS) == shares, (when, vip, protocol, counts)
    sources = {packet.source for packet in at_client if packet.port == PORT}
    assert sources == {*mode.vips}, (when, "the client is answered from", sources)
    asked = {packet.target for packet in at_director if packet.asked == PORT and packet.direction == "In"}
    assert asked == {*mode.vips}, (when, "the director is asked for", asked)
    through = {(packet.direction, packet.source) for packet in at_director if packet.port == PORT}
    own = {found.partition("/")[0] for name in SERVERS for found in mode.addresses[name]}
    passed = {("In", address) for address in own} | {("Out", vip) for vip in mode.vips}
    assert through == (passed if mode.through else set()), (when, "answers at the director", through)
    print(
        f"{mode.forward:8}{when:16}{', '.join(f'{name} {count}' for name, count in zip(SERVERS, shares))} of"
        f" {REQUESTS} requests each over {', '.join(PROTOCOLS)}; answers from {', '.join(sorted(sources))},"
        f" {'through' if mode.through else 'past'} the director"
    )


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.forward)
def test_the_ways_of_packets(mode: Mode, tmp_path: Path) -> None:
    hosts = (DIRECTOR, *SERVERS)
    lab("reset", CLIENT, "router", *hosts)
    cluster = Cluster(mode, tmp_path)
    cluster.describe((2, 1), "wrr")
    cluster.prepare()
    before = [line for host in hosts for line in look(host)]

    cluster.play("playbooks/site.yml")
    show(cluster, "converged", (4, 2))
    lab("reboot", *hosts)
    cluster.prepare()
    show(cluster, "rebooted", (4, 2))
    cluster.describe((1, 1), "rr")
    cluster.play("playbooks/site.yml")
    show(cluster, "changed", (3, 3))

    cluster.play("playbooks/teardown.yml")
    refused = cluster.ask(1)
    assert not {*SERVERS} & {name for names in refused.values() for name in names}, refused
    after = [line for host in hosts for line in look(host)]
    assert [line for line in before if line not in after] == [line for line in after if line not in before] == []
    print(f"{mode.forward:8}taken away      nobody answers, and the hosts are as they were")
