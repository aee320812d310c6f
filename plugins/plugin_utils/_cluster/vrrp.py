# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VRRP instances: read, and checked against the services whose VIPs they move and the networks where they speak."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, Own, vip_interface
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import Entry
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings, did_you_mean
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.keepalived import bfds_of, check_host
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    IPV4,
    Address,
    Description,
    Service,
    Sync,
    Vip,
    Vrrp,
    VrrpDirector,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import Groups, named, read_name
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.tracked import TRACKED

VRRP_KEYS = (
    "name",
    "id",
    "interface",
    "directors",
    "version",
    "advert_interval",
    "preempt",
    "multicast",
    "unicast",
    "group",
    "track_interfaces",
    *TRACKED,
    "keepalived",
    "sync",
)
_EXAMPLE = "{name: front, id: 51, directors: [{host: lvs1, priority: 150}]}"

Grounds = t.Mapping[str, Ground]


# ---- reading


def read_vrrp(value: object, groups: Groups, findings: Findings) -> list[Vrrp]:
    """All VRRP instances of ``lvs_vrrp``."""
    outer = Entry(findings, "lvs_vrrp", {"lvs_vrrp": value}, ("lvs_vrrp",))
    return [
        _read_instance(Entry(findings, named(f"lvs_vrrp[{number}]", item), item, VRRP_KEYS), groups)
        for number, item in outer.mappings("lvs_vrrp", _EXAMPLE)
    ]


def _read_instance(entry: Entry, groups: Groups) -> Vrrp:
    name = read_name(entry)
    if not entry.has("id"):
        entry.wrong("id", "has no id: it is written down, never derived from an order")
    if entry.has("multicast") and entry.flag("unicast"):
        entry.wrong("multicast", "has both multicast and unicast: one of them, please")
    multicast = entry.address("multicast", "write the address alone")
    if multicast is not None and not multicast.is_multicast:
        entry.wrong("multicast", f"multicast {multicast} is no multicast address, such as 224.0.100.19")
    return Vrrp(
        where=entry.where,
        name=name,
        id=entry.number("id", 1, 255) or 0,
        interface=entry.interface("interface"),
        directors=_read_directors(entry, groups),
        version=entry.number("version", 2, 3),
        advert_interval=entry.seconds("advert_interval"),
        preempt=entry.flag("preempt"),
        multicast=multicast,
        unicast=entry.flag("unicast"),
        group=entry.text("group"),
        track_interfaces=entry.interfaces("track_interfaces"),
        track_scripts=entry.strings("track_scripts"),
        track_processes=entry.strings("track_processes"),
        track_files=entry.strings("track_files"),
        track_bfds=entry.strings("track_bfds"),
        keepalived=entry.words("keepalived"),
        sync=read_sync(entry),
    )


def _read_directors(entry: Entry, groups: Groups) -> tuple[VrrpDirector, ...]:
    found: list[VrrpDirector] = []
    if entry.get("directors") in (None, []):
        entry.wrong("directors", f"has no directors: name those between which its VIPs move, such as {_EXAMPLE}")
    for place, one in entry.mappings("directors", "{host: lvs1, priority: 150}"):
        inner = Entry(entry.findings, f"{entry.where} directors[{place}]", one, ("host", "priority"))
        host, priority = inner.get("host"), inner.number("priority", 1, 254)
        hosts = groups.get("all", ())
        if host not in hosts:
            inner.wrong("host", f"host '{host}' is not in the inventory{did_you_mean(host, hosts)}")
        elif priority is None and not inner.has("priority"):
            inner.wrong("priority", "has no priority: it is written down, never derived from an order")
        elif host in [known.host for known in found]:
            inner.wrong("host", f"host '{host}' is in directors already")
        elif priority is not None:
            found.append(VrrpDirector(host, priority))
    return tuple(found)


def read_sync(entry: Entry) -> Sync | None:
    """``sync: true``, or with an interface or a number of its own."""
    if not isinstance(entry.get("sync"), dict):
        return Sync(None, None) if entry.flag("sync") else None
    inner = Entry(entry.findings, f"{entry.where} sync", entry.get("sync"), ("interface", "id"))
    return Sync(inner.interface("interface"), inner.number("id", 1, 255, "; a backup with 0 takes messages of all"))


# ---- places


def interface_of(vrrp: Vrrp, vips: t.Sequence[Vip], director: Ground) -> str | None:
    """Where the director hears the others; None if nobody could look."""
    if vrrp.interface:
        return vrrp.interface
    return next((found for found in (vip_interface(vip, director) for vip in vips) if found), None)


def source_of(vrrp: Vrrp, vips: t.Sequence[Vip], director: Ground) -> Own | None:
    """The director's own address for VRRP: in a VIP's network if there is one."""
    version = vips[0].address.version if vips else IPV4
    interface = interface_of(vrrp, vips, director)
    source = director.written if director.live is None else director.live
    own = [one for one in source if one.address.version == version and one.interface in (None, interface)]
    own.sort(key=lambda one: not any(one.network and vip.address in one.network for vip in vips))
    return own[0] if own else None


def vips_of(vrrp: Vrrp, services: t.Iterable[Service]) -> list[Vip]:
    """The VIPs that it moves, those of the first one's family first."""
    found = {vip.address: vip for service in services for vip in service.vips if vip.vrrp == vrrp.name}
    first = next(iter(found.values()), None)
    return sorted(found.values(), key=lambda vip: first is None or vip.address.version != first.address.version)


# ---- checking


def check_vrrp(description: Description, grounds: Grounds, findings: Findings) -> None:
    names = [vrrp.name for vrrp in description.vrrp]
    for vrrp in description.vrrp:
        if names.count(vrrp.name) > 1:
            findings.add(vrrp.where, f"name '{vrrp.name}' is used more than once")
        _check_instance(vrrp, description, grounds, findings)
    for service in description.services:
        _check_service(service, {vrrp.name: vrrp for vrrp in description.vrrp}, findings)
    _check_movers(description, findings)
    _check_groups(description, findings)
    _check_ids(description, grounds, findings)


def _check_service(service: Service, known: t.Mapping[str, Vrrp], findings: Findings) -> None:
    for number, vip in enumerate(service.vips):
        vrrp = known.get(vip.vrrp or "")
        if findings.about(f"{service.where} vips[{number}]"):
            continue
        if vip.vrrp and vrrp is None and (findings.about("lvs_vrrp") or "" in known):
            continue  # not all of them could be read
        if vip.vrrp and vrrp is None:
            text = f"vip {vip.address}: vrrp '{vip.vrrp}' is not in lvs_vrrp{did_you_mean(vip.vrrp, known)}"
            findings.add(service.where, text)
        elif vip.vrrp and service.engine != "keepalived":
            text = f"vip {vip.address}: vrrp '{vip.vrrp}' needs lvs_engine 'keepalived', and it is '{service.engine}'"
            findings.add(service.where, text)
        elif vrrp is not None and findings.about(vrrp.where):
            continue  # its directors may not be known
        elif vrrp is not None and {one.host for one in vrrp.directors} != set(service.directors):
            there = ", ".join(one.host for one in vrrp.directors) or "none"
            text = f"its directors are {', '.join(service.directors)}, and those of vrrp '{vrrp.name}' are {there}"
            findings.add(service.where, f"vip {vip.address}: {text}: the VIP moves between the same")
        elif vrrp is None and service.engine == "keepalived" and len(service.directors) > 1:
            named = " and ".join(service.directors)
            text = f"vip {vip.address} has {len(service.directors)} directors, {named}, and no vrrp,"
            remedy = "so each would answer for it. Say which of lvs_vrrp moves it, or name one director"
            findings.add(service.where, f"{text} {remedy}")


def _check_movers(description: Description, findings: Findings) -> None:
    first: dict[Address, tuple[str | None, Service]] = {}
    for service in description.services:
        for vip in service.vips:
            mover, known = first.setdefault(vip.address, (vip.vrrp, service))
            if mover != vip.vrrp:
                here, there = (f"vrrp '{one}'" if one else "none" for one in (vip.vrrp, mover))
                text = f"vip {vip.address} is moved by {here}, and in {known.where} by {there}"
                findings.add(service.where, f"{text}: one instance moves it, so say the same in both")


def _check_groups(description: Description, findings: Findings) -> None:
    """What moves together has to want the same director first, or it is elected for ever."""
    first: dict[str, Vrrp] = {}
    for vrrp in description.vrrp:
        known = first.setdefault(vrrp.group, vrrp) if vrrp.group else vrrp
        if _ranks(known) != _ranks(vrrp):
            text = f"group '{vrrp.group}': its directors and their priorities differ from those of '{known.name}',"
            findings.add(vrrp.where, f"{text} with which it moves. Say the same in both")


def _ranks(vrrp: Vrrp) -> dict[str, int]:
    return {one.host: one.priority for one in vrrp.directors}


def _check_instance(vrrp: Vrrp, description: Description, grounds: Grounds, findings: Findings) -> None:
    vips = vips_of(vrrp, description.services)
    if not vips:
        if not description.services:
            return
        findings.warn(vrrp.where, f"no VIP is moved by '{vrrp.name}', so it is left out")
        return
    if vrrp.preempt and len({one.priority for one in vrrp.directors}) < len(vrrp.directors):
        text = "preempt: true has whoever has the highest priority take the VIPs, and two have the same"
        findings.add(vrrp.where, f"{text}. Give each another priority, or leave preempt out")
    if vrrp.multicast is not None and vrrp.multicast.version != vips[0].address.version:
        findings.add(vrrp.where, f"multicast {vrrp.multicast} is not of the family of its VIPs")
    for one in vrrp.directors:
        check_host(description.hosts[one.host], findings)
    passwords = [description.hosts[one.host].keepalived.get("keepalived_auth_pass") for one in vrrp.directors]
    if any(password != passwords[0] for password in passwords):
        named = ", ".join(one.host for one in vrrp.directors)
        findings.add(vrrp.where, f"keepalived_auth_pass is not the same on {named}: none would believe the others")
    sources = {one.host: source_of(vrrp, vips, grounds[one.host]) for one in vrrp.directors}
    for one in vrrp.directors:
        _check_bfds(vrrp, one.host, description, sources, findings)
        live = grounds[one.host].live
        interface = interface_of(vrrp, vips, grounds[one.host])
        links = description.hosts[one.host].facts
        if interface and links and interface not in links.links:
            there = ", ".join(links.links)
            findings.add(vrrp.where, f"interface '{interface}' does not exist on {one.host}: there are {there}")
        for name in vrrp.track_interfaces if links else ():
            if links and name not in links.links:
                text = f"track_interfaces: '{name}' does not exist on {one.host}: there are {', '.join(links.links)}"
                findings.add(vrrp.where, text)
        if interface and links and interface not in links.links:
            continue
        if interface and live is not None and sources[one.host] is None:
            text = f"{one.host} has no address of the VIPs' family on {interface}"
            findings.add(vrrp.where, f"{text}: VRRP needs one to speak with")
    _check_segment(vrrp, sources, findings)


def _check_bfds(
    vrrp: Vrrp, director: str, description: Description, sources: t.Mapping[str, Own | None], findings: Findings
) -> None:
    """A director that has to hear the other one would fall with it; one that has to hear itself never rises."""
    vips = {str(vip.address) for service in description.services for vip in service.vips}
    others = {str(own.address): name for name, own in sources.items() if own is not None and name != director}
    own = sources[director]
    for one in bfds_of(description.hosts[director]):
        if str(one["neighbour"]) in {*vips, str(own.address) if own else ""}:
            text = f"track_bfds: the neighbour of '{one.get('name')}' on {director}, {one['neighbour']}, is a VIP or"
            findings.add(vrrp.where, f"{text} the director itself. Name another host that speaks BFD")
        other = others.get(str(one["neighbour"]))
        if other and one.get("name") in vrrp.track_bfds and not one.get("weight"):
            text = f"track_bfds: '{one['name']}' on {director} is a session with {other}, so when {other} dies"
            findings.add(vrrp.where, f"{text}, {director} lets go of the VIPs, too. Leave it out, or give it a weight")


def _check_segment(vrrp: Vrrp, sources: t.Mapping[str, Own | None], findings: Findings) -> None:
    """Directors that do not hear each other would all take the VIPs."""
    for (first, one), (second, other) in itertools.combinations(sources.items(), 2):
        if one and other and one.network and other.network and one.network != other.network:
            text = f"{first} ({one.address}) and {second} ({other.address}) are in different networks"
            findings.add(vrrp.where, f"{text}: a VIP can only move within one. Say which interface both have there")


def _check_ids(description: Description, grounds: Grounds, findings: Findings) -> None:
    """Two instances of one id on a network take each other's word for their own."""
    for one, other in itertools.combinations(description.vrrp, 2):
        if one.id == other.id and one.name != other.name:
            shared = _networks(one, description, grounds) & _networks(other, description, grounds)
            if shared:
                text = f"id {other.id} is that of '{one.name}' too, and both speak on {', '.join(sorted(shared))}"
                findings.add(other.where, f"{text}. Choose another id, 1 to 255")


def _networks(vrrp: Vrrp, description: Description, grounds: Grounds) -> set[str]:
    vips = vips_of(vrrp, description.services)
    if not vips:
        return set()
    sources = [source_of(vrrp, vips, grounds[one.host]) for one in vrrp.directors]
    return {str(source.network) for source in sources if source and source.network}
