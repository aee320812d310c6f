# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Where each real server of each service is reached: the step from a description to places in a kernel's table."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import (
    Choice,
    Ground,
    choose_address,
    families,
    is_connected,
    vip_interface,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    IPV4,
    Address,
    Description,
    Host,
    Hosts,
    RealServer,
    Service,
    Vip,
)

Grounds = t.Mapping[str, Ground]
POINT_TO_POINT = 31  # in a network of this prefix and beyond, every address is a host's


@dataclass(frozen=True)
class Place:
    """A real server of one service at one VIP.

    :attr interfaces: of the real server, where requests arrive, as far as known.
    :attr gateway: by which its answers leave; None leaves that to its own routes.
    """

    server: RealServer
    address: Address
    weight: int
    interfaces: tuple[str, ...]
    gateway: Address | None = None


@dataclass(frozen=True)
class Placed:
    """One VIP of one service on its director.

    :attr interface: on the director; None if nobody could look.
    :attr own: the VIP is an address of the director's own, and none of ours.
    :attr complete: False if the address of a real server is not known yet: what is not listed may still be wanted.
    """

    service: Service
    vip: Vip
    director: str
    interface: str | None
    places: tuple[Place, ...]
    complete: bool
    own: bool = False


def place_all(description: Description, grounds: Grounds, findings: Findings) -> list[Placed]:
    """Every VIP of every service that has a director; what cannot work is a finding."""
    placer = _Placer(description, grounds, findings)
    return [
        placer.place(service, vip, name)
        for service in description.services
        for name in placed_on(service)
        for vip in service.vips
    ]


def placed_on(service: Service) -> tuple[str, ...]:
    """Whose kernels have a service: of those that it moves between, each one's."""
    return service.directors if service.engine in words.MOVING_ENGINES else service.directors[:1]


def weight_of(server: RealServer, hosts: Hosts) -> int:
    """Maintenance before all, then the entry, then the host, then the entry of its group."""
    host = hosts[server.host] if server.host is not None else Host(server.name)
    if host.maintenance:
        return 0
    for weight in (server.weight, host.weight, server.group_weight):
        if weight is not None:
            return weight
    return 1


def _near(address: Address, director: Ground) -> Address | None:
    """The director's address in a network of another one."""
    networks = director.networks(address.version) or []
    return next((own.address for own in networks if own.network and address in own.network), None)


def _listed(addresses: t.Iterable[Address]) -> str:
    return ", ".join(sorted(map(str, addresses)))


class _Placer:
    def __init__(self, description: Description, grounds: Grounds, findings: Findings) -> None:
        self._hosts = description.hosts
        self._grounds = grounds
        self._findings = findings
        self._owned = {name: frozenset(own.address for own in ground.all) for name, ground in grounds.items()}
        self._gateways: dict[tuple[Address, int], Address] = {}
        self._vips: dict[str, set[Address]] = {name: set() for name in grounds}
        for service in description.services:
            for name in service.directors:
                self._vips[name].update(vip.address for vip in service.vips)

    def place(self, service: Service, vip: Vip, name: str) -> Placed:
        director = self._grounds[name]
        places: list[Place] = []
        complete = True
        for server in service.real_servers:
            if server.unmanaged and self._other_family(server, vip):
                continue
            choice = self._choose(service, vip, server, director)
            if choice.address is None:
                complete = False
            else:
                weight = weight_of(server, self._hosts)
                gateway = self._gateway(service, server, choice.address, director)
                places.append(Place(server, choice.address, weight, choice.interfaces, gateway))
        if director.host.ip_forward and any(place.server.forward in words.MASQUERADES for place in places):
            text = "lvs_ip_forward: true lets it forward for everybody, not the answers of real servers alone"
            self._findings.warn(director.host.name, f"{text}. Limit that by its firewall, or leave lvs_ip_forward out")
        self._check(service, vip, places, complete)
        self._warn_of_left_out(service, vip)
        interface = self._interface(service, vip, director)
        own = vip.address in self._owned[director.host.name]
        return Placed(service, vip, director.host.name, interface, tuple(places), complete, own)

    def _warn_of_left_out(self, service: Service, vip: Vip) -> None:
        """Unmanaged machines with an address of each family are listed twice, and nobody misses one half at a VIP."""
        unmanaged = [server for server in service.real_servers if server.unmanaged]
        out = [server for server in unmanaged if self._other_family(server, vip)]
        both = len({one.address.version for one in service.vips}) > 1
        if out and (not both or len(out) > len(unmanaged) - len(out)):
            names = ", ".join(server.name for server in out)
            text = f"vip {vip.address} is not served by {names}: no address of its family is described for that"
            self._findings.warn(service.where, text)

    @staticmethod
    def _other_family(server: RealServer, vip: Vip) -> bool:
        return server.address is not None and server.address.version not in families(server, vip)

    def _interface(self, service: Service, vip: Vip, director: Ground) -> str | None:
        interface = vip_interface(vip, director)
        name = director.host.name
        for network in dict.fromkeys(own.network for own in director.networks(IPV4) or [] if own.network is not None):
            if network.prefixlen < POINT_TO_POINT and vip.address in (network[0], network[-1]):
                text = f"vip {vip.address} is the first or the last address of {network}, where director {name} is"
                self._findings.add(service.where, f"{text}: no host can have it")
        if interface is None and director.live is None:
            self._findings.warn(name, f"nobody could look there, so the interface for vip {vip.address} is not known")
        elif interface is None:
            networks = ", ".join(f"{own.network} on {own.interface}" for own in director.live or () if own.network)
            text = f"vip {vip.address} is on no subnet of director {name} ({networks})"
            self._findings.add(service.where, f"{text}: say which interface by vips[].interface or lvs_interface")
        return interface

    def _choose(self, service: Service, vip: Vip, server: RealServer, director: Ground) -> Choice:
        real = self._grounds[server.host] if server.host is not None else None
        choice = choose_address(server, vip, real, director)
        name, director_name = server.name, director.host.name
        address = choice.address
        if address is None:
            if choice.problem:
                self._findings.add(service.where, f"real server {choice.problem}")
            else:
                unseen = name if real is None or real.live is None else director_name
                text = f"its address for vip {vip.address} is not known: nobody could look at {unseen}, and"
                what = "lvs_addresses has none. Real servers stay in that table until it is known"
                self._findings.warn(name, f"{text} {what}")
        elif name == director_name:
            pass  # it serves what it has chosen itself for
        elif address in self._owned[director_name] | (self._vips[director_name] - {vip.address}):
            text = f"address {address} of real server {name} is director {director_name}'s own"
            self._findings.add(service.where, f"{text}: packets would never leave the director")
        elif server.forward == "dr" and is_connected(address, vip, director) is False:
            networks = director.networks(address.version) or []
            shown = ", ".join(dict.fromkeys(f"{own.network}" for own in networks)) or "none"
            shown_name = name if server.unmanaged else f"{name} ({address})"
            text = f"real server {shown_name} is on no subnet directly connected to its director {director_name}"
            remedy = "Say its address there by lvs_addresses" if server.address is None else "Is its address right?"
            self._findings.add(service.where, f"{text} ({shown}): forward dr needs both on one layer 2. {remedy}")
        else:
            self._check_owner(service, server, address)
            if server.forward == "nat" and real is not None and real.host.gateway is None:
                self._check_way_back(service, address, real, director)
            if server.forward == "dr" and real is not None:
                self._warn_of_only_way(service, vip, real, director)
        if real is not None and real.host.vip_interface in choice.interfaces:
            text = f"lvs_vip_interface '{real.host.vip_interface}' receives the requests, so the host would answer ARP"
            self._findings.add(name, f"{text} for a VIP there. Use lo or a dummy device")
        return choice

    def _gateway(self, service: Service, server: RealServer, address: Address, director: Ground) -> Address | None:
        """By which address of the director its answers shall leave, where we see to that."""
        real = self._grounds[server.host] if server.host is not None else None
        if server.forward != "nat" or real is None or real.host.gateway is None:
            return None
        near = _near(address, director)
        name = director.host.name
        if near is None:
            text = f"real server {server.name} ({address}) has lvs_gateway: director, and is in no network of {name}"
            remedy = f"Make {name} the next hop towards the clients yourself, and leave lvs_gateway out"
            self._findings.add(service.where, f"{text}: no address of {name} can be its gateway. {remedy}")
            return None
        for listen in service.listen:
            if listen.last is not None and server.port is None:
                text = f"real server {server.name} has lvs_gateway: director, which routes the answers of single ports"
                remedy = "route those of a range yourself, and leave lvs_gateway out"
                self._findings.add(service.where, f"{text}, and {listen.ports} is a range: {remedy}")
        for port in sorted({server.port or listen.port for listen in service.listen}):
            known = self._gateways.setdefault((address, port), near)
            if known != near:
                text = f"answers of real server {server.name} from {address} port {port} leave by {known} already"
                remedy = "make a VIP that moves with them its gateway, and leave lvs_gateway out"
                self._findings.add(
                    service.where, f"{text}: lvs_gateway: director is for one director. With more, {remedy}"
                )
        return near

    def _check_way_back(self, service: Service, address: Address, real: Ground, director: Ground) -> None:
        """Answers that do not come back through the director reach clients from an address they never asked."""
        facts, name = real.host.facts, director.host.name
        if facts is None or self._ways(director, address.version).intersection(facts.gateways):
            return
        near = _near(address, director)
        has = ", ".join(str(one) for one in facts.gateways if one.version == address.version)
        text = f"real server {real.host.name} ({address}) has no route through its director {name}"
        remedy = f"Make {near} its default gateway, or set lvs_gateway: director there" if near else ""
        remedy = remedy or f"Make {name} the next hop towards the clients"
        if len(service.directors) > 1:
            others = " and ".join(service.directors)
            text = f"real server {real.host.name} ({address}) has no route through whichever serves of {others}"
            remedy = "Make a VIP that moves with them its gateway"
        why = "forward nat needs the answers to come back there, where they get the VIP as their source"
        self._findings.add(service.where, f"{text} (its gateways: {has or 'none'}): {why}. {remedy}")

    def _warn_of_only_way(self, service: Service, vip: Vip, real: Ground, director: Ground) -> None:
        """A director takes no packet that comes from its own VIP."""
        version = vip.address.version
        facts, name = real.host.facts, director.host.name
        by = {one for one in facts.gateways if one.version == version} if facts else set()
        if by and by <= self._ways(director, version):
            text = f"all routes of real server {real.host.name} lead through its director {name} ({_listed(by)})"
            why = f"{name} drops answers that come from its own VIP {vip.address}, so clients beyond it get none"
            self._findings.warn(service.where, f"{text}: {why}. Forward dr needs another gateway there")

    def _ways(self, director: Ground, version: int) -> set[Address]:
        """The addresses by which a host can have the director as its gateway."""
        name = director.host.name
        return {one for one in self._owned[name] | self._vips[name] if one.version == version}

    def _check_owner(self, service: Service, server: RealServer, address: Address) -> None:
        """An address that is written down and belongs to another host of the inventory."""
        if server.address is None:
            return
        for name, owned in self._owned.items():
            if address in owned and name != server.host:
                remedy = f"write host: {name} in place of it" if server.unmanaged else "which of the two is meant?"
                text = f"address {address} of real server {server.name} is {name}'s own: {remedy}"
                self._findings.add(service.where, text)

    def _check(self, service: Service, vip: Vip, places: list[Place], complete: bool) -> None:
        seen: dict[tuple[Address, int | None], RealServer] = {}
        for place in places:
            known = seen.setdefault((place.address, place.server.port), place.server)
            if known.name != place.server.name:
                text = f"real servers {known.name} and {place.server.name} have the same address {place.address}"
                self._findings.add(service.where, text)
        if service.real_servers and not places and complete:
            text = f"vip {vip.address} has no real server of its family: add one, or leave the VIP out"
            self._findings.add(service.where, text)
        if places and not any(place.weight for place in places):
            text = f"all real servers of vip {vip.address} have weight 0: clients are refused"
            self._findings.warn(service.where, text)
