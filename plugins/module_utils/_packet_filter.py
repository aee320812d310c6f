# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What packet filters do with a packet: tables of rules and a packet in, what becomes of it out. Pure.

It claims nothing that it does not know. A packet stands for all that its fields allow, and a rule whose conditions some
of those fulfil, or whose conditions nobody here can read, may be followed or not: both ways are gone. Only what all
ways have in common is certain. So a rule for some clients alone makes the answer "depends", never "passes" or "drops".
"""

from __future__ import annotations

import dataclasses
import fnmatch
import typing as t

Truth = t.Optional[bool]  # None: for some packets it is so, or nobody knows

ACCEPT, DROP, UNKNOWN = "accept", "drop", "unknown"  # UNKNOWN: whoever takes it then decides, such as a program
JUMP, GOTO, RETURN, NOTHING = "jump", "goto", "return", "nothing"
MARK, UNTRACK = "mark", "untrack"  # what a rule can do to a packet before it goes on
PASSES, DROPS, DEPENDS = "passes", "drops", "depends"

# The hooks that packets go through, by where they are decided upon.
WAYS = {
    "input": ("ingress", "prerouting", "input"),
    "forward": ("ingress", "prerouting", "forward", "postrouting"),
    "output": ("output", "postrouting"),
}
_DEPTH = 32


class Span(t.NamedTuple):
    """Numbers from one to another; addresses are numbers, too, of a kind of their own."""

    kind: str
    low: int
    high: int


@dataclasses.dataclass(frozen=True)
class Except:
    """Any word but these."""

    words: frozenset[str]


Value = t.Union[Span, str]
Known = t.Union[Span, frozenset[str], Except, None]  # what a field may be: numbers, words, or anything


@dataclasses.dataclass(frozen=True)
class Packet:
    """One, or all that have this in common.

    :attr hook: where it is decided upon, a key of WAYS.
    :attr fields: by name; what is not there is nothing that such a packet has, such as a port of VRRP.
    :attr before: the priority at its hook from which on no chain sees it, since IPVS takes it there.
    """

    hook: str
    version: int
    fields: t.Mapping[str, Known]
    before: int | None = None


@dataclasses.dataclass(frozen=True)
class Condition:
    """A field that must be, or must not be, one of some values."""

    field: str
    values: tuple[Value, ...]
    negated: bool = False

    def holds(self, packet: Packet) -> Truth:
        if self.field not in packet.fields:
            return False
        found = _among(packet.fields[self.field], self.values)
        return found if found is None else found is not self.negated


@dataclasses.dataclass(frozen=True)
class Flags:
    """Flags of TCP: of those of the mask these and no others."""

    mask: frozenset[str]
    wanted: frozenset[str]
    negated: bool = False

    def holds(self, packet: Packet) -> Truth:
        known = packet.fields.get("flags")
        if not isinstance(known, frozenset):
            return False if "flags" not in packet.fields else None
        return (known & self.mask == self.wanted) is not self.negated


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """A condition that nobody here can read."""

    def holds(self, _packet: Packet) -> Truth:
        return None


AnyCondition = t.Union[Condition, Flags, Unreadable]


@dataclasses.dataclass(frozen=True)
class Rule:
    """:attr target: the chain that it goes on in.
    :attr comment: what stands beside it, by which ours are known.
    :attr text: as the tool shows it, or what finds it there.
    """

    conditions: tuple[AnyCondition, ...]
    action: str
    target: str = ""
    comment: str = ""
    text: str = ""


@dataclasses.dataclass(frozen=True)
class Chain:
    """:attr hook: of a base chain; empty for others."""

    name: str
    rules: tuple[Rule, ...]
    hook: str = ""
    priority: int = 0
    policy: str = ACCEPT
    device: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """:attr tool: whose words name it: V(nftables) or V(iptables).
    :attr family: V(inet), V(ip), V(ip6) or V(netdev).
    :attr owner: which program looks after it: V(firewalld), V(ufw), or the tool itself.
    """

    tool: str
    family: str
    name: str
    chains: t.Mapping[str, Chain]
    owner: str = ""

    def sees(self, version: int) -> bool:
        return self.family in ("inet", "netdev", "ip" if version == 4 else "ip6")


class Place(t.NamedTuple):
    """Where a packet ends: by a rule, or by a chain's policy."""

    table: Table
    base: Chain
    chain: str
    rule: Rule | None


class Judgement(t.NamedTuple):
    """:attr verdict: PASSES, DROPS or DEPENDS.
    :attr places: who drops it, or may.
    """

    verdict: str
    places: tuple[Place, ...] = ()


def judge(tables: t.Iterable[Table], packet: Packet) -> Judgement:
    """What becomes of a packet. Every base chain on its way has to let it go on."""
    certain: list[Place] = []
    possible: list[Place] = []
    for table, base in _on_the_way(tables, packet):
        walk = _Walk(table, base, packet)
        verdicts = {verdict for verdict, _place in walk.outcomes}
        against = [place for verdict, place in walk.outcomes if verdict != ACCEPT]
        if verdicts == {DROP}:
            certain.append(against[-1])  # what ended it for sure; those before may have
        else:
            possible += against
        packet = dataclasses.replace(packet, fields={**packet.fields, **walk.changed})
    if certain:
        return Judgement(DROPS, tuple(certain))
    return Judgement(DEPENDS, tuple(possible)) if possible else Judgement(PASSES)


def _on_the_way(tables: t.Iterable[Table], packet: Packet) -> list[tuple[Table, Chain]]:
    way = WAYS[packet.hook]
    found = [
        (table, chain)
        for table in tables
        if table.sees(packet.version)
        for chain in table.chains.values()
        if chain.hook in way and not _is_passed_by(chain, packet)
    ]
    return sorted(found, key=lambda one: (way.index(one[1].hook), one[1].priority))


def _is_passed_by(chain: Chain, packet: Packet) -> bool:
    if chain.device:
        known = packet.fields.get("iif")
        return isinstance(known, frozenset) and chain.device not in known
    return packet.before is not None and chain.hook == packet.hook and chain.priority >= packet.before


_CHANGES: dict[str, tuple[str, Known]] = {MARK: ("mark", None), UNTRACK: ("state", frozenset({"untracked"}))}


class _Walk:
    """Through one base chain and all that it leads to."""

    def __init__(self, table: Table, base: Chain, packet: Packet) -> None:
        self.outcomes: list[tuple[str, Place]] = []
        self.changed: dict[str, Known] = {}
        self._table, self._base, self._packet = table, base, packet
        if self._go(base, 0):
            self._end(base.policy, base.name, None)

    def _end(self, verdict: str, chain: str, rule: Rule | None) -> None:
        self.outcomes.append((verdict, Place(self._table, self._base, chain, rule)))

    def _go(self, chain: Chain, depth: int) -> bool:
        """Whether some packet comes out at the end of the chain."""
        comes_out = False
        for rule in chain.rules:
            holds = _all(rule.conditions, self._packet)
            if holds is False or rule.action == NOTHING:
                continue
            if rule.action in _CHANGES:
                field, value = _CHANGES[rule.action]
                self.changed[field] = value if holds else None
                continue
            if rule.action == RETURN:
                comes_out, ends = True, True
            elif rule.action in (JUMP, GOTO):
                comes_back = self._follow(chain, rule, depth)
                comes_out |= comes_back and rule.action == GOTO
                ends = not comes_back or rule.action == GOTO
            else:
                self._end(rule.action, chain.name, rule)
                ends = True
            if ends and holds:
                return comes_out
        return True

    def _follow(self, chain: Chain, rule: Rule, depth: int) -> bool:
        target = self._table.chains.get(rule.target)
        if target is None or depth > _DEPTH:
            self._end(UNKNOWN, chain.name, rule)
            return True
        return self._go(target, depth + 1)


def _all(conditions: t.Iterable[AnyCondition], packet: Packet) -> Truth:
    truths = [condition.holds(packet) for condition in conditions]
    return False if False in truths else None if None in truths else True


def _among(known: Known, values: t.Iterable[Value]) -> Truth:
    """Whether all, none, or some of what a field may be is among the values."""
    if known is None:
        return None
    if isinstance(known, Except):
        return False if all(value in known.words for value in values) else None
    if isinstance(known, frozenset):
        patterns = [value for value in values if isinstance(value, str)]
        found = [any(fnmatch.fnmatchcase(word, pattern) for pattern in patterns) for word in known]
        return True if all(found) else None if any(found) else False
    return _covers([value for value in values if isinstance(value, Span) and value.kind == known.kind], known)


def _covers(spans: t.Sequence[Span], known: Span) -> Truth:
    reached, touched = known.low, False
    for span in sorted(spans):
        touched |= span.low <= known.high and span.high >= known.low
        if span.low <= reached:
            reached = max(reached, span.high + 1)
    return True if reached > known.high else None if touched else False
