# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the modules ``lvs_rs_arp`` and ``lvs_vip`` share: parameters in, result out."""

from __future__ import annotations

import errno
import os
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _host_kernel,
    _interpreter,
    _ipvs_settings,
    _manifest,
    _netlink_family,
    _vip,
    _vip_checks,
    _vip_settings,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, LibraryMissing, LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan

_ATTEMPTS = 3
# There already, not there any more: somebody else has been at work since the host was read.
_MOVED = frozenset({errno.EEXIST, errno.ESRCH, errno.EADDRNOTAVAIL})


class Result(t.NamedTuple):
    """A module's result, and what a user should know beside it."""

    values: dict[str, t.Any]
    diff: dict[str, t.Any]
    warnings: tuple[str, ...]


def run(params: t.Mapping[str, t.Any], side: str, check_mode: bool) -> Result:
    """Bring the VIPs of one side to where the parameters want them; in check mode only say how."""
    vips = _vip_checks.parse(params["vips"], side, params.get("ipvs_settings"))
    asked = _asked(params)
    if asked.of_ipvs and vips and params["state"] == "present" and not check_mode:
        _netlink_family.load()  # its settings come with it

    def plan() -> Plan:
        return _plan(_host_kernel.read(), vips, side, asked, params)

    if check_mode:
        first = last = plan()
        changes = [str(step) for step in last.steps]
    else:
        try:
            with _manifest.exclusive():
                first, last, changes = apply(plan)
        except LibraryMissing:  # before the first step was done
            _interpreter.start_again_with("pyroute2")
            raise
    values = {
        "changed": bool(changes),
        "changes": changes,
        "vips": _vip.described(last.after, side),
        "settings": _vip_settings.holding(last.after, side, asked),
    }
    warnings = (*last.warnings, *_ipvs_settings.not_yet(asked.ipvs or {}, last.after.ipvs))
    return Result(values, _diff(first.before, last.after, [vip.address for vip in vips], side), warnings)


def _asked(params: t.Mapping[str, t.Any]) -> Asked:
    settings, redirects = params.get("ipvs_settings"), params.get("send_redirects")
    moved = _manifest.load().vips_of(_manifest.VRRP) if redirects is False else {}  # keepalived's, and theirs, too
    interfaces = [vip["interface"] for vip in (*params["vips"], *moved.values())]
    return Asked(
        interfaces=tuple(dict.fromkeys(params.get("arp_interfaces") or ())),
        ip_forward=params.get("ip_forward"),
        no_redirects=None if redirects is None else () if redirects else tuple(dict.fromkeys(interfaces)),
        ipvs=None if settings is None else {name: _ipvs_settings.normal(value) for name, value in settings.items()},
    )


def apply(plan: t.Callable[[], Plan]) -> tuple[Plan, Plan, list[str]]:
    """Plan and do it, again where somebody else was at work meanwhile; the first plan, the last, and what was done."""
    first = last = plan()
    done: list[str] = []
    for attempt in range(_ATTEMPTS):
        try:
            _host_kernel.apply(last.steps, last.before)
            break
        except LvsError as exc:
            done += exc.details.get("applied", ())
            exc.details["applied"] = done
            moved = isinstance(exc, KernelError) and exc.errno in _MOVED
            if not moved or attempt == _ATTEMPTS - 1:
                raise
        last = plan()
    return first, last, done + [str(step) for step in last.steps]


def _plan(host: Host, vips: t.Sequence[_vip.Vip], side: str, asked: Asked, params: t.Mapping[str, t.Any]) -> Plan:
    ours = host.manifest.vips_of(side)
    named = [vip.address for vip in vips]
    if params["state"] == "absent":
        _vip_checks.check_leaving(host, [address for address in named if address in ours], side)
        return _vip.absent(host, named, side, asked)
    _vip_checks.check(host, vips, side, asked, os.uname().release)
    if params["purge"]:
        _vip_checks.check_leaving(host, [address for address in ours if address not in named], side)
    return _vip.present(host, vips, side, asked, purge=params["purge"])


def _diff(before: Host, after: Host, named: t.Sequence[str], side: str) -> dict[str, t.Any]:
    addresses = {*named, *before.manifest.vips_of(side), *after.manifest.vips_of(side)}
    recorded = {*before.manifest.settings, *after.manifest.settings}
    settings = {name for name in recorded if _vip_settings.side_of(name) == side}
    return {"before": _shown(before, addresses, settings), "after": _shown(after, addresses, settings)}


def _shown(host: Host, addresses: t.Collection[str], settings: t.Collection[str]) -> dict[str, t.Any]:
    """What stands there, whoever put it there, in the vocabulary of the options."""
    return {
        "vips": [
            {
                "address": found.address,
                "prefix": found.prefix,
                "interface": found.interface,
                "label": found.label,
                "broadcast": found.broadcast,
                "host_route": any(route.interface == found.interface for route in host.routes_to(found.address)),
            }
            for found in sorted(host.addresses, key=lambda found: (found.address, found.interface, found.prefix))
            if found.address in addresses
        ],
        "settings": {name: host.setting(name) for name in sorted(settings)},
    }
