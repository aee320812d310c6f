# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A host's addresses, host routes, settings, files of managers and manifest as a value; steps that change it. Pure.

Every step can be written down as a command line, and can be done to the value; so what a run will leave behind is known
before its first write. ``_host_kernel`` reads the value from the kernel and does the steps there.
"""

from __future__ import annotations

import dataclasses
import shlex
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _forwarding, _ipvs_settings
from ansible_collections.openlvs.lvs.plugins.module_utils._arp import ANNOUNCE, Arp, Conf
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import (
    NETPLAN,
    NETWORKD,
    NETWORKMANAGER,
    Managed,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._rp_filter import RP_FILTER
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute, Link
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import Listener

# None of these takes an interface down or an address away that the files have.
TOLD_BY = {
    NETWORKD: "networkctl reload",
    NETPLAN: "netplan generate && networkctl reload",
    NETWORKMANAGER: "nmcli connection reload",
}


@dataclasses.dataclass(frozen=True)
class Host:
    """What stands on a host, as far as VIPs are concerned."""

    links: t.Mapping[str, Link]
    addresses: tuple[Address, ...]
    routes: tuple[HostRoute, ...]
    arp: Conf
    forwarding: t.Mapping[str, str]  # the settings of _forwarding by their whole names
    promoting: frozenset[str]  # interfaces where a secondary address outlives its primary one
    without_ipv6: frozenset[str]  # interfaces where IPv6 is turned off
    manifest: Manifest
    silenced: frozenset[str] = frozenset()  # VIPs that rules of ours keep from ARP
    ipvs: t.Mapping[str, str] = dataclasses.field(default_factory=dict)  # settings; none while ip_vs is not loaded
    rp_filter: t.Mapping[str, int] = dataclasses.field(default_factory=dict)  # by interface, V(all) and V(default)
    listeners: t.Mapping[Listener, bool] = dataclasses.field(default_factory=dict)  # each with whether it is one of GUE
    managers: t.Mapping[str, Managed] = dataclasses.field(default_factory=dict)  # by interface
    sourced: bool = True  # whether ifupdown reads /etc/network/interfaces.d
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)  # of managers, ours and those in our way

    @property
    def nics(self) -> list[str]:
        """The interfaces on which neighbours may ask for addresses."""
        return [name for name, link in self.links.items() if not link.silent]

    def setting(self, name: str) -> str | None:
        """The value of a setting by its name; None where there is no such interface."""
        if _forwarding.is_one(name):
            return self.forwarding.get(name)
        if name.startswith(_ipvs_settings.PREFIX):
            return self.ipvs.get(_short(name))
        interface, what = _parse_setting(name)
        if what == RP_FILTER:
            return str(self.rp_filter[interface]) if interface in self.rp_filter else None
        arp = self.arp.get(interface)
        return None if arp is None else str(getattr(arp, what))

    def standing(self, address: str) -> list[Address]:
        """Where the address stands."""
        return [found for found in self.addresses if found.address == address]

    def routes_to(self, address: str) -> list[HostRoute]:
        """The host routes to the address."""
        return [found for found in self.routes if found.address == address]


class Step(t.Protocol):
    """One change of the host."""

    def __str__(self) -> str:
        """As a command line."""

    def done(self, host: Host) -> Host:
        """The host with this step done."""


@dataclasses.dataclass(frozen=True)
class Record:
    """Write the manifest."""

    manifest: Manifest
    before: Manifest

    def __str__(self) -> str:
        old, new = self.before, self.manifest
        parts = [f"{address} is ours" for address in new.vips if address not in old.vips]
        parts += [_changed(address, old.vips[address], vip) for address, vip in new.vips.items() if address in old.vips]
        parts += [f"{address} is no longer ours" for address in old.vips if address not in new.vips]
        parts += [f"{one} is ours" for one in map(str, new.tunnels) if one not in map(str, old.tunnels)]
        parts += [f"{one} is no longer ours" for one in map(str, old.tunnels) if one not in map(str, new.tunnels)]
        parts += [f"{name} was {state}" for name, state in new.devices.items() if name not in old.devices]
        parts += [f"{name} is no longer ours" for name in old.devices if name not in new.devices]
        parts += [f"{name} was {value}" for name, value in new.settings.items() if name not in old.settings]
        parts += [f"{name} is no longer ours" for name in old.settings if name not in new.settings]
        parts += [f"{name} is ours" for name in new.dummies if name not in old.dummies]
        parts += [f"{name} is no longer ours" for name in old.dummies if name not in new.dummies]
        parts += [f"{path} is ours" for path in new.files if path not in old.files]
        parts += [
            f"{path} {'has been' if file['told'] else 'has to be'} read"
            for path, file in new.files.items()
            if path in old.files and file != old.files[path]
        ]
        parts += [f"{path} is no longer ours" for path in old.files if path not in new.files]
        return "# record: " + ", ".join(part for part in parts if part)

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, manifest=self.manifest)


@dataclasses.dataclass(frozen=True)
class SetSetting:
    """Set a setting in the running kernel."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"sysctl -w {self.name}={shlex.quote(self.value)}"

    def done(self, host: Host) -> Host:
        if _forwarding.is_one(self.name):
            turned = _forwarding.turned(self.name, self.value, host.forwarding)
            return dataclasses.replace(host, forwarding={**host.forwarding, **turned, self.name: self.value})
        if self.name.startswith(_ipvs_settings.PREFIX):
            return dataclasses.replace(host, ipvs={**host.ipvs, _short(self.name): self.value})
        interface, what = _parse_setting(self.name)
        if what == RP_FILTER:
            return dataclasses.replace(host, rp_filter={**host.rp_filter, interface: int(self.value)})
        old = host.arp[interface]
        new = Arp(old.arp_ignore, int(self.value)) if what == ANNOUNCE else Arp(int(self.value), old.arp_announce)
        return dataclasses.replace(host, arp={**host.arp, interface: new})


@dataclasses.dataclass(frozen=True)
class AddAddress:
    """Add an address."""

    address: Address

    def __str__(self) -> str:
        broadcast = f" broadcast {self.address.broadcast}" if self.address.broadcast else ""
        label = f" label {self.address.label}" if self.address.label else ""
        nodad = " nodad" if self.address.ipv6 else ""
        lifetime = " preferred_lft 0" if self.address.deprecated else ""
        what = f"{self.address.address}/{self.address.prefix}"
        return f"ip address add {what}{broadcast} dev {self.address.interface}{label}{nodad}{lifetime}"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, addresses=(*host.addresses, self.address))


@dataclasses.dataclass(frozen=True)
class RemoveAddress:
    """Remove an address."""

    address: Address

    def __str__(self) -> str:
        return f"ip address del {self.address.address}/{self.address.prefix} dev {self.address.interface}"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, addresses=tuple(found for found in host.addresses if found != self.address))


@dataclasses.dataclass(frozen=True)
class AddRoute:
    """Add a host route."""

    route: HostRoute

    def __str__(self) -> str:
        return f"ip route add {self.route.address} dev {self.route.interface} scope link"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, routes=(*host.routes, self.route))


@dataclasses.dataclass(frozen=True)
class RemoveRoute:
    """Remove a host route."""

    route: HostRoute

    def __str__(self) -> str:
        return f"ip route del {self.route.address} dev {self.route.interface} scope link"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, routes=tuple(found for found in host.routes if found != self.route))


@dataclasses.dataclass(frozen=True)
class Announce:
    """Tell the neighbours of an interface that these addresses are here now."""

    interface: str
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        what = [f"{'unsolicited NA' if ':' in address else 'gratuitous ARP'} {address}" for address in self.addresses]
        return f"# announce on {self.interface}: " + ", ".join(what)

    def done(self, host: Host) -> Host:
        return host


@dataclasses.dataclass(frozen=True)
class WriteFile:
    """Write a file of a network manager."""

    path: str
    content: str
    mode: int

    def __str__(self) -> str:
        return f"# write {self.path}"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, files={**host.files, self.path: self.content})


@dataclasses.dataclass(frozen=True)
class RemoveFile:
    """Remove a file of a network manager."""

    path: str

    def __str__(self) -> str:
        return f"rm {self.path}"

    def done(self, host: Host) -> Host:
        return dataclasses.replace(host, files={key: text for key, text in host.files.items() if key != self.path})


@dataclasses.dataclass(frozen=True)
class Tell:
    """Let a network manager read its files again, if it runs."""

    manager: str

    def __str__(self) -> str:
        return TOLD_BY[self.manager]

    def done(self, host: Host) -> Host:
        return host


def _changed(address: str, old: VipRecord, new: VipRecord) -> str:
    if old == new:
        return ""
    if {**old, "announced": True} == new:
        return f"{address} has been announced"
    return f"{address} stands on {new['interface']} with /{new['prefix']}"


def _short(name: str) -> str:
    return name[len(_ipvs_settings.PREFIX) :]


def _parse_setting(name: str) -> tuple[str, str]:
    _net, _ipv4, _conf, interface, what = name.split(".")
    return interface.replace("/", "."), what
