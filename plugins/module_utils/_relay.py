# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A director that takes over from another one sends it all that it does not know, for a while. Pure.

The other director has become the only real server with a weight: connections that it has begun reach it although their
packets come here, and it knows where they belong. Then the real servers have their weights back, and it only keeps
what it has.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServer,
    RealServerKey,
    ServiceKey,
    Table,
    endpoint,
)

# A packet in the middle of a connection that is not known here makes it known (sloppy_*); without that it is refused.
# A client that is bound to a real server keeps it while its weight is 0 (expire_quiescent_template).
SETTINGS = {"sloppy_tcp": "1", "sloppy_sctp": "1", "expire_quiescent_template": "0"}


@dataclasses.dataclass(frozen=True)
class Relay:
    """What was there before.

    :attr weights: service -> real server -> its weight.
    :attr relays: service -> the address of the other director.
    :attr settings: of net.ipv4.vs.
    """

    weights: t.Mapping[str, t.Mapping[str, int]] = dataclasses.field(default_factory=dict)
    relays: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    settings: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


def elsewhere(keys: t.Iterable[ServiceKey], held: t.Collection[str]) -> list[ServiceKey]:
    """Those whose VIP is not here already: the other director would drop its packets. One of a mark may have any VIP.

    :arg held: the VIPs that are here.
    """
    return [key for key in keys if key.address not in held and not (key.protocol == "mark" and held)]


def begin(
    table: Table,
    keys: t.Iterable[ServiceKey],
    to: t.Mapping[str, str],
    own: t.Collection[str],
    settings: t.Mapping[str, str],
) -> Relay:
    """What to remember.

    A service whose answers come back through its director stays out, for only one of them can undo what it did; and
    so does one that has directors among its real servers, for they would take the packets for their own.

    :arg to: family -> the address of the other director.
    :arg own: the addresses of this one.
    """
    weights, relays = {}, {}
    for key in keys:
        servers = table.servers(key).values()
        address = to.get(key.family)
        directors = {address, *own}
        if address is None or not servers or any(one.forward == "nat" or one.address in directors for one in servers):
            continue
        weights[str(key)] = {_name(one): one.weight for one in servers}
        relays[str(key)] = address
    return Relay(weights, relays, settings)


def sending(table: Table, relay: Relay) -> Table:
    """The other director gets everything."""

    def change(_key: ServiceKey, server: RealServer) -> RealServer:
        return server._replace(weight=0)

    return _changed(table, relay, change, 1)


def ending(table: Table, relay: Relay) -> Table:
    """The other director gets what it has already. A real server that somebody has given a weight since keeps it."""

    def change(key: ServiceKey, server: RealServer) -> RealServer:
        found = relay.weights[str(key)].get(_name(server), server.weight)
        return server if server.weight else server._replace(weight=found)

    return _changed(table, relay, change, 0)


def ended(table: Table, relay: Relay) -> Table:
    """The other director gets nothing any more."""
    mine = table.only(_keys(table, relay))
    return Table(
        mine.services,
        {
            key: {name: one for name, one in servers.items() if not is_relay(relay, key, one)}
            for key, servers in mine.real_servers.items()
        },
    )


def is_relay(relay: Relay, key: ServiceKey, server: RealServer) -> bool:
    """Whether an entry of the table is the other director."""
    return relay.relays.get(str(key)) == server.address and server.port == key.port


def _changed(
    table: Table, relay: Relay, change: t.Callable[[ServiceKey, RealServer], RealServer], weight: int
) -> Table:
    mine = table.only(_keys(table, relay))
    real_servers: dict[ServiceKey, dict[RealServerKey, RealServer]] = {}
    for key in mine.services:
        other = RealServer(relay.relays[str(key)], key.port, "dr", weight)
        kept = {name: change(key, one) for name, one in mine.servers(key).items() if name != other.key}
        real_servers[key] = {**kept, other.key: other}
    return Table(mine.services, real_servers)


def _keys(table: Table, relay: Relay) -> set[ServiceKey]:
    return {key for key in table.services if str(key) in relay.relays}


def _name(server: RealServer) -> str:
    return endpoint(server.address, server.port)
