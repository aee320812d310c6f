# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What a daemon knows of its servers, and the table that the kernel should have by that. Pure.

Such a daemon changes the table when a server's state changes. What others have changed stays changed; which differences
are such drift and which are its own work is told by the states alone.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, RealServerKey, ServiceKey, Table


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
