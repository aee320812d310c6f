# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Tunnels on a real server: from what is found and what is wanted to steps that may be cut off anywhere. Pure.

What is ours is recorded first; a device comes up only when ``rp_filter`` lets its packets pass; what is not needed any
longer goes as it came, and is forgotten last. A device that the kernel's own module brings along cannot be removed, so
it is down in the end, as it was found.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _rp_filter
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, SetSetting, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import Manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnel_steps import (
    AddDevice,
    AddListener,
    FlushDevice,
    LoadModule,
    RemoveDevice,
    RemoveListener,
    SetDevice,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import (
    FOU,
    Device,
    Listener,
    Tunnel,
    fallback,
    listeners,
    merged,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan, Work

ABSENT, DOWN, UP = "absent", "down", "up"


def present(host: Host, wanted: t.Sequence[Tunnel], purge: bool = False) -> Plan:
    """Have these tunnels. The findings of ``_tunnel_checks`` are out before.

    :arg purge: tunnels of ours that are not wanted leave, and so do VIPs that are not.
    """
    tunnels = merged((), wanted) if purge else merged(host.manifest.tunnels, wanted)
    devices = chosen(host, tunnels)
    ports = listeners(tunnels)
    filtered = _filtered(host, devices)
    writes = _rp_filter.needed({**_born(host, devices), **host.rp_filter}, filtered)
    work = Work(host)
    work.record(
        host.manifest.with_tunnels(merged(host.manifest.tunnels, tunnels))
        .with_devices({**{one.name: _state(host, one.name) for one in devices}, **_ports_found(host, ports)})
        .with_settings({name: host.setting(name) or str(host.rp_filter["default"]) for name in writes})
    )
    for device in devices:
        if device.name not in host.links:
            work.do(AddDevice(device))
    for name, value in writes.items():
        work.do(SetSetting(name, value))
    for step in _opening(port for port in ports if port not in host.listeners):
        work.do(step)
    for device in devices:
        if not work.host.links[device.name].up:
            work.do(SetDevice(device.name, True))
            work.do(FlushDevice(device.name))
    back = _leave(work, {device.name for device in devices} | {str(port) for port in ports}, filtered)
    work.record(back.with_tunnels(tunnels))
    return work.plan()


def chosen(host: Host, tunnels: t.Iterable[Tunnel]) -> dict[Device, tuple[str, ...]]:
    """The devices that take the packets of these tunnels out, and for which VIPs each."""
    found: dict[Device, tuple[str, ...]] = {}
    taken = set(host.links)
    for tunnel in tunnels:
        for (kind, options), vips in tunnel.needs.items():
            known = next((one for one in found if (one.kind, one.options) == (kind, options)), None)
            device = known or Device(_name(host, kind, options, taken), kind, options)
            taken.add(device.name)
            found[device] = (*found.get(device, ()), *vips)
    return found


def receiving(host: Host, tunnel: Tunnel) -> list[str]:
    """The VIPs of a tunnel whose packets are taken out of it at this moment, and get past ``rp_filter``."""
    if any(not host.listeners.get(port) for port in listeners([tunnel])):
        return []
    devices = chosen(host, [tunnel])
    able = {vip for device, vips in devices.items() for vip in vips if _takes(host, device, vip)}
    return [vip for vip in tunnel.vips if vip in able]


def boot(host: Host) -> list[Step]:
    """What makes the tunnels of ours once more on a host that has just come up, but for the settings."""
    devices = chosen(host, host.manifest.tunnels)
    steps: list[Step] = [AddDevice(device) for device in devices]
    steps += _opening(listeners(host.manifest.tunnels))
    for device in devices:
        steps += [SetDevice(device.name, True), FlushDevice(device.name)]
    return steps


def _opening(ports: t.Iterable[Listener]) -> list[Step]:
    steps: list[Step] = [AddListener(port) for port in ports]
    return [LoadModule(FOU), *steps] if steps else []


def holding(host: Host) -> dict[str, str]:
    """The settings that must hold as long as the recorded tunnels are there, with their values."""
    filtered = _filtered(host, chosen(host, host.manifest.tunnels))
    names = set(filter(_rp_filter.is_one, host.manifest.settings))
    names |= {_rp_filter.name_of(where) for where in (_rp_filter.ALL, *filtered)} if filtered else set()
    values = {name: host.setting(name) for name in sorted(names)}
    return {name: value for name, value in values.items() if value is not None}


def _name(host: Host, kind: str, options: str, taken: t.Container[str]) -> str:
    if not options:
        return fallback(kind)
    ours = (name for name in host.manifest.devices if name in host.links)
    same = (name for name in ours if (host.links[name].kind, host.links[name].options) == (kind, options))
    free = (name for name in (f"lvs-{kind}{number}" for number in itertools.count()) if name not in taken)
    return next(same, None) or next(free)


def _filtered(host: Host, devices: t.Mapping[Device, tuple[str, ...]]) -> dict[str, bool]:
    """The devices that take out packets of IPv4, each with whether it has an IPv4 address."""
    return {
        device.name: _addressed(host, device.name)
        for device, vips in devices.items()
        if any(":" not in vip for vip in vips)
    }


def _addressed(host: Host, name: str) -> bool:
    return any(found.interface == name and not found.ipv6 for found in host.addresses)


def _born(host: Host, devices: t.Iterable[Device]) -> dict[str, int]:
    """What devices that are not there yet will have."""
    return {device.name: host.rp_filter["default"] for device in devices}


def _state(host: Host, name: str) -> str:
    link = host.links.get(name)
    return ABSENT if link is None else UP if link.up else DOWN


def _ports_found(host: Host, ports: t.Iterable[Listener]) -> dict[str, str]:
    return {str(port): UP if port in host.listeners else ABSENT for port in ports}


def _takes(host: Host, device: Device, vip: str) -> bool:
    link = host.links.get(device.name)
    if link is None or not link.up or link.kind != device.kind:
        return False
    if ":" in vip:
        return device.name not in host.without_ipv6
    return _rp_filter.passes(host.rp_filter, device.name, _addressed(host, device.name))


def _leave(work: Work, needed: t.Collection[str], filtered: t.Collection[str]) -> Manifest:
    """What nothing needs any longer is as it was found; the manifest that has forgotten it."""
    gone = {name: state for name, state in work.host.manifest.devices.items() if name not in needed}
    for port in [one for one in work.host.listeners if gone.get(str(one)) == ABSENT]:
        work.do(RemoveListener(port))
    back = _dispensable(work.host.manifest, filtered)
    for name in [name for name, state in gone.items() if state != UP and name in work.host.links]:
        if work.host.links[name].up:
            work.do(SetDevice(name, False))
    for name, value in back.items():
        work.restore(name, value)
    for name in [name for name, state in gone.items() if state == ABSENT and name in work.host.links]:
        work.do(RemoveDevice(name))
    return work.host.manifest.without_devices(gone).without_settings(back)


def _dispensable(manifest: Manifest, filtered: t.Collection[str]) -> dict[str, str]:
    """The recorded settings that no device needs any longer, with the values found."""
    own = {_rp_filter.name_of(name) for name in manifest.devices}
    kept = {_rp_filter.name_of(name) for name in filtered}
    return {
        name: value
        for name, value in manifest.settings.items()
        if _rp_filter.is_one(name) and (name not in kept if name in own else not filtered)
    }
