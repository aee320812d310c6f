# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A daemon that looks after the kernel's table: what is the same for each, whichever it is.

Its files are told from those of others, which come back in the end; its unit is enabled; and what others have changed
in the table under it is mended, for such daemons change the table when a server fails, and never look at it again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import shutil
import stat
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _daemon_work, _files
from ansible_collections.openlvs.lvs.plugins.module_utils._checker import Checks
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import Access
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_files import Engine
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import States, due
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, Manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import Step, plan
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, ServiceKey, Table

_ATTEMPTS = 5


@dataclasses.dataclass(frozen=True)
class Request:
    """What shall be.

    :arg config: text of its configuration; empty if it has nothing to do here.
    :arg described: the table when all servers are well.
    :arg sorry: who answers for a service when too few are.
    :arg hand_over: what it leaves behind stays in the kernel, for the role director.
    :arg checks: what its checker looks at, by service; and ``user``, as whom.
    :arg clustered: a cluster starts it after boot.
    """

    config: str
    described: Table
    sorry: t.Mapping[ServiceKey, RealServer]
    hand_over: bool = False
    checks: Checks = dataclasses.field(default_factory=dict)
    user: str = "nobody"
    clustered: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """What is there."""

    engine: Engine
    texts: t.Mapping[str, str]
    odd: frozenset[str]
    unit: t.Mapping[str, str]

    @property
    def active(self) -> bool:
        return self.unit.get("ActiveState") in ("active", "reloading")

    @property
    def alive(self) -> bool:
        """Also while systemd is about to start one again that has died."""
        return self.active or self.unit.get("ActiveState") == "activating"

    @property
    def enabled(self) -> bool:
        return self.unit.get("UnitFileState") == "enabled"

    @property
    def ours(self) -> bool:
        return self.texts.get(self.engine.config, "").startswith(self.engine.header)

    def differs(self, path: str, text: str) -> bool:
        return self.texts.get(path, "") != text or (bool(text) and path in self.odd)


class Daemon(t.Protocol):
    """The running daemon, and its unit."""

    def state(self) -> dict[str, str]:
        """What systemd says of the unit: UnitFileState, ActiveState."""

    def make_folder(self, tmpfiles: str) -> None:
        """Make what a file for systemd-tmpfiles(8) says."""

    def systemctl(self, *words: str) -> str:
        """Run systemctl."""


def look(engine: Engine, daemon: Daemon) -> Found:
    texts = {path: text for path, text in ((path, _files.read(path)) for path in engine.all_modes) if text is not None}
    odd = frozenset(path for path in texts if _odd(path, engine.all_modes[path]))
    return Found(engine, texts, odd, daemon.state())


def _odd(path: str, mode: int) -> bool:
    status = os.lstat(path)
    return not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != mode or status.st_uid != 0


def _write(path: str, text: str, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _files.write(path, text, mode)


class Work(_daemon_work.Work):
    """One run. What a daemon has of its own is told by its subclass."""

    engine: Engine

    def __init__(self, request: Request, daemon: Daemon, access: Access, check_mode: bool) -> None:
        super().__init__(check_mode)
        self._asked = request
        self._unit = daemon
        self._access = access
        self.found = look(self.engine, daemon)

    def _converge(self) -> None:
        if self._asked.config:
            self._be_there()
        elif self._is_there():
            self._go()

    def _is_there(self) -> bool:
        return self.found.ours or bool(self._recorded())

    def _be_there(self) -> None:
        raise NotImplementedError

    def _go(self) -> None:
        raise NotImplementedError

    def _states(self) -> States:
        """What the daemon knows of its servers.

        :raises LvsError: when it does not tell."""
        raise NotImplementedError

    # ---- files and unit

    def _remove(self, path: str) -> None:
        def act() -> None:
            _files.remove(path)
            if path not in self.engine.modes:
                with contextlib.suppress(OSError):  # others have something there, too
                    os.rmdir(os.path.dirname(path))

        self._do(f"remove {path}", act)

    def _put_files(self, texts: t.Mapping[str, str]) -> None:
        """Write these, an empty one away, beside the file for the unit; and have it started at boot, or by others."""
        found, engine = self.found, self.engine
        if engine.config in found.texts and not found.ours:
            self._do(
                f"keep {engine.config} as {engine.kept}",
                lambda: _files.write(engine.kept, found.texts[engine.config], 0o644),
            )
        checker = engine.checker.texts(self._asked.checks, self._asked.user, engine.header)
        self._put_checker(checker)
        for path, text in {**texts, engine.drop_in: engine.drop_in_text}.items():
            if found.differs(path, text):
                write = functools.partial(_write, path, text, engine.all_modes[path])
                self._do(f"write {path}", write) if text else self._remove(path)
        if found.differs(engine.drop_in, engine.drop_in_text):
            self._do("systemctl daemon-reload", lambda: self._unit.systemctl("daemon-reload"))
        if found.enabled == self._asked.clustered:
            word = "disable" if found.enabled else "enable"
            self._do(f"systemctl {word} {engine.unit}", lambda: self._unit.systemctl(word, engine.unit))

    def _put_checker(self, texts: t.Mapping[str, str]) -> None:
        """Before the daemon is told of it."""
        checker = self.engine.checker
        changed = [path for path, text in texts.items() if text and self.found.differs(path, text)]
        for path in changed:
            self._do(f"write {path}", functools.partial(_write, path, texts[path], checker.modes[path]))
        if texts[checker.tmpfiles] and (checker.tmpfiles in changed or not os.path.isdir(checker.folder)):
            self._do(f"systemd-tmpfiles --create {checker.tmpfiles}", lambda: self._unit.make_folder(checker.tmpfiles))

    def _take_checker(self) -> None:
        """After the daemon has been told to do without it."""
        checker = self.engine.checker
        if self._asked.checks or checker.program not in self.found.texts:
            return
        for path in checker.modes:
            if path in self.found.texts:
                self._remove(path)
        if not self._check_mode:
            shutil.rmtree(checker.folder, ignore_errors=True)

    def _take_files(self) -> None:
        """Have the unit no longer started at boot, and let others' configuration come back."""
        found, engine = self.found, self.engine
        if found.enabled:
            self._do(f"systemctl disable {engine.unit}", lambda: self._unit.systemctl("disable", engine.unit))
        for path in (*engine.modes, engine.drop_in):
            if path in found.texts and (path != engine.config or found.ours):
                self._remove(path)
        self._take_checker()
        if engine.drop_in in found.texts:
            self._do("systemctl daemon-reload", lambda: self._unit.systemctl("daemon-reload"))
        if _files.read(engine.kept) is not None:
            self._do(f"write {engine.config}, as it was found", lambda: os.replace(engine.kept, engine.config))

    # ---- whose the services are

    def _recorded(self) -> tuple[str, ...]:
        return self._manifest.services.get(self.engine.owner, ())

    def _left_out(self) -> list[str]:
        """Services of its own that are described no more."""
        return [name for name in self._recorded() if name not in map(str, self._asked.described.services)]

    def _claimed(self, gone: t.Sequence[str]) -> Manifest:
        """Services are the daemon's, whoever had them before."""
        listed = [str(key) for key in self._asked.described.services]
        manifest = self._manifest
        for owner, names in manifest.services.items():
            manifest = manifest.with_services(owner, [name for name in names if name not in listed])
        return manifest.with_services(self.engine.owner, [*listed, *gone])

    def _settled(self) -> Manifest:
        listed = [str(key) for key in self._asked.described.services]
        return self._manifest.with_services(self.engine.owner, listed)

    def _handed_over(self) -> Manifest:
        names = [*self._manifest.services.get(DIRECTOR, ()), *self._recorded()]
        return self._manifest.with_services(self.engine.owner, ()).with_services(DIRECTOR, names)

    # ---- the kernel's table

    def _mend(self, gone: t.Sequence[str]) -> None:
        """What others have changed in the table becomes again what the daemon has made of it."""
        owned = frozenset(ServiceKey.parse(name) for name in gone)
        if not self._asked.described.services and not owned:
            return
        for _attempt in range(_ATTEMPTS):
            steps, states = self._drift(owned)
            if not steps:
                return
            if self._check_mode:
                self.changes += [str(step) for step in steps]
                return
            if self._due(states) != self._due(self._states()):
                continue  # a server has failed or come back in between
            self._access.apply(steps)
            self.changes += [str(step) for step in steps]
        raise LvsError("The table keeps changing: servers fail and come back at every look. Run again when they stay.")

    def _drift(self, owned: t.Collection[ServiceKey]) -> tuple[tuple[Step, ...], States]:
        states = self._states()
        return plan(self._access.read(), self._due(states), purge_real_servers=True, owned=owned), states

    def _due(self, states: States) -> Table:
        return due(self._asked.described, self._asked.sorry, states)

    def _clear_table(self, names: t.Iterable[str]) -> None:
        """Take services away that the daemon has left behind."""
        owned = [ServiceKey.parse(name) for name in names]
        steps = plan(self._access.read(), Table(), owned=owned)
        self._do_all([str(step) for step in steps], lambda: self._access.apply(steps))


def told(work: Work, request: Request, texts: t.Mapping[str, str]) -> dict[str, t.Any]:
    """What was found, for a proof.

    :arg texts: of the daemon's files, as they shall be; an empty one shall not be."""
    found, engine = work.found, work.engine
    drop_in = {engine.drop_in: engine.drop_in_text} if request.config else {}
    all_texts = {**texts, **drop_in, **engine.checker.texts(request.checks, request.user, engine.header)}
    return {
        "unit": {
            "name": work.engine.unit,
            "present": bool(found.unit.get("UnitFileState")),
            "enabled": found.enabled,
            "active": found.active,
        },
        "files": [
            {"path": path, "present": path in found.texts, "same": not found.differs(path, text)}
            for path, text in all_texts.items()
            if text
        ],
    }
