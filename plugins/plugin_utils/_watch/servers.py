# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Virtual servers as values: the table that the kernel has when every server is well, and who is looked at how."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import Description, read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import (
    describe_real_server,
    describe_service,
    services_spec,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, ServiceKey, Table

Data = t.Mapping[str, t.Any]

_SERVICE = services_spec()["options"]
_SERVER = _SERVICE["real_servers"]["options"]
SORRY_KEYS = ("address", "port", "forward")
# Keepalived reads weights and marks more narrowly than the kernel.
MAX_WEIGHT = 65535


@dataclass(frozen=True)
class Watched:
    """A virtual server.

    :attr options: what keepalived is told beside the table, as the user wrote it.
    :attr checks: of each real server, by its place in the table.
    :attr words: the same, what is said in words of keepalived's.
    """

    where: str
    key: ServiceKey
    options: Data
    sorry: RealServer | None
    checks: t.Mapping[tuple[str, int], t.Sequence[Data]]
    words: t.Mapping[tuple[str, int], t.Any]

    def called(self, address: str, number: int) -> str:
        """How messages name a check of a real server: those of the service come first."""
        common = len(self.options.get("checks", ()))
        if number < common:
            return f"{self.where}, checks[{number}]"
        return f"{self.where}, real server {address}, checks[{number - common}]"


@dataclass(frozen=True)
class Watch:
    """All virtual servers of a host."""

    description: Description
    services: tuple[Watched, ...]


def table_services(servers: t.Iterable[Data]) -> list[dict[str, t.Any]]:
    """The virtual servers as ``ipvs_services`` takes services, without what it does not know."""
    return [
        {
            **{key: value for key, value in one.items() if key in _SERVICE},
            "real_servers": [
                {key: value for key, value in server.items() if key in _SERVER}
                for server in one.get("real_servers", ())
            ],
        }
        for one in servers
    ]


def told(watch: Watch) -> list[dict[str, t.Any]]:
    """What the modules of the daemons take as C(services)."""
    return [_told(one, watch.description.table) for one in watch.services]


def _told(one: Watched, table: Table) -> dict[str, t.Any]:
    sorry = {"sorry_server": _said(describe_real_server(one.sorry))} if one.sorry else {}
    quiescent = {"quiescent": True} if one.options.get("inhibit_on_failure") else {}
    return {
        **_said(describe_service(table.services[one.key])),
        **quiescent,
        "real_servers": [_said(describe_real_server(server)) for server in table.servers(one.key).values()],
        **sorry,
    }


def _said(described: Data) -> dict[str, t.Any]:
    return {key: value for key, value in described.items() if value is not None}


def read(described: t.Sequence[Data], findings: list[str]) -> Watch:
    """What cannot work goes to ``findings``.

    :raises OptionError: when there is no such table, with every reason.
    """
    description = read_services(table_services(described))
    watched = []
    for key, one in zip(description.table.services, described):
        name = one.get("name")
        where = f"Service {key} ({name})" if name else f"Service {key}"
        weights = [server.weight for server in description.table.servers(key).values()]
        quorum, hysteresis = int(one.get("quorum") or 1), int(one.get("hysteresis") or 0)
        if hysteresis >= quorum and hysteresis:
            text = f"hysteresis {hysteresis} must be below quorum {quorum}: the quorum could never be lost"
            findings.append(f"{where}: {text}. Lower it, or raise quorum")
        elif quorum + hysteresis > max(sum(weights), 1):
            wanted = f"quorum {quorum}" + (f" with hysteresis {hysteresis}" if hysteresis else "")
            text = f"{wanted} is above {sum(weights)}, the sum of the weights of its real servers"
            idle = f", of which {weights.count(0)} have weight 0" if 0 in weights else ""
            findings.append(f"{where}: {text}{idle}, so it could never be met. Lower it")
        if any(weight > MAX_WEIGHT for weight in weights):
            findings.append(f"{where}: weight {max(weights)} is out of range for keepalived. Use 0 to {MAX_WEIGHT}.")
        servers = dict(zip(description.table.servers(key), one.get("real_servers", ())))
        checks = {place: [*one.get("checks", ()), *server.get("checks", ())] for place, server in servers.items()}
        said = {place: server.get("keepalived") for place, server in servers.items()}
        watched.append(Watched(where, key, one, _sorry(key, where, one, findings), checks, said))
    return Watch(description, tuple(watched))


def _sorry(key: ServiceKey, where: str, one: Data, findings: list[str]) -> RealServer | None:
    """The sorry server, judged by the rules for real servers."""
    given = one.get("sorry_server")
    if not given:
        return None
    service = {name: one.get(name) for name in ("vip", "port", "protocol", "mark", "family") if one.get(name)}
    server = {name: given[name] for name in SORRY_KEYS if given.get(name) is not None}
    persistent = {"persistent": one["persistent"]} if one.get("persistent") else {}
    try:
        judged = read_services([{**service, **persistent, "name": "", "real_servers": [server]}])
    except OptionError as exc:
        findings += [f"{where}, sorry server{finding.partition('real server')[2]}" for finding in exc.findings]
        return None
    (sorry,) = judged.table.servers(key).values()
    if any(server.get("address") == given.get("address") for server in one.get("real_servers", ())):
        text = f"sorry server {sorry.address} is one of its real servers, and it answers when none of them does. Name"
        findings.append(f"{where}: {text} another one, or 127.0.0.1 with forward: dr for the director's own server")
    return sorry
