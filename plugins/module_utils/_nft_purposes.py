# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the roles want rules of nftables for: each purpose is an option of the module and a function here. Pure.

A function takes the option's value and the list that findings go to, and gives chains.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _nft
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._nft import Chain

MAX_MARK = 2**32 - 1
_T = t.TypeVar("_T")

Entries = t.Sequence[t.Mapping[str, t.Any]]
Purpose = t.Callable[[Entries, list[str]], list[Chain]]


def chains_of(role: str, params: t.Mapping[str, t.Any]) -> list[Chain]:
    """All chains that the module's options ask for.

    :raises OptionError: with every finding.
    """
    findings: list[str] = []
    found: list[Chain] = []
    for name, (roles, purpose) in PURPOSES.items():
        entries = params.get(name) or []
        if entries and role not in roles:
            findings.append(f"{name}: table '{role}' has none of these, only {' and '.join(roles)} has")
        found += purpose(entries, findings)
    if findings:
        raise OptionError(findings)
    return found


# ---- marks


def marks(entries: Entries, findings: list[str]) -> list[Chain]:
    """Mark what goes to ports of VIPs before it is routed, so that it comes to one virtual service."""
    rules: list[str] = []
    taken: dict[tuple[_nft.Address, str], list[tuple[_nft.Ports, str]]] = {}
    for number, given in enumerate(entries):
        entry = _Entry(f"marks[{number}]", given, findings)
        mark, protocol = given["mark"], given["protocol"]
        if not 1 <= mark <= MAX_MARK:
            entry.wrong(f"mark {mark} is out of range: 1 to {MAX_MARK}")
        addresses, ranges = entry.addresses(), entry.ports()
        for address in addresses:
            _taken_twice(entry, f"{protocol} {address}", ranges, taken.setdefault((address, protocol), []))
        rules += [
            f"{word} daddr {same} {protocol} dport {_nft.any_port(ranges)} meta mark set 0x{mark:08x}"
            for word, same in _nft.by_family(addresses).items()
        ]
    return [Chain("inet", "marks", "type filter hook prerouting priority mangle", tuple(rules))]


def _taken_twice(entry: _Entry, what: str, ranges: t.Sequence[_nft.Ports], taken: list[tuple[_nft.Ports, str]]) -> None:
    """A packet can have one mark only; remembers what is taken by now."""
    for one in ranges:
        known = [place for other, place in taken if one[0] <= other[1] and other[0] <= one[1]]
        if known:
            entry.wrong(f"port {_nft.show_ports(one)} of {what} is marked by {known[0]} already")
        taken.append((one, entry.where))


# ---- for every purpose


class _Entry:
    """One entry of an option. A value that cannot be read is a finding, and reading goes on."""

    def __init__(self, where: str, data: t.Mapping[str, t.Any], findings: list[str]) -> None:
        self.where = where
        self._data = data
        self._findings = findings

    def wrong(self, text: str) -> None:
        self._findings.append(f"{self.where}: {text}")

    def addresses(self, key: str = "addresses") -> list[_nft.Address]:
        return self._all(key, _nft.address, "IPv4 and IPv6 addresses alone")

    def ports(self, key: str = "ports") -> list[_nft.Ports]:
        return self._all(key, _nft.ports, "ports from 1 to 65535 and ranges such as 8000-8010")

    def _all(self, key: str, read: t.Callable[[object], _T], allowed: str) -> list[_T]:
        found = []
        for value in self._data[key]:
            try:
                found.append(read(value))
            except ValueError:
                self.wrong(f"{key} has '{value}'; it may have {allowed}")
        if not self._data[key]:
            self.wrong(f"{key} is empty: name at least one")
        return found


# Option -> the roles whose tables have such rules, and the function that makes them.
PURPOSES: dict[str, tuple[tuple[str, ...], Purpose]] = {
    "marks": ((_nft.DIRECTOR,), marks),
}
