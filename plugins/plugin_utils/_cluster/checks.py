# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Checks across the whole description: what no single entry can tell. Each is a function that adds its findings."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._distribution import FAMILIES
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey, endpoint
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_devices import can_be_made
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import marks, words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground, families
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.both import check_both, check_sides
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings, did_you_mean
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    Address,
    Description,
    Host,
    Hosts,
    Listen,
    RealServer,
    Service,
    Vip,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.pacemaker import check_pacemaker
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.vrrp import check_vrrp
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.watched import (
    check_unwatched,
    check_watched,
    check_words,
)

Grounds = t.Mapping[str, Ground]
View = dict[str, t.Any]


def check_description(description: Description, grounds: Grounds, findings: Findings) -> None:
    """Everything that can be said without knowing which address a real server is reached by."""
    for service in description.services:
        _check_engine(service, findings)
        _check_addresses(service, findings)
        _check_real_servers(service, description.hosts, findings)
        _check_tracking(service, description.hosts, findings)
        check_sides(service, description.hosts, findings)
    _check_engines(description, findings)
    _check_interfaces(description, findings)
    check_vrrp(description, grounds, findings)
    check_pacemaker(description, grounds, findings)
    _check_names(description, findings)
    _check_identities(description, findings)
    _check_shared_vips(description, findings)
    _check_own_addresses(description, grounds, findings)


def check_distributions(hosts: Hosts, members: t.Iterable[str], findings: Findings) -> None:
    """The roles know paths and packages of some families only; a host that nobody could look at is not judged."""
    for name in members:
        facts = hosts[name].facts
        if facts and facts.distribution.family is None:
            text = f"it runs {facts.distribution.name}, and the roles know the families {', '.join(FAMILIES)} only."
            remedy = "A real server that you look after yourself is described by its address, with unmanaged: true"
            findings.add(name, f"{text} {remedy}")


def _check_tracking(service: Service, hosts: Hosts, findings: Findings) -> None:
    """What the playbooks have to set for some services, and somebody wants otherwise."""
    if any(server.forward == "fullnat" for server in service.real_servers):
        for name in service.directors:
            if str(hosts[name].ipvs_settings.get("conntrack", 1)) == "0":
                text = f"forward fullnat needs conntrack 1 on {name}, and lvs_ipvs_settings says 0"
                findings.add(service.where, f"{text}. Leave it out there")


def _check_engine(service: Service, findings: Findings) -> None:
    check_words(service, findings)
    if service.engine == "kernel":
        check_unwatched(service, findings)
    else:
        check_watched(service, findings)


def _check_engines(description: Description, findings: Findings) -> None:
    """One engine looks after all that is described for a director."""
    first: dict[str, Service] = {}
    for service in description.services:
        for name in service.directors:
            known = first.setdefault(name, service)
            if known.engine != service.engine:
                text = f"director {name} has this service by lvs_engine '{service.engine}', and {known.where} by"
                findings.add(service.where, f"{text} '{known.engine}'. Use one engine for all services of a director")


def _check_addresses(service: Service, findings: Findings) -> None:
    seen: set[Address] = set()
    for vip in service.vips:
        problem = _problem_of(vip.address)
        if problem:
            findings.add(service.where, f"vip {vip.address} {problem}: choose a unicast address that clients can reach")
        if vip.address in seen:
            findings.add(service.where, f"vip {vip.address} is listed twice")
        seen.add(vip.address)


def _problem_of(address: Address) -> str:
    mapped = getattr(address, "ipv4_mapped", None)
    for wrong, text in (
        (address.is_unspecified, "is the unspecified address"),
        (address.is_loopback, "is a loopback address"),
        (address.is_multicast, "is a multicast address"),
        (address.is_link_local, "is a link-local address"),
        (str(address) == "255.255.255.255", "is the broadcast address"),
        (mapped is not None, f"is an IPv4 address in IPv6 clothes: write {mapped}"),
    ):
        if wrong:
            return text
    return ""


def _check_real_servers(service: Service, hosts: Hosts, findings: Findings) -> None:
    seen: dict[tuple[str, int | None], str] = {}
    for server in service.real_servers:
        known = seen.setdefault((server.name, server.port), server.where)
        if known != server.where:
            text = f"{server.name} is a real server of this service already, by {known.rpartition(' ')[2]}"
            findings.add(server.where, f"{text}; its weight alone is changed by lvs_weight in its host variables")
        _check_family(service, server, findings)
        _check_port(service, server, findings)
        if server.host in service.directors:
            check_both(service, server, hosts, findings)


def _check_family(service: Service, server: RealServer, findings: Findings) -> None:
    address = server.address
    if server.unmanaged or address is None or not service.vips:
        return
    if not any(address.version in families(server, vip) for vip in service.vips):
        text = f"address {address} of real server {server.name} is of another family than vip {service.vips[0].address}"
        findings.add(server.where, f"{text}, and only forward tun can bridge that")


def _check_port(service: Service, server: RealServer, findings: Findings) -> None:
    ports = list(dict.fromkeys(listen.ports for listen in service.listen))
    if server.port is None or not ports:
        return
    text = f"port {server.port} of real server {server.name}"
    if service.affinity != "none":
        reason = f"with affinity '{service.affinity}' clients come to it at the port that they asked for"
        findings.add(server.where, f"{text} would be the only one: {reason}. Leave port out")
    elif server.forward in ("dr", "tun") and ports != [str(server.port)]:
        text = f"{text} differs from the VIP's port {', '.join(ports)}"
        reason = f"forward {server.forward} hands packets on unchanged, so the port cannot change. Leave port out"
        findings.add(server.where, f"{text}: {reason}")


def _check_interfaces(description: Description, findings: Findings) -> None:
    hosts = description.hosts
    for host in hosts.values():
        for variable, interface in (("lvs_interface", host.interface), ("lvs_vip_interface", host.vip_interface)):
            made = variable == "lvs_vip_interface" and can_be_made(interface or "", REAL_SERVER)
            if interface and host.facts and interface not in host.facts.links and not made:
                findings.add(host.name, f"{variable} '{interface}' {_no_such(interface, host.facts.links)}")
    for service in description.services:
        for vip in service.vips:
            for name in service.directors:
                _check_interface(service, vip, hosts[name], findings)


def _check_interface(service: Service, vip: Vip, director: Host, findings: Findings) -> None:
    full = vip.address.max_prefixlen
    if (vip.interface or director.interface) == "lo" and vip.prefix != full:
        text = f"vip {vip.address}/{vip.prefix} on lo makes its whole network local: the host would answer for"
        findings.add(service.where, f"{text} every address of it and reach none. On lo the prefix must be {full}")
    facts = director.facts
    if vip.interface and facts and vip.interface not in facts.links:
        text = f"vip {vip.address}: interface '{vip.interface}' {_no_such(vip.interface, facts.links)}"
        findings.add(service.where, f"{text} on director {director.name}")


def _no_such(interface: str, links: t.Sequence[str]) -> str:
    return f"does not exist: there are {', '.join(links)}{did_you_mean(interface, links)}"


def _check_names(description: Description, findings: Findings) -> None:
    first: dict[str, Service] = {}
    for service in description.services:
        known = first.setdefault(service.name, service) if service.name else service
        if known is not service:
            findings.add(service.where, f"name '{service.name}' is taken by {known.where}: names are unique")
    marked: dict[int, Service] = {}
    for service in description.services:
        if service.mark == marks.HANDED_ON:
            text = f"mark {service.mark} is taken for what one director hands on to another"
            findings.add(service.where, f"{text}. Choose another by the key mark")
        elif service.mark is not None:
            known = marked.setdefault(service.mark, service)
            if known.name != service.name:
                text = f"mark {service.mark} is that of {known.where}, too"
                findings.add(service.where, f"{text}. Give one of them another by the key mark")


def _check_identities(description: Description, findings: Findings) -> None:
    """What two services would both take. A mark goes before a port, and a port before all ports of its protocol."""
    first: dict[ServiceKey, Service] = {}
    marked: dict[tuple[Address, str], list[tuple[Listen, Service]]] = {}
    for service in sorted(description.services, key=lambda one: one.affinity != "mark"):
        for address in dict.fromkeys(vip.address for vip in service.vips):
            for listen in service.listen:
                by_mark = marked.setdefault((address, listen.protocol), [])
                known = _marking(listen, by_mark) if service.affinity != "client" else None
                reason = "packets come to the service of their mark before any other"
                if service.affinity == "mark":
                    by_mark.append((listen, service))
                elif known is None:
                    port = 0 if service.affinity == "client" else listen.port
                    known = first.setdefault(ServiceKey.addressed(listen.protocol, str(address), port), service)
                    reason = "the kernel knows one service of that address"
                if known not in (None, service):
                    what = f"{listen.protocol} {endpoint(str(address), listen.ports)}"
                    text = f"{what} is served by {known.where} already: {reason}"
                    findings.add(service.where, f"{text}. Merge the two, or give one another port or VIP")


def _marking(listen: Listen, by_mark: t.Iterable[tuple[Listen, Service]]) -> Service | None:
    return next((service for one, service in by_mark if one.overlaps(listen)), None)


def _check_shared_vips(description: Description, findings: Findings) -> None:
    """A VIP is one thing, however many services are behind it: one director, one prefix, one interface."""
    first: dict[Address, tuple[Service, Vip]] = {}
    directors: dict[Address, dict[str, Service]] = {}
    for service in description.services:
        for vip in service.vips:
            known, first_vip = first.setdefault(vip.address, (service, vip))
            if (vip.prefix, vip.interface) != (first_vip.prefix, first_vip.interface):
                text = f"vip {vip.address} has another prefix or interface than in {known.where}"
                findings.add(service.where, f"{text}: it is one address, so say the same in both")
            if service.engine in words.LONE_ENGINES:
                for name in service.directors:
                    directors.setdefault(vip.address, {}).setdefault(name, service)
    for address, by_name in directors.items():
        if len(by_name) > 1:
            named = " and ".join(
                f"{name} (by {service.where})" if len({one.where for one in by_name.values()}) > 1 else name
                for name, service in by_name.items()
            )
            last = next(reversed(by_name.values()))
            text = f"vip {address} has {len(by_name)} directors, {named}: under lvs_engine '{last.engine}' it has"
            findings.add(last.where, f"{text} exactly one, or both would answer for it. Name one of them in directors")


def _check_own_addresses(description: Description, grounds: Grounds, findings: Findings) -> None:
    """A VIP that is an address of some host's own, found before that host is cut off."""
    owners: dict[Address, dict[str, tuple[str | None, bool]]] = {}
    for name, ground in grounds.items():
        for own in ground.all:
            owners.setdefault(own.address, {}).setdefault(name, (own.interface, own.spare))
    for service in description.services:
        for server in service.real_servers:
            if server.host is not None and server.address is not None:
                owners.setdefault(server.address, {}).setdefault(server.host, (None, False))
    for service in description.services:
        for vip in service.vips:
            for name, (interface, spare) in owners.get(vip.address, {}).items():
                if name in service.directors and service.masquerades:
                    _check_served_by_itself(service, vip, description.hosts[name], findings)
                    continue
                taker = "a real server that takes it" if name in service.directors else "whoever else takes it"
                place = f" ({interface})" if interface else ""
                text = f"vip {vip.address} is {name}'s own address{place}: {taker} would cut {name} off."
                remedy = f"Choose an address that no host has{_left_behind(spare, interface)}"
                findings.add(service.where, f"{text} {remedy}{_unless_masqueraded(name in service.directors)}")


def _unless_masqueraded(own: bool) -> str:
    return " A director can serve its own address where all real servers are reached by forward nat." if own else ""


def _check_served_by_itself(service: Service, vip: Vip, director: Host, findings: Findings) -> None:
    """A director may give a port of its own address away, but not that of its management."""
    ssh = Listen(director.ssh_port, "tcp")
    for listen in service.listen:
        if listen.overlaps(ssh) or (service.affinity == "client" and listen.protocol == "tcp"):
            text = f"vip {vip.address} is {director.name}'s own address, and port {ssh.port} is that of its ssh"
            findings.add(service.where, f"{text}: nobody could reach the director there. Choose another port or VIP")
            break


def _left_behind(spare: bool, interface: str | None) -> str:
    if not spare:
        return "."
    return f"; or, if it was set up by hand as a VIP before, take it off {interface} first."


def check_as_modules_do(
    views: t.Mapping[str, View], description: Description, faulty: t.Collection[str], findings: Findings
) -> None:
    """What the modules would refuse on the directors is refused here, before any host is touched.

    :arg faulty: places in the description of which a check has found something.
    """
    told = {service.name for service in description.services if service.where in faulty}
    entries = (entry for view in views.values() for entry in view["director_services"])
    try:
        read_services(entry for entry in entries if entry["name"] not in told)
    except OptionError as exc:
        for sentence in exc.findings:
            findings.quote(sentence, description.places)
