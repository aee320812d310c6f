# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Firewall marks for services that want one: by a hash of the name, never by position."""

from __future__ import annotations

import hashlib

FIRST = 0x4C000000
LAST = 0x4CFFFFFF
HANDED_ON = 0x4D000000  # what one director hands on to another


def mark_of(name: str) -> int:
    """The mark of the service of this name: the same on every host and in every order."""
    digest = hashlib.sha256(name.encode("utf-8")).digest()
    return FIRST + int.from_bytes(digest[:3], "big")
