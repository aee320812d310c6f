# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Dummy devices for VIPs of a real server: made where they are asked for and not there, and taken away again. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnel_steps import AddDevice, RemoveDevice, SetDevice
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import Device
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Work

_KIND = "dummy"


def can_be_made(name: str, side: str) -> bool:
    """Whether a device that is not there is one that we make; its name says so."""
    return side == REAL_SERVER and name.startswith(_KIND)


def is_ours(host: Host, name: str) -> bool:
    """Whether we have made it."""
    return name in host.manifest.dummies


def lacking(host: Host, interfaces: t.Iterable[str], side: str) -> list[str]:
    """Those that have to be made; the findings are out before."""
    return [name for name in dict.fromkeys(interfaces) if name not in host.links and can_be_made(name, side)]


def make(work: Work, interfaces: t.Iterable[str], side: str) -> None:
    """Make what is lacking, and bring up what is ours. The manifest has them already."""
    names = list(dict.fromkeys(interfaces))
    for name in lacking(work.host, names, side):
        work.do(AddDevice(Device(name, _KIND)))
    for name in names:
        if is_ours(work.host, name) and not work.host.links[name].up:
            work.do(SetDevice(name, True))


def dispensable(host: Host) -> list[str]:
    """Those of ours that hold no VIP of ours any more."""
    needed = {vip["interface"] for vip in host.manifest.vips.values()}
    return [name for name in host.manifest.dummies if name not in needed]


def remove(work: Work, names: t.Iterable[str]) -> None:
    """Take them away, unless somebody has put an address of his own there."""
    for name in names:
        others = [one for one in work.host.addresses if one.interface == name and one.scope != "link"]
        if others:
            work.warnings.append(f"Device {name}: it stays, for {others[0]} is not ours.")
        elif name in work.host.links:
            work.do(RemoveDevice(name))
