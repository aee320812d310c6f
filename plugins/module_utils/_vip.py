# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs on a host: from what is found and what is wanted to steps in an order that is safe to break off anywhere. Pure.

What is ours is recorded first; then ARP falls silent, then a VIP appears; a VIP is gone before the settings come back;
what is gone is forgotten last. So after any step, and after a reboot in between, no VIP of a real server answers ARP,
and the next run knows everything that this one has touched.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _vip_devices, _vip_files, _vip_settings
from ansible_collections.openlvs.lvs.plugins.module_utils._host import (
    AddAddress,
    AddRoute,
    Announce,
    Host,
    RemoveAddress,
    RemoveRoute,
    SetSetting,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, FileRecord, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan, Work
from ansible_collections.openlvs.lvs.plugins.module_utils._written import Place

LABEL_MAX = 15  # IFNAMSIZ without the closing zero


@dataclasses.dataclass(frozen=True)
class Vip:
    """A VIP as wanted. Without a label the one that is found stays, else the next free one is taken."""

    address: str
    interface: str
    prefix: int
    label: str | None = None
    host_route: bool = True

    @property
    def ipv6(self) -> bool:
        """Whether it is an IPv6 address."""
        return ":" in self.address


def present(host: Host, wanted: t.Sequence[Vip], side: str, asked: Asked, purge: bool = False) -> Plan:
    """Put these VIPs on the host. The findings of ``_vip_checks`` are out before.

    :arg purge: VIPs of ours on this side that are not wanted leave.
    """
    work = _Work(host, side)
    targets = _targets(host, wanted, side)
    records = {vip.address: _recorded(host, vip, targets[vip.address], side) for vip in wanted}
    writes = _vip_settings.writes(host, side, records, asked)
    found = {name: host.setting(name) or "not there yet" for name in writes}
    interfaces = [vip.interface for vip in wanted]
    made = _vip_devices.lacking(host, interfaces, side)
    work.record(host.manifest.with_settings(found).with_vips(records).with_dummies(made))
    for name, value in writes.items():
        work.do(SetSetting(name, value))
    _vip_devices.make(work, interfaces, side)
    for vip in wanted:
        _put(work, vip, targets[vip.address], records[vip.address]["host_route"])
    work.announce()
    _leave(work, [address for address in host.manifest.vips_of(side) if purge and address not in records], asked)
    return work.plan()


def absent(host: Host, addresses: t.Sequence[str], side: str, asked: Asked) -> Plan:
    """Take these VIPs off the host, as far as they are ours."""
    work = _Work(host, side)
    ours = host.manifest.vips_of(side)
    for address in addresses:
        if address not in ours:
            work.warnings += [
                f"VIP {address}: {found} stays, for the manifest does not record it as one of ours. If it shall go: "
                f"{RemoveAddress(found)}"
                for found in host.standing(address)
            ]
    _leave(work, [address for address in addresses if address in ours], asked)
    return work.plan()


def described(host: Host, side: str) -> list[dict[str, t.Any]]:
    """Every VIP of ours on this side, complete."""
    return [
        {
            "address": address,
            "prefix": record["prefix"],
            "interface": record["interface"],
            "label": record["label"],
            "broadcast": broadcast(address, record["prefix"]),
            "host_route": record["host_route"],
        }
        for address, record in host.manifest.vips_of(side).items()
    ]


def broadcast(address: str, prefix: int) -> str | None:
    """The broadcast address: the VIP itself where it stands alone, else that of its network; IPv6 has none."""
    interface = ipaddress.ip_interface(f"{address}/{prefix}")
    return None if interface.version != 4 else str(interface.network.broadcast_address)


def places(host: Host, side: str, vips: t.Mapping[str, VipRecord]) -> list[Place]:
    """Where the VIPs of a side stand, for those who write files about them."""

    def held(address: str, record: VipRecord) -> Address:
        return _address(address, record["prefix"], record["interface"], record["label"], side)

    return _vip_files.places(host, side, vips, held)


def wanted_places(host: Host, vips: t.Sequence[Vip], side: str) -> list[Place]:
    """Where these VIPs will stand."""
    targets = _targets(host, vips, side)
    return places(host, side, {vip.address: _recorded(host, vip, targets[vip.address], side) for vip in vips})


def standing(host: Host, address: str, side: str) -> list[Address]:
    """Where a VIP that the manifest records stands as ours.

    Not only where it is recorded: a run that was to move it may have been killed in between. On the real-server side it
    is ours on silent interfaces only; on a network card it is the work of somebody else, such as a VRRP daemon.
    """
    return [found for found in host.standing(address) if side == DIRECTOR or host.links[found.interface].silent]


class _Work(Work):
    """With what neighbours have to be told."""

    def __init__(self, host: Host, side: str) -> None:
        super().__init__(host)
        self.side = side

    def announce(self) -> None:
        """Tell the neighbours what they have not been told, also what a killed run could not tell them."""
        ours = self.host.manifest.vips_of(DIRECTOR) if self.side == DIRECTOR else {}
        untold = {key: vip for key, vip in ours.items() if not vip["announced"] and self.host.standing(key)}
        for interface in dict.fromkeys(vip["interface"] for vip in untold.values()):
            here = tuple(address for address, vip in untold.items() if vip["interface"] == interface)
            self.do(Announce(interface, here))
        told = {address: VipRecord(**{**vip, "announced": True}) for address, vip in untold.items()}
        self.record(self.host.manifest.with_vips(told))


def _targets(host: Host, wanted: t.Sequence[Vip], side: str) -> dict[str, Address]:
    """How the wanted VIPs shall stand, with their labels chosen."""
    taken = {found.label for found in host.addresses} | {vip["label"] for vip in host.manifest.vips.values()}
    taken |= {vip.label for vip in wanted}
    targets = {}
    for vip in wanted:
        label = None if vip.ipv6 else vip.label or _label_found(host, vip) or _label_free(vip.interface, taken)
        taken.add(label)
        targets[vip.address] = _address(vip.address, vip.prefix, vip.interface, label, side)
    return targets


def _address(address: str, prefix: int, interface: str, label: str | None, side: str) -> Address:
    """How a VIP stands."""
    return Address(
        address=address,
        prefix=prefix,
        interface=interface,
        label=label,
        broadcast=broadcast(address, prefix),
        # Else the director might pick its VIP as the source of its own connections.
        deprecated=":" in address and side == DIRECTOR,
    )


def _label_found(host: Host, vip: Vip) -> str | None:
    here = [found for found in host.standing(vip.address) if found.interface == vip.interface]
    here.sort(key=lambda found: found.prefix != vip.prefix)
    found = here[0].label if here else None
    record = host.manifest.vips.get(vip.address)
    if record and record["interface"] == vip.interface and found in (None, vip.interface):
        return record["label"]  # a network manager that knows no labels may have put it back
    return found


def _label_free(interface: str, taken: t.Container[str | None]) -> str:
    label = next(label for label in (f"{interface}:{number}" for number in itertools.count()) if label not in taken)
    return label if len(label) <= LABEL_MAX else interface


def _recorded(host: Host, vip: Vip, target: Address, side: str) -> VipRecord:
    old = host.manifest.vips.get(vip.address)
    told = (
        old is not None and old["announced"] and any(_fits(found, target, vip) for found in host.standing(vip.address))
    )
    return VipRecord(
        side=side,
        interface=vip.interface,
        prefix=vip.prefix,
        label=target.label,
        host_route=vip.host_route and not vip.ipv6,
        announced=told,
    )


def _fits(found: Address, target: Address, vip: Vip) -> bool:
    """Whether it stands as it should; what network managers cannot say is left to them where nobody asks for it."""
    unlabelled = found.label == found.interface and vip.label is None
    same = dataclasses.replace(
        found,
        scope=target.scope,
        label=target.label if unlabelled else found.label,
        broadcast=target.broadcast if found.broadcast is None and found.alone else found.broadcast,
        secondary=target.secondary,
        deprecated=target.deprecated,
        dadfailed=False,
    )
    return same == target and not found.dadfailed


def _put(work: _Work, vip: Vip, target: Address, host_route: bool) -> None:
    """The new address stands before the old one goes, but for the one that cannot stand beside it."""
    route = HostRoute(target.address, target.interface)
    others = [found for found in standing(work.host, target.address, work.side) if not _fits(found, target, vip)]
    in_the_way = [found for found in others if (found.interface, found.prefix) == (target.interface, target.prefix)]
    for found in _our_routes(work.host, target.address):
        if found != route or not host_route:
            work.do(RemoveRoute(found))
    for old in in_the_way:
        work.do(RemoveAddress(old))
    if not any(_fits(found, target, vip) for found in work.host.standing(target.address)):
        work.do(AddAddress(target))
    if host_route and route not in work.host.routes:
        work.do(AddRoute(route))
    for old in others:
        if old not in in_the_way:
            work.do(RemoveAddress(old))


def _leave(work: _Work, addresses: t.Sequence[str], asked: Asked) -> None:
    """VIPs go; settings come back when nothing needs them any longer; all of it is forgotten.

    Network managers learn of it, and of the VIPs that have come: their files before, they themselves after.
    """
    staying = work.host.manifest.without_vips(addresses).vips_of(work.side)
    files = _vip_files.wanted(places(work.host, work.side, staying), asked.writer)
    change = _vip_files.change(work.host, work.side, staying, files)
    work.record(work.host.manifest.with_files(change.records))
    for step in change.first:
        work.do(step)
    for address in addresses:
        for route in _our_routes(work.host, address):
            work.do(RemoveRoute(route))
        for found in standing(work.host, address, work.side):
            work.do(RemoveAddress(found))
    for step in change.last:
        work.do(step)
    told = {path: FileRecord(**{**record, "told": True}) for path, record in change.records.items()}
    manifest = work.host.manifest.without_vips(addresses).with_files(told).without_files(change.gone)
    idle = _vip_devices.dispensable(dataclasses.replace(work.host, manifest=manifest))
    _vip_devices.remove(work, idle)
    manifest = manifest.without_dummies(idle)
    back = _vip_settings.dispensable(manifest, work.side, asked)
    for name, value in back.items():
        work.restore(name, value, _vip_settings.ours(name))
    work.record(manifest.without_settings(back))


def _our_routes(host: Host, address: str) -> list[HostRoute]:
    return [found for found in host.routes_to(address) if found.gateway is None and found.scope == "link"]
