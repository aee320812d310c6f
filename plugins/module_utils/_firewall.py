# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A host's firewall and the passages that a cluster needs: what it says of them, and how they are opened where asked.

What connection tracking sees one way of alone it takes for invalid, and firewalld and ufw drop that before any rule of
their users. Such a passage goes past connection tracking, by a rule in a table of our own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _files,
    _filters_read,
    _manifest,
    _nft,
    _nft_host,
    _opened,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._filters_read import Run
from ansible_collections.openlvs.lvs.plugins.module_utils._openings import FIREWALLD, UFW, Opening, belongs, openings
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import DROPS, Table
from ansible_collections.openlvs.lvs.plugins.module_utils._passage import (
    HALF,
    INPUT,
    UNTRACKED,
    Look,
    Passage,
    look,
)

SCRIPT = os.path.join(_nft_host.ETC, "firewall.sh")
_HEADER = "# Written by Ansible, module openlvs.lvs.lvs_firewall. Changes made here do not last.\n"
_SHOWN = 2


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is there, and what shall be.

    :attr looks: what becomes of each passage now.
    :attr past: passages that go past connection tracking.
    :attr adding: openings to make.
    :attr staying: keys of those that stay.
    :attr removing: those that go, with their commands.
    """

    tables: t.Sequence[Table]
    looks: t.Mapping[Passage, Look]
    past: tuple[Passage, ...]
    adding: tuple[Opening, ...]
    staying: frozenset[str]
    removing: t.Mapping[str, _opened.Commands]


def plan(passages: t.Sequence[Passage], opening: bool, purge: bool, recorded: t.Collection[str], run: Run) -> Plan:
    """:arg opening: whether what is dropped shall be opened; else only a look is taken, and openings of ours go.
    :arg purge: whether openings go that no passage needs.
    """
    tables = _filters_read.read(run)
    looks = {passage: look(tables, passage) for passage in passages}
    have = _opened.existing(tables, recorded, run)
    wanted = passages if opening else ()
    bare = [table for table in tables if table.name != _nft.table_name(_nft.FIREWALL)]
    past = tuple(passage for passage in wanted if _is_cut_off(bare, passage))
    adding: dict[str, Opening] = {}
    again: dict[str, _opened.Commands] = {}
    for passage in wanted:
        goes = dataclasses.replace(passage, tracked=UNTRACKED) if passage in past else passage
        found = look(bare, goes)
        if found.verdict == DROPS:
            for one in openings(passage, found.places)[0]:
                adding[one.key] = one
                again.update({one.key: have[one.key]} if one.key in have else {})
    unused = {key: commands for key, commands in have.items() if not belongs(key, wanted)} if purge else {}
    return Plan(
        tables=tables,
        looks=looks,
        past=past,
        adding=tuple(adding.values()),
        staying=frozenset(have) - unused.keys() - again.keys(),
        removing={**unused, **again},
    )


def _is_cut_off(tables: t.Sequence[Table], passage: Passage) -> bool:
    """Whether a rule that its users cannot come before drops it as invalid."""
    found = look(tables, passage)
    return passage.tracked == HALF and found.invalid and any(place.table.owner for place in found.places)


def commands(plan: Plan, run: Run) -> _opened.Commands:
    """What brings the host there, in this order."""
    first = _opened.before_firewalld(plan.adding, run)
    removing = [command for commands in plan.removing.values() for command in commands]
    last = _opened.after_firewalld(plan.adding, plan.removing, plan.staying, run)
    return [*removing, *first, *(one.adding for one in plan.adding), *last]


def untracked(passages: t.Iterable[Passage]) -> str:
    """The table that has passages go past connection tracking."""
    rules = []
    for passage in passages:
        for version in passage.versions:
            part = passage.of_version(version)
            word = "ip" if version == 4 else "ip6"
            ends = [(f"{word} saddr", part.sources), (f"{word} daddr", part.destinations)]
            ends += [(f"{part.protocol} sport", part.source_ports), (f"{part.protocol} dport", part.ports)]
            rules.append(" ".join([f"{key} {{ {', '.join(named)} }}" for key, named in ends if named] + ["notrack"]))
    chain = _nft.Chain("inet", "untracked", "type filter hook prerouting priority raw", tuple(rules))
    return _nft.render(_nft.FIREWALL, [chain])


def script(plan: Plan, before: str) -> str:
    """What puts openings back at boot that nobody else remembers."""
    kept = [line for line in before.splitlines() if any(_is_for(line, key) for key in plan.staying)]
    lines = [*kept, *(one.at_boot for one in plan.adding if one.at_boot)]
    return _HEADER + "".join(f"{line}\n" for line in lines) if lines else ""


def _is_for(line: str, key: str) -> bool:
    name = " ".join(key.split()[-2:])
    return f'{name}\\"' in line or f"{name}'" in line or f'{name}"' in line


# ---- doing


def run(
    passages: t.Sequence[Passage], opening: bool, purge: bool, check_mode: bool, execute: Run = _filters_read.execute
) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
    """Look, and open where asked; in check mode only say how. The module's result, and its diff."""
    with contextlib.nullcontext() if check_mode else _manifest.exclusive():
        manifest = _manifest.load()
        found = plan(passages, opening, purge, manifest.openings, execute)
        before = sorted(found.staying | found.removing.keys())
        after = sorted(found.staying | {one.key for one in found.adding})
        changes, scripted = _open(found, manifest, check_mode, execute)
    changes_past, diff, table = _go_past(found.past, purge, check_mode)
    changes += changes_past
    if before != after:
        lines = ["".join(f"{line}\n" for line in one) for one in (before, after)]
        name = "openings"
        diff = [{"before_header": name, "after_header": name, "before": lines[0], "after": lines[1]}, *diff]
    looks = found.looks
    if changes and not check_mode:
        tables = _filters_read.read(execute)
        looks = {passage: look(tables, passage) for passage in passages}
    unused = [key for key in after if not belongs(key, passages if opening else ())]
    result = {
        "changed": bool(changes),
        "changes": changes,
        "passages": [_told(passage, one, execute) for passage, one in looks.items()],
        "openings": after,
        "files": [*([table] if table else []), *([SCRIPT] if scripted else [])],
        "unused": [*unused, *([_nft.table_name(_nft.FIREWALL)] if table and not found.past else [])],
    }
    return result, diff


def _open(plan: Plan, manifest: _manifest.Manifest, check_mode: bool, run: Run) -> tuple[list[str], bool]:
    """What was done, and whether there is a script. What comes is recorded before, what goes is forgotten after."""
    due = commands(plan, run)
    text = (_files.read(SCRIPT) if os.path.exists(SCRIPT) else None) or ""
    new = script(plan, text)
    after = {*plan.staying, *(one.key for one in plan.adding)}
    if not check_mode:
        _record(manifest.with_openings({*after, *plan.removing}), manifest)
        for command in due:
            _filters_read.said(command, run)
        _write(text, new)
        known = _manifest.load()
        _record(known.with_openings(after), known)
    written = [f"{'write' if new else 'remove'} {SCRIPT}"] if new != text else []
    return [*map(shlex.join, due), *written], bool(new)


def _go_past(past: t.Sequence[Passage], purge: bool, check_mode: bool) -> tuple[list[str], list[dict[str, t.Any]], str]:
    """Have passages go past connection tracking: what was done, its diff, and the file that holds the table."""
    place = _nft_host.Place(_nft.FIREWALL)
    if not past and not os.path.exists(place.text):
        return [], [], ""
    text = untracked(past) if past or purge else _files.read(place.text) or ""
    result, diff, _warnings = _nft_host.run(place, text, _nft_host.Nft(), check_mode)
    return result["changes"], diff, result["file"] or ""


def _record(new: _manifest.Manifest, old: _manifest.Manifest) -> None:
    if new != old:
        _manifest.save(new)


def _write(before: str, text: str) -> None:
    if text == before:
        return
    if text:
        os.makedirs(os.path.dirname(SCRIPT), mode=0o700, exist_ok=True)
        _files.write(SCRIPT, text, 0o700)
        return
    _files.remove(SCRIPT)
    with contextlib.suppress(OSError):  # others have something there, too
        os.rmdir(os.path.dirname(SCRIPT))


def _told(passage: Passage, found: Look, execute: Run) -> dict[str, t.Any]:
    """A passage for whoever judges the host."""
    where = [_filters_read.describe(place, execute) for place in found.places]
    return {
        "passage": str(passage),
        "verdict": found.verdict,
        "packets": found.which,
        "by": list(dict.fromkeys(where)),
        "remedy": "" if found.verdict != DROPS else _remedy(passage, found),
    }


def _remedy(passage: Passage, found: Look) -> str:
    ways, problems = openings(passage, found.places)
    if problems:
        return "; ".join(problems)
    own = "let this collection do it by lvs_firewall: open"
    owners = {place.table.owner for place in found.places}
    if passage.tracked == HALF and found.invalid and owners & {FIREWALLD, UFW}:
        return f"{own}; by hand it takes rules that let it go past connection tracking, and {_by_hand(ways)}"
    return f"{own}, or {_by_hand(ways)}"


def _by_hand(ways: t.Sequence[Opening]) -> str:
    shown = []
    for one in ways[:_SHOWN]:
        if one.tool == FIREWALLD and one.place[0].endswith(INPUT):
            shown.append(f"firewall-cmd --add-rich-rule={shlex.quote(one.rule)}")
        elif one.tool == FIREWALLD:
            shown.append(f"a policy of firewalld with {shlex.quote(one.rule)}")
        else:
            shown.append(shlex.join(one.adding))
    more = f" and {len(ways) - _SHOWN} more" if len(ways) > _SHOWN else ""
    return " && ".join(shown) + more
