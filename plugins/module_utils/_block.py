# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Lines of ours in a file of somebody's: between two marks, and everything else stays to the letter. Pure."""

from __future__ import annotations


def ours(text: str, owner: str) -> str:
    """The lines between the owner's marks; none where there are no marks."""
    begin, end = _marks(owner)
    _before, found, rest = text.partition(begin)
    return rest.partition(end)[0] if found else ""


def whole(text: str, owner: str) -> bool:
    """Whether the owner's marks are both there, once and in order, or neither."""
    begin, end = _marks(owner)
    counts = text.count(begin), text.count(end)
    return counts == (0, 0) or (counts == (1, 1) and text.index(begin) < text.index(end))


def replaced(text: str, owner: str, lines: str) -> str:
    """The file with these lines of the owner in the place of those that are there, or at its end; with none without."""
    begin, end = _marks(owner)
    block = f"{begin}{lines}{end}" if lines else ""
    before, found, rest = text.partition(begin)
    if found:
        return before + block + rest.partition(end)[2]
    return text + ("\n" if block and text and not text.endswith("\n") else "") + block


def _marks(owner: str) -> tuple[str, str]:
    return f"# BEGIN {owner}, written by Ansible\n", f"# END {owner}\n"
