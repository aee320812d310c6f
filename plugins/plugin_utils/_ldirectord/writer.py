# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Lines of ldirectord.cf, and strings that are refused where ldirectord would read something else."""

from __future__ import annotations

_REFUSED = {'"': "a double quote", "#": "a '#', which begins a comment,"}


class Writer:
    """Collects lines, and findings about what cannot be written."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self._lines: list[str] = []

    def line(self, text: str) -> None:
        """One line, as it is."""
        self._lines.append(text)

    def option(self, keyword: str, value: object) -> None:
        """One line of a virtual server; ldirectord knows it by four spaces."""
        self.line(f"    {keyword}={value}")

    def wrong(self, where: str, text: str) -> None:
        """A finding; the same one only once."""
        finding = f"{where}: {text}"
        if finding not in self.findings:
            self.findings.append(finding)

    def text(self, where: str, what: str, value: object) -> str:
        """A string that ends where it ends."""
        text = str(value)
        if not text:
            self.wrong(where, f"{what} is empty")
        for character in text:
            if character in _REFUSED or not character.isprintable():
                word = _REFUSED.get(character, "a line break" if character in "\n\r" else "a control character")
                self.wrong(where, f"{what} {text!r} has {word} in it, and ldirectord.cf cannot hold that")
                break
        return text

    def __str__(self) -> str:
        return "\n".join([*self._lines, ""])
