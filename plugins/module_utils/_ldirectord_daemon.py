# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The running ldirectord and its unit: asked, started, reloaded, stopped."""

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_files import CONFIG, HEADER, LOG, PROGRAM, UNIT
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import Run, Unit

_REFUSED = 2  # what it ends with over a file that it cannot read; anything else is about a daemon of that file


class Daemon(Unit):
    """:arg run: executes a command."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, UNIT)

    def judge(self, config: str) -> None:
        """What ldirectord itself thinks of a file: asked whether one of that file runs, it reads it.

        :raises OptionError: when it refuses it.
        """
        if not os.path.exists(PROGRAM):
            return
        with tempfile.TemporaryDirectory(prefix="openlvs-") as folder:
            draft = os.path.join(folder, "ldirectord.cf")
            with open(draft, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(config.replace(LOG, os.path.join(folder, "log")))
            code, output, error = self._run([PROGRAM, draft, "status"])
        if code == _REFUSED:
            said = (error or output or "it does not say why").replace(folder + os.sep, "").strip()
            raise OptionError([f"ldirectord refuses its file: {line}" for line in said.splitlines()])

    def log(self) -> str:
        """What it has written since the last time, and before that."""
        return "".join(_files.read(path) or "" for path in (f"{LOG}.1", LOG))


def facts() -> dict[str, t.Any]:
    """What is installed, and what of it is ours."""
    text = _files.read(CONFIG) or ""
    return {"installed": os.path.exists(PROGRAM), "config": text if text.startswith(HEADER) else None}
