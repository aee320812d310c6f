# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What each host's firewall must let through, as ``lvs_firewall`` takes it.

IPVS sends answers of ``dr`` and ``tun`` past the director, and, unless ``conntrack`` is set, lets connection tracking
know nothing of what it masquerades. So tracking on the director sees one of the two ways of a connection.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import GROUP, PORT
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.keepalived import bfds_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import IPV4, Address, Description, Vrrp
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.pacemaker import FIRST_PORT
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Place, Placed
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.virtuals import Virtual, protocols, virtuals
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.vrrp import interface_of, source_of, vips_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.tracked import BFD_PORTS

Grounds = t.Mapping[str, Ground]
Passage = dict[str, t.Any]

_GROUPS = {IPV4: "224.0.0.18"}
_GROUP_IPV6 = "ff02::12"
_WRAPPED = {"gre": ("gre", "gre"), "ipip": ("ipencap", "ipv6")}  # over anything: what carries IPv4, and what IPv6


def add_passages(
    views: t.Mapping[str, dict[str, t.Any]], placed: t.Sequence[Placed], description: Description, grounds: Grounds
) -> None:
    """Fill in ``firewall_passages`` of each view; the rest of the views has to be there."""
    for one in placed:
        tracked = bool(views[one.director]["director_ipvs_settings"].get("conntrack"))
        for virtual in virtuals(one.service, one.vip):
            _add(views[one.director], _of_director(one, virtual, tracked))
        for place in one.places:
            if place.server.host is not None:
                _add(views[place.server.host], _of_server(one, place))
    for name, view in views.items():
        for tunnel in view["realserver_tunnels"]:
            _add(view, _of_tunnel(tunnel))
        _add(view, _of_cluster(name, view))
        for sync in filter(None, (view["keepalived_sync"], view["pacemaker_sync"])):
            _add(view, _of_sync(sync))
        _add(view, _of_bfd(view, bfds_of(description.hosts[name])))
    for vrrp in description.vrrp:
        for director in vrrp.directors:
            if director.host in views:
                _add(views[director.host], _of_vrrp(vrrp, director.host, description, grounds))


def _of_cluster(name: str, view: t.Mapping[str, t.Any]) -> t.Iterator[Passage]:
    """What the directors of a cluster of Pacemaker tell each other, in each of their networks."""
    own: list[str] = next((node["addresses"] for node in view["pacemaker_nodes"] if node["name"] == name), [])
    for place, address in enumerate(own):
        others = [node["addresses"][place : place + 1] for node in view["pacemaker_nodes"] if node["name"] != name]
        known = {"protocol": "udp", "sources": [one for found in others for one in found], "destinations": [address]}
        yield _passage("what other directors of the cluster tell", **known, ports=[str(FIRST_PORT + place)])


def _of_sync(sync: t.Mapping[str, t.Any]) -> t.Iterator[Passage]:
    known = {"protocol": "udp", "destinations": [GROUP], "ports": [str(PORT)], "interface": sync["interface"]}
    yield _passage("connections of which other directors tell", **known)


def _of_bfd(view: t.Mapping[str, t.Any], named: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[Passage]:
    """What neighbours tell."""
    services = view["keepalived_virtual_servers"]
    servers = [server for service in services for server in service["real_servers"]]
    found = [(server["address"], check) for server in servers for check in server.get("checks", ())]
    found = [(address, check) for address, check in found if check["type"] == "bfd"]
    if view["keepalived_instances"]:
        found += [(str(one["neighbour"]), one) for one in named]
    for address, one in found:
        said = one.get("keepalived")
        port = BFD_PORTS[isinstance(said, dict) and said.get("multihop") is True]
        yield _passage(f"BFD of {address}", protocol="udp", sources=[address], ports=[str(port)])


def _add(view: dict[str, t.Any], found: t.Iterable[Passage]) -> None:
    view["firewall_passages"] += [one for one in found if one not in view["firewall_passages"]]


def _passage(what: str, **known: t.Any) -> Passage:
    return {"what": what, **{key: value for key, value in known.items() if value}}


def _of_director(one: Placed, virtual: Virtual, tracked: bool) -> t.Iterator[Passage]:
    """Requests come in, and are sent on; answers to what is masqueraded come back."""
    name, vips = one.service.name, [str(vip) for vip in virtual.vips]
    interface = one.interface if len(vips) == 1 else None
    for protocol in protocols(virtual.listen):
        ports = [each.ports for each in virtual.listen if each.protocol == protocol]
        known = {"protocol": protocol, "destinations": vips, "ports": ports}
        yield _passage(
            f"requests for {name}", **known, interface=interface, tracked="" if tracked else "half", balanced=True
        )
        if any(place.server.forward == "dr" for place in one.places):
            way = f"requests for {name} on their way to real servers"
            yield _passage(way, hook="output", **known, tracked="untracked")
        for served, addresses in _served(one, ports).items():
            untracked = {"tracked": "" if tracked else "untracked"}
            way = f"requests for {name} on their way to real servers"
            known = {"protocol": protocol, "hook": "output", "destinations": addresses, "ports": list(served)}
            yield _passage(way, **known, **untracked)
            known = {"protocol": protocol, "hook": "forward", "sources": addresses, "source_ports": list(served)}
            yield _passage(f"answers of {name}", **known, tracked="" if tracked else "half")


def _served(one: Placed, ports: list[str]) -> dict[tuple[str, ...], list[str]]:
    """Where the real servers are that are reached by masquerading, by the ports at which they serve."""
    found: dict[tuple[str, ...], list[str]] = {}
    for place in one.places:
        if place.server.forward in words.MASQUERADES:
            own = (str(place.server.port),) if place.server.port else tuple(ports)
            found.setdefault(own, []).append(str(place.address))
    return found


def _of_server(one: Placed, place: Place) -> t.Iterator[Passage]:
    """Requests come with the VIP as their destination, or with the real server's own address."""
    direct = place.server.forward in words.DIRECT
    wrapped = place.server.wrapping is not None
    interface = place.interfaces[0] if len(place.interfaces) == 1 and not wrapped else None
    for protocol in protocols(one.service.listen):
        asked = [each.ports for each in one.service.listen if each.protocol == protocol]
        ports = [str(place.server.port)] if place.server.port and not direct else asked
        target: Address = one.vip.address if direct else place.address
        known = {"protocol": protocol, "destinations": [str(target)], "ports": ports, "interface": interface}
        yield _passage(f"requests for {one.service.name}", **known)


def _of_tunnel(tunnel: t.Mapping[str, t.Any]) -> t.Iterator[Passage]:
    address = tunnel["address"]
    same = [one for one in tunnel["sources"] if (":" in one) == (":" in address)]
    ends = {"sources": same, "destinations": [address]}
    if tunnel["tunnel_type"] == "gue":
        ports = [str(tunnel["tunnel_port"])] if tunnel.get("tunnel_port") else []
        yield _passage("tunnels from directors", protocol="udp", **ends, ports=ports)
        return
    carries = _WRAPPED[tunnel["tunnel_type"]]
    for protocol in dict.fromkeys(carries[":" in vip] for vip in tunnel["vips"]):
        yield _passage("tunnels from directors", protocol=protocol, **ends)


def _of_vrrp(vrrp: Vrrp, host: str, description: Description, grounds: Grounds) -> t.Iterator[Passage]:
    """Signs of life of the other directors, without which each takes the VIPs."""
    vips = vips_of(vrrp, description.services)
    others = [grounds[one.host] for one in vrrp.directors if one.host != host]
    if not vips or not others:
        return
    version = vips[0].address.version
    own = [source_of(vrrp, vips, ground) for ground in (grounds[host], *others)]
    group = str(vrrp.multicast or _GROUPS.get(version, _GROUP_IPV6))
    target = [str(own[0].address)] if vrrp.unicast and own[0] else [] if vrrp.unicast else [group]
    # Over IPv6 they speak from addresses that nobody has written down.
    known = [str(one.address) for one in own[1:] if one] if version == IPV4 or vrrp.unicast else []
    interface = interface_of(vrrp, vips, grounds[host])
    if target or known:
        yield _passage(
            "signs of life of other directors", protocol="vrrp", sources=known, destinations=target, interface=interface
        )
