# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""From the table that is to the table that shall be, in steps that keep traffic flowing.

The order is adds, edits, removals. Each new service is followed at once by its real servers. Among the edits, those
that let traffic in come before those that keep it out. A service that goes takes its real servers along: emptying it
first would refuse its clients earlier than needed. Nothing is edited by removing it and adding it again, and nothing is
ever flushed. Everything here is pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._rules import key_words, real_server_words, service_words
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServer,
    RealServerKey,
    Service,
    ServiceKey,
    Table,
    endpoint,
)

ADD, EDIT, REMOVE = "add", "edit", "remove"

_SERVICE_COMMANDS = {ADD: "-A", EDIT: "-E", REMOVE: "-D"}
_SERVER_COMMANDS = {ADD: "-a", EDIT: "-e", REMOVE: "-d"}


class Step(t.NamedTuple):
    """One command to the kernel."""

    phase: str
    service: Service
    server: RealServer | None = None
    """None when the step is about the service itself."""

    @property
    def key(self) -> ServiceKey:
        return self.service.key

    @property
    def subject(self) -> str:
        """What the step is about, for messages."""
        if self.server is None:
            return f"Service {self.key}"
        return f"Service {self.key}, real server {endpoint(self.server.address, self.server.port)}"

    def __str__(self) -> str:
        """The ipvsadm(8) command line that does the same."""
        if self.server is None:
            command = _SERVICE_COMMANDS[self.phase]
            return f"{command} {key_words(self.key) if self.phase == REMOVE else service_words(self.service)}"
        command = _SERVER_COMMANDS[self.phase]
        if self.phase == REMOVE:
            return f"{command} {key_words(self.key)} -r {endpoint(self.server.address, self.server.port)}"
        return f"{command} {real_server_words(self.key, self.server)}"


Held = t.AbstractSet[tuple[ServiceKey, RealServerKey]]


def settle(have: Table, want: Table, held: Held) -> tuple[Table, list[tuple[ServiceKey, RealServer]]]:
    """Leave out of ``want`` the real servers that are held back and not in the table yet.

    A service that would have nobody left keeps those that it has: better they than a service that refuses everybody.

    :returns: what remains to be wanted, and what was left out.
    """
    left_out = []
    real_servers = dict(want.real_servers)
    for key in {key: None for key, server_key in held}:
        present = have.servers(key)
        kept = {}
        for server_key, server in want.servers(key).items():
            if (key, server_key) in held and server_key not in present:
                left_out.append((key, server))
            else:
                kept[server_key] = server
        real_servers[key] = kept or present
    return Table(want.services, real_servers), left_out


def keep_weights(have: Table, want: Table) -> Table:
    """``want``, but real servers that are in the table already have the weights that they have there."""
    real_servers = dict(want.real_servers)
    for key, servers in want.real_servers.items():
        present = have.servers(key)
        real_servers[key] = {
            name: server._replace(weight=present[name].weight) if name in present else server
            for name, server in servers.items()
        }
    return Table(want.services, real_servers)


def plan(
    have: Table,
    want: Table,
    purge: bool = False,
    purge_real_servers: bool = False,
    owned: t.Collection[ServiceKey] = (),
) -> tuple[Step, ...]:
    """The steps from one table to another.

    :arg have: the host's table.
    :arg want: the services that shall be there, each with its real servers.
    :arg purge: remove every service that is not wanted.
    :arg purge_real_servers: remove the real servers that are not wanted from the services that are.
    :arg owned: services to remove, when they are there and not wanted, even without ``purge``.
    """
    adds: list[Step] = []
    service_edits: list[Step] = []
    opening_edits: list[Step] = []
    closing_edits: list[Step] = []
    removals: list[Step] = []
    for key, service in want.services.items():
        present = have.services.get(key)
        if present is None:
            adds.append(Step(ADD, service))
        elif present != service:
            service_edits.append(Step(EDIT, service))
        have_servers, want_servers = have.servers(key), want.servers(key)
        if have_servers is want_servers or have_servers == want_servers:
            continue
        for server_key, server in want_servers.items():
            found = have_servers.get(server_key)
            if found is None:
                adds.append(Step(ADD, service, server))
            elif found != server:
                (opening_edits if server.weight else closing_edits).append(Step(EDIT, service, server))
        if purge_real_servers:
            removals.extend(
                Step(REMOVE, service, server) for name, server in have_servers.items() if name not in want_servers
            )
    removals.extend(
        Step(REMOVE, service)
        for key, service in have.services.items()
        if key not in want.services and (purge or key in owned)
    )
    return (*adds, *service_edits, *opening_edits, *closing_edits, *removals)


def rerouted(have: Table, steps: t.Iterable[Step]) -> list[Step]:
    """The steps after which packets reach a real server by direct routing, and reached it in another way before."""
    return [
        step
        for step in steps
        if step.phase == EDIT
        and step.server is not None
        and step.server.forward == "dr" != have.servers(step.key)[step.server.key].forward
    ]


def plan_real_server(have: Table, key: ServiceKey, server: RealServer) -> tuple[Step, ...]:
    """The step, if any, that makes one real server as it shall be. Nothing else is touched."""
    service = have.services.get(key, Service(key))
    found = have.servers(key).get(server.key)
    if found is None:
        return (Step(ADD, service, server),)
    return () if found == server else (Step(EDIT, service, server),)


def plan_no_real_server(have: Table, key: ServiceKey, name: RealServerKey) -> tuple[Step, ...]:
    """The step, if any, that takes one real server out. Nothing else is touched."""
    found = have.servers(key).get(name)
    return () if found is None else (Step(REMOVE, have.services[key], found),)


def after(have: Table, steps: t.Iterable[Step]) -> Table:
    """The table that the steps make of ``have``: what check mode and diff mode show."""
    services = dict(have.services)
    real_servers = dict(have.real_servers)
    copied: set[ServiceKey] = set()
    for step in steps:
        key, server = step.key, step.server
        if server is None:
            if step.phase == REMOVE:
                services.pop(key, None)
                real_servers.pop(key, None)
            else:
                services[key] = step.service
                real_servers.setdefault(key, {})
            continue
        if key not in copied:
            real_servers[key] = dict(real_servers.get(key, {}))
            copied.add(key)
        servers = t.cast("dict[RealServerKey, RealServer]", real_servers[key])
        if step.phase == REMOVE:
            servers.pop(server.key, None)
        else:
            servers[server.key] = server
    return Table(services, real_servers)


def in_table_order(have: Table, want: Table) -> Table:
    """``want``, its real servers in the order that the table has once the plan is applied: present ones come first."""
    real_servers = {}
    for key, servers in want.real_servers.items():
        kept = [name for name in have.servers(key) if name in servers]
        real_servers[key] = {name: servers[name] for name in dict.fromkeys([*kept, *servers])}
    return Table(want.services, real_servers)


def out_of_order(have: Table, want: Table) -> list[ServiceKey]:
    """Services whose real servers stand in the table in another order than wanted, where the order matters.

    The scheduler sh deals out its hash buckets in the order in which real servers were added, so two directors send a
    client to the same real server only if they agree in it.
    """
    hashed = want.only({key for key, service in want.services.items() if service.scheduler == "sh"})
    settled = in_table_order(have, hashed)
    return [key for key in hashed.services if list(settled.servers(key)) != list(hashed.servers(key))]
