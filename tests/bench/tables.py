# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that the bench measures with: described for the collection, and as rules for ipvsadm."""

from __future__ import annotations

import typing as t

DIRECTOR = "lvs1"
EACH = 50
"""Real servers of each service."""

Item = dict[str, t.Any]


def described(services: int) -> list[Item]:
    """So many services as people write them in ``lvs_services``."""
    return [
        {
            "name": f"service{service}",
            "vip": f"10.{1 + service // 1000}.{service // 4 % 250}.1",
            "port": 8000 + service % 4,
            "real_servers": [
                {
                    "address": f"10.200.{service % 200}.{1 + server}",
                    "unmanaged": True,
                    "weight": 1 + (service + server) % 3,
                }
                for server in range(EACH)
            ],
        }
        for service in range(services)
    ]


def host() -> Item:
    """What the inventory says of the director, and what a live look has found there."""
    address = {"address": "10.0.0.1", "prefix": 8, "interface": "eth0", "scope": "global"}
    facts = {
        "addresses": [address],
        "links": {"lo": {"loopback": True, "mac": ""}, "eth0": {"mac": "02:00:5e:10:00:0b"}},
        "distribution": {"name": "Debian", "family": "Debian"},
    }
    return {"lvs_host": facts}


def with_weights_edited(services: t.Iterable[Item]) -> list[Item]:
    """The services as ``ipvs_services`` takes them, with the weight of every hundredth real server changed."""
    number = 0
    edited = []
    for service in services:
        servers = []
        for server in service["real_servers"]:
            number += 1
            servers.append(server if number % 100 else {**server, "weight": server["weight"] + 10})
        edited.append({**service, "real_servers": servers})
    return edited


def rules(services: t.Iterable[Item]) -> list[str]:
    """The lines that ``ipvsadm -Sn`` prints of these services, in their order, and that ``ipvsadm -R`` reads."""
    lines = []
    for service in services:
        name = f"-t {service['vip']}:{service['port']}"
        lines.append(f"-A {name} -s wlc")
        lines += [
            f"-a {name} -r {server['address']}:{server['port']} -g -w {server['weight']}"
            for server in service["real_servers"]
        ]
    return lines


def edits(before: t.Iterable[str], after: t.Iterable[str]) -> list[str]:
    """The lines for ``ipvsadm -R`` that turn one table into the other, which differs in weights only."""
    return [f"-e{new.removeprefix('-a')}" for old, new in zip(before, after) if old != new]
