# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Reads the packet filters of a host. Asks only those that the kernel has by now: nothing is loaded by it."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import shutil
import subprocess
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _filter_iptables, _filter_nft
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._openings import FIREWALLD, NFTABLES, UFW
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import Place, Table

LEGACY = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
OURS = "openlvs_"  # what names of tables of our own begin with
_SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_BUILTIN = frozenset({"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"})
_FAMILIES = {"ip": 4, "ip6": 6}
_FIREWALLDS_CHAINS = frozenset({"INPUT_ZONES", "IN_public", "INPUT_direct"})

Run = t.Callable[[t.Sequence[str]], tuple[int, str, str]]  # a command; its exit code, output and errors


def execute(words: t.Sequence[str]) -> tuple[int, str, str]:
    """Run a command, in no language but its own."""
    environment = {**os.environ, "LC_ALL": "C", "PATH": _SEARCH}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def find(program: str) -> str | None:
    return shutil.which(program, path=_SEARCH)


def said(words: t.Sequence[str], run: Run = execute) -> str:
    """What a command prints.

    :raises LvsError: if it fails.
    """
    code, output, error = run(words)
    if code:
        raise LvsError(f"'{' '.join(words)}' failed: {' '.join((error or output).split())}")
    return output


def there(run: Run = execute) -> list[str]:
    """Which kinds of tables of others there are: V(iptables), V(nftables). Quick."""
    found = ["iptables"] if any(_legacy(version) for version in LEGACY) else []
    if has_nf_tables() and find("nft") is not None:
        tables = said([find("nft") or "nft", "list", "tables"], run).split("\n")
        found += ["nftables"] if any(line and f" {OURS}" not in line for line in tables) else []
    return found


def _legacy(version: int) -> list[str]:
    return (_files.read(LEGACY[version]) or "").split() if os.path.exists(LEGACY[version]) else []


def has_nf_tables() -> bool:
    """Whether the kernel has nf_tables now, as a module or for good."""
    modules = _files.read("/proc/modules") or ""
    builtin = f"/lib/modules/{platform.release()}/modules.builtin"
    if re.search(r"^nf_tables ", modules, re.MULTILINE) or not os.path.exists(builtin):
        return True
    return "/nf_tables.ko" in (_files.read(builtin) or "")


def read(run: Run = execute) -> list[Table]:
    """All tables, those of our own as well, each with who looks after it."""
    tables = [table for version in LEGACY if _legacy(version) for table in _saved(version, "legacy", run)]
    if has_nf_tables() and find("nft") is not None:
        tables += _of_nft(run)
    return [dataclasses.replace(table, owner=_owner(table)) for table in tables]


def _of_nft(run: Run) -> list[Table]:
    """Tables that iptables has made are read by iptables itself, since nft has no words for its matches."""
    tables = _filter_nft.parse(json.loads(said([find("nft") or "nft", "--json", "list", "ruleset"], run) or "{}"))
    versions = {_FAMILIES[one.family] for one in tables if one.family in _FAMILIES and _BUILTIN & one.chains.keys()}
    saved = [table for version in sorted(versions) for table in _saved(version, "nft", run)]
    by_iptables = {(table.family, table.name) for table in saved if table.chains}
    return [*(one for one in tables if (one.family, one.name) not in by_iptables), *saved]


def program(version: int, kind: str) -> str:
    """The name of the iptables of a family that speaks to the legacy tables, or to nf_tables."""
    return f"{'iptables' if version == 4 else 'ip6tables'}-{kind}"


def _saved(version: int, kind: str, run: Run) -> list[Table]:
    command = find(f"{program(version, kind)}-save")
    if command is None:
        return []
    found = _filter_iptables.parse(said([command], run), version)
    return [dataclasses.replace(one, tool=program(version, kind)) for one in found]


def _owner(table: Table) -> str:
    if table.tool == NFTABLES:
        return FIREWALLD if table.name == "firewalld" else ""
    if any(name.startswith(("ufw-", "ufw6-")) for name in table.chains):
        return UFW
    return FIREWALLD if _FIREWALLDS_CHAINS & table.chains.keys() else ""


def describe(place: Place, run: Run = execute) -> str:
    """A place in words, with the rule as the tool writes it."""
    table = place.table
    family = "" if table.tool != NFTABLES else f"{table.family} "
    owner = f"{table.owner}, " if table.owner else ""
    what = f"{owner}{table.tool} table {family}{table.name}, chain {place.chain}"
    if place.rule is None:
        return f"{what}, its policy"
    rule = place.rule.text if table.tool != NFTABLES else _text(place, run)
    return f"{what}, its rule '{rule}'"


def _text(place: Place, run: Run) -> str:
    rule = place.rule.text if place.rule else ""
    words = [find("nft") or "nft", "-a", "list", "chain", place.table.family, place.table.name, place.chain]
    lines = [line.partition(" # ") for line in said(words, run).splitlines()]
    return next((line.strip() for line, _sign, end in lines if end == rule), rule)
