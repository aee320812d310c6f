# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the IPVS modules promise, written down a second time: plain dictionaries and the text of ipvsadm."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

Params = dict[str, Any]

_PROTOCOLS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}
_FORWARD = {"dr": "-g", "nat": "-m", "tun": "-i"}
_FULL = {"255.255.255.255", "32", "128"}


def name(service: Params) -> str:
    """How ipvsadm names it."""
    if "mark" in service:
        return f"-f {service['mark']}" + (" -6" if service.get("family") == "ipv6" else "")
    return f"{_PROTOCOLS[service.get('protocol', 'tcp')]} {endpoint(service['vip'], service['port'])}"


def endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def server_name(service: Params, server: Params) -> str:
    return endpoint(server["address"], server.get("port", service.get("port", 0)))


def service_words(service: Params) -> str:
    """What ipvsadm saves after the name."""
    words = f"-s {service.get('scheduler', 'wlc')}"
    if "persistent" in service:
        words += f" -p {service['persistent']}"
        mask = service.get("netmask")
        words += f" -M {mask}" if mask and mask not in _FULL else ""
    words += f" --pe {service['pe']}" if "pe" in service else ""
    words += " -o" if service.get("ops") else ""
    return words + (f" -b {','.join(sorted(service['scheduler_flags']))}" if service.get("scheduler_flags") else "")


@dataclass
class Server:
    """A real server as ipvsadm shows it."""

    forward: str
    weight: int
    tunnel: str
    thresholds: tuple[int, int]

    @staticmethod
    def of(params: Params) -> Server:
        forward, tunnel = params.get("forward", "dr"), ""
        if forward == "tun":
            kind = params.get("tunnel_type", "ipip")
            tunnel = f" --tun-type {kind}"
            tunnel += f" --tun-port {params['tunnel_port']}" if kind == "gue" else ""
            tunnel += f" --tun-{params.get('tunnel_checksum', 'nocsum')}" if kind != "ipip" else ""
        limits = params.get("upper_threshold", 0), params.get("lower_threshold", 0)
        return Server(_FORWARD[forward], params.get("weight", 1), tunnel, limits)


@dataclass
class Model:
    """Everything that the modules manage."""

    services: dict[str, str] = field(default_factory=dict)
    servers: dict[str, dict[str, Server]] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=dict)
    daemons: dict[str, str] = field(default_factory=dict)
    timeouts: list[int] = field(default_factory=lambda: [900, 120, 300])

    def copy(self) -> Model:
        return copy.deepcopy(self)

    def ipvs_service(self, params: Params) -> None:
        if params.get("state") == "absent":
            self._remove(name(params))
        else:
            self._put(params)

    def ipvs_real_server(self, params: Params) -> bool:
        """Does it work?"""
        key, server = name(params), {**params, "port": params.get("server_port", params.get("port", 0))}
        place = server_name(params, server)
        if params.get("state") == "absent":
            self.servers.get(key, {}).pop(place, None)
        elif key not in self.services:
            return False
        else:
            self.servers[key][place] = Server.of(params)
        return True

    def ipvs_services(self, params: Params) -> None:
        listed = [name(service) for service in params["services"]]
        for service in params["services"]:
            self._put(service)
            self._fill(service, params)
        owner = params.get("owner")
        if owner:
            others = {key for one, keys in self.owners.items() if one != owner for key in keys}
            for key in self.owners.get(owner, set()) - others - set(listed):
                self._remove(key)
            self.owners[owner] = set(listed)
            self.owners = {one: keys for one, keys in self.owners.items() if keys}
        if params.get("purge"):
            for key in set(self.services) - set(listed):
                self._remove(key)

    def ipvs_timeouts(self, params: Params) -> None:
        for place, word in enumerate(("tcp", "tcp_fin", "udp")):
            self.timeouts[place] = params.get(word) or self.timeouts[place]

    def ipvs_sync_daemon(self, params: Params) -> None:
        for role in ("master", "backup") if params["role"] == "both" else (params["role"],):
            if params.get("state") == "absent":
                self.daemons.pop(role, None)
                continue
            group = params.get("group", "224.0.0.81")
            longest = params.get("maxlen", 1500 - (48 if ":" in group else 28))
            self.daemons[role] = (
                f"{role} sync daemon (mcast=wire, syncid={params.get('syncid', 0)}, maxlen={longest},"
                f" group={group}, port={params.get('port', 8848)}, ttl={params.get('ttl', 1)})"
            )

    def _put(self, service: Params) -> None:
        self.services[name(service)] = service_words(service)
        self.servers.setdefault(name(service), {})

    def _remove(self, key: str) -> None:
        self.services.pop(key, None)
        self.servers.pop(key, None)

    def _fill(self, service: Params, params: Params) -> None:
        """The real servers of a listed service."""
        key = name(service)
        present, wanted = self.servers[key], {}
        for server in service.get("real_servers", []):
            place = server_name(service, server)
            if server.get("hold") and place not in present:
                continue
            wanted[place] = Server.of(server)
            if params.get("keep_weights") and place in present:
                wanted[place].weight = present[place].weight
        held = any(server.get("hold") for server in service.get("real_servers", []))
        if not wanted and held:
            return
        self.servers[key] = wanted if params.get("purge_real_servers") else {**present, **wanted}

    def shown(self) -> dict[str, Any]:
        """What ipvsadm has to show."""
        table = {f"-A {key} {words}" for key, words in self.services.items()}
        for key, servers in self.servers.items():
            for place, one in servers.items():
                table.add(f"-a {key} -r {place} {one.forward} -w {one.weight}{one.tunnel} {one.thresholds}")
        return {"table": table, "daemons": set(self.daemons.values()), "timeouts": self.timeouts}
