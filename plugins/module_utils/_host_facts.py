# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A host as plain data, for the controller. Pure but for a few questions of its own."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.common.process import get_bin_path
from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _arp,
    _distribution,
    _filters_read,
    _interpreter,
    _iptables,
    _nft,
    _nft_host,
    _policy_routing,
    _rtnl,
    _static_neighbours_run,
    _tunnel,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._forwarding import IP6_FORWARD, IP_FORWARD
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import described

_TABLE = "/proc/net/ip_vs"
_PROGRAMS = ("ipvsadm", "nft", "iptables")
_LIBRARY = "pyroute2"


def facts(host: Host) -> dict[str, t.Any]:
    """What the controller looks at."""
    return {
        "distribution": _distribution.read()._asdict(),
        "addresses": [
            {
                "address": found.address,
                "prefix": found.prefix,
                "interface": found.interface,
                "scope": found.scope,
                "label": found.label,
            }
            for found in host.addresses
        ],
        "links": {
            name: {"mac": link.mac, "up": link.up, "loopback": link.loopback, "mtu": link.mtu}
            for name, link in host.links.items()
        },
        "vips": [
            {"address": address, **record, "here": _is_here(host, address, record)}
            for records in (host.manifest.vips, host.manifest.moved)
            for address, record in records.items()
        ],
        "services": {owner: list(names) for owner, names in host.manifest.services.items()},
        "arp": {
            name: {"arp_ignore": arp.arp_ignore, "arp_announce": arp.arp_announce}
            for name, arp in host.arp.items()
            if name != "default"
        },
        "managers": {
            name: {"manager": managed.manager, "owner": managed.owner}
            for name, managed in host.managers.items()
            if managed.by_others
        },
        "gateways": _rtnl.gateways(),
        "answers": _policy_routing.read().answers(),
        "ip_forward": int(host.forwarding[IP_FORWARD]),
        "ipv6_forward": int(host.forwarding.get(IP6_FORWARD, 0)),
        "ip_vs_loaded": os.path.exists(_TABLE),  # looking at it does not load it
        "held": held(host),
        "silent": silent(host),
        "silenced": sorted(host.silenced),
        "tunnels": [
            {**described(tunnel), "receiving": _tunnel.receiving(host, tunnel)} for tunnel in host.manifest.tunnels
        ],
        "neighbours": _static_neighbours_run.facts(host.manifest),
        "missing": missing(),
        "senders": sorted(_nft_host.senders()),
        "firewalls": _filters_read.there(),
        "openings": list(host.manifest.openings),
        "rules": [
            *(role for role in _nft.FAMILIES if os.path.exists(_nft_host.Place(role).text)),
            *(["iptables"] if any(os.path.exists(_iptables.Place(one).text) for one in _iptables.PROGRAMS) else []),
        ],
    }


def _is_here(host: Host, address: str, record: VipRecord) -> bool:
    return any(found.interface == record["interface"] for found in host.standing(address))


def missing() -> list[str]:
    """What the roles would install and is not there. Told at once, where a package manager takes seconds."""
    lacks = [] if _interpreter.has(_LIBRARY) else [_LIBRARY]
    for program in _PROGRAMS:
        try:
            get_bin_path(program)
        except ValueError:
            lacks.append(program)
    return lacks


def held(host: Host) -> list[str]:
    """The VIPs of the real-server side that are there as they should be."""
    return [address for address in host.manifest.vips_of(REAL_SERVER) if _held_well(host, address)]


def silent(host: Host) -> list[str]:
    """Those of which no neighbour can learn."""
    quiet = not _arp.audible(host.arp, host.nics)
    return [address for address in held(host) if quiet or ":" in address or address in host.silenced]


def _held_well(host: Host, address: str) -> bool:
    """Standing alone, on an interface that is up and where nobody can ask, and nowhere else but where VRRP has it."""
    moved = host.manifest.moved.get(address)
    standing = [one for one in host.standing(address) if moved is None or one.interface != moved["interface"]]
    return bool(standing) and all(
        found.alone and not found.dadfailed and host.links[found.interface].silent and host.links[found.interface].up
        for found in standing
    )
