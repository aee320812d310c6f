# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What keepalived knows of its servers, by its own report; and the table that the kernel should have by that. Pure.

Keepalived changes the table when a server's state changes, and never looks at it again. So what others have changed
stays changed. Which differences are such drift and which are its own work is told by the states alone.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServer,
    RealServerKey,
    ServiceKey,
    Table,
    canonical_address,
)

_ADDRESSED = re.compile(r" VS VIP = (?P<address>\S+), VPORT = (?P<port>\d+)")
_MARKED = re.compile(r" VS FWMARK = (?P<mark>\d+)")
_SERVER = re.compile(r" +RIP = (?P<address>\S+), RPORT = (?P<port>\d+), WEIGHT = (?P<weight>\d+) .*")
_FACT = re.compile(r" +(?P<name>[A-Za-z _]+?) = (?P<value>\S+).*")
_SERVICES, _CHECKERS = "------< Virtual server >------", "------< Health checkers >------"


@dataclasses.dataclass
class ServerState:
    """:attr weight: by its checks; what is configured, unless they change it.
    :attr set: it stands in the table, as far as keepalived knows."""

    weight: int
    initial: int = 0
    alive: bool = False
    set: bool = False


@dataclasses.dataclass
class ServiceState:
    """:attr up: it has as many servers as its quorum asks; else the sorry server answers."""

    alive: bool = False
    up: bool = False
    servers: dict[RealServerKey, ServerState] = dataclasses.field(default_factory=dict)


States = t.Mapping[ServiceKey, ServiceState]


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


def due(described: Table, sorry: t.Mapping[ServiceKey, RealServer], states: States) -> Table:
    """The table that the kernel should have.

    :arg described: what it has when all servers are well.
    :arg sorry: who answers for a service when too few of them are.
    """
    services, real_servers = {}, {}
    for key, service in described.services.items():
        state = states.get(key)
        if state is None or not state.alive:
            continue
        stands_in = not state.up and key in sorry
        services[key] = service
        real_servers[key] = dict(_due_servers(described.servers(key), state, stands_in))
        if stands_in:
            real_servers[key][sorry[key].key] = sorry[key]
    return Table(services, real_servers)


def _due_servers(
    described: t.Mapping[RealServerKey, RealServer], state: ServiceState, stands_in: bool
) -> t.Iterator[tuple[RealServerKey, RealServer]]:
    for place, server in described.items():
        known = state.servers.get(place)
        if known is not None and known.set:
            # A failed one that is still set was inhibited: it keeps its connections and gets no new ones.
            yield place, server._replace(weight=known.weight if known.alive and not stands_in else 0)
