# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The way of a real server's answers when its director masquerades: through the director, and nothing else does. Pure.

Routes are chosen by rules: what leaves with the real server's own address and the port that it serves looks for its way
in a table that has nothing but a default route by the director. Its own default route, ssh, and what it asks others for
are not concerned. Tables in a range of their own are ours, and so are the rules that name one.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t
import zlib

TABLES = range(0x4C000000, 0x4D000000)
PREFERENCE = 19456  # before the main table's rule, 32766
PROTOCOLS: t.Mapping[str, int] = {"tcp": 6, "udp": 17, "sctp": 132}
_ANY = "0.0.0.0"


def table_of(gateway: str) -> int:
    """The number of the table that leads to a gateway, the same on every host."""
    return TABLES.start + (zlib.crc32(ipaddress.ip_address(gateway).packed) & 0xFFFFFF)


@dataclasses.dataclass(frozen=True, order=True)
class Rule:
    """What leaves from this address and port looks into this table."""

    address: str
    protocol: str
    port: int
    table: int

    def words(self) -> str:
        """As ip(8) takes them."""
        length = ipaddress.ip_address(self.address).max_prefixlen
        chosen = f"from {self.address}/{length} ipproto {self.protocol} sport {self.port}"
        return f"pref {PREFERENCE} {chosen} lookup {self.table}"

    @property
    def version(self) -> int:
        return ipaddress.ip_address(self.address).version


@dataclasses.dataclass(frozen=True, order=True)
class Route:
    """The default route of a table."""

    table: int
    gateway: str

    def words(self) -> str:
        return f"default via {self.gateway} table {self.table}"

    @property
    def version(self) -> int:
        return ipaddress.ip_address(self.gateway).version


@dataclasses.dataclass(frozen=True)
class State:
    """The rules and routes of ours."""

    rules: frozenset[Rule] = frozenset()
    routes: frozenset[Route] = frozenset()

    def answers(self) -> list[dict[str, t.Any]]:
        """What takes which way, as a user writes it."""
        gateways = {route.table: route.gateway for route in self.routes}
        return [
            {
                "address": rule.address,
                "protocol": rule.protocol,
                "port": rule.port,
                "gateway": gateways.get(rule.table),
            }
            for rule in sorted(self.rules)
            if rule.address != _ANY
        ]


@dataclasses.dataclass(frozen=True)
class Step:
    """One change: of a rule or a route, added or removed."""

    add: bool
    what: Rule | Route

    def __str__(self) -> str:
        family = "-6 " if self.what.version == 6 else ""
        kind = "rule" if isinstance(self.what, Rule) else "route"
        return f"ip {family}{kind} {'add' if self.add else 'del'} {self.what.words()}"


def wanted(answers: t.Iterable[t.Mapping[str, t.Any]]) -> State:
    """:arg answers: checked; each with address, protocol, port and gateway."""
    rules: set[Rule] = set()
    routes: set[Route] = set()
    for answer in answers:
        address, gateway = (str(ipaddress.ip_address(answer[key])) for key in ("address", "gateway"))
        table = table_of(gateway)
        routes.add(Route(table, gateway))
        rules.add(Rule(address, answer["protocol"], answer["port"], table))
        if answer["protocol"] == "udp" and ":" not in address:
            # A server whose socket is bound to no address has none yet when the way of its answer is looked for.
            rules.add(Rule(_ANY, "udp", answer["port"], table))
    return State(frozenset(rules), frozenset(routes))


def plan(have: State, want: State, purge: bool) -> list[Step]:
    """A table has its route before a rule leads there, and loses it after."""
    steps = [Step(True, route) for route in sorted(want.routes - have.routes)]
    steps += [Step(True, rule) for rule in sorted(want.rules - have.rules)]
    if purge:
        steps += [Step(False, rule) for rule in sorted(have.rules - want.rules)]
        steps += [Step(False, route) for route in sorted(have.routes - want.routes)]
    return steps


def findings(answers: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """What cannot be, whatever the host."""
    found: list[str] = []
    gateways: dict[tuple[str, str, int], str] = {}
    for number, answer in enumerate(answers):
        where = f"answers[{number}] {answer['address']!r}"
        try:
            versions = {ipaddress.ip_address(answer[key]).version for key in ("address", "gateway")}
        except ValueError as exc:
            found.append(f"{where}: {exc}. Names are not looked up; write the address, without a prefix.")
            continue
        if len(versions) > 1:
            found.append(f"{where}: gateway {answer['gateway']} is of another family.")
        if not 1 <= answer["port"] <= 65535:
            found.append(f"{where}: port {answer['port']} is not within 1..65535.")
        key = (answer["address"], answer["protocol"], answer["port"])
        other = gateways.setdefault(key, answer["gateway"])
        if other != answer["gateway"]:
            found.append(f"{where}: {key[1]} {key[2]} goes by {other} already; one address has one way for a port.")
    return found
