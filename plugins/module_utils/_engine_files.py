# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Where a daemon that looks after the kernel's table has its files, and by what ours are known."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils._checker import Checker


@dataclass(frozen=True)
class Engine:
    """:attr owner: its name in the manifest.
    :attr header: by which its files are told from those of others.
    :attr modes: of its files, beside the one for its unit.
    """

    owner: str
    unit: str
    header: str
    config: str
    modes: t.Mapping[str, int]
    unit_text: str

    @property
    def kept(self) -> str:
        """Where somebody else's configuration waits, which comes back in the end."""
        return self.config + ".before-openlvs"

    @property
    def drop_in(self) -> str:
        """The file for its unit."""
        return f"/etc/systemd/system/{self.unit}.d/openlvs.conf"

    @property
    def drop_in_text(self) -> str:
        return f"{self.header} Changes made here do not last.\n{self.unit_text}"

    @property
    def checker(self) -> Checker:
        """Its own, for what it cannot count."""
        return Checker(self.owner)

    @property
    def all_modes(self) -> dict[str, int]:
        return {**self.modes, self.drop_in: 0o644, **self.checker.modes}
