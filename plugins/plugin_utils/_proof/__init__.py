# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What holds of a described cluster, judged by what was seen on its hosts and by its clients. Everything is pure."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.evidence import Data, Line, Look, look_from
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.hosts import (
    moved_by,
    prove_alone,
    prove_director,
    prove_firewall,
    prove_managers,
    prove_nothing_to_do,
    prove_one_holder,
    prove_real_server,
    prove_router,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.pacemaker import prove_clusters
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.services import prove_requests, prove_table, prove_vip

COMPLETE = ("director_purge_real_servers", *(f"{daemon}_complete" for daemon in words.DAEMONS))

__all__ = ["Line", "Look", "look_from", "prove"]


def prove(cluster: Data, looks: t.Mapping[str, Look], clients: t.Sequence[str]) -> list[Line]:
    """Every claim about the cluster, first of the services, then of their VIPs, then of the hosts.

    :arg cluster: what ``openlvs.lvs.cluster`` has returned.
    :arg looks: of all members and clients.
    """
    services, views = cluster["services"], cluster["views"]
    members = [looks[name] for name in cluster["members"]]
    lines = []
    directors: dict[str, dict[str, None]] = {}
    for service in services:
        for vip in service["vips"]:
            directors.setdefault(vip, {})[service["director"]] = None
    places = {name: _interfaces(views[name]) for name in cluster["directors"]}
    now = {vip: _now_at(vip, list(names), places, looks) for vip, names in directors.items()}
    for service in services:
        name = service["director"]
        complete = all(views[name][key] for key in COMPLETE)
        lines.append(prove_table(service, complete, looks))
        if name == now[service["vips"][0]]:
            lines += prove_requests(service, looks, clients)
    for vip, names in directors.items():
        director = now[vip]
        holders = {name for name, view in views.items() if vip in _addresses(view["realserver_vips"])}
        if len(names) > 1:
            lines.append(prove_one_holder(vip, {name: places[name].get(vip) for name in names}, looks))
        interface = places[director].get(vip) or _own_interface(vip, looks[director])
        near = holders & _neighbours(vip, services) - {director}
        audible = {name for name in holders if views[name]["realserver_arp"] == words.ARP_BY_ROUTER}
        lines.append(prove_vip(vip, (director, interface), near, audible, looks))
        lines.append(prove_alone(vip, holders | set(names), members))
    lines += prove_clusters(views, looks)
    for name in cluster["directors"]:
        lines += prove_director(views[name], looks[name])
    for name in cluster["real_servers"]:
        lines += prove_real_server(views[name], looks[name])
    for name in cluster["routers"]:
        lines += prove_router(views[name], looks[name], looks)
    for name in sorted({*cluster["directors"], *cluster["real_servers"]}):
        lines += [*prove_managers(looks[name]), *prove_firewall(looks[name])]
    working = sorted({*cluster["directors"], *cluster["real_servers"], *cluster["routers"]})
    lines += [prove_nothing_to_do(looks[name]) for name in working]
    for name in {**dict.fromkeys(cluster["leaving"]), **dict.fromkeys(cluster["directors_leaving"])}:
        lines.append(Line(name, "it holds nothing that left the description", False, "it does; run site.yml"))
    servers = [one for service in services for one in service["real_servers"] if "name" not in one]
    unmanaged = sorted({(one["address"], words.READY[one["forward"]]) for one in servers})
    lines += [Line(address, ready, None, "it is unmanaged") for address, ready in unmanaged]
    return list(dict.fromkeys(lines))


def _neighbours(vip: str, services: t.Sequence[Data]) -> set[str]:
    """The real servers that are in one network with the director; one behind a tunnel may be anywhere."""
    servers = [server for service in services if vip in service["vips"] for server in service["real_servers"]]
    return {server["name"] for server in servers if "name" in server and server["forward"] == "dr"}


def _now_at(
    vip: str, directors: t.Sequence[str], places: t.Mapping[str, t.Mapping[str, str]], looks: t.Mapping[str, Look]
) -> str:
    """Which of its directors has a VIP at this moment; the first if none has."""
    return next((name for name in directors if looks[name].addresses(vip, places[name].get(vip))), directors[0])


def _interfaces(view: Data) -> dict[str, str]:
    """Where the director has its VIPs, or would have them."""
    moved = [vip for one in view["keepalived_instances"] for vip in moved_by(one)] + view["pacemaker_vips"]
    return {vip["address"]: vip["interface"] for vip in (*view["director_vips"], *moved)}


def _own_interface(vip: str, director: Look) -> str | None:
    """Where a VIP stands that is the director's own address."""
    return next((one["interface"] for one in director.addresses(vip)), None)


def _addresses(vips: t.Iterable[Data]) -> list[str]:
    return [vip["address"] for vip in vips]
