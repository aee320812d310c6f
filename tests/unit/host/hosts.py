# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts to plan on."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _forwarding
from ansible_collections.openlvs.lvs.plugins.module_utils._arp import Arp
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import Manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute, Link

LINKS = {
    "lo": Link(1, "lo", "00:00:00:00:00:00", loopback=True),
    "eth0": Link(2, "eth0", "02:00:00:00:00:01"),
    "eth1": Link(3, "eth1", "02:00:00:00:00:02"),
    "dummy0": Link(4, "dummy0", "02:00:00:00:00:03", noarp=True),
    "dummy1": Link(5, "dummy1", "02:00:00:00:00:04", noarp=True, up=False),
}
OWN = (
    Address("127.0.0.1", 8, "lo", scope="host", label="lo"),
    Address("192.0.2.1", 24, "eth0", label="eth0"),
    Address("2001:db8::1", 64, "eth0"),
)


def host(
    *more: Address,
    routes: tuple[HostRoute, ...] = (),
    arp: t.Mapping[str, tuple[int, int]] | None = None,
    manifest: Manifest | None = None,
    promoting: t.Iterable[str] = (),
) -> Host:
    """A host with its own addresses and these."""
    values = {**dict.fromkeys(["all", "default", *LINKS], (0, 0)), **(arp or {})}
    return Host(
        links=LINKS,
        addresses=(*OWN, *more),
        routes=routes,
        arp={name: Arp(*pair) for name, pair in values.items()},
        forwarding={name: _default(name) for name in _forwarding.names(("all", "default", *LINKS))},
        promoting=frozenset(promoting),
        without_ipv6=frozenset(["eth1"]),
        manifest=manifest or Manifest(),
    )


def _default(setting: str) -> str:
    """As a host has it that forwards nothing."""
    return "0" if setting == _forwarding.IP_FORWARD or setting.endswith(".forwarding") else "1"


def done(before: Host, steps: t.Iterable[Step]) -> Host:
    """The host with these steps done."""
    return functools.reduce(lambda found, step: step.done(found), steps, before)


def same(one: Host, other: Host) -> bool:
    """Whether two hosts differ in nothing but the order of things."""
    return (set(one.addresses), set(one.routes), one.arp, one.forwarding, one.manifest) == (
        set(other.addresses),
        set(other.routes),
        other.arp,
        other.forwarding,
        other.manifest,
    )
