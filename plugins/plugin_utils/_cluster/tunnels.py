# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.


"""Tunnels from directors to real servers: what each real server has to take out of which, and from whom."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, vip_interface
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Address, Listen, Service, Wrapping
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Place, Placed

Grounds = t.Mapping[str, Ground]
Tunnel = dict[str, t.Any]
Identity = tuple[Address, str, t.Optional[int]]

ETHERNET = 1500


def tunnel_options(wrapping: Wrapping) -> dict[str, t.Any]:
    """In the words of the modules; what is not set is left out."""
    found: dict[str, t.Any] = {"tunnel_type": wrapping.type}
    if wrapping.port is not None:
        found["tunnel_port"] = wrapping.port
    if wrapping.checksum != Wrapping.checksum:
        found["tunnel_checksum"] = wrapping.checksum
    return found


def realserver_tunnels(placed: t.Iterable[Placed], grounds: Grounds) -> dict[str, list[Tunnel]]:
    """The tunnels of each managed real server, with the directors' addresses and the MTU on the way."""
    found: dict[str, dict[Identity, Tunnel]] = {}
    for end in _ends(placed, grounds):
        options = {"address": str(end.address), **tunnel_options(end.wrapping)}
        empty = {**options, "vips": [], "sources": [], "mtu": ETHERNET}
        tunnel = found.setdefault(end.host, {}).setdefault(end.identity, empty)
        known = sources(end.director, end.address.version)
        tunnel["vips"] = [*dict.fromkeys([*tunnel["vips"], str(end.placed.vip.address)])]
        tunnel["sources"] = [*dict.fromkeys([*tunnel["sources"], *map(str, known)])]
        tunnel["mtu"] = min([tunnel["mtu"], *end.mtus(grounds[end.host])])
    return {name: list(tunnels.values()) for name, tunnels in found.items()}


def check_tunnels(placed: t.Sequence[Placed], grounds: Grounds, findings: Findings) -> None:
    """What cannot work of tunnels, or would cut somebody off."""
    first: dict[tuple[str, Identity], End] = {}
    for end in _ends(placed, grounds):
        where = end.placed.service.where
        if not sources(end.director, end.address.version):
            findings.add(where, _nobody_known(end))
        other = first.setdefault((end.host, end.identity), end)
        if end.wrapping.type == "gre" and other.wrapping.checksum != end.wrapping.checksum:
            text = f"tunnel_checksum of gre to {end.host} ({end.address}) is {end.wrapping.checksum} here"
            why = f"{other.wrapping.checksum} in {other.placed.service.where}: one address takes either, not both"
            findings.add(where, f"{text} and {why}. Say the same in both")
    _check_ports(placed, grounds, findings)


def _check_ports(placed: t.Sequence[Placed], grounds: Grounds, findings: Findings) -> None:
    """A port of UDP that takes packets out of a tunnel takes all that come to it."""
    taken = {(end.host, end.wrapping.port) for end in _ends(placed, grounds) if end.wrapping.type == "gue"}
    for one in placed:
        for place in one.places:
            for host, port in taken:
                if host == place.server.host and port and _serves(one.service, place, Listen(port, "udp")):
                    text = f"real server {host} takes packets out of tunnels at udp port {port}, tunnel_port of gue,"
                    remedy = "Choose another tunnel_port"
                    findings.add(one.service.where, f"{text} and could not serve anything there. {remedy}")


def _serves(service: Service, place: Place, tunnel: Listen) -> bool:
    if place.server.port is not None:
        return tunnel.port == place.server.port and any(one.protocol == "udp" for one in service.listen)
    return any(one.overlaps(tunnel) for one in service.listen)


@dataclass(frozen=True)
class End:
    """Where a tunnel ends for one VIP: at a host of the inventory."""

    placed: Placed
    place: Place
    host: str
    wrapping: Wrapping
    director: Ground

    @property
    def address(self) -> Address:
        return self.place.address

    @property
    def identity(self) -> Identity:
        return self.address, self.wrapping.type, self.wrapping.port

    def mtus(self, real: Ground) -> list[int]:
        """Of the interfaces on both ends, as far as they are known."""
        networks = self.director.networks(self.address.version) or []
        near = [own.interface for own in networks if own.network is not None and self.address in own.network]
        out = near or [vip_interface(self.placed.vip, self.director)]
        return [*_mtus(real, self.place.interfaces), *_mtus(self.director, out)]


def _ends(placed: t.Iterable[Placed], grounds: Grounds) -> t.Iterator[End]:
    for one in placed:
        for place in one.places:
            host, wrapping = place.server.host, place.server.wrapping
            if host is not None and wrapping is not None:
                yield End(one, place, host, wrapping, grounds[one.director])


def _nobody_known(end: End) -> str:
    name, version = end.director.host.name, end.address.version
    if end.director.live is None:
        text = f"nobody could look at director {name}, and its lvs_addresses have no IPv{version} address"
    else:
        text = f"director {name} has no IPv{version} address"
    why = f"so real server {end.host} ({end.address}) could not tell its tunnel packets from anybody else's"
    return f"{text}, {why}. Set lvs_addresses of {name}"


def sources(director: Ground, version: int) -> list[Address]:
    """The addresses that a director sends from; none if they are not known."""
    known = (*director.written, *(director.live or ()))
    found = dict.fromkeys(own.address for own in known if own.address.version == version)
    return sorted(found, key=int)


def _mtus(ground: Ground, names: t.Iterable[str | None]) -> list[int]:
    facts = ground.host.facts
    return [facts.mtus[name] for name in names if name is not None and name in facts.mtus] if facts is not None else []


def gone(tunnels: t.Iterable[t.Mapping[str, t.Any]], wanted: t.Iterable[Tunnel]) -> bool:
    """Whether a host has tunnels of ours, or VIPs behind them, that the description does not give it any more.

    :arg tunnels: recorded there, in the words of ``lvs_tunnel``.
    """
    described = {_key(one): set(one["vips"]) for one in wanted}
    return any(not set(one["vips"]) <= described.get(_key(one), set()) for one in tunnels)


def _key(tunnel: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    checksum = tunnel.get("tunnel_checksum") or Wrapping.checksum
    return tunnel["address"], tunnel["tunnel_type"], tunnel.get("tunnel_port"), checksum
