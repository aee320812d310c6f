# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The password of VRRP, judged without ever showing it."""

from __future__ import annotations

MAX = 8


def password_problem(password: str) -> str:
    """What is wrong with it; empty if nothing is."""
    if not password:
        return "is empty. Leave it out if there shall be none"
    if len(password) > MAX:
        return f"has {len(password)} characters: VRRP takes {MAX}, and keepalived would cut the others off unseen"
    if not all("!" <= character <= "~" for character in password):
        return "has a blank, a line break or a letter beyond ASCII in it. Use other characters"
    found = [character for character in "!#\"'\\{}$" if character in password]
    if found:
        return f"has {' and '.join(found)} in it, where keepalived would not read on. Use other characters"
    return ""
