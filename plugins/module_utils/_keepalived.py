# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Keepalived on a host: its file judged before it counts, the daemon reloaded, the kernel's table as its checks say.

A table and VIPs that another role of this collection has put there are taken over as they stand, and can be given back:
clients notice neither.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _daemon_work,
    _engine,
    _host_kernel,
    _keepalived_sync,
    _moved,
    _sync_daemon,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import Access
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import States
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import AddAddress, RemoveAddress, RemoveRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import Daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import CONFIG, ENGINE, SECRET, UNIT
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_state import knows
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_sync import Sync
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import mtu
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import wait_until

_COVER = "lo"  # where a VIP stands while keepalived, which begins without any, takes it over


@dataclasses.dataclass(frozen=True)
class Request(_engine.Request):
    """What shall be.

    :arg secret: text of the file with the password, which the configuration includes; empty without one.
    :arg vips: the VIPs that VRRP moves.
    :arg sync: where connections are told to the other directors; None if they are not.
    """

    secret: str = ""
    vips: t.Mapping[str, VipRecord] = dataclasses.field(default_factory=dict)
    sync: Sync | None = None


class Work(_engine.Work):
    """One run."""

    engine = ENGINE

    def __init__(
        self, request: Request, daemon: Daemon, access: Access, syncing: _sync_daemon.Access, check_mode: bool
    ) -> None:
        super().__init__(request, daemon, access, check_mode)
        self._syncing = syncing
        self._request = request
        self._daemon = daemon

    def _is_there(self) -> bool:
        return super()._is_there() or bool(self._manifest.moved)

    # ---- being there

    def _be_there(self) -> None:
        request, found = self._request, self.found
        _moved.refuse_homeless(request.vips, self.host)
        new = found.differs(CONFIG, request.config) or found.differs(SECRET, request.secret)
        if new:
            self._daemon.judge(request.config, request.secret, SECRET)
        taken = self._taken()
        gone = self._left_out()
        self._record(self._claimed(gone), "# record: keepalived has the table and the VIPs")
        self._put_files({SECRET: request.secret, CONFIG: request.config})
        if new or not found.active:
            word = "reload" if found.active else "start"
            self._do(f"systemctl {word} {UNIT}", lambda: self._begin(word, taken))
        if not self._check_mode or (found.active and not new):
            self._mend(gone)
            self._sync()
        self._take_checker()
        self._record(self._settled(), "# record: what left the description is no longer ours")

    def _taken(self) -> list[Address]:
        """VIPs that the role director has put here: they serve, and go on serving."""
        ours = self._manifest.vips_of(DIRECTOR)
        return [one for address in self._request.vips if address in ours for one in self.host.standing(address)]

    def _claimed(self, gone: t.Sequence[str]) -> Manifest:
        return super()._claimed(gone).with_moved(self._request.vips)

    def _settled(self) -> Manifest:
        left = [address for address in self._manifest.moved if address not in self._request.vips]
        return super()._settled().without_moved(left)

    def _begin(self, word: str, taken: t.Sequence[Address]) -> None:
        covers = [Address(one.address, 128 if one.ipv6 else 32, _COVER) for one in taken if one.interface != _COVER]
        host = self.host
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

    def _states(self) -> States:
        if not self._request.described.services:
            return {}
        states = self._daemon.states()
        if states is None:
            raise LvsError(f"keepalived runs without looking at its servers. 'journalctl --unit {UNIT}' tells why.")
        return states

    def _sync(self) -> None:
        """What a keepalived that was killed, or reloaded with other words, has left of sync daemons."""
        here = any(_moved.held(_host_kernel.read()))
        ours = _keepalived_sync.named_in(self.found.texts.get(CONFIG, ""))
        wanted = _keepalived_sync.due(self._syncing.daemons(), self._request.sync, ours, here, mtu)
        self.changes += _sync_daemon.converge(self._syncing, wanted, self._check_mode).changes

    # ---- going

    def _go(self) -> None:
        found = self.found
        held = _moved.held(self.host)
        serves = bool(held) or not self._manifest.moved
        stays = self._request.hand_over and serves
        if found.alive:
            word = "kill" if stays and found.active else "stop"
            end = self._daemon.leave if word == "kill" else lambda: self._daemon.systemctl("stop", UNIT)
            self._do(f"systemctl {word} {UNIT}", end)
        if not (self._check_mode and found.active):
            self._sync()
        self._take_files()
        if stays:
            self._record(self._handed_over(), "# record: the director has the table and the VIPs")
        else:
            self._clear(held)

    def _handed_over(self) -> Manifest:
        return _moved.handed_over(super()._handed_over())

    def _clear(self, held: t.Sequence[Address]) -> None:
        """What a keepalived that was killed has left; one that ends has taken it along."""
        if not self._check_mode or not self.found.active:
            self._clear_table(self._recorded())
            standing = held if self._check_mode else [one for one in held if one in _host_kernel.read().addresses]
            removals = [RemoveAddress(one) for one in standing]
            self._do_all([str(step) for step in removals], lambda: _host_kernel.apply(removals, self.host))
        manifest = self._manifest.with_services(ENGINE.owner, ()).without_moved(self._manifest.moved)
        self._record(manifest, "# record: keepalived has nothing here any more")


def run(request: Request, daemon: Daemon, access: Access, syncing: _sync_daemon.Access, check_mode: bool) -> Work:
    """Bring keepalived to what is asked; the work tells what was done."""
    return _daemon_work.run(lambda checking: Work(request, daemon, access, syncing, checking), check_mode)


def told(work: Work, request: Request) -> dict[str, t.Any]:
    """What was found, for a proof."""
    return _engine.told(work, request, {CONFIG: request.config, SECRET: request.secret})
