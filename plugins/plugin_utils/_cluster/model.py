# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The description in its long form, as immutable values. Nothing here knows the short form."""

from __future__ import annotations

import functools
import ipaddress
import typing as t
from dataclasses import dataclass, field

from ansible_collections.openlvs.lvs.plugins.module_utils._distribution import Distribution
from ansible_collections.openlvs.lvs.plugins.module_utils._writers import AUTO

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Interface = t.Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
Words = t.Mapping[str, t.Any]  # of keepalived.conf, as they are


IPV4, IPV6 = 4, 6


@dataclass(frozen=True)
class Listen:
    """What a service listens to at each of its VIPs.

    :attr last: of a range of ports; None for a single one.
    """

    port: int
    protocol: str
    last: int | None = None

    @property
    def ports(self) -> str:
        return str(self.port) if self.last is None else f"{self.port}-{self.last}"

    def overlaps(self, other: Listen) -> bool:
        mine, others = self.last or self.port, other.last or other.port
        return self.protocol == other.protocol and self.port <= others and other.port <= mine


@dataclass(frozen=True)
class Vip:
    """:attr prefix: on the director; a real server always has 32 or 128."""

    address: Address
    prefix: int
    interface: str | None = None
    vrrp: str | None = None


@dataclass(frozen=True)
class Wrapping:
    """What packets are wrapped in on their way to a real server behind a tunnel, in the words of the modules."""

    type: str = "ipip"
    port: int | None = None
    checksum: str = "nocsum"


@dataclass(frozen=True)
class RealServer:
    """One machine behind a service. A group of the description is one of these per host.

    :attr where: how messages name the entry.
    :attr weight: what the entry says; None leaves it to the host.
    :attr group_weight: what a group's entry says; weaker than the host's own ``lvs_weight``.
    :attr checks: for this one, beside those of the service.
    :attr wrapping: of its tunnel; None without one.
    """

    where: str
    host: str | None
    address: Address | None
    port: int | None
    forward: str
    weight: int | None
    group_weight: int | None
    upper_threshold: int
    lower_threshold: int
    keepalived: Words = field(hash=False)
    checks: tuple[Check, ...] = ()
    wrapping: Wrapping | None = None

    @property
    def unmanaged(self) -> bool:
        return self.host is None

    @functools.cached_property
    def name(self) -> str:
        return self.host if self.host is not None else str(self.address)


@dataclass(frozen=True)
class Check:
    """A health check of the real servers of a service."""

    type: str
    port: int | None
    path: str | None
    host: str | None
    status: tuple[int, ...]
    digest: str | None
    regex: str | None
    record: str | None
    payload: str | None
    reply: str | None
    interval: float
    timeout: int
    retry_delay: int | None
    fall: int
    rise: int
    window: int | None
    failures: int | None
    keepalived: Words = field(hash=False)


@dataclass(frozen=True)
class SorryServer:
    """Who answers when too few real servers are left.

    :attr address: None for the director itself.
    """

    address: Address | None
    port: int | None
    forward: str


@dataclass(frozen=True)
class Service:
    """:attr where: how messages name the service, such as ``lvs_services[0] web``.
    :attr probe: what a client asks over UDP, in hexadecimal.
    """

    where: str
    name: str
    engine: str
    directors: tuple[str, ...]
    routers: tuple[str, ...]
    vips: tuple[Vip, ...]
    listen: tuple[Listen, ...]
    affinity: str
    mark: int | None
    forward: str
    scheduler: str
    scheduler_flags: tuple[str, ...]
    persistent: int | None
    netmask: str | None
    real_servers: tuple[RealServer, ...]
    checks: tuple[Check, ...]
    sorry_server: SorryServer | None
    quorum: int | None
    hysteresis: int | None
    inhibit_on_failure: bool
    keepalived: Words = field(hash=False)
    probe: str | None

    @property
    def masquerades(self) -> bool:
        """Whether its VIPs stand on directors alone."""
        return all(server.forward in ("nat", "fullnat") for server in self.real_servers)


@dataclass(frozen=True)
class VrrpDirector:
    host: str
    priority: int


@dataclass(frozen=True)
class Sync:
    """Directors tell each other of connections; None leaves it to be found.

    :attr id: by which they know each other's messages.
    """

    interface: str | None
    id: int | None


@dataclass(frozen=True)
class Vrrp:
    """A VRRP instance; ids and priorities are written down, never derived from an order."""

    where: str
    name: str
    id: int
    interface: str | None
    directors: tuple[VrrpDirector, ...]
    version: int | None
    advert_interval: float | None
    preempt: bool
    multicast: Address | None
    unicast: bool
    group: str | None
    track_interfaces: tuple[str, ...]
    track_scripts: tuple[str, ...]
    track_processes: tuple[str, ...]
    track_files: tuple[str, ...]
    track_bfds: tuple[str, ...]
    keepalived: Words = field(hash=False)
    sync: Sync | None = None


class PacemakerNode(t.NamedTuple):
    host: str
    id: int


@dataclass(frozen=True)
class Pacemaker:
    """A cluster of Pacemaker; ids are written down, never derived from an order.

    :attr interfaces: by which its directors hear each other; none leaves that to where the VIPs are.
    """

    where: str
    name: str
    nodes: tuple[PacemakerNode, ...]
    interfaces: tuple[str, ...]
    fencing: bool
    sync: Sync | None = None


@dataclass(frozen=True)
class LiveAddress:
    """An address that a host has now."""

    value: Interface
    interface: str
    scope: str


@dataclass(frozen=True)
class Answer:
    """What a real server sends from this address and port leaves by this gateway."""

    address: Address
    protocol: str
    port: int
    gateway: Address | None


@dataclass(frozen=True)
class Facts:
    """What a live look at a host has found.

    :attr vips: address -> sides, what the host's manifest records as a VIP of ours.
    :attr gateways: of all its routes.
    :attr mtus: by link.
    :attr macs: by link.
    :attr senders: MAC addresses by which it knows other directors.
    :attr tunnels: what its manifest records as tunnels of ours, in the words of ``lvs_tunnel``.
    :attr neighbours: for which VIPs it has a static neighbour entry of ours.
    :attr daemons: those that build a table here by a file of ours.
    :attr keepalived: its version.
    :attr openings: its firewall has rules of ours.
    :attr foreign_cluster: it is in a cluster of Corosync that is not ours.
    :attr fencing_devices: what our cluster has to switch nodes off.
    :attr answers: which answers leave by a gateway that we gave them, as :class:`Answer`.
    """

    addresses: tuple[LiveAddress, ...]
    links: tuple[str, ...]
    loopbacks: frozenset[str]
    vips: t.Mapping[Address, frozenset[str]]
    gateways: tuple[Address, ...]
    answers: frozenset[Answer]
    services: bool
    daemons: tuple[str, ...]
    distribution: Distribution
    mtus: t.Mapping[str, int] = field(default_factory=dict)
    macs: t.Mapping[str, str] = field(default_factory=dict)
    neighbours: frozenset[Address] = frozenset()
    senders: tuple[str, ...] = ()
    tunnels: tuple[t.Mapping[str, t.Any], ...] = ()
    openings: bool = False
    keepalived: str | None = None
    foreign_cluster: bool = False
    fencing_devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """A host of the inventory: what its variables say, and what a live look has found if there was one."""

    name: str
    addresses: tuple[Interface, ...] = ()
    interface: str | None = None
    vip_interface: str = "lo"
    vip_writer: str = AUTO
    sysctl_in: str = "sysctl.d"
    arp: str = "sysctl"
    weight: int | None = None
    maintenance: bool = False
    ip_forward: bool = False
    gateway: str | None = None
    firewall: str = "name"
    marks_by: str = "nftables"
    ipvs_settings: t.Mapping[str, t.Any] = field(default_factory=dict)
    connects_to: Address | None = None
    keepalived: Words = field(default_factory=dict, repr=False)
    cluster_key: str | None = field(default=None, repr=False)
    ssh_port: int = 22
    facts: Facts | None = None


Hosts = t.Mapping[str, Host]


@dataclass(frozen=True)
class Description:
    """Everything that the inventory says about LVS clusters."""

    services: tuple[Service, ...]
    vrrp: tuple[Vrrp, ...]
    pacemaker: tuple[Pacemaker, ...]
    hosts: Hosts

    @property
    def places(self) -> dict[str, str]:
        """Where each service and instance is written, by what modules and roles call it."""
        services = {service.name: service.where for service in self.services}
        return {**services, **{f"VRRP instance {vrrp.name}": vrrp.where for vrrp in self.vrrp}}
