# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The openings that are there, and how they come and go. Reads and runs commands of each tool."""

from __future__ import annotations

import re
import shlex
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._filters_read import OURS, Run, said
from ansible_collections.openlvs.lvs.plugins.module_utils._openings import (
    COMMENT,
    FIREWALLD,
    NFTABLES,
    POLICIES,
    UFW,
    Opening,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import Chain, Rule, Table

_KEPT = "/etc/firewalld/policies"
_FIREWALLD_CALL = ("firewall-cmd",)
_ZONES = {policy: (comes, goes) for policy, comes, goes in POLICIES.values()}
_COMMENTED = re.compile(rf"^(ufw .*) comment '({COMMENT} [^']*)'$")
# What differs between firewalld as it runs and as it will be, and is kept when it reloads.
_PASSING = re.compile(r" \(active\)|^ *(interfaces|forward):.*$", re.MULTILINE)

Commands = list[list[str]]


def existing(tables: t.Iterable[Table], recorded: t.Collection[str], run: Run) -> dict[str, Commands]:
    """The openings that are there, by their keys, and the commands that take each away."""
    found: dict[str, Commands] = {}
    owners = {table.owner for table in tables} | {key.split()[0] for key in recorded}
    for table in tables:
        for chain in table.chains.values():
            for rule in chain.rules:
                if rule.comment.startswith(f"{COMMENT} ") and not table.name.startswith(OURS):
                    key, command = _rule(table, chain, rule)
                    found.setdefault(key, []).append(command)
    if UFW in owners:
        for line in said(["ufw", "show", "added"], run).splitlines():
            match = _COMMENTED.match(line)
            if match:
                found[f"{UFW} {match[2]}"] = [["ufw", "--force", *_deleting(shlex.split(match[1])[1:])]]
    if FIREWALLD in owners:
        for policy in _policies(run):
            own = f"--policy={policy}"
            for rich in said([*_FIREWALLD_CALL, "--permanent", own, "--list-rich-rules"], run).splitlines():
                change = [own, f"--remove-rich-rule={rich}"]
                found[f"{FIREWALLD} {policy} {rich}"] = [
                    [*_FIREWALLD_CALL, *change],
                    [*_FIREWALLD_CALL, "--permanent", *change],
                ]
    return found


def _rule(table: Table, chain: Chain, rule: Rule) -> tuple[str, list[str]]:
    if table.tool == NFTABLES:
        place = (table.family, table.name, chain.name)
        deleting = ["nft", "delete", "rule", *place, *rule.text.split()]
        return " ".join((NFTABLES, *place, rule.comment)), deleting
    _append, name, *words = shlex.split(rule.text)
    key = " ".join((table.tool, table.family, table.name, name, rule.comment))
    return key, [table.tool, "--wait", "--table", table.name, "--delete", name, *words]


def _deleting(words: list[str]) -> list[str]:
    return ["route", "delete", *words[1:]] if words[0] == "route" else ["delete", *words]


def _policies(run: Run) -> list[str]:
    there = said([*_FIREWALLD_CALL, "--permanent", "--get-policies"], run).split()
    return [policy for policy in _ZONES if policy in there]


def before_firewalld(adding: t.Iterable[Opening], run: Run) -> Commands:
    """The commands that make policies of ours.

    A policy comes and goes by a reload alone, which would lose what somebody has changed for the moment.

    :raises LvsError: if a reload would lose something.
    """
    wanted = [one.place[0] for one in adding if one.tool == FIREWALLD]
    there = _policies(run) if wanted else []
    new = [policy for policy in dict.fromkeys(wanted) if policy not in there]
    if new:
        _refuse_to_lose(run)
    found: Commands = []
    for policy in new:
        comes, goes = _ZONES[policy]
        own = [*_FIREWALLD_CALL, "--permanent", f"--policy={policy}"]
        found.append([*_FIREWALLD_CALL, "--permanent", f"--new-policy={policy}"])
        found += [[*own, f"--add-ingress-zone={comes}"], [*own, f"--add-egress-zone={goes}"]]
    return found


def after_firewalld(
    adding: t.Sequence[Opening], removing: t.Collection[str], staying: t.Iterable[str], run: Run
) -> Commands:
    """The commands that take policies away in which no rule is left, and have new ones work."""
    rules = [one for one in adding if one.tool == FIREWALLD]
    there = _policies(run) if rules or any(key.startswith(FIREWALLD) for key in removing) else []
    left = {key.split()[1] for key in staying if key.startswith(FIREWALLD)}
    left |= {one.place[0] for one in rules}
    empty = [policy for policy in there if policy not in left]
    if empty:
        _refuse_to_lose(run)
    found = [[*_FIREWALLD_CALL, "--permanent", f"--delete-policy={policy}"] for policy in empty]
    found += [["rm", "--force", f"{_KEPT}/{policy}.xml.old"] for policy in empty]  # which firewalld keeps of it
    new = {one.place[0] for one in rules} - {*there}
    if empty or new:
        return [*found, [*_FIREWALLD_CALL, "--reload"]]
    return [*found, *([*_FIREWALLD_CALL, f"--policy={one.place[0]}", f"--add-rich-rule={one.rule}"] for one in rules)]


def _refuse_to_lose(run: Run) -> None:
    for what in ("zones", "policies"):
        now, kept = (said([*_FIREWALLD_CALL, *when, f"--list-all-{what}"], run) for when in ((), ("--permanent",)))
        if _others(now) != _others(kept):
            raise LvsError(
                f"firewalld: its {what} as they are now differ from those in its files. A policy of ours needs"
                " 'firewall-cmd --reload', which would lose the difference. Keep it by 'firewall-cmd"
                " --runtime-to-permanent', or drop it by 'firewall-cmd --reload'; nothing was changed"
            )


def _others(text: str) -> list[list[str]]:
    """What a listing says of zones or policies, but for ours and for what passes."""
    blocks = [one for one in _PASSING.sub("", text).strip().split("\n\n") if not one.startswith(COMMENT)]
    return sorted([line.rstrip() for line in one.splitlines() if line.strip()] for one in blocks)
