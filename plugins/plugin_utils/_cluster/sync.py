# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Connection sync: where directors tell each other of connections, and under which number."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, Own
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Description, Network, Vrrp
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Placed
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.vrrp import interface_of, vips_of

View = dict[str, t.Any]
Grounds = t.Mapping[str, Ground]


def _own_of(name: str, vrrp: Vrrp, description: Description, grounds: Grounds) -> Own | None:
    """The address by which a director of an instance speaks: where it is told to, else in a network that only the
    directors of this instance share, else where VRRP is."""
    if vrrp.sync is None:
        return None
    live = grounds[name].live or ()
    if vrrp.sync.interface is None:
        private = _private_network(vrrp, grounds)
        found = [own for own in live if own.network is not None and own.network == private]
        if found:
            return found[0]
    interface = vrrp.sync.interface or interface_of(vrrp, vips_of(vrrp, description.services), grounds[name])
    here = [own for own in live if own.interface == interface]
    return here[0] if here else None


def _private_network(vrrp: Vrrp, grounds: Grounds) -> Network | None:
    """The one network in which all of its directors are, and no other host that is known."""
    directors = {one.host for one in vrrp.directors}
    members: dict[Network, set[str]] = {}
    for name, ground in grounds.items():
        for own in ground.all:
            if own.network is not None:
                members.setdefault(own.network, set()).add(name)
    private = [network for network, names in members.items() if names == directors]
    return private[0] if len(private) == 1 and len(directors) > 1 else None


def check_sync(description: Description, placed: t.Sequence[Placed], grounds: Grounds, findings: Findings) -> None:
    synced = [one for one in description.vrrp if one.sync is not None and vips_of(one, description.services)]
    for one, other in itertools.combinations(synced, 2):
        shared = {each.host for each in one.directors}.intersection(each.host for each in other.directors)
        if shared:
            text = f"sync: {', '.join(sorted(shared))} has that of '{one.name}' already, and a director runs one"
            findings.add(other.where, f"{text}. It tells of all its connections, whichever instance it follows")
        elif _id(one) == _id(other) and _networks(one, description, grounds) & _networks(other, description, grounds):
            text = f"sync: id {_id(other)} is that of '{one.name}' too, in the same network"
            findings.add(
                other.where, f"{text}: each would take the other's connections. Choose another by sync: {{id: ...}}"
            )
    for vrrp in synced:
        for director in vrrp.directors:
            _check_interface(vrrp, director.host, description, findings)
        _check_families(vrrp, placed, findings)


def _check_interface(vrrp: Vrrp, name: str, description: Description, findings: Findings) -> None:
    facts = description.hosts[name].facts
    interface = vrrp.sync.interface if vrrp.sync else None
    if interface and facts and interface not in facts.links:
        text = f"sync: interface '{interface}' does not exist on {name}: there are {', '.join(facts.links)}"
        findings.add(vrrp.where, text)


def _check_families(vrrp: Vrrp, placed: t.Sequence[Placed], findings: Findings) -> None:
    directors = {one.host for one in vrrp.directors}
    for one in placed:
        other = [place for place in one.places if place.address.version != one.vip.address.version]
        if one.director in directors and other:
            text = f"sync: vip {one.vip.address} has real server {other[0].server.name} of the other family"
            findings.add(vrrp.where, f"{text}, and the kernel runs no sync daemon beside such. Leave sync out")


def _id(vrrp: Vrrp) -> int:
    return (vrrp.sync.id if vrrp.sync else None) or vrrp.id


def _networks(vrrp: Vrrp, description: Description, grounds: Grounds) -> set[Network]:
    found = [_own_of(one.host, vrrp, description, grounds) for one in vrrp.directors]
    return {own.network for own in found if own is not None and own.network is not None}


def add_sync(views: t.Mapping[str, View], vrrp: Vrrp, description: Description, grounds: Grounds) -> None:
    """The sync daemon of each director of an instance, which follows its role."""
    if vrrp.sync is None:
        return
    for one in vrrp.directors:
        own = _own_of(one.host, vrrp, description, grounds)
        vips = vips_of(vrrp, description.services)
        interface = own.interface if own else vrrp.sync.interface or interface_of(vrrp, vips, grounds[one.host])
        if interface and one.host in views and views[one.host]["keepalived_instances"]:
            views[one.host]["keepalived_sync"] = {"instance": vrrp.name, "interface": interface, "id": _id(vrrp)}
