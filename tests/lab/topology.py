# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the lab, their cables and their addresses, all written down.

The lan carries several small networks at once, as lab notes of LVS users have them (a director and two real servers in
each), so that one lab serves them all. Directors have a leg of their own on the front, in a public network that the
client and the router are in, too. No VIP stands here: those are the collection's work.

    client --front-- router --lan-- lvs1 lvs2 rs1 rs2 (rs3 ... lvs3 ... on demand)
               |------------------- lvs1 lvs2 ...
    rsfar --front--  a real server beyond the router, on demand
    everybody, and the guests `kernel` of the kernel tests and `nest` for a lab within the lab, on mgmt as eth0, which
    carries ssh and nothing else
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SEGMENTS = ("mgmt", "front", "lan")
CONTROLLER = "10.99.0.1/24"
PUBLIC_NETWORK, PUBLIC_NETWORK_6 = "201.1.1", "fd99:3:"
LAN_NETWORKS = ("192.168.0", "192.168.1", "192.168.4")
LAST_REAL_SERVER, LAST_DIRECTOR = 40, 9
DEFAULT_HOSTS = ("client", "router", "lvs1", "lvs2", "rs1", "rs2")


@dataclass(frozen=True)
class Host:
    """One machine; `cables` has the segment and the addresses of eth1, eth2, ..."""

    name: str
    number: int  # its management address, MAC addresses and taps derive from it
    cables: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gateways: tuple[str, ...] = ()
    group: str = "spare"
    memory: int = 256  # MiB

    @property
    def management(self) -> str:
        return f"10.99.0.{self.number}"

    @property
    def interfaces(self) -> list[tuple[str, tuple[str, ...]]]:
        """Segment and addresses of eth0, eth1, ..."""
        return [("mgmt", (f"{self.management}/24",)), *self.cables]

    def tap(self, index: int) -> str:
        return f"tap{self.number}-{index}"

    def mac(self, index: int) -> str:
        return f"02:4c:56:53:{index:02x}:{self.number:02x}"


def _lan(*last: int, number: int) -> tuple[str, ...]:
    """Its address in each of the lan's networks, and its IPv6 address."""
    return (*(f"{net}.{host}/24" for net, host in zip(LAN_NETWORKS, last)), f"fd99:2::{number}/64")


def _public(last: int) -> tuple[str, str]:
    return f"{PUBLIC_NETWORK}.{last}/24", f"{PUBLIC_NETWORK_6}:{last}/64"


def _front(last: int) -> tuple[str, ...]:
    return (f"10.99.1.{last}/24", f"fd99:1::{last}/64", *_public(last))


def _on_lan(name: str, number: int, last: tuple[int, int, int], group: str = "spare") -> Host:
    gateways = (f"{LAN_NETWORKS[0]}.1", "fd99:2::1")
    front = (("front", _public(last[-1])),) if name.startswith("lvs") else ()
    memory = 512 if name.startswith("lvs") else 256  # Corosync locks 180 MiB into it
    return Host(name, number, (("lan", _lan(*last, number=number)), *front), gateways, group, memory)


def order(host: Host) -> int:
    return host.number


_HOSTS = (
    Host("client", 3, (("front", _front(3)),), ("10.99.1.1", "fd99:1::1"), "lvs_clients"),
    Host("router", 2, (("front", _front(1)), ("lan", _lan(1, 1, 1, number=1))), (), "routers"),
    _on_lan("lvs1", 11, (75, 121, 4), "lvs_directors"),
    _on_lan("lvs2", 12, (76, 122, 5)),
    _on_lan("rs1", 21, (45, 118, 3), "lvs_real_servers"),
    _on_lan("rs2", 22, (55, 119, 2), "lvs_real_servers"),
    Host("rsfar", 6, (("front", _front(6)[:2]),), ("10.99.1.1", "fd99:1::1")),
    Host("kernel", 4, memory=512),
    Host("nest", 5, memory=2560),
)
_BY_NAME = {host.name: host for host in _HOSTS}


def find(name: str) -> Host | None:
    """The host of that name; rs3 to rs40 and lvs3 to lvs9 exist on demand and follow one rule."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    match = re.fullmatch(r"(rs|lvs)([1-9]\d?)", name)
    if not match:
        return None
    n = int(match[2])
    if match[1] == "rs" and n <= LAST_REAL_SERVER:
        return _on_lan(name, 20 + n, (130 + n, 130 + n, 130 + n))
    if match[1] == "lvs" and n <= LAST_DIRECTOR:
        return _on_lan(name, 10 + n, (180 + n, 180 + n, 180 + n))
    return None


def serves_pages(host: Host) -> bool:
    """Real servers run a web server that answers with its own name."""
    return host.name.startswith("rs")


def directs(host: Host) -> bool:
    """Directors need a kernel that has ip_vs."""
    return host.name.startswith("lvs")
