# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Keepalived on a host: its file judged before it counts, the daemon reloaded, the kernel's table as its checks say.

A table and VIPs that another role of this collection has put there are taken over as they stand, and can be given back:
clients notice neither.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import stat
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _host_kernel, _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import Access
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import AddAddress, Host, RemoveAddress, RemoveRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import UNIT, Daemon, wait_until
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import (
    CONFIG,
    DROP_IN,
    HEADER,
    KEPT,
    MODES,
    RESTART,
    SECRET,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_state import States, due, knows
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, VRRP, Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import Step, plan
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, ServiceKey, Table

OWNER = "keepalived"
_COVER = "lo"  # where a VIP stands while keepalived, which begins without any, takes it over
_ATTEMPTS = 5


@dataclasses.dataclass(frozen=True)
class Request:
    """What shall be.

    :arg config: text of keepalived.conf; empty if keepalived has nothing to do here.
    :arg secret: text of the file with the password, which it includes; empty without one.
    :arg described: the table when all servers are well.
    :arg sorry: who answers for a service when too few are.
    :arg vips: the VIPs that VRRP moves.
    :arg hand_over: what it leaves behind stays in the kernel, for the role director.
    """

    config: str
    secret: str
    described: Table
    sorry: t.Mapping[ServiceKey, RealServer]
    vips: t.Mapping[str, VipRecord]
    hand_over: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """What is there."""

    texts: t.Mapping[str, str]
    odd: frozenset[str]
    unit: t.Mapping[str, str]
    host: Host

    @property
    def active(self) -> bool:
        return self.unit.get("ActiveState") in ("active", "reloading")

    @property
    def enabled(self) -> bool:
        return self.unit.get("UnitFileState") == "enabled"

    @property
    def ours(self) -> bool:
        return self.texts.get(CONFIG, "").startswith(HEADER)

    def differs(self, path: str, text: str) -> bool:
        return self.texts.get(path, "") != text or (bool(text) and path in self.odd)


def look(daemon: Daemon) -> Found:
    texts = {path: text for path, text in ((path, _files.read(path)) for path in MODES) if text is not None}
    odd = frozenset(path for path in texts if _odd(path))
    return Found(texts, odd, daemon.state(), _host_kernel.read())


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _files.write(path, text, MODES[path])


def _odd(path: str) -> bool:
    status = os.lstat(path)
    return not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != MODES[path] or status.st_uid != 0


class Work:
    """One run.

    :attr changes: what was done, or in check mode would be.
    """

    def __init__(self, request: Request, daemon: Daemon, access: Access, check_mode: bool) -> None:
        self._request = request
        self._daemon = daemon
        self._access = access
        self._check_mode = check_mode
        self.changes: list[str] = []
        self.found = look(daemon)

    def run(self) -> None:
        """:raises LvsError: when something refuses; the details tell what was done before."""
        try:
            if self._request.config:
                self._be_there()
            elif self.found.ours or self._recorded() or VRRP in {vip["side"] for vip in self._manifest.vips.values()}:
                self._go()
        except LvsError as exc:
            exc.details.setdefault("applied", self.changes)
            raise

    @property
    def _manifest(self) -> Manifest:
        return self.found.host.manifest

    def _recorded(self) -> tuple[str, ...]:
        return self._manifest.services.get(OWNER, ())

    def _do(self, text: str, act: t.Callable[[], object]) -> None:
        if not self._check_mode:
            act()
        self.changes.append(text)

    def _remove(self, path: str) -> None:
        def act() -> None:
            _files.remove(path)
            if path == DROP_IN:
                with contextlib.suppress(OSError):  # others have something there, too
                    os.rmdir(os.path.dirname(path))

        self._do(f"remove {path}", act)

    def _record(self, manifest: Manifest, text: str) -> None:
        if manifest != self._manifest:
            self._do(text, lambda: _manifest.save(manifest))
            self.found = dataclasses.replace(self.found, host=dataclasses.replace(self.found.host, manifest=manifest))

    # ---- being there

    def _be_there(self) -> None:
        request, found = self._request, self.found
        self._refuse()
        new = found.differs(CONFIG, request.config) or found.differs(SECRET, request.secret)
        if new:
            self._daemon.judge(request.config, request.secret, SECRET)
        taken = self._taken()
        gone = [name for name in self._recorded() if name not in map(str, request.described.services)]
        self._record(self._claimed(gone), "# record: keepalived has the table and the VIPs")
        if CONFIG in found.texts and not found.ours:
            self._do(f"keep {CONFIG} as {KEPT}", lambda: _files.write(KEPT, found.texts[CONFIG], 0o644))
        for path, text in ((SECRET, request.secret), (CONFIG, request.config), (DROP_IN, RESTART)):
            if found.differs(path, text):
                self._do(f"write {path}", functools.partial(_write, path, text)) if text else self._remove(path)
        if found.differs(DROP_IN, RESTART):
            self._do("systemctl daemon-reload", lambda: self._daemon.systemctl("daemon-reload"))
        if not found.enabled:
            self._do(f"systemctl enable {UNIT}", lambda: self._daemon.systemctl("enable", UNIT))
        if new or not found.active:
            word = "reload" if found.active else "start"
            self._do(f"systemctl {word} {UNIT}", lambda: self._begin(word, taken))
        if not self._check_mode or (found.active and not new):
            self._mend(gone)
        self._record(self._settled(), "# record: what left the description is no longer ours")

    def _refuse(self) -> None:
        findings = []
        for address in self._request.vips:
            record = self._manifest.vips.get(address)
            if record and record["side"] not in (DIRECTOR, VRRP):
                text = "the manifest records it here as that of a real server, and VRRP cannot move it as well."
                findings.append(f"VIP {address}: {text} Take it off that side first.")
        findings += [
            f"VIP {address}: there is no interface {vip['interface']!r} on this host; there are "
            f"{', '.join(self.found.host.links)}."
            for address, vip in self._request.vips.items()
            if vip["interface"] not in self.found.host.links
        ]
        if findings:
            raise OptionError(findings)

    def _taken(self) -> list[Address]:
        """VIPs that the role director has put here: they serve, and go on serving."""
        ours = self._manifest.vips_of(DIRECTOR)
        return [one for address in self._request.vips if address in ours for one in self.found.host.standing(address)]

    def _claimed(self, gone: t.Sequence[str]) -> Manifest:
        listed = [str(key) for key in self._request.described.services]
        manifest = self._manifest
        for owner, names in manifest.services.items():
            manifest = manifest.with_services(owner, [name for name in names if name not in listed])
        return manifest.with_services(OWNER, [*listed, *gone]).with_vips(self._request.vips)

    def _settled(self) -> Manifest:
        left = [address for address in self._manifest.vips_of(VRRP) if address not in self._request.vips]
        listed = [str(key) for key in self._request.described.services]
        return self._manifest.with_services(OWNER, listed).without_vips(left)

    def _begin(self, word: str, taken: t.Sequence[Address]) -> None:
        covers = [Address(one.address, 128 if one.ipv6 else 32, _COVER) for one in taken if one.interface != _COVER]
        host = self.found.host
        _host_kernel.apply([AddAddress(one) for one in covers], host)
        try:
            self._daemon.systemctl(word, UNIT)
            if self._request.described.services and not wait_until(self._informed):
                text = "keepalived runs, but does not work with its new file."
                raise LvsError(f"{text} 'journalctl --unit {UNIT}' tells why.")
            for one in covers:
                wait_until(functools.partial(self._stands, one.address))
        finally:
            _host_kernel.apply([RemoveAddress(one) for one in covers], host)
        routes = [route for one in taken for route in host.routes_to(one.address) if route.gateway is None]
        _host_kernel.apply([RemoveRoute(route) for route in routes if route.scope == "link"], host)

    def _informed(self) -> bool:
        states = self._daemon.states()
        return states is not None and knows(states, self._request.described)

    def _stands(self, address: str) -> bool:
        return any(one.interface != _COVER for one in _host_kernel.read().standing(address))

    # ---- the kernel's table

    def _mend(self, gone: t.Sequence[str]) -> None:
        """What others have changed in the table becomes again what keepalived has made of it."""
        owned = frozenset(ServiceKey.parse(name) for name in gone)
        if not self._request.described.services and not owned:
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

    def _states(self) -> States:
        if not self._request.described.services:
            return {}
        states = self._daemon.states()
        if states is None:
            raise LvsError(f"keepalived runs without looking at its servers. 'journalctl --unit {UNIT}' tells why.")
        return states

    def _due(self, states: States) -> Table:
        return due(self._request.described, self._request.sorry, states)

    # ---- going

    def _go(self) -> None:
        found = self.found
        held = [one for address in self._manifest.vips_of(VRRP) for one in found.host.standing(address)]
        held = [one for one in held if one.interface == self._manifest.vips[one.address]["interface"]]
        serves = bool(held) or not self._manifest.vips_of(VRRP)
        stays = self._request.hand_over and serves
        if found.active:
            end = self._daemon.leave if stays else lambda: self._daemon.systemctl("stop", UNIT)
            self._do(f"systemctl {'kill' if stays else 'stop'} {UNIT}", end)
        if found.enabled:
            self._do(f"systemctl disable {UNIT}", lambda: self._daemon.systemctl("disable", UNIT))
        for path in MODES:
            if path in found.texts and (path != CONFIG or found.ours):
                self._remove(path)
        if DROP_IN in found.texts:
            self._do("systemctl daemon-reload", lambda: self._daemon.systemctl("daemon-reload"))
        before = _files.read(KEPT)
        if before is not None:
            self._do(f"write {CONFIG}, as it was found", lambda: os.replace(KEPT, CONFIG))
        if stays:
            self._record(self._handed_over(), "# record: the director has the table and the VIPs")
        else:
            self._clear(held)

    def _handed_over(self) -> Manifest:
        names = [*self._manifest.services.get(DIRECTOR, ()), *self._recorded()]
        vips = {key: VipRecord(**{**vip, "side": DIRECTOR}) for key, vip in self._manifest.vips_of(VRRP).items()}
        return self._manifest.with_services(OWNER, ()).with_services(DIRECTOR, names).with_vips(vips)

    def _clear(self, held: t.Sequence[Address]) -> None:
        """What a keepalived that was killed has left; one that ends has taken it along."""
        owned = [ServiceKey.parse(name) for name in self._recorded()]
        if not self._check_mode or not self.found.active:
            steps = plan(self._access.read(), Table(), owned=owned)
            self._do_all([str(step) for step in steps], lambda: self._access.apply(steps))
            standing = held if self._check_mode else [one for one in held if one in _host_kernel.read().addresses]
            removals = [RemoveAddress(one) for one in standing]
            self._do_all([str(step) for step in removals], lambda: _host_kernel.apply(removals, self.found.host))
        manifest = self._manifest.with_services(OWNER, ()).without_vips(self._manifest.vips_of(VRRP))
        self._record(manifest, "# record: keepalived has nothing here any more")

    def _do_all(self, texts: t.Sequence[str], act: t.Callable[[], object]) -> None:
        if texts and not self._check_mode:
            act()
        self.changes += texts


def run(request: Request, daemon: Daemon, access: Access, check_mode: bool) -> Work:
    """Bring keepalived to what is asked; the work tells what was done."""
    if check_mode:
        work = Work(request, daemon, access, True)
        work.run()
        return work
    with _manifest.exclusive():
        work = Work(request, daemon, access, False)
        work.run()
        return work


def told(work: Work, request: Request) -> dict[str, t.Any]:
    """What was found, for a proof."""
    found = work.found
    texts = {CONFIG: request.config, SECRET: request.secret, DROP_IN: RESTART if request.config else ""}
    return {
        "unit": {
            "name": UNIT,
            "present": bool(found.unit.get("UnitFileState")),
            "enabled": found.enabled,
            "active": found.active,
        },
        "files": [
            {"path": path, "present": path in found.texts, "same": not found.differs(path, text)}
            for path, text in texts.items()
            if text
        ],
    }
