# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The IPVS table as immutable values: services, real servers, and the table that holds them.

Values are normalised before they get here (addresses as inet_ntop(3) writes them, defaults filled in), so equality of
two values is equality of what the kernel does with them. Everything here is pure.
"""

from __future__ import annotations

import re
import socket
import typing as t
from dataclasses import dataclass, field

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos")
PROTOCOLS = ("tcp", "udp", "sctp")
FAMILIES = ("ipv4", "ipv6")
PERSISTENCE_ENGINES = ("sip",)
TUNNEL_TYPES = ("ipip", "gue", "gre")
# By their number. The kernel takes remcsum as csum and more, so the two never stand together.
TUNNEL_CHECKSUMS = ("nocsum", "csum", "remcsum")

# The three scheduler flags in the order of their bits. What the first two are called depends on the scheduler.
_FLAG_NAMES = {
    "sh": ("sh-fallback", "sh-port", "flag-3"),
    "mh": ("mh-fallback", "mh-port", "flag-3"),
}
_PLAIN_FLAG_NAMES = ("flag-1", "flag-2", "flag-3")

_ADDRESSED = re.compile(r"(?P<protocol>[a-z0-9]+) (?:\[(?P<v6>[^\]]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]+)")
_MARKED = re.compile(r"mark (?P<mark>[0-9]+) (?P<family>ipv4|ipv6)")


def flag_names(scheduler: str) -> tuple[str, str, str]:
    """Names of the three scheduler flags, lowest bit first, as ipvsadm(8) writes them for this scheduler."""
    return _FLAG_NAMES.get(scheduler, _PLAIN_FLAG_NAMES)


def canonical_address(text: str) -> str | None:
    """The address as the kernel's tools write it, or None when it is not an IPv4 or IPv6 address."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, text))
    except (OSError, ValueError):
        return None


def family_of(address: str) -> str:
    """V(ipv4) or V(ipv6), judged by a canonical address."""
    return "ipv6" if ":" in address else "ipv4"


def address_key(address: str) -> tuple[str, bytes]:
    """To sort canonical addresses by: IPv4 before IPv6, then by number."""
    family = family_of(address)
    return family, socket.inet_pton(socket.AF_INET6 if family == "ipv6" else socket.AF_INET, address)


def endpoint(address: str, port: int | str) -> str:
    """``192.0.2.10:80`` or ``[2001:db8::10]:80``."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class ServiceKey(t.NamedTuple):
    """What tells one virtual service from another: VIP, port and protocol, or a firewall mark and a family.

    The kernel cannot change any of it in place.
    """

    protocol: str
    """tcp, udp, sctp, ``mark``, or the number of a protocol that nobody but the kernel takes."""
    address: str = ""
    port: int = 0
    mark: int = 0
    family: str = "ipv4"

    @staticmethod
    def addressed(protocol: str, address: str, port: int) -> ServiceKey:
        """A service by VIP, port and protocol."""
        return ServiceKey(protocol, address, port, 0, family_of(address))

    @staticmethod
    def marked(mark: int, family: str) -> ServiceKey:
        """A service by firewall mark."""
        return ServiceKey("mark", "", 0, mark, family)

    @staticmethod
    def parse(text: str) -> ServiceKey:
        """The key that ``str()`` wrote.

        :raises LvsError: when it is not such a text.
        """
        marked = _MARKED.fullmatch(text)
        if marked:
            return ServiceKey.marked(int(marked["mark"]), marked["family"])
        addressed = _ADDRESSED.fullmatch(text)
        address = canonical_address(addressed["v6"] or addressed["v4"]) if addressed else None
        if not addressed or address is None:
            raise LvsError(f"{text!r} does not name a virtual service, such as 'tcp 192.0.2.10:80' or 'mark 3 ipv4'.")
        return ServiceKey.addressed(addressed["protocol"], address, int(addressed["port"]))

    def __str__(self) -> str:
        if self.protocol == "mark":
            return f"mark {self.mark} {self.family}"
        return f"{self.protocol} {endpoint(self.address, self.port)}"

    @property
    def sort_key(self) -> tuple[t.Any, ...]:
        """Order of listings: addresses before marks, IPv4 before IPv6, then by number."""
        marked = self.protocol == "mark"
        packed = b"" if marked else address_key(self.address)[1]
        return (marked, self.family, packed, self.protocol, self.port, self.mark)


@dataclass(frozen=True)
class Service:
    """A virtual service, without its real servers."""

    key: ServiceKey
    scheduler: str = "wlc"
    scheduler_flags: tuple[str, ...] = ()
    """Names out of ``flag_names(scheduler)``, lowest bit first."""
    persistent: int | None = None
    """Seconds, or None for a service without persistence."""
    netmask: str | None = None
    """How much of a client's address counts for persistence: a mask (IPv4) or a prefix length (IPv6); None for all."""
    ops: bool = False
    pe: str = ""
    """The persistence engine, out of PERSISTENCE_ENGINES; empty for clients told apart by their address."""


RealServerKey = tuple[str, int]


class RealServer(t.NamedTuple):
    """A real server inside one virtual service. A tuple, for there are ten thousands of them in a large table."""

    address: str
    port: int
    forward: str = "dr"
    """dr, nat, tun; ``local`` and ``bypass`` exist in the kernel and are only ever read."""
    weight: int = 1
    upper_threshold: int = 0
    lower_threshold: int = 0
    tunnel_type: str = "ipip"
    tunnel_port: int = 0
    tunnel_flags: int = 0
    """The place of a word in TUNNEL_CHECKSUMS."""

    @property
    def key(self) -> RealServerKey:
        """What tells it from the other real servers of its service."""
        return self[:2]


RealServers = t.Mapping[RealServerKey, RealServer]
_NONE: RealServers = {}


@dataclass(frozen=True)
class Table:
    """Services, and for each its real servers in the order in which they were added.

    The kernel keeps no order of services; that of real servers decides what the scheduler sh does.
    """

    services: t.Mapping[ServiceKey, Service] = field(default_factory=dict)
    real_servers: t.Mapping[ServiceKey, RealServers] = field(default_factory=dict)

    @staticmethod
    def of(entries: t.Iterable[tuple[Service, t.Iterable[RealServer]]]) -> Table:
        """A table of these services, each with its real servers."""
        services: dict[ServiceKey, Service] = {}
        real_servers: dict[ServiceKey, RealServers] = {}
        for service, servers in entries:
            services[service.key] = service
            real_servers[service.key] = {server[:2]: server for server in servers}
        return Table(services, real_servers)

    def servers(self, key: ServiceKey) -> RealServers:
        """The real servers of a service; none for a service that is not there."""
        return self.real_servers.get(key, _NONE)

    def entries(self) -> t.Iterator[tuple[Service, RealServers]]:
        """Each service with its real servers, in the order of listings."""
        for key in sorted(self.services, key=lambda key: key.sort_key):
            yield self.services[key], self.servers(key)

    def only(self, keys: t.Container[ServiceKey]) -> Table:
        """The part of the table that these services make."""
        return Table(
            {key: service for key, service in self.services.items() if key in keys},
            {key: servers for key, servers in self.real_servers.items() if key in keys},
        )
