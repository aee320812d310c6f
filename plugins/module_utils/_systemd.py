# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A unit of systemd."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

PATIENCE = 15.0  # seconds; a reload of a thousand services takes one or two
_TICK = 0.1

Run = t.Callable[[t.Sequence[str]], tuple[int, str, str]]  # a command; its exit code, output and errors


class Unit:
    """:arg run: executes a command."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self._name = name

    def state(self) -> dict[str, str]:
        """What systemd says of it: UnitFileState, ActiveState."""
        output = self.systemctl("show", "--property=UnitFileState,ActiveState", self._name)
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    def make_folder(self, tmpfiles: str) -> None:
        """Make what a file for systemd-tmpfiles(8) says."""
        code, output, error = self._run(["systemd-tmpfiles", "--create", tmpfiles])
        if code:
            raise LvsError(f"systemd-tmpfiles --create {tmpfiles}: {(error or output).strip()}")

    def systemctl(self, *words: str) -> str:
        code, output, error = self._run(["systemctl", *words])
        if code:
            text = f"systemctl {' '.join(words)}: {(error or output).strip()}"
            raise LvsError(f"{text} 'journalctl --unit {self._name}' tells more.")
        return output


def wait_until(true: t.Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether something has become true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(_TICK)
    return True
