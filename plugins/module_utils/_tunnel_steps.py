# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The steps that make tunnels on a host and take them away. Pure; ``_host_kernel`` does them."""

from __future__ import annotations

import dataclasses

from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Link
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import Device, Listener

_UNKNOWN_INDEX = 0


@dataclasses.dataclass(frozen=True)
class AddDevice:
    """Make a tunnel device, or have the kernel load the module that brings it along."""

    device: Device

    def __str__(self) -> str:
        return f"ip link add name {self.device}"

    def done(self, host: Host) -> Host:
        made = self.device
        link = Link(_UNKNOWN_INDEX, made.name, "", False, noarp=True, kind=made.kind, options=made.options)
        rp_filter = {**host.rp_filter, made.name: host.rp_filter["default"]}
        return dataclasses.replace(host, links={**host.links, made.name: link}, rp_filter=rp_filter)


@dataclasses.dataclass(frozen=True)
class RemoveDevice:
    """Remove a tunnel device."""

    name: str

    def __str__(self) -> str:
        return f"ip link del dev {self.name}"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(
            host,
            links={name: link for name, link in host.links.items() if name != self.name},
            rp_filter={name: value for name, value in host.rp_filter.items() if name != self.name},
        )


@dataclasses.dataclass(frozen=True)
class SetDevice:
    """Bring a tunnel device up or down."""

    name: str
    up: bool

    def __str__(self) -> str:
        return f"ip link set dev {self.name} {'up' if self.up else 'down'}"

    def done(self, host: Host) -> Host:
        link = dataclasses.replace(host.links[self.name], up=self.up)
        return dataclasses.replace(host, links={**host.links, self.name: link})


@dataclasses.dataclass(frozen=True)
class FlushDevice:
    """Remove the IPv6 addresses that the kernel has given to a device as it came up: on sit0 one for each of IPv4."""

    name: str

    def __str__(self) -> str:
        return f"ip -6 address flush dev {self.name}"

    def done(self, host: Host) -> Host:
        return host


@dataclasses.dataclass(frozen=True)
class LoadModule:
    """Load a module of the kernel that nothing else loads."""

    name: str

    def __str__(self) -> str:
        return f"modprobe {self.name}"

    def done(self, host: Host) -> Host:
        return host


@dataclasses.dataclass(frozen=True)
class AddListener:
    """Take packets out of GUE at a port of UDP."""

    listener: Listener

    def __str__(self) -> str:
        return f"ip {_family(self.listener)}fou add port {self.listener.port} gue"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, listeners={**host.listeners, self.listener: True})


@dataclasses.dataclass(frozen=True)
class RemoveListener:
    """Let go of a port of UDP."""

    listener: Listener

    def __str__(self) -> str:
        return f"ip {_family(self.listener)}fou del port {self.listener.port}"

    def done(self, host: Host) -> Host:
        listeners = {one: gue for one, gue in host.listeners.items() if one != self.listener}
        return dataclasses.replace(host, listeners=listeners)


def _family(listener: Listener) -> str:
    return "-6 " if listener.ipv6 else ""
