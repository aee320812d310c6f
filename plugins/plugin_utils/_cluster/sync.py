# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Connection sync: where directors tell each other of connections, and under which number."""

from __future__ import annotations

import functools
import itertools
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import pacemaker, vrrp
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, Own
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Description, Network, Sync
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Placed

View = dict[str, t.Any]
Grounds = t.Mapping[str, Ground]


class Peers(t.NamedTuple):
    """Directors that tell each other of connections: those of a VRRP instance, or of a cluster of Pacemaker.

    :attr default: where a director speaks if nothing else is said.
    """

    where: str
    name: str
    hosts: tuple[str, ...]
    sync: Sync
    id: int
    default: t.Callable[[Ground], str | None]


def _all_peers(description: Description) -> tuple[list[Peers], list[Peers]]:
    """Those under VRRP, and those under Pacemaker, as far as they have VIPs."""
    instances, clusters = [], []
    for one in description.vrrp:
        vips = vrrp.vips_of(one, description.services)
        if one.sync is not None and vips:
            hosts = tuple(director.host for director in one.directors)
            default = functools.partial(vrrp.interface_of, one, vips)
            instances.append(Peers(one.where, one.name, hosts, one.sync, one.sync.id or one.id, default))
    for cluster in description.pacemaker:
        vips = pacemaker.vips_of(cluster, description)
        if cluster.sync is not None and cluster.sync.id is not None and vips:
            hosts = tuple(node.host for node in cluster.nodes)
            place = functools.partial(pacemaker.interface_of, cluster, vips)
            clusters.append(Peers(cluster.where, cluster.name, hosts, cluster.sync, cluster.sync.id, place))
    return instances, clusters


def _own_of(name: str, peers: Peers, grounds: Grounds) -> Own | None:
    """The address by which a director speaks: where it is told to, else in a network that only these directors share,
    else where they hear each other anyway."""
    live = grounds[name].live or ()
    if peers.sync.interface is None:
        private = _private_network(peers, grounds)
        found = [own for own in live if own.network is not None and own.network == private]
        if found:
            return found[0]
    interface = peers.sync.interface or peers.default(grounds[name])
    here = [own for own in live if own.interface == interface]
    return here[0] if here else None


def _private_network(peers: Peers, grounds: Grounds) -> Network | None:
    """The one network in which all of its directors are, and no other host that is known."""
    members: dict[Network, set[str]] = {}
    for name, ground in grounds.items():
        for own in ground.all:
            if own.network is not None:
                members.setdefault(own.network, set()).add(name)
    private = [network for network, names in members.items() if names == set(peers.hosts)]
    return private[0] if len(private) == 1 and len(peers.hosts) > 1 else None


def check_sync(description: Description, placed: t.Sequence[Placed], grounds: Grounds, findings: Findings) -> None:
    instances, clusters = _all_peers(description)
    synced = [*instances, *clusters]
    for one, other in itertools.combinations(synced, 2):
        shared = set(one.hosts).intersection(other.hosts)
        if shared:
            text = f"sync: {', '.join(sorted(shared))} has that of '{one.name}' already, and a director runs one"
            findings.add(other.where, f"{text}. It tells of all its connections, whichever instance it follows")
        elif one.id == other.id and _networks(one, grounds) & _networks(other, grounds):
            text = f"sync: id {other.id} is that of '{one.name}' too, in the same network"
            findings.add(
                other.where, f"{text}: each would take the other's connections. Choose another by sync: {{id: ...}}"
            )
    for peers in synced:
        for name in peers.hosts:
            _check_interface(peers, name, description, findings)
        _check_families(peers, placed, findings)


def _check_interface(peers: Peers, name: str, description: Description, findings: Findings) -> None:
    facts = description.hosts[name].facts
    interface = peers.sync.interface
    if interface and facts and interface not in facts.links:
        text = f"sync: interface '{interface}' does not exist on {name}: there are {', '.join(facts.links)}"
        findings.add(peers.where, text)


def _check_families(peers: Peers, placed: t.Sequence[Placed], findings: Findings) -> None:
    for one in placed:
        other = [place for place in one.places if place.address.version != one.vip.address.version]
        if one.director in peers.hosts and other:
            text = f"sync: vip {one.vip.address} has real server {other[0].server.name} of the other family"
            findings.add(peers.where, f"{text}, and the kernel runs no sync daemon beside such. Leave sync out")


def _networks(peers: Peers, grounds: Grounds) -> set[Network]:
    found = [_own_of(name, peers, grounds) for name in peers.hosts]
    return {own.network for own in found if own is not None and own.network is not None}


def add_sync(views: t.Mapping[str, View], description: Description, grounds: Grounds) -> None:
    """The sync daemon of each director of an instance, which follows its role; those of each director of a cluster."""
    instances, clusters = _all_peers(description)
    for peers in (*instances, *clusters):
        for name in peers.hosts:
            own = _own_of(name, peers, grounds)
            interface = own.interface if own else peers.sync.interface or peers.default(grounds[name])
            if not interface or name not in views:
                continue
            if peers in clusters:
                views[name]["pacemaker_sync"] = {"interface": interface, "id": peers.id}
            elif views[name]["keepalived_instances"]:
                views[name]["keepalived_sync"] = {"instance": peers.name, "interface": interface, "id": peers.id}
