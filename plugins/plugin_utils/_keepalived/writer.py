# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Lines of keepalived.conf(5): blocks, words, and strings that are quoted or refused."""

from __future__ import annotations

import contextlib
import re
import typing as t

_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# What ends a string or a block, or stands for something else, wherever keepalived meets it.
_REFUSED = {'"': "a double quote", "'": "a single quote", "\\": "a backslash", "{": "a brace", "}": "a brace"}
_REFUSED["$"] = "a dollar sign, which stands for a definition,"
_SEQUENCE = re.compile("~(SEQ|LST)")


def is_bare(text: str) -> bool:
    """Whether it stands without quotes."""
    return bool(_BARE.fullmatch(text))


class Writer:
    """Collects lines, and findings about what cannot be written.

    :arg version: of the keepalived that will read it, such as (2, 2, 7); None if that is not known.
    """

    def __init__(self, version: tuple[int, ...] | None = None) -> None:
        self.findings: list[str] = []
        self._version = version
        self._lines: list[str] = []
        self._depth = 0

    def line(self, *words: object) -> None:
        """One line; words are written as they are."""
        self._lines.append("  " * self._depth + " ".join(str(word) for word in words))

    def gap(self) -> None:
        self._lines.append("")

    @contextlib.contextmanager
    def block(self, *words: object) -> t.Iterator[None]:
        self.line(*words, "{")
        self._depth += 1
        yield
        self._depth -= 1
        self.line("}")

    def wrong(self, where: str, text: str) -> None:
        """A finding; the same one only once."""
        finding = f"{where}: {text}"
        if finding not in self.findings:
            self.findings.append(finding)

    def since(self, version: str, where: str, what: str) -> None:
        """A finding unless keepalived is as new as that."""
        floor = tuple(int(part) for part in version.split("."))
        if self._version is not None and self._version < floor:
            has = ".".join(str(part) for part in self._version)
            self.wrong(where, f"{what} needs keepalived {version}, and this host has {has}. Leave it out, or upgrade")

    def string(self, where: str, what: str, value: object) -> str:
        """A string, in quotes where it needs them."""
        text = str(value)
        if not text:
            self.wrong(where, f"{what} is empty")
        for character in text:
            if character in _REFUSED or not character.isprintable():
                word = _REFUSED.get(character, "a line break" if character in "\n\r" else "a control character")
                self.wrong(where, f"{what} {text!r} has {word} in it, and keepalived.conf cannot hold that")
                break
        if _SEQUENCE.search(text):
            self.wrong(where, f"{what} {text!r} has ~SEQ or ~LST in it, which keepalived would unfold")
        return text if is_bare(text) else f'"{text}"'

    def name(self, where: str, what: str, value: object) -> str:
        """The name of something: plain, for it stands bare and in messages."""
        text = str(value)
        if not _NAME.fullmatch(text):
            self.wrong(where, f"{what} {text!r} must be at most 63 letters, digits, '.', '_' and '-'")
        return text

    def __str__(self) -> str:
        return "\n".join([*self._lines, ""])


def seconds(value: object) -> str:
    """A time as keepalived reads it: no exponent, no more digits than needed."""
    return f"{float(str(value)):.6f}".rstrip("0").rstrip(".")
