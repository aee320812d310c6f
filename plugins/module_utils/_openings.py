# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""How a passage is opened, in the words of the program that looks after the rules which drop it. Pure.

Nothing of others is changed: firewalld and ufw get rules of ours as anybody would add them; into chains of nftables and
iptables that nobody looks after goes a rule of ours, first. All are known by their names, which come from the passage.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import shlex
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _filter_words as words
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import Place
from ansible_collections.openlvs.lvs.plugins.module_utils._passage import FORWARD, INPUT, OUTPUT, PORTED, Passage

NFTABLES, FIREWALLD, UFW = "nftables", "firewalld", "ufw"
COMMENT = "openlvs"
# firewalld: our policy for each hook, with the zones that packets come from and go to.
POLICIES = {INPUT: ("openlvs-input", "ANY", "HOST"), FORWARD: ("openlvs-forward", "ANY", "ANY")}
POLICIES[OUTPUT] = ("openlvs-output", "HOST", "ANY")
_BY_UFW = ("tcp", "udp", "gre", "ipv6", "ah", "esp")
_MAX_PORTS = 15  # of iptables' multiport, where a range is two


@dataclasses.dataclass(frozen=True)
class Opening:
    """One rule of ours.

    :attr tool: who takes it.
    :attr place: where; of nftables and iptables family, table and chain, of firewalld the policy, of ufw nothing.
    :attr name: by which it is found again.
    :attr rule: in the tool's words.
    """

    tool: str
    place: tuple[str, ...]
    name: str
    rule: str

    @property
    def key(self) -> str:
        return " ".join((self.tool, *self.place, self.name))

    @property
    def adding(self) -> list[str]:
        """The command that puts it there."""
        if self.tool == NFTABLES:
            return ["nft", f"insert rule {' '.join(self.place)} {self.rule}"]
        if self.tool == UFW:
            return ["ufw", *shlex.split(self.rule)]
        if self.tool == FIREWALLD:
            return ["firewall-cmd", "--permanent", f"--policy={self.place[0]}", f"--add-rich-rule={self.rule}"]
        return [self.tool, "--wait", "--table", self.place[1], "--insert", self.place[2], *shlex.split(self.rule)]

    @property
    def at_boot(self) -> str:
        """The same for a shell, unless it is there; empty where the tool itself remembers it."""
        if self.tool == NFTABLES:
            there = f"nft list chain {' '.join(self.place)} | grep -qF '{self.name}\"'"
        elif self.tool in (FIREWALLD, UFW):
            return ""
        else:
            there = f"{self.tool} --wait --table {self.place[1]} --check {self.place[2]} {self.rule} 2>/dev/null"
        return f"{there} || {shlex.join(self.adding)}"


def name_of(passage: Passage) -> str:
    """The same for the same passage; what its rules' names begin with."""
    digest = hashlib.sha256(repr(dataclasses.astuple(passage)).encode()).hexdigest()
    return f"{COMMENT} {digest[:10]}"


def belongs(key: str, passages: t.Iterable[Passage]) -> bool:
    """Whether a rule of ours with this key is one that one of the passages may need."""
    for passage in passages:
        if f" {name_of(passage)}-" in key:
            return True
        for version in passage.versions if key.startswith(FIREWALLD) else ():
            if key in {one.key for one in _firewalld(passage.of_version(version), version)}:
                return True
    return False


def openings(passage: Passage, places: t.Iterable[Place]) -> tuple[list[Opening], list[str]]:
    """The rules that let a passage through at these places; and in words what cannot be had."""
    found: dict[str, Opening] = {}
    problems: dict[str, None] = {}
    for place in places:
        table = place.table
        owner = table.owner or table.tool
        for version in passage.versions:
            if not table.sees(version):
                continue
            part, name = passage.of_version(version), f"{name_of(passage)}-{version}"
            if owner == FIREWALLD:
                new = _firewalld(part, version)
            elif owner == UFW:
                new, problem = _ufw(part, name)
                problems.update(dict.fromkeys(problem))
            elif table.tool == NFTABLES:
                new = [_nftables(part, version, (table.family, table.name, place.base.name), name)]
            else:
                new = _iptables(part, (table.tool, table.family, table.name, place.base.name), name)
            found.update({one.key: one for one in new})
    return list(found.values()), list(problems)


# ---- nftables


def _nftables(passage: Passage, version: int, place: tuple[str, str, str], name: str) -> Opening:
    word = "ip" if version == 4 else "ip6"
    parts = []
    if passage.interface:
        parts.append(f'{"oifname" if passage.hook == OUTPUT else "iifname"} "{passage.interface}"')
    for key, named in (("saddr", passage.sources), ("daddr", passage.destinations)):
        if named:
            parts.append(f"{word} {key} {_set(named)}")
    if passage.protocol in PORTED and (passage.source_ports or passage.ports):
        for key, ports in (("sport", passage.source_ports), ("dport", passage.ports)):
            if ports:
                parts.append(f"{passage.protocol} {key} {_set(ports)}")
    else:
        parts.append(f"meta l4proto {words.protocol(passage.protocol)}")
    return Opening(NFTABLES, place, name, f'{" ".join(parts)} accept comment "{name}"')


def _set(named: t.Sequence[str]) -> str:
    return named[0] if len(named) == 1 else "{ " + ", ".join(named) + " }"


# ---- iptables


def _iptables(passage: Passage, place: tuple[str, str, str, str], name: str) -> list[Opening]:
    tool, *where = place
    begin = (
        f"{'--out-interface' if passage.hook == OUTPUT else '--in-interface'} {passage.interface} "
        if (passage.interface)
        else ""
    )
    begin += f"--protocol {words.protocol(passage.protocol)} "
    found = []
    each = itertools.product(
        passage.sources or ("",),
        passage.destinations or ("",),
        _chunks(passage.source_ports, "--source-ports"),
        _chunks(passage.ports, "--destination-ports"),
    )
    for number, (source, target, *ports) in enumerate(each):
        rule = begin + (f"--source {source} " if source else "") + (f"--destination {target} " if target else "")
        chosen = " ".join(one for one in ports if one)
        rule += f"--match multiport {chosen} " if chosen else ""
        own = f"{name}-{number}"
        found.append(Opening(tool, tuple(where), own, f"{rule}--match comment --comment '{own}' --jump ACCEPT"))
    return found


def _chunks(ports: t.Sequence[str], option: str) -> list[str]:
    """Options with as many ports as one rule can have."""
    chunks: list[list[str]] = [[]]
    left = _MAX_PORTS
    for port in ports:
        left -= 2 if "-" in port else 1
        if left < 0:
            chunks.append([])
            left = _MAX_PORTS - (2 if "-" in port else 1)
        chunks[-1].append(port.replace("-", ":"))
    return [f"{option} {','.join(chunk)}" if chunk else "" for chunk in chunks]


# ---- firewalld


def _firewalld(passage: Passage, version: int) -> list[Opening]:
    """Written as firewalld itself shows them, so that they can be compared."""
    policy = POLICIES[passage.hook][0]
    found = []
    elements = [
        f'{kind} port="{port}" protocol="{passage.protocol}"'
        for kind, ports in (("source-port", passage.source_ports), ("port", passage.ports))
        for port in ports
        if passage.protocol in PORTED
    ] or [f'protocol value="{passage.protocol}"']
    each = itertools.product(passage.sources or ("",), passage.destinations or ("",), elements)
    for source, target, element in each:
        ends = (f'source address="{source}" ' if source else "") + (
            f'destination address="{target}" ' if target else ""
        )
        rule = f'rule family="{words.KINDS[version]}" {ends}{element} accept'
        found.append(Opening(FIREWALLD, (policy,), rule, rule))
    return found


# ---- ufw


def _ufw(passage: Passage, name: str) -> tuple[list[Opening], list[str]]:
    named = passage.protocol in _BY_UFW
    if not named and not (passage.sources and passage.destinations):
        return [], [f"ufw has no word for {passage.protocol}: let it in by /etc/ufw/before.rules"]
    begin = "route allow" if passage.hook == FORWARD else "allow"
    if passage.interface:
        begin += f" {'out' if passage.hook == OUTPUT else 'in'} on {passage.interface}"
    elif passage.hook == OUTPUT:
        begin += " out"
    begin += f" proto {passage.protocol}" if named else ""  # else whatever the one sends to the other
    found = []
    each = itertools.product(
        passage.sources or ("any",),
        passage.destinations or ("any",),
        _chunks(passage.source_ports, "port"),
        _chunks(passage.ports, "port"),
    )
    for number, (source, target, source_ports, ports) in enumerate(each):
        own = f"{name}-{number}"
        rule = " ".join(one for one in (begin, "from", source, source_ports, "to", target, ports) if one)
        found.append(Opening(UFW, (), own, f"{rule} comment '{own}'"))
    return found, []
