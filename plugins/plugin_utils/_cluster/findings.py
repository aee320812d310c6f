# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What is wrong in a description: collected, never raised one by one."""

from __future__ import annotations

import difflib
import re
import typing as t


def did_you_mean(value: object, known: t.Iterable[str], closeness: float = 0.6) -> str:
    """The closest of ``known`` as a question to append to a finding; empty if none is close."""
    close = difflib.get_close_matches(str(value), list(known), n=1, cutoff=closeness)
    return f" (did you mean '{close[0]}'?)" if close else ""


def one_of(known: t.Iterable[str]) -> str:
    return "one of " + ", ".join(known)


_SERVICE = re.compile(r"Service (?P<key>.+) \((?P<name>[^()]+)\)(?P<part>.*)")
_INSTANCE = re.compile(r"(?P<name>VRRP instance .+?)(?P<hosts> on .*)?")


class Findings:
    """Findings and warnings; the same sentence only once."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], None] = {}
        self._unread: dict[str, set[str]] = {}
        self._warnings: dict[tuple[str, str], None] = {}

    def add(self, where: str, text: str) -> None:
        self._findings[where, text] = None

    def quote(self, sentence: str, items: t.Mapping[str, str]) -> None:
        """What modules and roles say, who know virtual services by their addresses.

        What only follows from a value that could not be read is left out.

        :arg items: where both are described, by what they are called.
        """
        where, _colon, text = sentence.partition(": ")
        service, instance = _SERVICE.fullmatch(where), _INSTANCE.fullmatch(where)
        item = items.get(service["name"] if service else instance["name"] if instance else "")
        if item is None:
            self.add(where, text)
        elif not self._follows(item, text):
            place = f"{service['key']}{service['part']}: " if service else ""
            self.add(f"{item}{instance['hosts'] or ''}" if instance else item, f"{place}{text}")

    def _follows(self, item: str, text: str) -> bool:
        places = [where for where in self._unread if where == item or where.startswith(f"{item} ")]
        keys = {key for where in places for key in self._unread[where]}
        if any(" real_servers[" in where for where in places):
            keys.add("real_servers")
        return any(re.search(rf"\b{key.replace('_', '[_ ]')}", text) for key in keys)

    def warn(self, where: str, text: str) -> None:
        self._warnings[where, text] = None

    def add_unread(self, where: str, key: str, text: str) -> None:
        """One about a key whose value cannot be taken as it is."""
        self.add(where, text)
        self._unread.setdefault(where, set()).add(key)

    def __len__(self) -> int:
        return len(self._findings)

    def about(self, where: str, since: int = 0) -> bool:
        """Whether there is a finding about an item or a part of it.

        :arg since: how many were there before those that matter."""
        places = [found for found, _text in self._findings][since:]
        return any(found == where or found.startswith(f"{where} ") for found in places)

    @property
    def findings(self) -> list[str]:
        """In the order of the description, then in the order in which they were met."""
        return _sentences(self._findings)

    @property
    def warnings(self) -> list[str]:
        return _sentences(self._warnings)


def _sentences(found: t.Iterable[tuple[str, str]]) -> list[str]:
    return [f"{where}: {text}" for where, text in sorted(found, key=_item)]


def _item(finding: tuple[str, str]) -> list[tuple[int, str]]:
    """The item that a finding is about, numbers in it as numbers: item 2 comes before item 10."""
    words = re.split(r"(\d+)", finding[0].partition("]")[0])
    return [(int(word), "") if word.isdigit() else (0, word) for word in words]
