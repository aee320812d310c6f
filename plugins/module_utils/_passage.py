# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What a host's firewall must let through for a cluster, and which packets that is. Pure.

A passage is said in the words of the description: who sends what to whom. A connection is more than its first packet:
what connection tracking thinks of the others depends on whether it sees both ways of it, and IPVS sees to it that it
mostly does not (net/netfilter/nf_conntrack_proto_tcp.c: what begins with SYN and ACK or with FIN is invalid to it).
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _filter_words as words
from ansible_collections.openlvs.lvs.plugins.module_utils import _nft
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import (
    DEPENDS,
    DROPS,
    PASSES,
    Condition,
    Except,
    Known,
    Packet,
    Place,
    Span,
    Table,
    judge,
)

INPUT, FORWARD, OUTPUT = HOOKS = ("input", "forward", "output")
# How much of a connection its tracking sees: all; one of its two ways; nothing, since IPVS sends it.
WHOLE, HALF, UNTRACKED = TRACKED = ("whole", "half", "untracked")
PORTED = ("tcp", "udp", "sctp")
_SOME_CARD = Except(frozenset({"lo"}))
_IPVS_TAKES = 98  # the priority at which it takes packets at its hooks: net/netfilter/ipvs/ip_vs_core.c
_ANY_PORT = Span(words.NUMBER, 1, words.MAX_PORT)
_ANY_CLIENT_PORT = Span(words.NUMBER, 1024, words.MAX_PORT)


@dataclasses.dataclass(frozen=True)
class Passage:
    """What must get through.

    :attr what: what it is, in plain words.
    :attr hook: where it is decided upon.
    :attr protocol: a name or a number.
    :attr sources: addresses; none is whoever sends it.
    :attr ports: those that it is sent to, and ranges; none is any.
    :attr source_ports: those that it is sent from, which makes it an answer.
    :attr interface: by which it comes, or at OUTPUT leaves; empty if that is not known.
    :attr tracked: WHOLE, HALF or UNTRACKED.
    :attr balanced: IPVS takes it at the hook, so no chain behind that sees it.
    """

    what: str
    hook: str
    protocol: str
    destinations: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    source_ports: tuple[str, ...] = ()
    interface: str = ""
    tracked: str = WHOLE
    balanced: bool = False

    def __str__(self) -> str:
        what = self.protocol
        if self.sources:
            what += f" from {_listed(self.sources)}"
        if self.source_ports:
            what += f" port {_listed(self.source_ports)}"
        if self.destinations:
            what += f" to {_listed(self.destinations)}"
        if self.ports:
            what += f" port {_listed(self.ports)}"
        return f"{self.what}, {what}"

    @property
    def versions(self) -> list[int]:
        """The families that it has addresses of."""
        named = self.destinations or self.sources
        return sorted({6 if ":" in one else 4 for one in named})

    def of_version(self, version: int) -> Passage:
        """The part of it that is of one family."""

        def pick(named: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(one for one in named if (":" in one) is (version == 6))

        return dataclasses.replace(self, destinations=pick(self.destinations), sources=pick(self.sources))


class Step(t.NamedTuple):
    """A packet of a connection: what it is called, what tracking thinks of it, its flags."""

    name: str
    state: str
    flags: tuple[str, ...] = ()


_SYN, _SYN_ACK = ("syn",), ("syn", "ack")
_ACK, _FIN = ("ack",), ("fin", "ack")
_REQUESTS = {
    WHOLE: (Step("first packet", "new", _SYN), Step("further packets", "established", _ACK)),
    HALF: (
        Step("first packet", "new", _SYN),
        Step("further packets", "new", _ACK),
        Step("last packets (FIN)", "invalid", _FIN),
    ),
    UNTRACKED: (Step("first packet", "untracked", _SYN), Step("further packets", "untracked", _ACK)),
}
_ANSWERS = {
    WHOLE: (Step("packets", "established", _SYN_ACK), Step("further packets", "established", _ACK)),
    HALF: (
        Step("first packet (SYN, ACK)", "invalid", _SYN_ACK),
        Step("further packets", "new", _ACK),
        Step("last packets (FIN)", "invalid", _FIN),
    ),
    UNTRACKED: (Step("packets", "untracked", _SYN_ACK), Step("further packets", "untracked", _ACK)),
}
_SCTP_HALF = (Step("first packet", "new"), Step("further packets", "invalid"))


def _steps(passage: Passage) -> t.Sequence[Step]:
    if passage.protocol == "tcp":
        return (_ANSWERS if passage.source_ports else _REQUESTS)[passage.tracked]
    if passage.protocol == "sctp" and passage.tracked == HALF:
        return _SCTP_HALF[1:] if passage.source_ports else _SCTP_HALF
    if passage.tracked == UNTRACKED:
        return (Step("packets", "untracked"),)
    answers = passage.source_ports and passage.tracked == WHOLE
    return (Step("packets", "established" if answers else "new"),)


class Look(t.NamedTuple):
    """What becomes of a passage.

    :attr verdict: PASSES, DROPS or DEPENDS.
    :attr places: who drops it or may, each once.
    :attr which: the packets that are meant, where others pass.
    :attr invalid: rules that ask for the state drop packets since connection tracking finds them invalid.
    """

    verdict: str
    places: tuple[Place, ...] = ()
    which: str = ""
    invalid: bool = False


def look(tables: t.Sequence[Table], passage: Passage) -> Look:
    """What a host's packet filters do with all packets of a passage."""
    worst: dict[str, dict[tuple[str, ...], Place]] = {}
    named: dict[str, dict[str, None]] = {}
    steps, invalid = _steps(passage), False
    for step, packet in _packets(passage, steps):
        found = judge(tables, packet)
        places = worst.setdefault(found.verdict, {})
        named.setdefault(found.verdict, {})[step.name] = None
        places.update({identity(place): place for place in found.places})
        invalid |= step.state == "invalid" and any(map(_goes_by_state, found.places))
    verdict = next((one for one in (DROPS, DEPENDS) if one in worst), PASSES)
    which = named[verdict] if verdict in named and len(named[verdict]) < len({step.name for step in steps}) else ()
    return Look(verdict, tuple(worst.get(verdict, {}).values()), " and ".join(which), invalid)


def _goes_by_state(place: Place) -> bool:
    conditions = place.rule.conditions if place.rule else ()
    return any(isinstance(one, Condition) and one.field == "state" for one in conditions)


def identity(place: Place) -> tuple[str, ...]:
    table = place.table
    return table.tool, table.family, table.name, place.base.name, place.chain, place.rule.text if place.rule else ""


def _packets(passage: Passage, steps: t.Sequence[Step]) -> t.Iterator[tuple[Step, Packet]]:
    for version in passage.versions:
        part = passage.of_version(version)
        ends: list[list[Known]] = [
            [words.address(one) for one in part.sources] or [words.anywhere(version)],
            [words.address(one) for one in part.destinations] or [words.anywhere(version)],
            _ports(part.source_ports, _ANY_CLIENT_PORT) if part.protocol in PORTED else [None],
            _ports(part.ports, _ANY_CLIENT_PORT if part.source_ports else _ANY_PORT)
            if part.protocol in PORTED
            else [None],
        ]
        for (source, target, source_port, port), step in itertools.product(itertools.product(*ends), steps):
            yield step, _packet(part, version, step, (source, target, source_port, port))


def _ports(named: t.Iterable[str], other: Span) -> list[Known]:
    return [words.ports(one) for one in named] or [other]


def _packet(passage: Passage, version: int, step: Step, ends: tuple[Known, Known, Known, Known]) -> Packet:
    fields: dict[str, Known] = {
        "nfproto": frozenset({words.KINDS[version]}),
        "protocol": words.number(words.protocol(passage.protocol)),
        "saddr": ends[0],
        "daddr": ends[1],
        "state": frozenset({step.state}),
        "status": frozenset({"untouched"}),  # by NAT
        "mark": words.number(0),
        "way back": frozenset({"one"}),  # whoever sends it can be reached
        "sender": frozenset({"unicast"}),
        "target": frozenset({_target(passage)}),
        "iif": _interface(passage.interface if passage.hook != OUTPUT else ""),
        "oif": _interface(passage.interface if passage.hook == OUTPUT else ""),
    }
    if passage.protocol in PORTED:
        fields.update(sport=ends[2], dport=ends[3])
    if passage.protocol == "tcp":
        fields["flags"] = frozenset(step.flags)
    if passage.hook == OUTPUT:
        del fields["iif"]
    elif passage.hook == INPUT:
        del fields["oif"]
    return Packet(passage.hook, version, fields, _IPVS_TAKES if passage.balanced else None)


def _interface(name: str) -> Known:
    return frozenset({name}) if name else _SOME_CARD


def _target(passage: Passage) -> str:
    """What kind of address it goes to, as the kernel's routes know it."""
    if passage.destinations and all(_is_multicast(one) for one in passage.destinations):
        return "multicast"
    return "local" if passage.hook == INPUT else "unicast"


def _is_multicast(address: str) -> bool:
    return address.lower().startswith("ff") if ":" in address else 224 <= int(address.partition(".")[0]) <= 239


def _listed(named: t.Sequence[str]) -> str:
    return ", ".join(named) if len(named) < 4 else f"{', '.join(named[:2])} and {len(named) - 2} more"


def read_passages(entries: t.Sequence[t.Mapping[str, t.Any]]) -> list[Passage]:
    """The module's option.

    :raises OptionError: with every finding.
    """
    findings: list[str] = []
    found = []
    for number, entry in enumerate(entries):
        where = f"passages[{number}] {entry['what']}"
        readers: list[tuple[str, t.Callable[[str], object], str]] = [
            ("sources", words.host, "addresses alone"),
            ("destinations", words.host, "addresses alone"),
            ("ports", words.ports, "ports from 1 to 65535 and ranges such as 8000-8010"),
            ("source_ports", words.ports, "ports from 1 to 65535 and ranges such as 8000-8010"),
        ]
        for key, read, allowed in readers:
            wrong = [one for one in entry[key] if not _is(read, one)]
            findings += [f"{where}: {key} has '{one}'; it may have {allowed}" for one in wrong]
        if not _is(words.protocol, entry["protocol"]):
            findings.append(f"{where}: protocol '{entry['protocol']}' is no protocol's name or number")
        if entry["interface"] and not _is(_nft.quoted, entry["interface"]):
            findings.append(f"{where}: interface '{entry['interface']}' cannot be the name of one")
        if not entry["sources"] and not entry["destinations"]:
            findings.append(f"{where}: it has neither sources nor destinations: name at least one")
        values: dict[str, t.Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        values["interface"] = entry["interface"] or ""
        found.append(Passage(**values))
    if findings:
        raise OptionError(findings)
    return found


def _is(read: t.Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True
