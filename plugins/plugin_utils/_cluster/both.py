# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Directors that are real servers of the same service: who tells a client's packet from one that was balanced already.

Each of them has the whole table, so that it can take over at any moment. So a packet that one director hands on would
be balanced once more by the other, and now and then go back and forth until its time to live is over. Whose turn it was
is told by the MAC address that it comes from: what comes from another director gets a mark, by which it comes to a
virtual service that has this host as its only real server.

Connections that a director knows of come before any service, and with that before the mark. So it takes
C(conn_reuse_mode) 3, as every director has, to have a client that uses a port again balanced anew.

The kernel's own answer, C(backup_only), asks for a sync daemon in the role of a backup. It fails as soon as both
directors believe to have the VIP, as after a keepalived that was killed, and where each of two VIPs is on another one.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.addresses import Ground
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.marks import HANDED_ON
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    IPV4,
    Address,
    Hosts,
    RealServer,
    Service,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.places import Placed

View = dict[str, t.Any]
Grounds = t.Mapping[str, Ground]

_IN_TWO_RUNS = "Leave it out of the service for one run, and put it back after that"


def check_both(service: Service, server: RealServer, hosts: Hosts, findings: Findings) -> None:
    """:arg server: whose host is a director of the service, too."""
    text = f"real server {server.host} is a director of this service too"
    if service.engine != "keepalived" or any(vip.vrrp is None for vip in service.vips):
        why = "that is built for lvs_engine 'keepalived' with VIPs that vrrp moves between such directors"
        findings.add(server.where, f"{text}: {why}. Use those, or another host")
    elif server.forward != "dr":
        why = "what another director hands on is told by its MAC address, and only forward dr keeps that"
        findings.add(server.where, f"{text}, by forward {server.forward}: {why}. Use dr")
    elif any(check.type == "bfd" for check in (*service.checks, *server.checks)):
        findings.add(server.where, f"{text}, and BFD has no session of a host with itself. Use another type of check")
    elif hosts[server.host or ""].arp != "sysctl":
        why = "it has to answer for the VIP while VRRP has it there, and never else"
        findings.add(server.where, f"{text}, with lvs_arp '{hosts[server.host or ''].arp}': {why}. Use sysctl")


def check_sides(service: Service, hosts: Hosts, findings: Findings) -> None:
    """A host cannot change its side in one run: the VIP has to leave it on the one before it comes on the other."""
    direct = (server for server in service.real_servers if server.forward in words.DIRECT)
    serving = {server.host: server for server in direct if server.host is not None}
    for vip in service.vips:
        for name in (*service.directors, *serving):
            facts = hosts[name].facts if name in hosts else None
            sides = facts.vips.get(vip.address, frozenset()) if facts else frozenset()
            if vip.vrrp or (name in serving) == (name in service.directors):
                continue  # what keepalived holds, a real server may hold beside that
            if name in serving and "director" in sides:
                text = f"vip {vip.address}: {name} is its director now, and shall be a real server"
                findings.add(serving[name].where, f"{text}. {_IN_TWO_RUNS}")
            elif name in service.directors and "real_server" in sides:
                text = f"vip {vip.address}: {name} has it as a real server now, and shall be its director"
                findings.add(service.where, f"{text}. {_IN_TWO_RUNS}")


def add_handed_on(views: dict[str, View], placed: t.Sequence[Placed], grounds: Grounds) -> None:
    """What each director that is a real server too serves itself, whoever has balanced it."""
    own: dict[tuple[str, int], Address] = {}
    senders: dict[tuple[str, Address], set[str]] = {}
    for one in placed:
        version = one.vip.address.version
        for place in one.places:
            host = place.server.host
            if host == one.director:
                own.setdefault((one.director, version), place.address)
            elif host is not None and host in one.service.directors and place.server.forward == "dr":
                known = _senders(place.address, grounds[one.director], grounds[host])
                senders.setdefault((host, one.vip.address), set()).update(known)
    for (host, address), macs in sorted(senders.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        if (host, address.version) in own and macs:
            _take(views[host], address, sorted(macs), own[host, address.version])


def _senders(address: Address, director: Ground, real: Ground) -> t.Iterable[str]:
    """By which MAC addresses a director sends to an address; while nobody can look there, those that are known."""
    facts = director.host.facts
    if facts is None:
        return real.host.facts.senders if real.host.facts else ()
    near = {one.interface for one in director.live or () if one.network is not None and address in one.network}
    return [mac for name, mac in facts.macs.items() if name in near]


def _take(view: View, vip: Address, macs: list[str], own: Address) -> None:
    entries = view["director_handed_on"]
    same = next((entry for entry in entries if entry["senders"] == macs), None)
    if same is not None:
        same["addresses"].append(str(vip))
    else:
        entries.append({"mark": HANDED_ON, "addresses": [str(vip)], "senders": macs})
    family = "ipv4" if vip.version == IPV4 else "ipv6"
    server = {
        "name": f"handed on by other directors, {family}",
        "mark": HANDED_ON,
        "family": family,
        "scheduler": "rr",
        "real_servers": [{"address": str(own), "weight": 1, "forward": "dr"}],
    }
    if server not in view["keepalived_virtual_servers"]:
        view["keepalived_virtual_servers"].append(server)
