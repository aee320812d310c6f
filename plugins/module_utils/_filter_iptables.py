# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Rules as iptables-save(8) writes them, in the words of ``_packet_filter``. Pure.

An option that is not known here becomes a condition that nobody can read, so nothing is claimed of such a rule.
"""

from __future__ import annotations

import shlex
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
    Table,
    Unreadable,
    Value,
)

# The priorities of the tables at their hooks: include/uapi/linux/netfilter_ipv4.h of Linux.
_PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_TARGETS = {
    "ACCEPT": ACCEPT,
    "DROP": DROP,
    "REJECT": DROP,
    "TARPIT": DROP,
    "RETURN": RETURN,
    "SNAT": ACCEPT,
    "MASQUERADE": ACCEPT,
    "MARK": MARK,
    "CONNMARK": MARK,
    "NOTRACK": UNTRACK,
    "QUEUE": UNKNOWN,
    "NFQUEUE": UNKNOWN,
    "DNAT": UNKNOWN,
    "REDIRECT": UNKNOWN,
    "NETMAP": UNKNOWN,
    "TPROXY": UNKNOWN,
    "SYNPROXY": UNKNOWN,
}
_FIELDS = {
    "-s": "saddr",
    "-d": "daddr",
    "-p": "protocol",
    "-i": "iif",
    "-o": "oif",
    "--sport": "sport",
    "--dport": "dport",
    "--sports": "sport",
    "--dports": "dport",
    "--ctstate": "state",
    "--state": "state",
    "--dst-type": "target",
    "--src-type": "sender",
    "--mark": "mark",
}
_SILENT = ("-m", "--comment")
_OF_RPFILTER = ("--invert", "--loose", "--validmark", "--accept-local")
_OF_TARGETS = ("-j", "-g")  # what follows is the target's


def parse(text: str, version: int) -> list[Table]:
    """All tables of one family."""
    chains: dict[str, dict[str, Chain]] = {}
    rules: dict[tuple[str, str], list[Rule]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
            chains[table] = {}
        elif line.startswith(":"):
            name, policy = line[1:].split()[:2]
            base = policy != "-"
            hook, priority = (name.lower(), _PRIORITIES.get(table, 0)) if base else ("", 0)
            chains[table][name] = Chain(name, (), hook, priority, DROP if policy == "DROP" else ACCEPT)
        elif line.startswith("-A "):
            name, rule = _rule(line, {**chains[table]})
            rules.setdefault((table, name), []).append(rule)
    family = "ip" if version == 4 else "ip6"
    return [
        Table(
            "iptables" if version == 4 else "ip6tables",
            family,
            name,
            {
                one.name: Chain(one.name, tuple(rules.get((name, one.name), ())), one.hook, one.priority, one.policy)
                for one in found.values()
            },
        )
        for name, found in chains.items()
    ]


def _rule(line: str, chains: t.Mapping[str, Chain]) -> tuple[str, Rule]:
    _append, chain, *tokens = shlex.split(line)
    conditions: list[AnyCondition] = []
    action, target, comment = NOTHING, "", ""
    options = _options(tokens)
    modules = [values[0] for _negated, option, values in options if option == "-m" and values]
    for negated, option, values in options:
        if option in _OF_TARGETS:
            target = values[0] if values else ""
            known = target in chains
            target = "NOTRACK" if target == "CT" and "--notrack" in tokens else target
            action = (GOTO if option == "-g" else JUMP) if known else _TARGETS.get(target, NOTHING)
            break
        if option == "--comment":
            comment = " ".join(values)
        elif option not in _SILENT and not ("rpfilter" in modules and option in _OF_RPFILTER):
            conditions.append(_condition(option, values, negated, modules))
    if "rpfilter" in modules:
        inverted = any(option == "--invert" for _negated, option, _values in options)
        conditions.append(Condition("way back", ("none" if inverted else "one",)))
    return chain, Rule(tuple(conditions), action, target if action in (JUMP, GOTO) else "", comment, line)


def _options(tokens: t.Sequence[str]) -> list[tuple[bool, str, list[str]]]:
    """Each option with its values, and whether it is negated."""
    found: list[tuple[bool, str, list[str]]] = []
    negated = False
    for token in tokens:
        if token == "!":
            negated = True
        elif token.startswith("-") and len(token) > 1 and not token[1:].isdigit():
            found.append((negated, token, []))
            negated = False
        elif found:
            found[-1][2].append(token)
    return found


def _condition(option: str, values: t.Sequence[str], negated: bool, modules: t.Sequence[str]) -> AnyCondition:
    try:
        if option == "--tcp-flags":
            mask, wanted = (frozenset(_flags(value)) for value in values)
            return Flags(mask, wanted, negated)
        if option == "--mark" and "connmark" in modules:
            return Unreadable()
        (text,) = values
        field = _FIELDS[option]
        return Condition(field, tuple(_value(field, one) for one in text.split(",")), negated)
    except (KeyError, ValueError):
        return Unreadable()


def _value(field: str, text: str) -> Value:
    if field in ("saddr", "daddr"):
        return words.address(text)
    if field in ("sport", "dport"):
        return words.ports(text)
    if field in ("protocol", "mark"):  # a mark with a mask, too, is right for a packet that has none
        return words.number(words.protocol(text) if field == "protocol" else int(text.partition("/")[0], 0))
    if field in ("iif", "oif"):
        return f"{text[:-1]}*" if text.endswith("+") else text
    return text.lower()


def _flags(text: str) -> list[str]:
    if text == "NONE":
        return []
    return [*words.FLAGS[:6]] if text == "ALL" else [one.lower() for one in text.split(",")]
