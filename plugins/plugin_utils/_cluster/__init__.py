# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The description of LVS clusters: inventory data in, a checked cluster and one view per host out.

Everything here is pure: it knows neither Ansible nor a host, only data. One door leads in, :func:`build`.
"""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import tunnels, words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import survey_all
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.checks import (
    check_as_modules_do,
    check_description,
    check_distributions,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.hosts import read_host
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Description, Hosts, Service
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.pacemaker import read_pacemaker
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Placed, place_all
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.routers import check_routers
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import (
    DEFAULT_DIRECTORS,
    ROUTERS,
    Section,
    read_services,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.sync import check_sync
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.tunnels import check_tunnels
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.views import (
    View,
    make_views,
    realserver_answers,
    realserver_vips,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.virtuals import targets, virtuals
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.vrrp import read_vrrp
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.watched import (
    TABLES,
    check_as_keepalived_does,
    check_as_ldirectord_does,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.servers import table_services

REAL_SERVERS = "lvs_real_servers"


@dataclass(frozen=True)
class Source:
    """What the inventory says, as plain data.

    :attr hosts: every host with those of its variables that matter here; ``lvs_host`` are the facts of a live look.
    """

    sections: t.Sequence[Section]
    vrrp: t.Sequence[t.Any]
    hosts: t.Mapping[str, t.Mapping[str, t.Any]]
    groups: t.Mapping[str, t.Sequence[str]]
    pacemaker: t.Sequence[t.Any] = ()


def build(source: Source, findings: Findings, live: bool) -> dict[str, t.Any]:
    """Read the description, check it, and say what each host has to do. What is wrong goes to ``findings``.

    :arg live: also judge by what is known of the hosts and return views; else only who is a member.
    """
    description = _read(source, findings)
    unread = len(findings)
    grounds = survey_all(description.hosts)
    check_description(description, grounds, findings)
    directors, real_servers = _hosts_by_role(description)
    routers = {name for service in description.services for name in service.routers}
    members = _members(source, description.hosts, {*directors, *real_servers, *routers})
    result: dict[str, t.Any] = {"members": members, "directors": directors, "real_servers": real_servers}
    if not live:
        return result
    check_distributions(description.hosts, members, findings)
    placed = place_all(description, grounds, findings)
    _warn_of_unmanaged(description, findings)
    check_tunnels(placed, grounds, findings)
    check_sync(description, placed, grounds, findings)
    check_routers(placed, description.hosts, grounds, findings)
    views = make_views(placed, description, grounds, members)
    # What cannot be read stands in no view: the rest of the item is judged. What the checks found would be told twice.
    places = [*(service.where for service in description.services), *(vrrp.where for vrrp in description.vrrp)]
    faulty = {where for where in places if findings.about(where, since=unread)}
    check_as_modules_do(views, description, faulty, findings)
    check_as_keepalived_does(views, description, faulty, findings)
    check_as_ldirectord_does(views, description, faulty, findings)
    result["handing_over"] = _handing_over(description.hosts, views)
    result["routers"] = _routers(description.hosts, routers, members)
    return {**result, **_leaving(description.hosts, placed, views, directors), "views": views, **_proof(placed, views)}


def _read(source: Source, findings: Findings) -> Description:
    services: list[Service] = []
    for section in source.sections:
        known = {_bare(service) for service in services}
        found = read_services(section, source.groups, findings)
        services += [service for service in found if not known or _bare(service) not in known]
    hosts = {name: read_host(name, variables, findings) for name, variables in source.hosts.items()}
    vrrp = read_vrrp(source.vrrp, source.groups, findings)
    pacemaker = read_pacemaker(list(source.pacemaker), source.groups, findings)
    return Description(tuple(services), tuple(vrrp), tuple(pacemaker), hosts)


def _bare(service: Service) -> Service:
    """A service without the places where it was written: what two sections say word for word is one service."""
    servers = tuple(dataclasses.replace(server, where="") for server in service.real_servers)
    return dataclasses.replace(service, where="", real_servers=servers)


def _hosts_by_role(description: Description) -> tuple[list[str], list[str]]:
    directors = {name for service in description.services for name in service.directors}
    servers = {one.host for service in description.services for one in service.real_servers if one.host is not None}
    return sorted(directors), sorted(servers)


def _members(source: Source, hosts: Hosts, described: set[str]) -> list[str]:
    """Also hosts that may have left the description: those of our groups, and those known to hold what is ours."""
    grouped = {name for group in (DEFAULT_DIRECTORS, REAL_SERVERS, ROUTERS) for name in source.groups.get(group, ())}
    facts = {name: host.facts for name, host in hosts.items()}
    holding = {
        name
        for name, found in facts.items()
        if found is not None
        and (found.vips or found.services or found.answers or found.daemons or found.neighbours or found.openings)
    }
    return sorted(described | grouped | holding)


def _handing_over(hosts: Hosts, views: t.Mapping[str, View]) -> dict[str, list[str]]:
    """Directors with VIPs that others shall have, and who these are. One that takes some itself waits for nobody."""
    takers = {str(vip["address"]): name for name, view in views.items() for vip in view["director_vips"]}
    found: dict[str, list[str]] = {}
    for name in views:
        facts = hosts[name].facts
        held = facts.vips.items() if facts is not None else ()
        others = {takers.get(str(address), name) for address, sides in held if "director" in sides} - {name}
        if others:
            found[name] = sorted(others)
    busy = {one for others in found.values() for one in others}
    return {name: others for name, others in found.items() if name not in busy}


def _routers(hosts: Hosts, described: t.Collection[str], members: t.Sequence[str]) -> list[str]:
    """Hosts that have static neighbour entries of ours, or shall have some."""
    facts = {name: hosts[name].facts for name in members}
    having = {name for name, found in facts.items() if found is not None and found.neighbours}
    return sorted({*described, *having})


def _warn_of_unmanaged(description: Description, findings: Findings) -> None:
    servers = [one for service in description.services for one in service.real_servers if one.unmanaged]
    for name, ready in sorted({(one.name, words.READY[one.forward]) for one in servers}):
        findings.warn(f"real server {name}", f"it is unmanaged, so nobody looks whether {ready}")


def _leaving(
    hosts: Hosts, placed: t.Sequence[Placed], views: t.Mapping[str, View], directors: t.Sequence[str]
) -> dict[str, list[str]]:
    """Hosts that hold something of ours which the description does not give them any more."""
    wanted, ways = realserver_vips(placed), realserver_answers(placed)
    complete = all(one.complete for one in placed)  # else what is not listed may still be wanted
    leaving, directors_leaving = [], []
    for name, host in sorted(hosts.items()):
        if host.facts is None:
            continue
        held = {address for address, sides in host.facts.vips.items() if "real_server" in sides}
        tunnels_unused = tunnels.gone(host.facts.tunnels, views[name]["realserver_tunnels"]) if name in views else False
        unused = tunnels_unused or host.facts.answers.difference(ways.get(name, ()))
        if held.difference(wanted.get(name, ())) or (complete and unused):
            leaving.append(name)
        held_there = any(sides & {"director", "vrrp"} for sides in host.facts.vips.values())
        if name not in directors and (host.facts.services or host.facts.daemons or held_there):
            directors_leaving.append(name)
    return {"leaving": leaving, "directors_leaving": directors_leaving}


def _proof(placed: t.Sequence[Placed], views: t.Mapping[str, View]) -> dict[str, t.Any]:
    """What a proof needs to know of each virtual service, in the order of the description."""
    services: list[dict[str, t.Any]] = []
    numbers = {(name, key): iter(table_services(view[key])) for name, view in views.items() for key in TABLES.values()}
    for one in placed:
        for virtual in virtuals(one.service, one.vip):
            described = next(numbers[one.director, TABLES[one.service.engine]])
            vips = [str(address) for address in virtual.vips]
            known = {"name": one.service.name, "director": one.director, "vips": vips}
            services.append({**described, **known, "targets": targets(virtual, one.service.probe)})
    asked = {tuple(target.values()): target for service in services for target in service["targets"]}
    return {"services": services, "targets": list(asked.values())}
