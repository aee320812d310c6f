# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which family of distributions a host is of, as os-release(5) tells. The family decides paths and packages."""

from __future__ import annotations

import shlex
import typing as t

# ID, or failing that a word of ID_LIKE; CentOS Stream, Rocky, Alma and Oracle are like one of the last two.
_FAMILIES = {"debian": "Debian", "fedora": "RedHat", "rhel": "RedHat"}
FAMILIES = tuple(dict.fromkeys(_FAMILIES.values()))


class Distribution(t.NamedTuple):
    """:attr family: as Ansible's own fact os_family names it; None for any that the roles do not know."""

    name: str
    family: str | None


def read(path: str = "/etc/os-release") -> Distribution:
    """What the host says that it is."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            words = [word for line in file if not line.startswith("#") for word in shlex.split(line)]
    except (OSError, ValueError):
        words = []
    said = dict(word.split("=", 1) for word in words if "=" in word)
    alike = [said.get("ID", ""), *said.get("ID_LIKE", "").split()]
    family = next((_FAMILIES[one] for one in alike if one in _FAMILIES), None)
    return Distribution(said.get("PRETTY_NAME", "an unknown distribution"), family)
