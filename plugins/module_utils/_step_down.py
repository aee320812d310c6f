# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A director lets another one take its VIPs, and goes on with the connections that it has begun.

A keepalived that is stopped takes VIPs and table along before the other director has noticed. One that just falls
silent leaves both where they are, and the other one takes over from a director that still answers.
"""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _host_kernel, _moved, _neighbours
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import AddAddress, Host, RemoveAddress
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import Daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import UNIT
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import wait_until

PATH = "/run/openlvs/stepped-down.json"  # where the VIPs stand that only old connections need
_LOOPBACK = "lo"
_LISTEN = 0.3  # seconds


def step_down(daemon: Daemon, patience: float, check_mode: bool) -> list[str]:
    """Let another director take the VIPs that this one has.

    :arg patience: how many seconds to wait for it.
    :returns: what was done.
    :raises LvsError: when nobody takes them; then they are here again, and have been all the time.
    """
    host = _host_kernel.read()
    vips = _moved.held(host)
    if not vips:
        return []
    if daemon.state().get("ActiveState") != "active":
        raise LvsError(
            f"{UNIT} does not run, so the VIPs here are not its own. Run the playbook openlvs.lvs.site first."
        )
    adds = _cover(host, vips, check_mode)
    removals = [RemoveAddress(one) for one in vips]
    if not check_mode:
        daemon.leave()
        try:
            taken = _wait(host, vips, patience)
            if taken:
                _host_kernel.apply(removals, host)
        finally:
            daemon.systemctl("start", UNIT)
        if not taken:
            wait_until(lambda: len(_moved.held(_host_kernel.read())) == len(vips))
            settle(check_mode)
            text = f"No other director has taken {', '.join(one.address for one in vips)} within {patience:g} s"
            raise LvsError(f"{text}, so this one has kept them. Does keepalived run on another one?")
    return [
        *map(str, adds),
        f"systemctl kill {UNIT}",
        *map(str, removals),
        f"systemctl start {UNIT}",
    ]


def get_ready(check_mode: bool) -> list[str]:
    """Answer for the VIPs that this director has, also when they have gone from their interface."""
    host = _host_kernel.read()
    return list(map(str, _cover(host, _moved.held(host), check_mode)))


def _cover(host: Host, vips: t.Sequence[Address], check_mode: bool) -> list[AddAddress]:
    """Put VIPs on the loopback interface, and remember that."""
    covers = [Address(one.address, 128 if one.ipv6 else 32, _LOOPBACK) for one in vips]
    adds = [AddAddress(one) for one in covers if not host_has(host, one)]
    if adds and not check_mode:
        os.makedirs(os.path.dirname(PATH), mode=0o755, exist_ok=True)
        _files.write(PATH, json.dumps([one.address.address for one in adds]), 0o600)
        _host_kernel.apply(adds, host)
    return adds


def settle(check_mode: bool) -> list[str]:
    """Take away what only the connections needed that this director had begun."""
    text = _files.read(PATH)
    if text is None:
        return []
    host = _host_kernel.read()
    wanted = json.loads(text)
    removals = [RemoveAddress(one) for one in host.addresses if one.interface == _LOOPBACK and one.address in wanted]
    if not check_mode:
        _host_kernel.apply(removals, host)
        _files.remove(PATH)
    return list(map(str, removals))


def host_has(host: Host, wanted: Address) -> bool:
    """Whether the address stands on that interface already."""
    return any(one.interface == wanted.interface for one in host.standing(wanted.address))


def _wait(host: Host, vips: t.Sequence[Address], patience: float) -> bool:
    """Whether a neighbour answers for each of them in time."""
    end = time.monotonic() + patience
    waiting: dict[str, list[str]] = {}
    for one in vips:
        waiting.setdefault(one.interface, []).append(one.address)
    while waiting:
        if time.monotonic() > end:
            return False
        for interface, addresses in list(waiting.items()):
            answers = _neighbours.ask(host.links[interface], host.addresses, addresses, _LISTEN, 1)
            waiting[interface] = [address for address in addresses if not answers[address]]
            if not waiting[interface]:
                del waiting[interface]
    return True
