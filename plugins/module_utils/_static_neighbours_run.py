# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the module ``lvs_neighbours`` does: parameters in, result out; permanent entries read and changed by netlink.

systemd-networkd is told of them at once: whenever it goes over an interface it takes away entries that it has not read
of, and puts back those that it has, with the MAC that it knows.

Needs the standard library only, so nothing has to be installed on a router.
"""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import socket
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _manager_commands,
    _managers,
    _manifest,
    _rtnl,
    _static_neighbours,
    _vip_files,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._static_neighbours import Macs, Step

# include/uapi/linux/rtnetlink.h, neighbour.h, netlink.h
_RTM_NEWNEIGH, _RTM_DELNEIGH, _RTM_GETNEIGH = 28, 29, 30
_NDA_DST, _NDA_LLADDR = 1, 2
_NUD_PERMANENT = 0x80
_NDMSG = "=BxxxiHBB"  # family, interface, state, flags, type
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_REPLACE, _NLM_F_CREATE = 0x1, 0x4, 0x100, 0x400


def run(
    options: t.Sequence[t.Mapping[str, t.Any]], purge: bool, check_mode: bool
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The module's result and its diff."""
    links = _rtnl.links()
    findings = _static_neighbours.findings(options, links)
    if findings:
        raise OptionError(findings)
    want = _static_neighbours.wanted(options)
    with contextlib.nullcontext() if check_mode else _manifest.exclusive():
        manifest = _manifest.load()
        have = read()
        plan = _static_neighbours.plan(have, manifest.neighbours, want, purge)
        after = _static_neighbours.done(have, plan.steps)
        router = _read_files(manifest, links)
        files = _static_neighbours.files(plan.after, after, router.managers)
        change = _vip_files.change(router, _static_neighbours.SIDE, {}, files)
        file_steps = [*change.first, *change.last]
        first = dataclasses.replace(manifest.with_files(change.records), neighbours=plan.recorded)
        told = {path: _manifest.FileRecord(**{**record, "told": True}) for path, record in change.records.items()}
        last = dataclasses.replace(manifest.with_files(told).without_files(change.gone), neighbours=plan.after)
        if not check_mode:
            _save(manifest, first)
            _apply(plan.steps, links)
            for step in file_steps:
                _manager_commands.do(step)
            _save(first, last)
    result = {
        "changed": bool(plan.steps or file_steps) or last != manifest,
        "changes": [str(step) for step in (*plan.steps, *file_steps)],
        "neighbours": _static_neighbours.described(plan.after, after),
        "files": sorted(files),
    }
    keys = {*want, *map(_static_neighbours.key_of, manifest.neighbours)}
    return result, {"before": _shown(have, keys), "after": _shown(after, keys)}


def facts(manifest: _manifest.Manifest) -> list[_static_neighbours.Described]:
    """What is recorded as ours, as it is at this moment; asks the kernel only where there is something."""
    return _static_neighbours.described(manifest.neighbours, read()) if manifest.neighbours else []


def read() -> Macs:
    """Every permanent entry of this network namespace."""
    names = {link.index: link.name for link in _rtnl.links().values()}
    found = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        for payload in _rtnl.dump(_RTM_GETNEIGH, struct.pack(_NDMSG, family, 0, 0, 0, 0)):
            _family, index, state, _flags, _type = struct.unpack_from(_NDMSG, payload)
            attributes = _rtnl.attributes_of(payload, struct.calcsize(_NDMSG))
            if state & _NUD_PERMANENT and index in names and attributes.keys() >= {_NDA_DST, _NDA_LLADDR}:
                address = str(ipaddress.ip_address(attributes[_NDA_DST]))
                found[names[index], address] = attributes[_NDA_LLADDR].hex(":")
    return found


class _Router(t.NamedTuple):
    """What there is of files."""

    manifest: _manifest.Manifest
    managers: t.Mapping[str, _managers.Managed]
    files: t.Mapping[str, str]


def _read_files(manifest: _manifest.Manifest, links: t.Mapping[str, _rtnl.Link]) -> _Router:
    managers = _managers.read({name: link.index for name, link in links.items()})
    return _Router(manifest, managers, _manager_commands.texts())


def _save(old: _manifest.Manifest, new: _manifest.Manifest) -> None:
    if new != old:
        _manifest.save(new)


def _apply(steps: t.Sequence[Step], links: t.Mapping[str, _rtnl.Link]) -> None:
    """Do the steps in order; the first that is refused ends the work."""
    applied: list[str] = []
    for step in steps:
        try:
            _rtnl.command(*_message(step, links[step.entry.interface].index), f"'{step}'")
        except LvsError as exc:
            exc.details["applied"] = applied
            raise
        applied.append(str(step))


def _message(step: Step, index: int) -> tuple[int, int, bytes]:
    """Kind, flags and what follows the header."""
    address = ipaddress.ip_address(step.entry.address)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    header = struct.pack(_NDMSG, family, index, _NUD_PERMANENT, 0, 0)
    target = _attribute(_NDA_DST, address.packed)
    if not step.add:
        return _RTM_DELNEIGH, _NLM_F_REQUEST | _NLM_F_ACK, header + target
    flags = _NLM_F_REQUEST | _NLM_F_ACK | _NLM_F_CREATE | _NLM_F_REPLACE
    return (
        _RTM_NEWNEIGH,
        flags,
        header + target + _attribute(_NDA_LLADDR, bytes.fromhex(step.entry.mac.replace(":", ""))),
    )


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _shown(macs: Macs, keys: t.Collection[_static_neighbours.Key]) -> dict[str, t.Any]:
    found = [
        {"address": address, "interface": interface, "mac": macs[interface, address]}
        for interface, address in sorted(keys)
        if (interface, address) in macs
    ]
    return {"neighbours": found}
