# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the kernel knows of a described service: a virtual service for each port, for its mark, or for all ports."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    IPV4,
    Address,
    Listen,
    Service,
    Vip,
)


@dataclass(frozen=True)
class Virtual:
    """A virtual service of the kernel.

    :attr identity: how ``ipvs_services`` names it.
    :attr vips: whose packets come to it.
    :attr listen: at which ports of those.
    """

    identity: t.Mapping[str, t.Any]
    vips: tuple[Address, ...]
    listen: tuple[Listen, ...]

    @property
    def port(self) -> int | None:
        """The port of real servers that have none of their own; None is the one that the client asked for."""
        return self.identity.get("port") or None


def virtuals(service: Service, vip: Vip) -> list[Virtual]:
    """The virtual services that come with one VIP. What several VIPs of a family share comes with the first of them."""
    if service.affinity == "mark":
        family = tuple(one.address for one in service.vips if one.address.version == vip.address.version)
        identity = {"mark": service.mark, "family": "ipv4" if vip.address.version == IPV4 else "ipv6"}
        return [Virtual(identity, family, service.listen)] if vip.address == family[0] else []
    if service.affinity == "client":
        found = []
        for protocol in protocols(service.listen):
            listen = tuple(one for one in service.listen if one.protocol == protocol)
            found.append(Virtual(_addressed(vip, 0, protocol), (vip.address,), listen))
        return found
    return [Virtual(_addressed(vip, one.port, one.protocol), (vip.address,), (one,)) for one in service.listen]


def _addressed(vip: Vip, port: int, protocol: str) -> dict[str, t.Any]:
    return {"vip": str(vip.address), "port": port, "protocol": protocol}


def protocols(listen: t.Iterable[Listen]) -> list[str]:
    return list(dict.fromkeys(one.protocol for one in listen))


def marks_of(virtual: Virtual) -> list[dict[str, t.Any]]:
    """The marks that its packets need, as ``lvs_nft`` takes them."""
    if "mark" not in virtual.identity:
        return []
    return [
        {
            "mark": virtual.identity["mark"],
            "addresses": [str(address) for address in virtual.vips],
            "ports": [one.ports for one in virtual.listen if one.protocol == protocol],
            "protocol": protocol,
        }
        for protocol in protocols(virtual.listen)
    ]


def targets(virtual: Virtual, probe: str | None) -> list[dict[str, t.Any]]:
    """Where a client can ask: not in ranges, which may have gaps.

    :arg probe: what is asked over UDP; None if nobody knows.
    """
    return [
        {
            "vip": str(address),
            "port": one.port,
            "protocol": one.protocol,
            **({"probe": probe} if probe and one.protocol == "udp" else {}),
        }
        for address in virtual.vips
        for one in virtual.listen
        if one.last is None
    ]
