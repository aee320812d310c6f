# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What ldirectord has made of its servers: told by what it has written into its log, and by the table. Pure.

It answers no questions. But it changes the table only together with a line in its log; so the last word about a server
is where ldirectord has left it, and what differs from that in the table is the work of others.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import ServerState, ServiceState
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServer,
    RealServerKey,
    ServiceKey,
    Table,
    canonical_address,
)

_LINE = re.compile(r"\[[^]]*\] (?P<text>.*)")
_BEGIN = "Starting Linux Director"
_WORD = re.compile(
    r"(?P<word>Added|Restored|Deleted|Quiescent|Readd Quiescent) real server: (?P<server>\S+) "
    r"(mapped from \S+ )?\((?P<service>[^)]+)\).*"
)
_ENDPOINT = re.compile(r"\[?(?P<address>[^\]]+?)\]?:(?P<port>\d+)")

Words = t.Mapping[tuple[str, RealServerKey], bool]


def last_words(log: str) -> dict[tuple[str, RealServerKey], bool]:
    """Whether a real server of a service was put in, or taken out, by the ldirectord that was started last."""
    found: dict[tuple[str, RealServerKey], bool] = {}
    for line in log.splitlines():
        text = _LINE.fullmatch(line)
        if text and text["text"].startswith(_BEGIN):
            found.clear()
        told = _WORD.fullmatch(text["text"]) if text else None
        place = told and _ENDPOINT.fullmatch(told["server"])
        if told and place:
            server = canonical_address(place["address"]) or place["address"], int(place["port"])
            found[_plain(told["service"]), server] = told["word"] in ("Added", "Restored")
    return found


def _plain(service: str) -> str:
    """How the log names a service: a mark, or a place without a protocol."""
    place = _ENDPOINT.fullmatch(service)
    return f"{canonical_address(place['address'])} {place['port']}" if place else service


def _name(key: ServiceKey) -> str:
    return str(key.mark) if key.protocol == "mark" else f"{key.address} {key.port}"


def states(
    words: Words, described: Table, table: Table, quiescent: t.Collection[ServiceKey]
) -> dict[ServiceKey, ServiceState]:
    """
    :arg words: the last ones about each server.
    :arg described: the table when all servers are well.
    :arg table: the kernel's.
    :arg quiescent: services whose failed servers stay in the table, with weight 0.
    """
    names = [_name(key) for key in described.services if key.protocol != "mark"]
    found = {}
    for key in described.services:
        known = {} if names.count(_name(key)) > 1 else words  # of two protocols the log tells nothing apart
        there = table.servers(key) if key in table.services else {}
        servers = {
            place: _state(server, known.get((_name(key), place)), there.get(place), key in quiescent)
            for place, server in described.servers(key).items()
        }
        found[key] = ServiceState(True, any(one.alive for one in servers.values()), servers)
    return found


def _state(server: RealServer, word: bool | None, there: RealServer | None, stays: bool) -> ServerState:
    """Of whom nobody has said a word, what the table has holds."""
    alive = word
    if alive is None:
        alive = there is not None and (there.weight > 0 or server.weight == 0)
    return ServerState(server.weight, server.weight, alive, alive or (stays and there is not None))


def is_built(described: Table, table: Table) -> bool:
    """Whether every service is there, with every server."""
    return all(
        key in table.services and described.servers(key).keys() <= table.servers(key).keys()
        for key in described.services
    )
