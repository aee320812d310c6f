# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Real servers out of the messages of a whole table, some ten thousand of them that all look alike.

Each message is a list of attributes, in whatever order the running kernel writes them. Taken apart one by one they cost
most of the time that a run takes; but where they stand in one message is where they stand in the others of its length.
So that is found out once, and a message in which every attribute has the type and the size that it had there is read as
one ``struct``. Any other is taken apart. Everything here is pure.
"""

from __future__ import annotations

import operator
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._table import FAMILIES, RealServer

_FIRST = 8  # behind the header of generic netlink, and that of the attribute in which the others are


class RealServerReader:
    """Reads messages, and remembers what they look like, and what they say beside addresses: little else differs."""

    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}
        self._known: dict[str, dict[tuple[t.Any, ...], codec.Values]] = {family: {} for family in FAMILIES}

    def read(self, payload: bytes, service_family: str) -> RealServer:
        """The real server that a message tells of.

        :raises ValueError, LookupError, struct.error: when it does not.
        """
        layout = self._layouts.get(len(payload))
        found = layout.values(payload) if layout else None
        if found is None:
            return self._take_apart(payload, service_family)
        known, rest = self._known[service_family], found[1:]
        values = known.get(rest)
        if values is None:
            values = known[rest] = codec.real_server_values(service_family, rest)
        return RealServer(values[0](found[0]), *values[1])

    def _take_apart(self, payload: bytes, service_family: str) -> RealServer:
        server = codec.real_server_of(codec.attributes(codec.genl_attributes(payload)[codec.CMD_DEST]), service_family)
        if list(codec.places(payload, _FIRST - 4)) == [(codec.CMD_DEST, _FIRST, len(payload))]:
            self._layouts[len(payload)] = _Layout(payload)
        return server


class _Layout:
    """Where everything stands in one message, which has nothing but the attributes of a real server."""

    def __init__(self, payload: bytes) -> None:
        code, found = "=8x", []
        mask = bytearray(len(payload))
        mask[_FIRST - 4 : _FIRST] = b"\xff" * 4
        for kind, begin, end in codec.places(payload, _FIRST):
            size = end - begin
            mask[begin - 4 : begin] = b"\xff" * 4
            if kind in codec.REAL_SERVER:
                found.append(kind)
            code += f"4x{codec.REAL_SERVER.get(kind, f'{size}x')}{-size % 4}x"
        # Types and sizes, as one large number with nothing between them.
        self._mask = int.from_bytes(mask, "big")
        self._headers = int.from_bytes(payload, "big") & self._mask
        self._struct = struct.Struct(code)
        # A value that this kernel does not tell is the 0 that `values` puts at the end.
        places = {kind: place for place, kind in enumerate(found)}
        self._values = operator.itemgetter(*(places.get(kind, len(found)) for kind in codec.REAL_SERVER))

    def values(self, payload: bytes) -> tuple[t.Any, ...] | None:
        """The values in a message of the same length that looks alike, in the order of REAL_SERVER; else None."""
        if int.from_bytes(payload, "big") & self._mask != self._headers:
            return None
        return self._values((*self._struct.unpack(payload), 0))  # type: ignore[no-any-return]
