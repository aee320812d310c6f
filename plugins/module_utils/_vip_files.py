# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The files by which network managers agree with the VIPs of a host: which there shall be, and the steps there. Pure.

What stands in the kernel is not their work: VIPs come before their files are written and go after they were removed. A
manager that is told in between finds what its files say already.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _writers
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, RemoveFile, Step, Tell, WriteFile
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import OURS, Managed
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import FileRecord, Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._written import Held, Place, Text

Records = t.Mapping[str, VipRecord]


class Known(t.Protocol):
    """What has to be known of a host."""

    @property
    def manifest(self) -> Manifest:
        """What is ours."""

    @property
    def managers(self) -> t.Mapping[str, Managed]:
        """Who looks after which interface."""

    @property
    def files(self) -> t.Mapping[str, str]:
        """The managers' files that are ours or in our way."""


class Wanted(t.NamedTuple):
    """A file that shall be there."""

    interface: str
    text: Text


def places(host: Host, side: str, vips: Records, held: t.Callable[[str, VipRecord], Address]) -> list[Place]:
    """The VIPs of one side, by interface.

    :arg held: how a VIP shall stand.
    """
    found: dict[str, list[Held]] = {}
    for address, record in vips.items():
        found.setdefault(record["interface"], []).append(Held(held(address, record), record["host_route"]))
    return [
        Place(
            side=side.replace("_", ""),
            interface=interface,
            held=tuple(sorted(standing, key=lambda one: one.address.address)),
            managed=host.managers.get(interface),
            silent=interface not in host.links or host.links[interface].silent,
            sourced=host.sourced,
        )
        for interface, standing in sorted(found.items())
    ]


def wanted(found: t.Iterable[Place], asked: str) -> dict[str, Wanted]:
    """The files that shall be there."""
    return {
        path: Wanted(place.interface, text)
        for place in found
        for path, text in _files(place, _writers.choose(asked, place.managed)).items()
    }


def findings(host: Host, found: t.Iterable[Place], asked: str) -> list[str]:
    """What cannot be written, with the reasons."""
    reasons = []
    for place in found:
        name = _writers.choose(asked, place.managed)
        writer = _writers.WRITERS.get(name)
        reason = writer.cannot(place) if writer else ""
        if reason:
            reasons.append(f"writer {name}: VIPs on {place.interface}: {reason}")
            continue
        reasons += [
            f"writer {name}: {path} is there already, not put there by this collection. Move it away."
            for path, text in _files(place, name).items()
            if path not in host.manifest.files and host.files.get(path) not in (None, text.content)
        ]
    return reasons


def told(found: t.Iterable[Place], asked: str) -> list[dict[str, t.Any]]:
    """For whoever wants to know: who has the VIPs of each interface back, and by which files."""
    return [
        {
            "interface": place.interface,
            "writer": (name := _writers.choose(asked, place.managed)),
            "owner": _owner(place.managed, name),
            "files": sorted(_files(place, name)),
        }
        for place in found
    ]


class Change(t.NamedTuple):
    """The way from the files that are there to those that shall be.

    :attr records: what to record before the first step.
    :attr first: steps before VIPs leave the kernel.
    :attr last: steps after that.
    :attr gone: paths to be forgotten after the last step.
    """

    records: dict[str, FileRecord]
    first: list[Step]
    last: list[Step]
    gone: list[str]


def change(host: Known, side: str, vips: Records, files: t.Mapping[str, Wanted]) -> Change:
    """How to get there.

    :arg vips: those of the side that are there in the end.
    """
    ours = host.manifest.files_of(side)
    gone = [path for path in ours if path not in files]
    records: dict[str, FileRecord] = {}
    first: list[Step] = []
    readers: dict[str, None] = {}
    for path, (interface, text) in files.items():
        same = host.files.get(path) == text.content
        known = path in ours and same and ours[path]["told"]
        records[path] = FileRecord(side=side, interface=interface, told=known or not _tells(host, path, interface))
        if not same:
            first.append(WriteFile(path, text.content, text.mode))
        if not records[path]["told"]:
            readers[_writers.reader(path)] = None
    last: list[Step] = []
    for path in gone:
        # The manager would remove a VIP that stays, now by another writer, together with its file.
        leaves = not any(vip["interface"] == ours[path]["interface"] for vip in vips.values())
        text_left = _writers.retired(path)
        if leaves and _tells(host, path, ours[path]["interface"]):
            readers[_writers.reader(path)] = None
            if text_left and path in host.files:
                first += [WriteFile(path, text_left, 0o644)] * (host.files[path] != text_left)
                last.append(RemoveFile(path))
                continue
        first += [RemoveFile(path)] * (path in host.files)
    return Change(records, first, [*map(Tell, readers), *last], gone)


def _tells(host: Known, path: str, interface: str) -> bool:
    """Whether a manager is told of the file; not where it would lease the interface's address anew."""
    managed = host.managers.get(interface)
    return bool(_writers.reader(path)) and not (managed is not None and managed.leased)


def _files(place: Place, name: str) -> dict[str, Text]:
    writer = _writers.WRITERS.get(name)
    return writer.files(place) if writer and not writer.cannot(place) else {}


def _owner(managed: Managed | None, name: str) -> str | None:
    return managed.owner if managed is not None and managed.manager == name and OURS not in managed.owner else None
