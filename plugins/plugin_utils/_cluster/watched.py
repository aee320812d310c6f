# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What keepalived or ldirectord has to do on a director: services with checks, and VRRP; in the words of the roles."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, vip_interface
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.keepalived import settings_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    Address,
    Check,
    Description,
    RealServer,
    Service,
    Vip,
    Vrrp,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.pacemaker import no_cluster
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Place, Placed
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.vrrp import interface_of, source_of, vips_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.words import TOLD
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import files
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.tracked import TRACKED
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord import files as ldirectord_files

View = dict[str, t.Any]
Grounds = t.Mapping[str, Ground]

# Where the table of each engine stands in a view.
TABLES = {
    "kernel": "director_services",
    "keepalived": "keepalived_virtual_servers",
    "ldirectord": "ldirectord_virtual_servers",
    "pacemaker": "ldirectord_virtual_servers",
}
_FOR_DAEMONS = ("checks", "sorry_server", "quorum", "hysteresis", "inhibit_on_failure")


# ---- checking


def check_unwatched(service: Service, findings: Findings) -> None:
    for key in _FOR_DAEMONS:
        if getattr(service, key) or (key == "checks" and any(server.checks for server in service.real_servers)):
            text = f"{key} cannot work under lvs_engine '{service.engine}': the kernel looks at no server."
            remedy = "Use lvs_engine 'keepalived' or 'ldirectord', which do, without VRRP too, or leave it out"
            findings.add(service.where, f"{text} {remedy}")


def check_words(service: Service, findings: Findings) -> None:
    if service.engine == "keepalived":
        return
    places: list[Service | RealServer] = [service, *service.real_servers]
    checks = [(f"{one.where} checks[{number}]", check) for one in places for number, check in enumerate(one.checks)]
    said = [(one.where, one.keepalived) for one in places]
    known = f"lvs_engine 'keepalived', and it is '{service.engine}'"
    for where, words in [*said, *((where, check.keepalived) for where, check in checks)]:
        if words:
            findings.add(where, f"keepalived: {', '.join(words)}: that is for {known}. Leave it out")
    for where, check in checks if service.engine != "kernel" else ():
        if check.type in TOLD:
            findings.add(where, f"type {check.type} is for {known}. Choose another type, or leave the check out")


def check_watched(service: Service, findings: Findings) -> None:
    sorry = service.sorry_server
    if sorry is None or sorry.address is None:
        return
    where = f"{service.where} sorry_server"
    if sorry.address.is_loopback and sorry.forward != "dr":
        text = (
            f"address {sorry.address}: the kernel takes no packet for it from outside. Leave the address out: then it"
        )
        findings.add(where, f"{text} is the director itself; or say forward: dr, for its own server at the same port")
    for vip in service.vips:
        if sorry.address.version != vip.address.version and not sorry.address.is_loopback:
            text = f"address {sorry.address} is of another family than vip {vip.address}"
            findings.add(where, f"{text}. Name one of its family, or leave it out: then it is the director itself")


def check_as_ldirectord_does(
    views: t.Mapping[str, View], description: Description, faulty: t.Collection[str], findings: Findings
) -> None:
    """What the role would refuse on a director is refused here.

    :arg faulty: places in the description of which a check has found something."""
    services = {service.name for service in description.services if service.where in faulty}
    for view in views.values():
        described = view["ldirectord_virtual_servers"]
        try:
            ldirectord_files({"virtual_servers": [one for one in described if one["name"] not in services]})
        except OptionError as exc:
            for sentence in exc.findings:
                findings.quote(sentence, description.places)


def check_as_keepalived_does(
    views: t.Mapping[str, View], description: Description, faulty: t.Collection[str], findings: Findings
) -> None:
    """The same for keepalived and its VIPs."""
    told_of = [service for service in description.services if service.where in faulty]
    services = {service.name for service in told_of}
    instances = {vip.vrrp for service in told_of for vip in service.vips}
    instances |= {vrrp.name for vrrp in description.vrrp if vrrp.where in faulty}
    groups = {vrrp.group for vrrp in description.vrrp if vrrp.group and vrrp.name in instances}
    instances |= {vrrp.name for vrrp in description.vrrp if vrrp.group in groups}
    told: dict[str, list[str]] = {}
    for name, view in views.items():
        host = description.hosts[name]
        unread = findings.about(name)
        described = [one for one in view["keepalived_instances"] if one["name"] not in instances]
        settings = {
            **(settings_of(host) if view["keepalived_instances"] and not unread else {}),
            "router_id": name,
            "version": host.facts.keepalived if host.facts else None,
            "instances": [_without_watched(one) for one in described] if unread else described,
            "virtual_servers": [one for one in view["keepalived_virtual_servers"] if one["name"] not in services],
        }
        try:
            files(settings)
        except OptionError as exc:
            for text in exc.findings:
                told.setdefault(text, []).append(name)
    asked = [name for name, view in views.items() if view["keepalived_instances"]]
    for text, names in told.items():
        where, _colon, what = text.partition(": ")
        alone = where.startswith(("VRRP", "keepalived_")) and names != asked
        findings.quote(f"{where} on {', '.join(names)}: {what}" if alone else text, description.places)


def _without_watched(instance: View) -> View:
    """An instance of a host of whose variables not all can be read: what it watches may be among them."""
    return {key: value for key, value in instance.items() if key not in TRACKED}


# ---- views


def no_watch() -> View:
    return {
        "keepalived_instances": [],
        "keepalived_virtual_servers": [],
        "keepalived_sync": {},
        "keepalived_multicast_group": "",
        "keepalived_multicast_group_ipv6": "",
        "keepalived_complete": True,
        "ldirectord_virtual_servers": [],
        "ldirectord_complete": True,
        **no_cluster(),
    }


def watched(one: Placed, entry: View, grounds: Grounds) -> View:
    """A virtual server: the entry of a table, and how its real servers are looked after."""
    service = one.service
    found = dict(entry)
    checks = [_check(check) for check in service.checks if check.type != "bfd"]
    if checks:
        found["checks"] = checks
    for key in ("quorum", "hysteresis", "inhibit_on_failure", "keepalived"):
        if getattr(service, key):
            found[key] = getattr(service, key)
    found["real_servers"] = [
        {**server, **_watched_server(place, one.service, grounds[one.director])}
        for server, place in zip(entry["real_servers"], one.places)
    ]
    sorry = service.sorry_server
    address = sorry and (sorry.address or _own_address(one.vip, grounds[one.director]))
    if sorry and address:
        found["sorry_server"] = {"address": str(address), "forward": sorry.forward}
        if sorry.port or entry.get("port"):
            found["sorry_server"]["port"] = sorry.port or entry["port"]
    return found


def _watched_server(place: Place, service: Service, director: Ground) -> View:
    """A session of BFD begins at an address of the director's that is in the network of the real server."""
    found: View = {"keepalived": place.server.keepalived} if place.server.keepalived else {}
    networks = director.networks(place.address.version) or ()
    near = [own for own in networks if own.network is not None and place.address in own.network]
    source = {"source": str(near[0].address)} if near else {}
    mine = [*place.server.checks, *(check for check in service.checks if check.type == "bfd")]
    checks = [{**_check(check), **(source if check.type == "bfd" else {})} for check in mine]
    return {**found, "checks": checks} if checks else found


def _check(check: Check) -> View:
    if check.type in TOLD:
        words = ("type", "path") if check.type == "file" else ("type", "interval", "fall")
        said = {word: getattr(check, word) for word in words}
        return {**said, "keepalived": check.keepalived} if check.keepalived else said
    said = {key: value for key, value in dataclasses.asdict(check).items() if value not in (None, ())}
    if said["rise"] == 1:
        del said["rise"]
    if not check.keepalived:
        del said["keepalived"]
    return {**said, "status": list(check.status)} if check.status else said


def _own_address(vip: Vip, director: Ground) -> Address | None:
    """One of the director's own, in the VIP's network if there is one; a sorry server there is the director itself."""
    source = director.written if director.live is None else director.live
    own = [found for found in source if found.address.version == vip.address.version]
    interface = vip_interface(vip, director)
    own.sort(key=lambda found: (not (found.network and vip.address in found.network), found.interface != interface))
    return own[0].address if own else None


def add_instances(views: t.Mapping[str, View], vrrp: Vrrp, description: Description, grounds: Grounds) -> None:
    """An instance of VRRP on each of its directors."""
    vips = vips_of(vrrp, description.services)
    if not vips:
        return
    sources = {one.host: source_of(vrrp, vips, grounds[one.host]) for one in vrrp.directors}
    highest = max((one.priority for one in vrrp.directors), default=0)
    for one in vrrp.directors:
        interface = interface_of(vrrp, vips, grounds[one.host])
        if interface is None or one.host not in views:
            continue
        view = views[one.host]
        peers = [found for name, found in sources.items() if name != one.host and found is not None]
        own = sources[one.host]
        instance: View = {
            "name": vrrp.name,
            "interface": interface,
            "id": vrrp.id,
            "priority": one.priority,
            "preempt": vrrp.preempt,
            "state": "MASTER" if vrrp.preempt and one.priority == highest else "BACKUP",
            **_vips(vips, grounds[one.host], interface),
        }
        if vrrp.version:
            instance["version"] = vrrp.version
        if vrrp.advert_interval is not None:
            instance["advert_interval"] = vrrp.advert_interval
        if vrrp.unicast and own is not None:
            instance["unicast_source"] = str(own.address)
            instance["unicast_peers"] = [str(peer.address) for peer in peers]
        for key in ("track_interfaces", *TRACKED):
            if getattr(vrrp, key):
                instance[key] = list(getattr(vrrp, key))
        for key in ("group", "keepalived"):
            if getattr(vrrp, key):
                instance[key] = getattr(vrrp, key)
        view["keepalived_instances"].append(instance)
        if vrrp.multicast is not None:
            key = "keepalived_multicast_group" + ("" if vrrp.multicast.version == 4 else "_ipv6")
            view[key] = str(vrrp.multicast)


def _vips(vips: t.Sequence[Vip], director: Ground, interface: str) -> View:
    """VRRP names those of one family alone."""
    said = [
        {
            "address": str(vip.address),
            "prefix": vip.prefix,
            "interface": vip_interface(vip, director) or interface,
        }
        for vip in vips
    ]
    family = vips[0].address.version
    named = [one for one, vip in zip(said, vips) if vip.address.version == family]
    excluded = [one for one, vip in zip(said, vips) if vip.address.version != family]
    return {"vips": named, "excluded_vips": excluded} if excluded else {"vips": named}
