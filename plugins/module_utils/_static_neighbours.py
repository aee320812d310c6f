# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Static neighbour entries of a router: it sends to a VIP's director without asking who has the VIP. Pure.

The kernel never asks for an address with a permanent entry, and nobody's ARP or neighbour discovery changes it.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._managers import Managed
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import NeighbourRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_files import Wanted
from ansible_collections.openlvs.lvs.plugins.module_utils._write_networkd import drop_in
from ansible_collections.openlvs.lvs.plugins.module_utils._written import Place

SIDE = "router"  # whose files they are
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NOBODY = "00:00:00:00:00:00"
_MULTICAST = 1  # in the first byte

Key = tuple[str, str]
"""Interface and address."""
Macs = t.Mapping[Key, str]


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is sent to this address on this interface goes to this MAC."""

    address: str
    interface: str
    mac: str


@dataclasses.dataclass(frozen=True)
class Step:
    """One change; :arg add: whether the entry comes, or goes."""

    add: bool
    entry: Entry

    def __str__(self) -> str:
        family = "-6 " if ":" in self.entry.address else ""
        where = f"dev {self.entry.interface}"
        if not self.add:
            return f"ip {family}neighbour del {self.entry.address} {where}"
        return f"ip {family}neighbour replace {self.entry.address} lladdr {self.entry.mac} {where} nud permanent"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is recorded before the steps, so that a run that is cut off leaves nothing unknown, the steps, and after."""

    recorded: tuple[NeighbourRecord, ...]
    steps: tuple[Step, ...]
    after: tuple[NeighbourRecord, ...]


def key_of(record: NeighbourRecord) -> Key:
    return record["interface"], record["address"]


def wanted(options: t.Iterable[t.Mapping[str, t.Any]]) -> dict[Key, str]:
    """:arg options: checked; each with address, interface and mac."""
    return {
        (option["interface"], str(ipaddress.ip_address(option["address"]))): option["mac"].lower() for option in options
    }


def plan(have: Macs, ours: t.Sequence[NeighbourRecord], want: Macs, purge: bool) -> Plan:
    """:arg have: the permanent entries, whoever made them; :arg ours: those that are recorded."""
    known = {key_of(record) for record in ours}
    new = [NeighbourRecord(interface=key[0], address=key[1], found=have.get(key)) for key in want if key not in known]
    steps = [Step(True, _entry(key, mac)) for key, mac in want.items() if have.get(key) != mac]
    recorded = (*ours, *new)
    if not purge:
        return Plan(recorded, tuple(steps), recorded)
    for record in ours:
        key = key_of(record)
        now, found = have.get(key), record["found"]
        if key not in want and now is not None and now != found:
            steps.append(Step(found is not None, _entry(key, found or now)))
    return Plan(recorded, tuple(steps), tuple(record for record in recorded if key_of(record) in want))


def done(have: Macs, steps: t.Iterable[Step]) -> dict[Key, str]:
    """The permanent entries after these steps."""
    found = dict(have)
    for step in steps:
        key = (step.entry.interface, step.entry.address)
        if step.add:
            found[key] = step.entry.mac
        else:
            found.pop(key, None)
    return found


class Described(t.TypedDict):
    """An entry of ours; without a mac where none is there at this moment."""

    address: str
    interface: str
    mac: str | None


def described(ours: t.Iterable[NeighbourRecord], have: Macs) -> list[Described]:
    """What is recorded as ours, as it is now."""
    found = [Described(address=one["address"], interface=one["interface"], mac=have.get(key_of(one))) for one in ours]
    return sorted(found, key=lambda one: (one["interface"], one["address"]))


def files(ours: t.Iterable[NeighbourRecord], have: Macs, managers: t.Mapping[str, Managed]) -> dict[str, Wanted]:
    """What systemd-networkd has to know: it removes permanent entries that its files do not have."""
    sections: dict[str, str] = {}
    for one in described(ours, have):
        name = one["interface"]
        if name in managers and managers[name].network and one["mac"] is not None:
            section = f"\n[Neighbor]\nAddress={one['address']}\nLinkLayerAddress={one['mac']}\n"
            sections[name] = sections.get(name, "") + section
    return {
        path: Wanted(name, text)
        for name, found in sections.items()
        for path, text in drop_in(Place(SIDE, name, (), managers[name]), found).items()
    }


def findings(options: t.Sequence[t.Mapping[str, t.Any]], links: t.Collection[str]) -> list[str]:
    """:arg links: the interfaces of the host."""
    found: list[str] = []
    macs: dict[Key, str] = {}
    for number, option in enumerate(options):
        where = f"neighbours[{number}] {option['address']!r}"
        mac, interface = option["mac"].lower(), option["interface"]
        try:
            address = ipaddress.ip_address(option["address"])
        except ValueError as exc:
            found.append(f"{where}: {exc}. Names are not looked up; write the address, without a prefix.")
            continue
        if not _MAC.fullmatch(mac) or mac == _NOBODY or int(mac[:2], 16) & _MULTICAST:
            text = f"mac {option['mac']!r} is not that of a single machine, such as 02:00:5e:10:00:0b"
            found.append(f"{where}: {text}; 'ip link' on the director shows it.")
        if interface not in links:
            found.append(f"{where}: interface {interface!r} does not exist: there are {', '.join(links)}.")
        if macs.setdefault((interface, str(address)), mac) != mac:
            found.append(f"{where}: it goes to another mac on {interface} already; an address has one place.")
    return found


def _entry(key: Key, mac: str) -> Entry:
    return Entry(address=key[1], interface=key[0], mac=mac)
