# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Rules as ``nft --json list ruleset`` tells them, in the words of ``_packet_filter``. Pure.

What is not known here becomes a condition that nobody can read, so nothing is claimed of such a rule. The words are
those of libnftables-json(5).
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _filter_words as words
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import (
    ACCEPT,
    DROP,
    GOTO,
    JUMP,
    MARK,
    NOTHING,
    RETURN,
    UNKNOWN,
    UNTRACK,
    AnyCondition,
    Chain,
    Condition,
    Flags,
    Rule,
    Span,
    Table,
    Unreadable,
    Value,
)

Data = t.Mapping[str, t.Any]
Key = tuple[str, str, str]  # family, table, name

_FAMILIES = ("inet", "ip", "ip6", "netdev")
_ADDRESSES, _PORTS, _INTERFACES = ("saddr", "daddr"), ("sport", "dport"), ("iif", "oif")
_META = {
    "iif": "iif",
    "iifname": "iif",
    "oif": "oif",
    "oifname": "oif",
    "l4proto": "protocol",
    "nfproto": "nfproto",
    "protocol": "nfproto",
    "mark": "mark",
}
_NFPROTO = {"ip": "ipv4", "ip6": "ipv6"}
_ENDS = {
    "accept": ACCEPT,
    "drop": DROP,
    "reject": DROP,
    "return": RETURN,
    "queue": UNKNOWN,
    "dnat": UNKNOWN,
    "redirect": UNKNOWN,
    "tproxy": UNKNOWN,
    "synproxy": UNKNOWN,
    "fwd": UNKNOWN,
    "snat": ACCEPT,
    "masquerade": ACCEPT,
    "notrack": UNTRACK,
}
# They do something beside, and the rule goes on.
_BESIDE = ("counter", "log", "set", "ct helper", "ct timeout", "ct expectation", "flow", "dup", "last", "map")
_OPERATORS = ("==", "in", "!=", "<", "<=", ">", ">=")


def parse(ruleset: Data) -> list[Table]:
    """All tables that packets of IP come to."""
    objects = [(kind, one) for entry in ruleset.get("nftables", []) for kind, one in entry.items()]
    sets = {_key(one): one.get("elem", []) for kind, one in objects if kind in ("set", "map")}
    rules: dict[Key, list[Rule]] = {}
    for kind, one in objects:
        if kind == "rule":
            place = (one["family"], one["table"], one["chain"])
            rules.setdefault(place, []).extend(_Reader(place[:2], sets).rules(one))
    found = []
    for kind, table in objects:
        if kind == "table" and table["family"] in _FAMILIES:
            where = (table["family"], table["name"])
            chains = [_chain(one, rules) for kind, one in objects if kind == "chain" and _key(one)[:2] == where]
            found.append(Table("nftables", *where, {chain.name: chain for chain in chains}))
    return found


def _key(one: Data) -> Key:
    return one["family"], one["table"], one["name"]


def _chain(one: Data, rules: t.Mapping[Key, list[Rule]]) -> Chain:
    return Chain(
        name=one["name"],
        rules=tuple(rules.get(_key(one), ())),
        hook=one.get("hook", ""),
        priority=one.get("prio", 0),
        policy=one.get("policy", ACCEPT),
        device=_device(one.get("dev", "")),
    )


def _device(value: str | list[str]) -> str:
    return value if isinstance(value, str) else value[0] if len(value) == 1 else ""


class _Unknown(Exception):
    """Words that are not known here."""


class _Reader:
    """The rules of one table."""

    def __init__(self, table: tuple[str, str], sets: t.Mapping[Key, t.Any]) -> None:
        self._table, self._sets = table, sets

    def rules(self, rule: Data) -> list[Rule]:
        """One rule, or as many as its verdict map has verdicts."""
        conditions: list[AnyCondition] = []
        comment, text = str(rule.get("comment", "")), f"handle {rule['handle']}"
        ways: list[tuple[tuple[AnyCondition, ...], str, str]] = []
        action = NOTHING
        for statement in rule.get("expr", []):
            kind, value = _word(statement)
            if kind == "match":
                conditions += self._match(value)
            elif kind == "vmap":
                ways = self._map(value)
            elif kind in (JUMP, GOTO):
                ways = [((), kind, value["target"])]
            elif kind in _ENDS:
                action = _ENDS[kind]
            elif kind == "mangle":
                action = MARK if _sets_mark(value) else action
            elif kind == "xt" and isinstance(value, dict) and value.get("type") == "target":
                action = UNKNOWN
            elif kind not in (*_BESIDE, "continue"):
                conditions.append(Unreadable())
        ways = ways or [((), action, "")]
        return [Rule((*conditions, *more), act, target, comment, text) for more, act, target in ways]

    def _map(self, value: Data) -> list[tuple[tuple[AnyCondition, ...], str, str]]:
        """The ways that a verdict map has."""
        try:
            data = value["data"]
            pairs = self._sets[(*self._table, data[1:])] if isinstance(data, str) else data["set"]
        except (KeyError, TypeError):
            return [((Unreadable(),), UNKNOWN, "")]
        found = []
        for key, verdict in pairs:
            kind, target = _word(verdict)
            conditions = tuple(self._match({"op": "==", "left": value["key"], "right": key}))
            action = kind if kind in (JUMP, GOTO) else _ENDS.get(kind, NOTHING)
            found.append((conditions, action, target["target"] if isinstance(target, dict) else ""))
        return found

    def _match(self, match: Data) -> list[AnyCondition]:
        try:
            return self._conditions(match["op"], match["left"], match["right"])
        except (_Unknown, ValueError, KeyError, TypeError, AttributeError, IndexError):
            return [*_implied(match.get("left")), Unreadable()]

    def _conditions(self, operator: str, left: t.Any, right: t.Any) -> list[AnyCondition]:
        if operator not in _OPERATORS:
            raise _Unknown
        flags = _flags(operator, left, right)
        if flags is not None:
            return [Condition("protocol", (words.number(words.PROTOCOLS["tcp"]),)), flags]
        field = _field(left)
        values = tuple(self._values(field, right))
        if operator[0] in "<>":
            values = tuple(_beyond(operator, value) for value in values)
        return [*_implied(left), Condition(field, values, operator == "!=")]

    def _values(self, field: str, right: t.Any) -> t.Iterator[Value]:
        if isinstance(right, str) and right.startswith("@"):
            right = self._sets[(*self._table, right[1:])]
        if isinstance(right, dict) and "set" in right:
            right = right["set"]
        for one in right if isinstance(right, list) else [right]:
            yield _value(field, one["elem"]["val"] if isinstance(one, dict) and "elem" in one else one)


def _word(statement: t.Any) -> tuple[str, t.Any]:
    """A statement, and what it says."""
    return next(iter(statement.items())) if isinstance(statement, dict) else (str(statement), None)


def _sets_mark(value: Data) -> bool:
    return value.get("key") == {"meta": {"key": "mark"}}


def _field(left: Data) -> str:
    ((kind, what),) = left.items()
    if kind == "payload" and what["field"] in (*_ADDRESSES, *_PORTS) and what.get("protocol") not in ("ether", "arp"):
        return str(what["field"])
    if kind == "payload" and (what["protocol"], what["field"]) in (("ip", "protocol"), ("ip6", "nexthdr")):
        return "protocol"
    if kind == "meta" and what["key"] in _META:
        return _META[what["key"]]
    if kind == "ct" and what["key"] in ("state", "status") and "dir" not in what:
        return str(what["key"])
    if kind == "fib" and what["result"] == "type" and list(what["flags"]) in (["daddr"], ["saddr"]):
        return "target" if "daddr" in what["flags"] else "sender"
    if kind == "fib" and what["result"] in ("oif", "oifname") and "saddr" in what["flags"]:
        return "way back"
    raise _Unknown


def _implied(left: t.Any) -> list[AnyCondition]:
    """What nft does not say, since the word itself does."""
    payload = left.get("payload") if isinstance(left, dict) else None
    protocol = payload.get("protocol") if isinstance(payload, dict) else None
    if protocol in _NFPROTO:
        return [Condition("nfproto", (_NFPROTO[protocol],))]
    if protocol in words.PROTOCOLS:
        return [Condition("protocol", (words.number(words.PROTOCOLS[protocol]),))]
    return []


def _flags(operator: str, left: t.Any, right: t.Any) -> Flags | None:
    """Those of TCP, with or without a mask."""
    mask: t.Any = words.FLAGS
    if isinstance(left, dict) and "&" in left:
        left, mask = left["&"]
    if left != {"payload": {"protocol": "tcp", "field": "flags"}}:
        return None
    wanted = _flag_words(right)
    if operator == "in":  # any of them
        return Flags(wanted, frozenset(), negated=True)
    if operator not in ("==", "!="):
        raise _Unknown
    return Flags(_flag_words(mask), wanted, operator == "!=")


def _flag_words(value: t.Any) -> frozenset[str]:
    if isinstance(value, dict) and "|" in value:
        value = value["|"]
    if value == 0:
        return frozenset()
    found: set[str] = set()
    for one in value if isinstance(value, (list, tuple)) else [value]:
        found |= _flag_words(one) if isinstance(one, dict) else {one}
    if not found <= {*words.FLAGS}:
        raise _Unknown
    return frozenset(found)


def _value(field: str, one: t.Any) -> Value:
    if field in _ADDRESSES:
        return _address(one)
    if field == "protocol":
        return words.number(words.protocol(one))
    if field in (*_PORTS, "mark"):
        first, last = one["range"] if isinstance(one, dict) else (one, one)
        return Span(words.NUMBER, int(first), int(last))
    if field == "way back":
        return "none" if one in (False, 0, "missing") else "one"
    if not isinstance(one, str):
        raise _Unknown
    return _NFPROTO.get(one, one) if field == "nfproto" else one


def _address(one: t.Any) -> Span:
    if isinstance(one, dict) and "prefix" in one:
        return words.address(f"{one['prefix']['addr']}/{one['prefix']['len']}")
    if isinstance(one, dict):
        return words.addresses(*one["range"])
    return words.address(one)


def _beyond(operator: str, value: Value) -> Span:
    if not isinstance(value, Span) or value.kind != words.NUMBER:
        raise _Unknown
    if operator[0] == "<":
        return Span(words.NUMBER, 0, value.high if operator == "<=" else value.low - 1)
    return Span(words.NUMBER, value.low if operator == ">=" else value.high + 1, 2**32 - 1)
