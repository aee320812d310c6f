# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Corosync and Pacemaker on a host: by whom the directors of a cluster know each other, and what moves VIPs."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import shutil
import tempfile
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _cib,
    _corosync_loaded,
    _daemon_work,
    _files,
    _host_kernel,
    _moved,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import RemoveAddress, RemoveRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import Run, Unit

CONFIG = "/etc/corosync/corosync.conf"
KEY = "/etc/corosync/authkey"
KEPT = CONFIG + ".before-openlvs"
HEADER = "# Written by Ansible, role openlvs.lvs.pacemaker."
COROSYNC = "corosync.service"
PACEMAKER = "pacemaker.service"
PROGRAM = "/usr/sbin/corosync"
_CMAP = "/usr/sbin/corosync-cmapctl"
_CIBADMIN = "/usr/sbin/cibadmin"
_AGENT = "/usr/lib/ocf/resource.d/heartbeat/IPaddr2"
_NEEDED = (PROGRAM, "/usr/sbin/pacemakerd", "/usr/sbin/crm_mon", _AGENT)
_CIB = "/var/lib/pacemaker/cib"
_MODES = {CONFIG: 0o644, KEY: 0o400}
_ADDRESS = re.compile(r"^\s*ring\d_addr\s*:\s*(\S+)", re.MULTILINE)
_NAME = re.compile(r"^\s*cluster_name\s*:\s*(\S+)", re.MULTILINE)
_NOWHERE = ("127.0.0.1", "::1")  # where the cluster of the distribution's own file is


@dataclasses.dataclass(frozen=True)
class Request:
    """What shall be.

    :arg config: text of corosync.conf; empty if this host is in no cluster.
    :arg key: by which the directors know each other.
    :arg vips: those that the cluster moves.
    :arg hand_over: the VIPs that are here stay, for another role.
    :arg stays: a cluster with resources of others goes on, without our group.
    """

    config: str
    key: str = dataclasses.field(default="", repr=False)
    vips: t.Mapping[str, VipRecord] = dataclasses.field(default_factory=dict)
    hand_over: bool = False
    stays: bool = False


class Daemons:
    """Both daemons: asked, started, stopped.

    :arg run: executes a command.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._units = {name: Unit(run, name) for name in (COROSYNC, PACEMAKER)}

    def states(self) -> dict[str, dict[str, str]]:
        return {name: unit.state() for name, unit in self._units.items()}

    def systemctl(self, word: str, name: str) -> None:
        self._units[name].systemctl(word, name)

    def has_loaded(self, config: str) -> bool:
        """Whether the running daemon works by this text; one that does not tell is taken for well."""
        if not os.path.exists(_CMAP):
            return True
        code, output, _error = self._run([_CMAP])
        return bool(code) or _corosync_loaded.is_loaded(config, output)

    def judge(self, config: str, key: str) -> None:
        """What Corosync itself thinks of a file.

        :raises OptionError: when it refuses it.
        """
        if not os.path.exists(PROGRAM):
            return
        with tempfile.TemporaryDirectory(prefix="openlvs-") as folder:
            draft, secret = os.path.join(folder, "corosync.conf"), os.path.join(folder, "authkey")
            text = config.replace("totem {", f"totem {{\n    keyfile: {secret}", 1)
            for path, content in ((draft, text), (secret, key)):
                with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                    file.write(content)
            code, output, error = self._run([PROGRAM, "-t", "-c", draft])
        if code:
            said = (error or output or "it does not say why").replace(folder + os.sep, "").strip()
            raise OptionError([f"Corosync refuses its file: {line}" for line in said.splitlines()])


class Work(_daemon_work.Work):
    """One run.

    :attr reload: a running cluster has to be told of a new file, when every director has it.
    """

    def __init__(self, request: Request, daemons: Daemons, check_mode: bool) -> None:
        super().__init__(check_mode)
        self._asked = request
        self._daemons = daemons
        self.reload = False
        self.texts = {path: text for path, text in ((path, _files.read(path)) for path in _MODES) if text is not None}
        self.units = daemons.states()

    @property
    def ours(self) -> bool:
        return self.texts.get(CONFIG, "").startswith(HEADER)

    def active(self, name: str) -> bool:
        return self.units[name].get("ActiveState") in ("active", "reloading", "activating")

    def enabled(self, name: str) -> bool:
        return self.units[name].get("UnitFileState") == "enabled"

    def _converge(self) -> None:
        if self._asked.config:
            self._be_there()
        elif self.ours:  # what keepalived moves stands in the same record
            self._go()

    # ---- being there

    def _be_there(self) -> None:
        asked = self._asked
        self._refuse()
        wanted = {KEY: asked.key, CONFIG: asked.config}
        new = [path for path, text in wanted.items() if self.differs(path, text)]
        if new:
            self._daemons.judge(asked.config, asked.key)
        routes = self._routes()
        self._record(self._manifest.with_moved(asked.vips), "# record: the cluster moves the VIPs")
        if CONFIG in self.texts and not self.ours:
            self._do(f"keep {CONFIG} as {KEPT}", lambda: _files.write(KEPT, self.texts[CONFIG], 0o644))
        for path in new:
            self._do(f"write {path}", functools.partial(_write, path, wanted[path]))
        for name in (COROSYNC, PACEMAKER):
            if not self.enabled(name):
                self._do(f"systemctl enable {name}", functools.partial(self._daemons.systemctl, "enable", name))
        if self.active(COROSYNC) and not self.ours:
            self._stop()
            self._do(f"remove {_CIB}/*", _forget)  # of the distribution's example, a cluster of this host alone
        if self.ours and self.active(COROSYNC):
            self.reload = bool(new) or not self._daemons.has_loaded(asked.config)
            if self.reload and not new:  # a run was cut off; told when every director has the file
                self.changes.append("corosync-cfgtool -R")
        for name in (COROSYNC, PACEMAKER):
            if not (self.active(name) and self.ours):
                self._do(f"systemctl start {name}", functools.partial(self._daemons.systemctl, "start", name))
        for step in map(RemoveRoute, routes):
            self._do(str(step), functools.partial(_host_kernel.apply, [step], self.host))
        left = [address for address in self._manifest.moved if address not in asked.vips]
        self._record(self._manifest.without_moved(left), "# record: what left the description is no longer ours")

    def _routes(self) -> list[HostRoute]:
        """The routes to VIPs that the role director has put here: the cluster takes the VIPs, and would leave these."""
        taken = [address for address in self._manifest.vips_of(DIRECTOR) if address in self._asked.vips]
        routes = [route for address in taken for route in self.host.routes_to(address)]
        return [route for route in routes if route.gateway is None and route.scope == "link"]

    def differs(self, path: str, text: str) -> bool:
        return self.texts.get(path) != text or (os.lstat(path).st_mode & 0o777) != _MODES[path]

    def _refuse(self) -> None:
        if foreign(self.texts.get(CONFIG, "")):
            raise OptionError([f"{CONFIG} is that of a cluster that somebody else has made. Nothing was changed."])
        _moved.refuse_homeless(self._asked.vips, self.host)

    # ---- going

    def _go(self) -> None:
        if self._asked.stays:
            self._forget_vips()
            return
        held = _moved.held(self.host)
        self._stop()
        for name in (PACEMAKER, COROSYNC):
            if self.enabled(name):
                self._do(f"systemctl disable {name}", functools.partial(self._daemons.systemctl, "disable", name))
        if self._asked.hand_over and held:
            self._record(_moved.handed_over(self._manifest), "# record: the director has the VIPs")
        else:
            self._clear(held)
        if KEY in self.texts:
            self._do(f"remove {KEY}", lambda: _files.remove(KEY))
        self._do(f"remove {_CIB}/*", _forget)
        if os.path.exists(KEPT):
            self._do(f"write {CONFIG}, as it was found", lambda: os.replace(KEPT, CONFIG))
        else:  # the last, for by it the next run knows that there is something to go
            self._do(f"remove {CONFIG}", lambda: _files.remove(CONFIG))

    def _clear(self, held: t.Sequence[Address]) -> None:
        for one in held:
            step = RemoveAddress(one)
            if self._check_mode or one in _host_kernel.read().addresses:
                self._do(str(step), functools.partial(_host_kernel.apply, [step], self.host))
        self._forget_vips()

    def _forget_vips(self) -> None:
        moved = self._manifest.moved
        self._record(self._manifest.without_moved(moved), "# record: the cluster has nothing here any more")

    def _stop(self) -> None:
        for name in (PACEMAKER, COROSYNC):
            if self.active(name):
                self._do(f"systemctl stop {name}", functools.partial(self._daemons.systemctl, "stop", name))


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _files.write(path, text, _MODES[path])


def _forget() -> None:
    """What the cluster remembers of itself; the next one would take it for its own."""
    for entry in os.scandir(_CIB) if os.path.isdir(_CIB) else ():
        with contextlib.suppress(OSError):
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


def run(request: Request, daemons: Daemons, check_mode: bool) -> Work:
    """Bring both daemons to what is asked; the work tells what was done."""
    return _daemon_work.run(lambda checking: Work(request, daemons, checking), check_mode)


def foreign(config: str) -> bool:
    """Whether a file is of a cluster that is neither ours nor the distribution's example."""
    return bool(not config.startswith(HEADER) and set(_ADDRESS.findall(config)).difference(_NOWHERE))


def facts(run_command: Run) -> dict[str, t.Any]:
    """What is installed, what of it is ours, and what the cluster has to switch nodes off."""
    config = _files.read(CONFIG) or ""
    ours = config.startswith(HEADER)
    name = _NAME.search(config)
    devices: list[str] = []
    if ours and os.path.exists(_CIBADMIN):
        code, output, _error = run_command([_CIBADMIN, "--query", "--local"])
        devices = [] if code or not output else _cib.fencing_devices(output)
    return {
        "installed": all(os.path.exists(path) for path in _NEEDED),
        "config": config if ours else None,
        "name": name[1] if ours and name else None,
        "foreign": foreign(config),
        "fencing_devices": devices,
    }
