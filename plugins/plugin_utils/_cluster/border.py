# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Reading what a user wrote, key by key. A wrong value becomes a finding, and reading goes on."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings, did_you_mean, one_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Address

_TRUE = ("true", "yes", "on", "1")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,14}")
_INTERFACES = "up to 15 letters, digits, '.', '_', ':' and '-'"
_FALSE = ("false", "no", "off", "0")


def kind_of(value: object) -> str:
    """The type of a value in a user's words."""
    if value is None:
        return "nothing"
    for kind, word in ((bool, "a boolean"), (dict, "a dictionary"), (list, "a list"), (str, "a string")):
        if isinstance(value, kind):
            return word
    return "a number"


def whole_number(value: object) -> int | None:
    """An integer, also one that a template has turned into a string; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*-?(0|[1-9][0-9]{0,29})\s*", value):
        return int(value)
    return None


class Defaults(t.NamedTuple):
    """Values that stand elsewhere for keys that an entry lacks."""

    where: str
    data: t.Mapping[str, t.Any]


NO_DEFAULTS = Defaults("", {})


class Entry:
    """One mapping of the description.

    :arg where: how findings name it.
    :arg known: the keys that it may have.
    :arg defaults: values for keys that it lacks; findings about those name the defaults' own place.
    """

    def __init__(
        self,
        findings: Findings,
        where: str,
        data: t.Mapping[str, t.Any],
        known: t.Sequence[str],
        defaults: Defaults = NO_DEFAULTS,
    ) -> None:
        self.findings = findings
        self.where = where
        self.data = data
        self._defaults = defaults
        for key in data:
            if key not in known:
                hint = did_you_mean(key, known) or f": {one_of(known)}"
                findings.add(where, f"key '{key}' is unknown{hint}")

    def has(self, key: str) -> bool:
        return self.get(key) is not None

    def get(self, key: str) -> t.Any:
        value = self.data.get(key)
        return self._defaults.data.get(key) if value is None else value

    def at(self, key: str) -> str:
        """How findings about this key name the place where it was written."""
        return self._defaults.where if self.data.get(key) is None and key in self._defaults.data else self.where

    def wrong(self, key: str, text: str) -> None:
        self.findings.add_unread(self.at(key), key, text)

    def text(self, key: str) -> str | None:
        value = self.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self.wrong(key, f"{key} must be a string, not {kind_of(value) if value != '' else 'an empty one'}")
        return None

    def number(self, key: str, low: int, high: int, why: str = "") -> int | None:
        value = self.get(key)
        if value is None:
            return None
        number = whole_number(value)
        if number is None:
            self.wrong(key, f"{key} must be a whole number from {low} to {high}, not {value!r}")
        elif not low <= number <= high:
            self.wrong(key, f"{key} {number} is out of range: {low} to {high}{why}")
        else:
            return number
        return None

    def numbers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """One, or a list of them."""
        value = self.get(key)
        values = value if isinstance(value, list) else [] if value is None else [value]
        if value == []:
            self.wrong(key, f"{key} is empty: name some, or leave it out")
        for item in values:
            if item is None:
                self.wrong(key, f"{key} must be a whole number from {low} to {high}, not {kind_of(item)}")
        read = [Entry(self.findings, self.at(key), {key: item}, (key,)).number(key, low, high) for item in values]
        return tuple(number for number in read if number is not None)

    def seconds(self, key: str) -> float | None:
        """A time, also of less than a second."""
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, bool) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", str(value)):
            return float(value)
        shown = repr(value) if isinstance(value, (str, float)) else kind_of(value)
        self.wrong(key, f"{key} must be a number of seconds, not {shown}")
        return None

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        word = str(value).lower()
        if word not in _TRUE + _FALSE:
            self.wrong(key, f"{key} must be true or false, not {value!r}")
        return word in _TRUE

    def choice(self, key: str, allowed: t.Sequence[str]) -> str | None:
        value = self.get(key)
        if value is None or value in allowed:
            return t.cast("str | None", value)
        self.wrong(key, f"{key} '{value}' is unknown: {one_of(allowed)}{did_you_mean(value, allowed)}")
        return None

    def choices(self, key: str, allowed: t.Sequence[str]) -> tuple[str, ...]:
        """One of ``allowed``, or a list of them."""
        value = self.get(key)
        values = [] if value is None else value if isinstance(value, list) else [value]
        if value == []:
            self.wrong(key, f"{key} is empty: name some, or leave it out")
        for item in values:
            if item not in allowed:
                self.wrong(key, f"{key} '{item}' is unknown: {one_of(allowed)}{did_you_mean(item, allowed)}")
        return tuple(dict.fromkeys(item for item in values if item in allowed))

    def items(self, key: str) -> list[t.Any]:
        value = self.get(key)
        if value is None or isinstance(value, list):
            return value or []
        self.wrong(key, f"{key} must be a list, not {kind_of(value)}")
        return []

    def mappings(self, key: str, example: str) -> list[tuple[int, dict[str, t.Any]]]:
        """The entries of a list of dictionaries, each with its number."""
        found = []
        for number, item in enumerate(self.items(key)):
            if isinstance(item, dict):
                found.append((number, item))
            else:
                shown = f" {item!r}" if isinstance(item, str) else ""
                self.wrong(key, f"{key}[{number}] must be a dictionary such as {example}, not {kind_of(item)}{shown}")
        return found

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        found = self.items(key)
        for number, item in enumerate(found):
            if not isinstance(item, str) or not item:
                kind = "an empty one" if item == "" else kind_of(item)
                self.wrong(key, f"{key}[{number}] must be a string, not {kind}")
        return tuple(item for item in found if isinstance(item, str) and item)

    def interfaces(self, key: str) -> tuple[str, ...]:
        """A list of names of network interfaces, each once."""
        found = self.strings(key)
        for name in found:
            if not _INTERFACE.fullmatch(name):
                self.wrong(key, f"{key}: {name!r} is no name of an interface: {_INTERFACES}")
            elif found.count(name) > 1:
                self.wrong(key, f"{key}: '{name}' is listed twice")
        return tuple(name for name in dict.fromkeys(found) if _INTERFACE.fullmatch(name))

    def interface(self, key: str) -> str | None:
        """The name of a network interface."""
        name = self.text(key)
        if name is None or _INTERFACE.fullmatch(name):
            return name
        self.wrong(key, f"{key} {name!r} is no name of an interface: {_INTERFACES}")
        return None

    def words(self, key: str) -> dict[str, t.Any]:
        """A dictionary that somebody else judges."""
        value = self.get(key)
        if value is None or isinstance(value, dict):
            return value or {}
        self.wrong(key, f"{key} must be a dictionary, not {kind_of(value)}")
        return {}

    def address(self, key: str, remedy: str) -> Address | None:
        value = self.get(key)
        return None if value is None else parse_address(self.findings, self.at(key), key, value, remedy)


def parse_address(findings: Findings, where: str, key: str, value: object, remedy: str) -> Address | None:
    """An address on its own: no prefix, no port, no name."""
    if not isinstance(value, str):
        findings.add(where, f"{key} must be an address in quotes, not {kind_of(value)}")
        return None
    if "/" in value:
        findings.add(where, f"{key} '{value}' has a prefix: {remedy}")
        return None
    try:
        if "%" in value:
            raise ValueError
        return ipaddress.ip_address(value)
    except ValueError:
        findings.add(where, f"{key} '{value}' is not an IPv4 or IPv6 address")
        return None
