# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What keepalived knows of its servers, by its own report. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import ServerState, ServiceState, States
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey, Table, canonical_address

_ADDRESSED = re.compile(r" VS VIP = (?P<address>\S+), VPORT = (?P<port>\d+)")
_MARKED = re.compile(r" VS FWMARK = (?P<mark>\d+)")
_SERVER = re.compile(r" +RIP = (?P<address>\S+), RPORT = (?P<port>\d+), WEIGHT = (?P<weight>\d+) .*")
_FACT = re.compile(r" +(?P<name>[A-Za-z _]+?) = (?P<value>\S+).*")
_SERVICES, _CHECKERS = "------< Virtual server >------", "------< Health checkers >------"


def parse(report: str) -> dict[ServiceKey, ServiceState]:
    """The states of all virtual servers. A report that is cut off gives those before the cut."""
    found: dict[ServiceKey, ServiceState] = {}
    for part in report.partition(_CHECKERS)[0].split(_SERVICES)[1:]:
        key, state = _parse_service(part.splitlines())
        if key is not None:
            found[key] = state
    return found


def _parse_service(lines: t.Iterable[str]) -> tuple[ServiceKey | None, ServiceState]:
    state = ServiceState()
    place: dict[str, str] = {}
    server: ServerState | None = None
    for line in lines:
        head = _ADDRESSED.fullmatch(line) or _MARKED.fullmatch(line)
        one, fact = _SERVER.fullmatch(line), _FACT.fullmatch(line)
        if head:
            place.update(head.groupdict())
        elif one:
            server = ServerState(int(one["weight"]))
            state.servers[canonical_address(one["address"]) or one["address"], int(one["port"])] = server
        elif fact and server is None:
            place.setdefault(fact["name"].strip(), fact["value"])
            # The sorry server has such a line of its own, further in.
            if fact["name"] in ("alive", "VS alive") and line.startswith("   ") and line[3] != " ":
                state.alive = fact["value"] == "1"
            state.up |= fact["name"] == "quorum_state_up" and fact["value"] == "1"
        elif fact and server is not None:
            if fact["name"] == "initial weight":
                server.initial = int(fact["value"])
            server.alive |= fact["name"] == "alive" and fact["value"] == "1"
            server.set |= fact["name"] == "RS set" and fact["value"] == "1"
    return _key(place), state


def _key(place: t.Mapping[str, str]) -> ServiceKey | None:
    if "mark" in place:
        return ServiceKey.marked(int(place["mark"]), "ipv6" if place.get("Address family") == "inet6" else "ipv4")
    address = canonical_address(place.get("address", ""))
    if address is None:
        return None
    return ServiceKey.addressed(place.get("protocol", "TCP").lower(), address, int(place["port"]))


def knows(states: States, described: Table) -> bool:
    """Whether keepalived works with this description by now."""
    if set(states) != set(described.services):
        return False
    return all(
        {place: state.initial for place, state in states[key].servers.items()}
        == {place: server.weight for place, server in described.servers(key).items()}
        for key in described.services
    )
