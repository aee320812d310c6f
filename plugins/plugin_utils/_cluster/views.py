# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What each host has to do: its one merged view, in the words of the roles' variables."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.both import add_handed_on
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    IPV4,
    IPV6,
    Address,
    Answer,
    Description,
    Host,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.pacemaker import add_clusters
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.passages import add_passages
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Place, Placed
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.routers import incomplete, router_neighbours
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.sync import add_sync
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.tunnels import realserver_tunnels, tunnel_options
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.virtuals import (
    Virtual,
    marks_of,
    protocols,
    virtuals,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.watched import (
    TABLES,
    Grounds,
    add_instances,
    no_watch,
    watched,
)

View = dict[str, t.Any]


def empty_view(host: Host) -> View:
    return {
        "director_services": [],
        "director_marks": [],
        "director_marks_by": host.marks_by,
        "director_handed_on": [],
        "director_vips": [],
        "director_ip_forward": host.ip_forward,
        "director_ipv6_forward": False,
        "director_no_redirects": [],
        "director_masquerade": [],
        "director_forward": {"ipv4": [], "ipv6": []},
        "director_ipvs_settings": dict(host.ipvs_settings),
        "director_vip_writer": host.vip_writer,
        "director_sysctl_in": host.sysctl_in,
        "director_purge_real_servers": True,
        "director_daemons": [],
        **no_watch(),
        "realserver_vips": [],
        "realserver_arp": host.arp,
        "realserver_arp_interfaces": [],
        "realserver_tunnels": [],
        "realserver_vip_writer": host.vip_writer,
        "realserver_sysctl_in": host.sysctl_in,
        "realserver_answers": [],
        "router_neighbours": [],
        "router_purge": True,
        "firewall_passages": [],
        "firewall_open": host.firewall == "open",
    }


def make_views(
    placed: t.Sequence[Placed], description: Description, grounds: Grounds, members: t.Iterable[str]
) -> dict[str, View]:
    """:arg members: who gets a view, also if it has nothing to do."""
    hosts = description.hosts
    views = {name: empty_view(hosts[name]) for name in members}
    for one in placed:
        view = views[one.director]
        _add_virtuals(view, one, grounds)
        if any(place.server.forward in words.MASQUERADES for place in one.places):
            _let_pass(view, one, hosts[one.director])
        if one.interface is not None and one.vip.vrrp is None and one.service.engine != "pacemaker" and not one.own:
            vip = {"address": str(one.vip.address), "prefix": one.vip.prefix, "interface": one.interface}
            if vip not in view["director_vips"]:
                view["director_vips"].append(vip)
    for vrrp in description.vrrp:
        add_instances(views, vrrp, description, grounds)
    add_clusters(views, description, grounds)
    add_sync(views, description, grounds)
    _add_real_servers(views, placed, grounds)
    for name, neighbours in router_neighbours(placed, grounds).items():
        views[name]["router_neighbours"] = neighbours
    for name in incomplete(placed, grounds):
        views[name]["router_purge"] = False
    add_handed_on(views, placed, grounds)
    add_passages(views, placed, description, grounds)
    return views


def _add_real_servers(views: dict[str, View], placed: t.Sequence[Placed], grounds: Grounds) -> None:
    for name, vips in realserver_vips(placed).items():
        interface = grounds[name].host.vip_interface
        views[name]["realserver_vips"] = [{"address": str(address), "interface": interface} for address in vips]
    for name, interfaces in _arp_interfaces(placed).items():
        views[name]["realserver_arp_interfaces"] = sorted(interfaces)
    for name, tunnels in realserver_tunnels(placed, grounds).items():
        views[name]["realserver_tunnels"] = tunnels
    for name, answers in realserver_answers(placed).items():
        views[name]["realserver_answers"] = [_answer(one) for one in answers]


def _add_virtuals(view: View, one: Placed, grounds: Grounds) -> None:
    """What the director's table, or its daemon, gets for one VIP of a service, and which packets get a mark."""
    found = virtuals(one.service, one.vip)
    services = [_director_service(one, virtual) for virtual in found]
    table = TABLES[one.service.engine]
    daemon, _underscore, _what = table.partition("_")
    if daemon in words.DAEMONS:
        if daemon not in view["director_daemons"]:
            view["director_daemons"].append(daemon)
        view[table] += [watched(one, entry, grounds) for entry in services]
        view[f"{daemon}_complete"] &= one.complete
    else:
        view[table] += services
        view["director_purge_real_servers"] &= one.complete
    view["director_marks"] += [mark for virtual in found for mark in marks_of(virtual)]
    # Else a client that uses a port again within two minutes would go where it went before, if by direct routing or a
    # tunnel: to a real server that is drained, or gone, or reached in another way now, or on to another director.
    view["director_ipvs_settings"].setdefault("conn_reuse_mode", 3)
    if one.service.persistent is not None:
        # Else a client that is bound to a real server of weight 0 would go on coming to it.
        view["director_ipvs_settings"].setdefault("expire_quiescent_template", 1)


def _answer(one: Answer) -> dict[str, t.Any]:
    return {"address": str(one.address), "protocol": one.protocol, "port": one.port, "gateway": str(one.gateway)}


def realserver_answers(placed: t.Iterable[Placed]) -> dict[str, list[Answer]]:
    """Which answers of each managed real server shall leave through a director."""
    found: dict[str, dict[Answer, None]] = {}
    for one in placed:
        for place in one.places:
            for listen in one.service.listen:
                if place.server.host is not None and place.gateway is not None:
                    port = place.server.port or listen.port
                    answer = Answer(place.address, listen.protocol, port, place.gateway)
                    found.setdefault(place.server.host, {})[answer] = None
    return {name: list(answers) for name, answers in found.items()}


def _let_pass(view: View, one: Placed, host: Host) -> None:
    """Masquerading: answers are forwarded, and no real server learns of a way past the director."""
    family = "ipv4" if one.vip.address.version == IPV4 else "ipv6"
    view["director_ip_forward" if family == "ipv4" else "director_ipv6_forward"] = True
    if one.interface is not None and one.interface not in view["director_no_redirects"]:
        view["director_no_redirects"].append(one.interface)
    for virtual in virtuals(one.service, one.vip):
        for protocol in protocols(virtual.listen):
            listen = [each for each in virtual.listen if each.protocol == protocol]
            asked = [each.ports for each in listen]
            hidden = [str(place.address) for place in one.places if place.server.forward == "fullnat"]
            if hidden:
                view["director_ipvs_settings"]["conntrack"] = 1
                entry = {"addresses": [str(vip) for vip in virtual.vips], "ports": asked, "protocol": protocol}
                view["director_masquerade"].append({**entry, "servers": hidden})
            if family == "ipv4" and host.ip_forward:
                continue  # everything may pass
            for place in one.places:
                if place.server.forward in words.MASQUERADES:
                    ports = [str(place.server.port)] if place.server.port else asked
                    answer = {"addresses": [str(place.address)], "ports": ports, "protocol": protocol}
                    if answer not in view["director_forward"][family]:
                        view["director_forward"][family].append(answer)


def _arp_interfaces(placed: t.Iterable[Placed]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in placed:
        for place in one.places:
            if place.server.host is not None:
                found.setdefault(place.server.host, set()).update(place.interfaces)
    return found


def realserver_vips(placed: t.Iterable[Placed]) -> dict[str, list[Address]]:
    """Which VIPs each managed real server must have, also one whose address is not known yet.

    Requests reach it with the VIP as their destination by direct routing and by tunnels; masquerading puts its own
    address there.
    """
    found: dict[str, dict[Address, None]] = {}
    for one in placed:
        for server in one.service.real_servers:
            if server.host is not None and server.forward in words.DIRECT:
                found.setdefault(server.host, {})[one.vip.address] = None
    return {name: list(vips) for name, vips in found.items()}


def _director_service(one: Placed, virtual: Virtual) -> dict[str, t.Any]:
    """An entry as ``ipvs_services`` takes it; what is not set is left out."""
    service = one.service
    entry: dict[str, t.Any] = {
        "name": service.name,
        **virtual.identity,
        "scheduler": service.scheduler,
    }
    if service.scheduler_flags:
        entry["scheduler_flags"] = list(service.scheduler_flags)
    if service.persistent is not None:
        entry["persistent"] = service.persistent
    if service.netmask is not None and _is_for(service.netmask, one):
        entry["netmask"] = service.netmask
    entry["real_servers"] = [_real_server(place, virtual) for place in one.places]
    return entry


def _is_for(netmask: str, one: Placed) -> bool:
    """Under two families a dotted mask is for IPv4 and a prefix length for IPv6; the other one has its default."""
    meant = IPV4 if "." in netmask else IPV6
    versions = {vip.address.version for vip in one.service.vips}
    return one.vip.address.version == meant or meant not in versions


def _real_server(place: Place, virtual: Virtual) -> dict[str, t.Any]:
    """One entry of a service's O(real_servers); an unmanaged machine has no name, so nobody waits until it is ready."""
    server = place.server
    entry: dict[str, t.Any] = {"name": server.host} if server.host is not None else {}
    entry["address"] = str(place.address)
    port = server.port or virtual.port
    if port is not None:
        entry["port"] = port
    entry["weight"] = place.weight
    entry["forward"] = "nat" if server.forward == "fullnat" else server.forward
    if server.wrapping is not None:
        entry.update(tunnel_options(server.wrapping))
    if server.upper_threshold:
        entry["upper_threshold"] = server.upper_threshold
    if server.lower_threshold:
        entry["lower_threshold"] = server.lower_threshold
    return entry
