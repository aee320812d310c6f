# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Where the checker of a daemon stands on a host, and what is in its files. Pure but for its own text.

Each daemon has a checker of its own, told apart by its name, by which it finds what to look at, and what it has seen.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _check

_RUN_BY = "#!/usr/bin/python3 -I\n"  # it takes nothing from where it is started

Checks = t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]]


class Checker:
    """:arg owner: the daemon that runs it."""

    def __init__(self, owner: str) -> None:
        self._name = f"check-{owner}"
        self.program = f"/usr/local/lib/openlvs/{self._name}"
        self.config = _check.CONFIG.format(self._name)
        self.folder = _check.STATE.format(self._name)
        self.tmpfiles = f"/etc/tmpfiles.d/openlvs-{self._name}.conf"

    @property
    def modes(self) -> dict[str, int]:
        return {self.program: 0o755, self.config: 0o644, self.tmpfiles: 0o644}

    def texts(self, checks: Checks, user: str, head: str) -> dict[str, str]:
        """What is in its files; nothing without checks.

        :arg checks: for each service, by its VIP or mark and its port.
        :arg user: as whom it works.
        """
        if not checks:
            return dict.fromkeys(self.modes, "")
        return {
            self.program: _source(),
            self.config: json.dumps(checks, indent=2, sort_keys=True) + "\n",
            self.tmpfiles: f"{head} Changes made here do not last.\nd {self.folder} 0700 {user} - -\n",
        }


def _source() -> str:
    """The text of the checker, also out of the archive in which modules come to a host."""
    loader: t.Any = _check.__loader__
    return f"{_RUN_BY}{loader.get_source(_check.__name__)}"
