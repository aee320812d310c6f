# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep real servers out of a table that nobody has seen ready; documented in the file of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.words import DIRECT

Service = t.Mapping[str, t.Any]
Answer = t.Mapping[str, t.Any]


def hold_unready(
    services: t.Sequence[Service],
    ready: t.Mapping[str, t.Mapping[str, t.Any]],
    marks: t.Sequence[Service] = (),
    answers: t.Mapping[str, t.Sequence[Answer]] | None = None,
    audible: t.Collection[str] = (),
) -> list[dict[str, t.Any]]:
    """The services, with ``hold`` on every real server that lacks its VIPs, its tunnel or its way back."""
    if not isinstance(services, (list, tuple)) or not isinstance(ready, t.Mapping):
        raise AnsibleFilterError("hold_unready takes a list of services, and a dictionary: host, its fact lvs_host")
    wanted = answers or {}
    hosts = {*map(str, ready), *map(str, wanted)}
    known = {host: _Ready(ready.get(host) or {}, wanted.get(host, ()), host in audible) for host in hosts}
    return [{**service, "real_servers": _judged(service, _vips(service, marks), known)} for service in services]


def _vips(service: Service, marks: t.Sequence[Service]) -> list[str]:
    """The VIPs whose packets come to a service."""
    if service.get("mark") is None:
        return [str(service.get("vip"))]
    addresses = [str(one) for mark in marks if mark["mark"] == service["mark"] for one in mark["addresses"]]
    return [one for one in addresses if (":" in one) == (service.get("family") == "ipv6")]


class _Ready:
    """What a host can do at this moment, by its facts."""

    def __init__(self, facts: t.Mapping[str, t.Any], wanted: t.Sequence[Answer] = (), audible: bool = False) -> None:
        self.vips = frozenset(str(vip) for vip in facts.get("held" if audible else "silent", ()))
        self.tunnels = {(*_tunnel(one), one["address"]): one["receiving"] for one in facts.get("tunnels", ())}
        self.astray = {one["address"] for one in wanted if one not in facts.get("answers", ())}

    def serves(self, vip: str, server: Service) -> bool:
        if server.get("forward", "dr") not in DIRECT:
            return str(server["address"]) not in self.astray
        wrapped = server.get("forward") == "tun"
        unwraps = vip in self.tunnels.get((*_tunnel(server), str(server["address"])), ()) if wrapped else True
        return vip in self.vips and unwraps


def _tunnel(said: Service) -> tuple[t.Any, ...]:
    return said.get("tunnel_type", "ipip"), said.get("tunnel_port"), said.get("tunnel_checksum", "nocsum")


def _judged(service: Service, vips: t.Sequence[str], known: t.Mapping[str, _Ready]) -> list[dict[str, t.Any]]:
    judged = []
    for server in service.get("real_servers", []):
        ready = known.get(str(server.get("name")), _Ready({}))
        waits = server.get("name") is not None and not all(ready.serves(vip, server) for vip in vips)
        judged.append({**server, "hold": True} if waits else dict(server))
    return judged


class FilterModule:
    """What Ansible asks a filter plugin for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"hold_unready": hold_unready}
