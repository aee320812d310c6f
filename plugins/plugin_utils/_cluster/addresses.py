# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which address, which interface: found from what is written down first, from live facts else, never by a guess."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    IPV4,
    IPV6,
    Address,
    Host,
    Hosts,
    Network,
    RealServer,
    Vip,
)


@dataclass(frozen=True)
class Own:
    """An address of a host that is no VIP of ours.

    :attr network: what is directly connected by it, None if that is not known.
    :attr interface: where it stands, None if it is only written down.
    :attr spare: it stands beside another one, so taking it off does not cut the host off.
    """

    address: Address
    network: Network | None
    interface: str | None
    spare: bool = False


@dataclass(frozen=True)
class Ground:
    """What is known of one host's addresses.

    :attr written: ``lvs_addresses``.
    :attr live: seen on the host, loopbacks and link-local ones left out; None if nobody has looked.
    """

    host: Host
    written: tuple[Own, ...]
    live: tuple[Own, ...] | None
    others: tuple[Own, ...]

    @property
    def all(self) -> tuple[Own, ...]:
        return (self.live or ()) + self.others + self.written

    def networks(self, version: int) -> list[Own] | None:
        """Directly connected networks, None if nothing is known about them."""
        source = self.written if self.live is None else self.live
        found = [own for own in source if own.network is not None and own.address.version == version]
        return found if found or self.live is not None else None


def survey(host: Host) -> Ground:
    written = tuple(Own(one.ip, _network(one.network), None) for one in host.addresses)
    connects_to = (Own(host.connects_to, None, None),) if host.connects_to is not None else ()
    facts = host.facts
    if facts is None:
        return Ground(host, written, None, connects_to)
    said = {own.address for own in (*written, *connects_to)}  # what is a host's own in words stays its own
    live: list[Own] = []
    others = list(connects_to)
    seen: set[tuple[str, int]] = set()
    for one in facts.addresses:
        if one.value.ip.is_loopback or (one.value.ip in facts.vips and one.value.ip not in said):
            continue
        place = (one.interface, one.value.version)
        loopback = one.interface in facts.loopbacks
        own = Own(one.value.ip, _network(one.value.network), one.interface, loopback or place in seen)
        if one.scope != "link":
            seen.add(place)
        (others if loopback or one.scope != "global" else live).append(own)
    return Ground(host, written, tuple(live), tuple(others))


def survey_all(hosts: Hosts) -> dict[str, Ground]:
    return {name: survey(host) for name, host in hosts.items()}


def _network(network: Network) -> Network | None:
    return network if network.prefixlen < network.max_prefixlen else None


def vip_interface(vip: Vip, director: Ground) -> str | None:
    """The director's interface for a VIP: where it is its own, as described, the host's, the one on its subnet."""
    for own in director.live or ():
        if own.address == vip.address:
            return own.interface
    if vip.interface or director.host.interface:
        return vip.interface or director.host.interface
    for own in director.live or ():
        if own.network is not None and vip.address in own.network:
            return own.interface
    return None


@dataclass(frozen=True)
class Choice:
    """The address of a real server for one VIP; without one, ``problem`` says why, or nothing is known yet.

    :attr interfaces: of the real server, where requests arrive, as far as known.
    """

    address: Address | None
    interfaces: tuple[str, ...] = ()
    problem: str = ""


def choose_address(server: RealServer, vip: Vip, real: Ground | None, director: Ground) -> Choice:
    """Of the VIP's family; through a tunnel, where there is no such address, of the other one.

    :arg real: what is known of the server's host, None for an unmanaged machine.
    """
    versions = families(server, vip)
    if server.address is not None and server.address.version in versions:
        return Choice(server.address, _interfaces(server.address, real))
    if real is None:
        return Choice(None)
    for version in versions:
        written = [own for own in real.written if own.address.version == version]
        if written:
            address = (_nearest(written, vip, version, director) or written)[0].address
            return Choice(address, _interfaces(address, real))
    has = [version for version in versions if any(own.address.version == version for own in real.live or ())]
    return _choose_live(vip, has[0] if has else versions[0], real, director)


def families(server: RealServer, vip: Vip) -> tuple[int, ...]:
    """Of which families the address of a real server may be, the better one first."""
    own = vip.address.version
    return (own,) if server.wrapping is None else (own, IPV6 if own == IPV4 else IPV4)


def _choose_live(vip: Vip, version: int, real: Ground, director: Ground) -> Choice:
    if real.live is None:
        return Choice(None)
    only = real.host.interface
    live = [own for own in real.live if own.address.version == version and only in (None, own.interface)]
    if not live:
        place = f"{real.host.name}'s {only}" if only else real.host.name
        return Choice(None, problem=f"{place} has no IPv{version} address: set lvs_addresses or lvs_interface there")
    near = _nearest(live, vip, version, director)
    if near is None and len({own.network for own in live}) > 1:
        return Choice(None)
    return _only_one(near or live[:1], real, director)


def _only_one(candidates: list[Own], real: Ground, director: Ground) -> Choice:
    networks = {own.network for own in candidates}
    if len(networks) == 1:
        first = candidates[0]
        return Choice(first.address, (first.interface,) if first.interface else ())
    shown = ", ".join(f"{own.address} on {own.interface}" for own in candidates)
    reach = f"each of which may be the one for director {director.host.name}"
    text = f"{real.host.name} has {shown}, {reach}: say which by lvs_interface or lvs_addresses"
    return Choice(None, problem=text)


def _interfaces(address: Address, real: Ground | None) -> tuple[str, ...]:
    if real is None:
        return ()
    if real.host.interface:
        return (real.host.interface,)
    return tuple(dict.fromkeys(own.interface for own in real.live or () if own.address == address and own.interface))


def _nearest(candidates: list[Own], vip: Vip, version: int, director: Ground) -> list[Own] | None:
    """Those on a network of the director: on the VIP's own if there are any, else on its interface's, else on any.

    None when the director's networks are not known.
    """
    networks = director.networks(version)
    if networks is None:
        return None
    interface = vip_interface(vip, director)
    tests: tuple[t.Callable[[Own], bool], ...] = (
        lambda own: own.network is not None and vip.address in own.network,
        lambda own: interface is not None and own.interface == interface,
        lambda own: True,
    )
    for test in tests:
        chosen = [own.network for own in networks if test(own) and own.network is not None]
        near = [one for one in candidates if any(one.address in network for network in chosen)]
        if near:
            return near
    return []


def is_connected(address: Address, vip: Vip, director: Ground) -> bool | None:
    """Whether the director reaches an address directly; None if that is not known."""
    networks = director.networks(address.version)
    if networks is None:
        return None
    if any(own.network is not None and address in own.network for own in networks):
        return True
    return vip.prefix < vip.address.max_prefixlen and address in _vip_network(vip)


def _vip_network(vip: Vip) -> Network:
    return ipaddress.ip_network(f"{vip.address}/{vip.prefix}", strict=False)
