# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Real servers out of the messages of a whole table, some ten thousand of them that all look alike.

Each message is a list of attributes, in whatever order the running kernel writes them. Taken apart one by one they cost
most of the time that a run takes; but where they stand in one message is where they stand in the others of its length,
so that is found out once. With it, what the kernel would say of the real servers that shall be is written down and
compared with what it says, all bytes but those of counters: a service that is as it shall be costs no more than that.
Of any other, a message in which every attribute has the type and the size that it had in the first is read as one
``struct``, and the rest is taken apart. Everything here is pure.
"""

from __future__ import annotations

import operator
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._table import FAMILIES, RealServer, RealServers

_FIRST = 24  # behind the headers of netlink and generic netlink, and that of the attribute in which the others are
_SIZE_AND_KIND = 6  # at the start of a message

Around = t.Optional[tuple[bytes, bytes]]


class RealServerReader:
    """Reads messages, and remembers what they look like, and what they say beside addresses: little else differs."""

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}
        self._known: dict[str, dict[tuple[t.Any, ...], codec.Values]] = {family: {} for family in FAMILIES}

    def read_all(self, blocks: t.Sequence[bytes], service_family: str, wanted: RealServers) -> RealServers:
        """The real servers of a service, the oldest first; the kernel tells of the newest first.

        :arg blocks: messages with their headers; those of a block all have the same.
        :arg wanted: what comes back when the kernel tells of these and no others, in this order.
        :raises ValueError, LookupError, struct.error: when the messages do not tell of real servers.
        """
        told = b"".join(blocks)
        layout = self._layouts.get(len(told) // len(wanted)) if wanted else None
        if layout and layout.tells(told, list(wanted.values())[::-1], service_family):
            return wanted
        servers = [self.read(message, service_family) for block in blocks for message in codec.cut(block)]
        return {server[:2]: server for server in reversed(servers)}

    def read(self, message: bytes, service_family: str) -> RealServer:
        """The real server that a message tells of.

        :raises ValueError, LookupError, struct.error: when it does not.
        """
        layout = self._layouts.get(len(message))
        found = layout.values(message) if layout else None
        if found is None:
            return self._take_apart(message, service_family)
        known, rest = self._known[service_family], found[1:]
        values = known.get(rest)
        if values is None:
            values = known[rest] = codec.real_server_values(service_family, rest)
        return RealServer(values[0](found[0]), *values[1])

    def _take_apart(self, message: bytes, service_family: str) -> RealServer:
        server = codec.real_server_of(codec.dest_of(message), service_family)
        if list(codec.places(message, _FIRST - 4)) == [(codec.CMD_DEST, _FIRST, len(message))]:
            self._layouts[len(message)] = _Layout(message)
        return server


class _Layout:
    """Where everything stands in one message, which has nothing but the attributes of a real server."""

    def __init__(self, message: bytes) -> None:
        code = f"={_FIRST}x"
        mask = bytearray(len(message))
        for start, end in ((0, _SIZE_AND_KIND), (_FIRST - 4, _FIRST)):
            mask[start:end] = b"\xff" * (end - start)
        self._places: dict[int, slice] = {}
        for kind, begin, end in codec.places(message, _FIRST):
            size = end - begin
            mask[begin - 4 : begin] = b"\xff" * 4
            if kind in codec.REAL_SERVER:
                self._places[kind] = slice(begin, end)
            code += f"4x{codec.REAL_SERVER.get(kind, f'{size}x')}{-size % 4}x"
        # Types and sizes, as one large number with nothing between them.
        self._mask = _number(mask)
        self._headers = _number(message) & self._mask
        self._struct = struct.Struct(code)
        # A value that this kernel does not tell is the 0 that `values` puts at the end.
        found = [*self._places]
        order = (found.index(kind) if kind in found else len(found) for kind in codec.REAL_SERVER)
        self._values = operator.itemgetter(*order)

        for place in self._places.values():
            mask[place] = b"\xff" * (place.stop - place.start)
        self._no_counters = bytes(mask)
        self._masks: dict[int, int] = {}
        self._around: dict[str, dict[tuple[t.Any, ...], Around]] = {family: {} for family in FAMILIES}

    def values(self, message: bytes) -> tuple[t.Any, ...] | None:
        """The values in a message of the same length that looks alike, in the order of REAL_SERVER; else None."""
        if _number(message) & self._mask != self._headers:
            return None
        return self._values((*self._struct.unpack(message), 0))  # type: ignore[no-any-return]

    def tells(self, told: bytes, servers: t.Sequence[RealServer], service_family: str) -> bool:
        """Whether these are messages that look alike, and tell of these real servers."""
        if {":" in server[0] for server in servers} != {service_family == "ipv6"}:
            return False
        known, rests = self._around[service_family], [server[1:] for server in servers]
        for rest in {*rests} - known.keys():
            known[rest] = self._write(rest, service_family)
        around = [part for rest in rests for part in [known[rest]] if part]
        if len(around) < len(servers):
            return False
        packed = codec.packed
        wanted = b"".join([head + packed(server[0]) + tail for server, (head, tail) in zip(servers, around)])
        count = len(servers)
        if count not in self._masks:
            self._masks = {count: _number(self._no_counters * count)}
        return _number(told) & self._masks[count] == _number(wanted)

    def _write(self, rest: tuple[t.Any, ...], service_family: str) -> Around:
        """What stands around the address in a message without counters; None where such a message cannot say it.

        :arg rest: of a real server, what follows its address, which is of the service's family.
        """
        server = RealServer("::" if service_family == "ipv6" else "0.0.0.0", *rest)
        message = bytearray(self._headers.to_bytes(len(self._no_counters), "big"))
        for kind, value in codec.attributes(codec.real_server_attributes(server)).items():
            if kind in self._places:
                message[self._places[kind]] = value
            elif any(value) and kind != codec.DEST_ADDR_FAMILY:
                return None
        address = self._places[codec.DEST_ADDR]
        return bytes(message[: address.start]), bytes(message[address.stop :])


def _number(data: bytes | bytearray) -> int:
    return int.from_bytes(data, "big")
