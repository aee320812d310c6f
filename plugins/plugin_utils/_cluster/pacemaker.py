# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Clusters of Pacemaker: directors between which all VIPs of their services move together, with ldirectord."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, Own, vip_interface
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import Entry
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings, did_you_mean
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    Address,
    Description,
    Pacemaker,
    PacemakerNode,
    Service,
    Sync,
    Vip,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import Groups, named, read_name
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.vrrp import read_sync

ENGINE = "pacemaker"
FIRST_PORT = 5405  # of Corosync; each further interface has the next one
_KEYS = ("name", "directors", "interfaces", "fencing", "sync")
_EXAMPLE = "{name: front, directors: [{host: lvs1, id: 1}, {host: lvs2, id: 2}], fencing: false}"
_MOST_LINKS = 8
_LONGEST_ID = 2147483647

Grounds = t.Mapping[str, Ground]
View = dict[str, t.Any]


# ---- reading


def read_pacemaker(value: object, groups: Groups, findings: Findings) -> list[Pacemaker]:
    """All clusters of ``lvs_pacemaker``."""
    outer = Entry(findings, "lvs_pacemaker", {"lvs_pacemaker": value}, ("lvs_pacemaker",))
    return [
        _read_cluster(Entry(findings, named(f"lvs_pacemaker[{number}]", item), item, _KEYS), groups)
        for number, item in outer.mappings("lvs_pacemaker", _EXAMPLE)
    ]


def _read_cluster(entry: Entry, groups: Groups) -> Pacemaker:
    name = read_name(entry)
    if not entry.has("fencing"):
        text = "does not say fencing: true, where the cluster can switch off a director that does not answer, or false:"
        why = "then two directors that do not hear each other both have the VIPs"
        entry.wrong("fencing", f"{text} {why}. Choose one")
    interfaces = entry.interfaces("interfaces")
    if len(interfaces) > _MOST_LINKS:
        entry.wrong("interfaces", f"has {len(interfaces)} interfaces: Corosync uses {_MOST_LINKS} at most")
    directors = _read_directors(entry, groups)
    return Pacemaker(entry.where, name, directors, interfaces, entry.flag("fencing"), _read_sync(entry))


def _read_sync(entry: Entry) -> Sync | None:
    """A cluster has no number of its own, so it is said."""
    if not isinstance(entry.get("sync"), dict):
        if entry.flag("sync"):
            entry.wrong("sync", "has no id, by which the directors know each other's messages: say sync: {id: 1}")
        return None
    sync = read_sync(entry)
    if sync is not None and sync.id is None:
        entry.wrong("sync", "has no id, by which the directors know each other's messages: say sync: {id: 1}")
    return sync


def _read_directors(entry: Entry, groups: Groups) -> tuple[PacemakerNode, ...]:
    found: list[PacemakerNode] = []
    for place, one in entry.mappings("directors", "{host: lvs1, id: 1}"):
        inner = Entry(entry.findings, f"{entry.where} directors[{place}]", one, ("host", "id"))
        host, number = inner.get("host"), inner.number("id", 1, _LONGEST_ID)
        hosts = groups.get("all", ())
        if host not in hosts:
            inner.wrong("host", f"host '{host}' is not in the inventory{did_you_mean(host, hosts)}")
        elif number is None and not inner.has("id"):
            inner.wrong("id", "has no id: it is written down, never derived from an order")
        elif any(host == known.host or number == known.id for known in found):
            inner.wrong("id", f"host '{host}' with id {number}: one before has the same host, or the same id")
        elif number is not None:
            found.append(PacemakerNode(host, number))
    return tuple(found)


# ---- places


def cluster_of(service: Service, description: Description) -> Pacemaker | None:
    """The one whose directors are the service's."""
    directors = set(service.directors)
    return next((one for one in description.pacemaker if {node.host for node in one.nodes} == directors), None)


def vips_of(cluster: Pacemaker, description: Description) -> list[Vip]:
    """The VIPs that it moves."""
    services = [one for one in description.services if one.engine == ENGINE]
    found = {vip.address: vip for one in services if cluster_of(one, description) == cluster for vip in one.vips}
    return list(found.values())


def _links(cluster: Pacemaker, vips: t.Sequence[Vip], director: Ground) -> list[str]:
    """By which interfaces a director hears the others: as described, else where the VIPs are."""
    if cluster.interfaces:
        return list(cluster.interfaces)
    found = [vip_interface(vip, director) for vip in vips]
    return [one for one in found if one][:1]


def interface_of(cluster: Pacemaker, vips: t.Sequence[Vip], director: Ground) -> str | None:
    """The first of these."""
    return next(iter(_links(cluster, vips, director)), None)


def _own(interface: str, vips: t.Sequence[Vip], director: Ground) -> Own | None:
    """The director's address there: in a VIP's network if there is one, and of IPv4."""
    found = [own for own in director.live or () if own.interface == interface]
    near = [own for own in found if any(own.network and vip.address in own.network for vip in vips)]
    return min(near or found, key=lambda own: own.address.version, default=None)


def addresses_of(cluster: Pacemaker, vips: t.Sequence[Vip], director: Ground) -> list[Address]:
    found = [_own(interface, vips, director) for interface in _links(cluster, vips, director)]
    if any(found):
        return [own.address for own in found if own]
    return [own.address for own in director.written[:1]] if director.live is None and not cluster.interfaces else []


# ---- checking


def check_pacemaker(description: Description, grounds: Grounds, findings: Findings) -> None:
    clusters = description.pacemaker
    seen: dict[str, Pacemaker] = {}
    for cluster in clusters:
        if [one.name for one in clusters].count(cluster.name) > 1:
            findings.add(cluster.where, f"name '{cluster.name}' is used more than once")
        for node in cluster.nodes:
            known = seen.setdefault(node.host, cluster)
            if known is not cluster:
                findings.add(cluster.where, f"{node.host} is in cluster '{known.name}' already: a host is in one alone")
        vips = vips_of(cluster, description)
        if not vips:
            findings.warn(cluster.where, f"no VIP is moved by '{cluster.name}', so it is left out")
            continue
        _check_links(cluster, vips, grounds, findings)
        _check_vips(cluster, vips, grounds, findings)
        _check_hosts(cluster, description, findings)
    for service in description.services:
        _check_service(service, description, findings)


def _check_service(service: Service, description: Description, findings: Findings) -> None:
    named = " and ".join(service.directors)
    if service.engine != ENGINE:
        both = [one for one in description.services if one.engine == ENGINE]
        shared = {name for one in both for name in one.directors}.intersection(service.directors)
        if shared:
            text = f"its director {sorted(shared)[0]} is in a cluster of Pacemaker, which has the host's ldirectord and"
            findings.add(service.where, f"{text} VIPs move: use lvs_engine 'pacemaker' for all services there")
    elif len(service.directors) < 2:
        text = f"has one director, {named}: under lvs_engine 'pacemaker' VIPs move between two or more"
        findings.add(service.where, f"{text}. Name another one, or use lvs_engine 'ldirectord'")
    elif findings.about("lvs_pacemaker") or any(findings.about(one.where) for one in description.pacemaker):
        return  # who its directors are is not told yet
    elif cluster_of(service, description) is None:
        text = f"its directors are {named}, and no cluster of lvs_pacemaker has these, all of them and no others"
        why = "ldirectord has one file, so all VIPs of a cluster move together"
        findings.add(service.where, f"{text}: {why}. Such as {_EXAMPLE}")


def _check_links(cluster: Pacemaker, vips: t.Sequence[Vip], grounds: Grounds, findings: Findings) -> None:
    versions: dict[int, dict[int, str]] = {}
    for node in cluster.nodes:
        director = grounds[node.host]
        if director.live is None:
            continue
        links = director.host.facts.links if director.host.facts else ()
        for place, interface in enumerate(_links(cluster, vips, director)):
            own = _own(interface, vips, director)
            if interface not in links:
                text = f"interface '{interface}' does not exist on {node.host}: there are {', '.join(links)}"
                findings.add(cluster.where, text)
            elif own is None:
                text = f"{node.host} has no address on {interface}: the directors need one to hear each other"
                findings.add(cluster.where, text)
            else:
                versions.setdefault(place, {}).setdefault(own.address.version, f"{node.host} ({own.address})")
    for found in versions.values():
        if len(found) > 1:
            text = f"{' and '.join(found.values())} are of different families, and cannot hear each other"
            findings.add(cluster.where, f"{text}. Say which interfaces have addresses of one")


def _check_vips(cluster: Pacemaker, vips: t.Sequence[Vip], grounds: Grounds, findings: Findings) -> None:
    for vip in vips:
        places = {node.host: vip_interface(vip, grounds[node.host]) for node in cluster.nodes}
        known = {place for place in places.values() if place}
        if len(known) > 1:
            shown = " and ".join(f"{place} of {host}" for host, place in places.items())
            text = f"vip {vip.address} would be on {shown}: a resource of Pacemaker has one interface on all nodes"
            findings.add(cluster.where, f"{text}. Give the interfaces one name")
        elif known:
            _check_shared_network(cluster, vip, known.pop(), grounds, findings)
        for node in cluster.nodes:
            if any(own.address == vip.address for own in grounds[node.host].all):
                text = f"vip {vip.address} is {node.host}'s own address, which cannot move"
                findings.add(cluster.where, f"{text}. Choose an address that no host has")


def _check_shared_network(cluster: Pacemaker, vip: Vip, place: str, grounds: Grounds, findings: Findings) -> None:
    """An address moves within a network: beyond that, routers would go on sending to where it was."""
    networks = {
        node.host: {own.network for own in grounds[node.host].live or () if own.interface == place and own.network}
        for node in cluster.nodes
    }
    seen = {host: found for host, found in networks.items() if found}
    if seen and not set.intersection(*seen.values()):
        shown = ", ".join(f"{host} is in {' and '.join(sorted(map(str, found)))}" for host, found in seen.items())
        text = f"vip {vip.address} would move on {place} between directors that share no network there: {shown}"
        findings.add(cluster.where, f"{text}. An address moves within one network")


def _check_hosts(cluster: Pacemaker, description: Description, findings: Findings) -> None:
    hosts = [description.hosts[node.host] for node in cluster.nodes]
    if len({host.cluster_key for host in hosts}) > 1:
        named = ", ".join(host.name for host in hosts)
        findings.add(cluster.where, f"pacemaker_authkey is not the same on {named}: none would believe the others")
    seen = [host.facts for host in hosts if host.facts is not None]
    for host in hosts:
        if host.facts is not None and host.facts.foreign_cluster:
            text = f"director {host.name} is in a cluster that somebody else has made (/etc/corosync/corosync.conf)"
            findings.add(cluster.where, f"{text}, and a host is in one alone. Use another host, or leave that cluster")
    devices = {device for facts in seen for device in facts.fencing_devices}
    if cluster.fencing and seen and not devices:
        text = "fencing: true, and the cluster has no device that can switch a director off, so it would start nothing"
        remedy = "Begin with false, configure devices in the cluster (class stonith), then say true"
        findings.add(cluster.where, f"{text}. {remedy}")
    if not cluster.fencing and devices:
        text = f"fencing: false, and the cluster has devices for it, {', '.join(sorted(devices))}"
        findings.add(cluster.where, f"{text}: say true, or take them out of the cluster")


# ---- views


def no_cluster() -> View:
    return {
        "pacemaker_name": "",
        "pacemaker_nodes": [],
        "pacemaker_vips": [],
        "pacemaker_fencing": True,
        "pacemaker_sync": {},
        "pacemaker_complete": True,
    }


def _place(cluster: Pacemaker, vip: Vip, grounds: Grounds) -> str | None:
    """The interface for a VIP, as far as any of the directors tells."""
    found = (vip_interface(vip, grounds[node.host]) for node in cluster.nodes)
    return next((one for one in found if one), None)


def add_clusters(views: t.Mapping[str, View], description: Description, grounds: Grounds) -> None:
    """The cluster of each director; one whose addresses nobody knows now leaves all as they are."""
    for cluster in description.pacemaker:
        vips = vips_of(cluster, description)
        nodes = [
            {
                "name": node.host,
                "id": node.id,
                "addresses": [str(one) for one in addresses_of(cluster, vips, grounds[node.host])],
            }
            for node in cluster.nodes
        ]
        places = [_place(cluster, vip, grounds) for vip in vips]
        heard = {len(addresses_of(cluster, vips, grounds[node.host])) for node in cluster.nodes}
        complete = all(places) and len(heard) == 1 and 0 not in heard
        for node in cluster.nodes if vips else ():
            views[node.host].update(
                pacemaker_name=cluster.name,
                pacemaker_nodes=nodes,
                pacemaker_vips=[
                    {"address": str(vip.address), "prefix": vip.prefix, "interface": place}
                    for vip, place in zip(vips, places)
                    if place
                ],
                pacemaker_fencing=cluster.fencing,
                pacemaker_complete=complete,
            )
