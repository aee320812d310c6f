# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Routers with a static neighbour entry for each VIP: they send to its director without asking who has it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import IPV4, Facts, Hosts
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Placed

Grounds = t.Mapping[str, Ground]
_NO_MAC = ("", "00:00:00:00:00:00")


@dataclass(frozen=True)
class Way:
    """From a router to the director of a VIP.

    :attr interfaces: of the router, on the director's segment.
    :attr mac: of the director's interface.
    """

    placed: Placed
    router: Ground
    director: Ground
    interfaces: tuple[str, ...]
    mac: str | None

    @property
    def seen(self) -> bool:
        """Whether somebody has looked at both ends."""
        return self.router.live is not None and self.director.live is not None

    @property
    def entry(self) -> dict[str, str] | None:
        """As ``lvs_neighbours`` takes it, if everything is known."""
        if len(self.interfaces) != 1 or not self.mac:
            return None
        return {"address": str(self.placed.vip.address), "interface": self.interfaces[0], "mac": self.mac}

    @property
    def is_there(self) -> bool:
        """Whether the router has an entry for the VIP already, as far as somebody has looked."""
        facts = self.router.host.facts
        return facts is not None and self.placed.vip.address in facts.neighbours


def _ways(placed: t.Iterable[Placed], grounds: Grounds) -> t.Iterator[Way]:
    for one in placed:
        for name in one.service.routers:
            router, director = grounds[name], grounds[one.director]
            yield Way(one, router, director, _interfaces(one, router, director), _mac(one, director.host.facts))


def _interfaces(one: Placed, router: Ground, director: Ground) -> tuple[str, ...]:
    """On a segment with the director's interface: in the VIP's own network if the router is in that."""
    if router.live is None:
        return ()
    if router.host.interface:
        return (router.host.interface,)
    networks = {own.network for own in director.live or () if own.interface == one.interface} - {None}
    shared = [own for own in router.live if own.network in networks and own.interface is not None]
    own_network = [own for own in shared if own.network is not None and one.vip.address in own.network]
    return tuple(dict.fromkeys(str(own.interface) for own in own_network or shared))


def _mac(one: Placed, director: Facts | None) -> str | None:
    mac = director.macs.get(one.interface or "") if director is not None else None
    return None if mac in _NO_MAC else mac


def router_neighbours(placed: t.Iterable[Placed], grounds: Grounds) -> dict[str, list[dict[str, str]]]:
    """What each router shall have, as far as it is known."""
    found: dict[str, list[dict[str, str]]] = {}
    for way in _ways(placed, grounds):
        entries = found.setdefault(way.router.host.name, [])
        if way.entry is not None and way.entry not in entries:
            entries.append(way.entry)
    return found


def incomplete(placed: t.Iterable[Placed], grounds: Grounds) -> set[str]:
    """The routers of which not every entry is known: what is not listed may still be wanted."""
    return {way.router.host.name for way in _ways(placed, grounds) if way.entry is None}


def check_routers(placed: t.Sequence[Placed], hosts: Hosts, grounds: Grounds, findings: Findings) -> None:
    """What cannot work of static entries, or would let a real server take what is the director's."""
    for one in placed:
        _check_audible(one, hosts, findings)
    for way in _ways(placed, grounds):
        service, vip = way.placed.service, way.placed.vip
        router = way.router.host.name
        servers = {server.host for server in service.real_servers if server.forward in words.DIRECT}
        if router in service.directors or router in servers:
            text = f"router {router} is a {'director' if router in service.directors else 'real server'} of it, too"
            findings.add(
                service.where, f"{text}: it takes packets to vip {vip.address} itself. Leave it out of routers"
            )
        elif vip.vrrp is not None or service.engine == "pacemaker":
            mover = f"lvs_vrrp '{vip.vrrp}'" if vip.vrrp else "Pacemaker"
            text = f"vip {vip.address} is moved between directors by {mover}, and a static entry on"
            why = f"{router} would stay with one of them. Leave routers out; real servers are silent without it"
            findings.add(service.where, f"{text} {why}")
        elif way.entry is None:
            _say_what_is_missing(way, hosts, findings)


def _say_what_is_missing(way: Way, hosts: Hosts, findings: Findings) -> None:
    service, vip = way.placed.service, way.placed.vip
    router, director, interface = way.router.host.name, way.director.host.name, way.placed.interface
    if way.seen and not way.mac:
        text = f"vip {vip.address} stands on {interface} of {director}, which has no MAC to send to"
        findings.add(service.where, f"{text}: leave routers out, or put the VIP on a network card")
    elif way.seen:
        there = ", ".join(way.interfaces) or "none"
        text = f"router {router} must have one interface on the segment of {director}'s {interface}, and has {there}"
        findings.add(service.where, f"{text}: say which by its lvs_interface, or name the router that is there")
    else:
        unseen = router if way.router.live is None else director
        text = f"nobody could look at {unseen}, so the entry for vip {vip.address} on {router} is not known"
        audible = _audible(way.placed, hosts)
        if audible and not way.is_there:
            why = f"and without it {' and '.join(audible)} would answer for the VIP"
            findings.add(service.where, f"{text}, {why}. Run again when {unseen} can be reached")
        else:
            findings.warn(router, f"{text}; it stays as it is")


def _audible(one: Placed, hosts: Hosts) -> list[str]:
    """The real servers that will answer ARP for the VIP. Neighbour discovery asks for addresses of an interface."""
    if one.vip.address.version != IPV4:
        return []
    servers = [server.host for server in one.service.real_servers if server.forward in words.DIRECT]
    return [name for name in dict.fromkeys(servers) if name is not None and hosts[name].arp == words.ARP_BY_ROUTER]


def _check_audible(one: Placed, hosts: Hosts, findings: Findings) -> None:
    for name in _audible(one, hosts) if not one.service.routers else ():
        text = f"real server {name} has lvs_arp: {words.ARP_BY_ROUTER}, so it answers ARP for vip {one.vip.address}"
        remedy = "Say by routers who routes there, or leave lvs_arp out"
        findings.add(one.service.where, f"{text}, and no router is named that would not ask. {remedy}")
