# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Ldirectord on a host: its file judged before it counts, the daemon reloaded, the kernel's table as its checks say.

A table that another role of this collection has put there is taken over as it stands, and can be given back: it stays
in the kernel while ldirectord does not run.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _daemon_work, _engine
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import Access
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import States
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_daemon import Daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_files import CONFIG, ENGINE, LOG, UNIT
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_state import is_built, last_words, states
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import wait_until
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey


@dataclasses.dataclass(frozen=True)
class Request(_engine.Request):
    """:arg quiescent: services whose failed servers stay in the table, with weight 0."""

    quiescent: frozenset[ServiceKey] = frozenset()


class Work(_engine.Work):
    """One run."""

    engine = ENGINE

    def __init__(self, request: Request, daemon: Daemon, access: Access, check_mode: bool) -> None:
        super().__init__(request, daemon, access, check_mode)
        self._daemon = daemon
        self._quiescent = request.quiescent

    def _be_there(self) -> None:
        found, config = self.found, self._asked.config
        new = found.differs(CONFIG, config)
        if new:
            self._daemon.judge(config)
        gone = self._left_out()
        self._record(self._claimed(gone), "# record: ldirectord has the table")
        self._put_files({CONFIG: config})
        if new or not found.active:
            word = "reload" if found.active else "start"
            self._do(f"systemctl {word} {UNIT}", lambda: self._begin(word))
        if not self._check_mode or (found.active and not new):
            self._mend(gone)
        self._take_checker()
        self._record(self._settled(), "# record: what left the description is no longer ours")

    def _begin(self, word: str) -> None:
        self._unit.systemctl(word, UNIT)
        described = self._asked.described
        if not wait_until(lambda: self._access.read().services.keys() >= described.services.keys()):
            raise LvsError(f"ldirectord runs, but does not work with its new file. {LOG} tells why.")
        # A server that has failed stays out, however long it is waited for.
        wait_until(lambda: is_built(described, self._access.read()))

    def _states(self) -> States:
        words = last_words(self._daemon.log())
        return states(words, self._asked.described, self._access.read(), self._quiescent)

    def _mend(self, gone: t.Sequence[str]) -> None:
        before = len(self.changes)
        super()._mend(gone)
        if len(self.changes) > before and not self._check_mode:
            # Somebody may have taken out servers of which its log no longer tells: it looks at all of them again.
            self._unit.systemctl("reload", UNIT)

    def _go(self) -> None:
        if self.found.alive:
            self._do(f"systemctl stop {UNIT}", lambda: self._unit.systemctl("stop", UNIT))
        self._take_files()
        if self._asked.hand_over:
            self._record(self._handed_over(), "# record: the director has the table")
        else:
            self._clear_table(self._recorded())
            nothing = self._manifest.with_services(ENGINE.owner, ())
            self._record(nothing, "# record: ldirectord has nothing here any more")


def run(request: Request, daemon: Daemon, access: Access, check_mode: bool) -> Work:
    """Bring ldirectord to what is asked; the work tells what was done."""
    return _daemon_work.run(lambda checking: Work(request, daemon, access, checking), check_mode)


def told(work: Work, request: Request) -> dict[str, t.Any]:
    """What was found, for a proof."""
    return _engine.told(work, request, {CONFIG: request.config})
