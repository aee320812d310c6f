# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the modules ``lvs_rs_arp`` and ``lvs_vip`` share: parameters in, result out."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _host_kernel,
    _host_run,
    _manager_commands,
    _vip,
    _vip_checks,
    _vip_files,
    _vip_settings,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._host_run import Result
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan


def run(params: t.Mapping[str, t.Any], side: str, check_mode: bool) -> Result:
    """Bring the VIPs of one side to where the parameters want them; in check mode only say how."""
    vips = _vip_checks.parse(params["vips"], side)
    interfaces = tuple(dict.fromkeys(params.get("arp_interfaces") or ()))
    asked = Asked(interfaces, params["writer"], params.get("silence_by") or "sysctl")

    def plan() -> Plan:
        host = _host_kernel.read()
        if asked.silence_by == "nftables" and not check_mode:  # which cannot see rules that it only pretended to load
            _vip_checks.check_silenced(host, vips if params["state"] == "present" else ())
        return _plan(host, vips, side, asked, params)

    done = _host_run.run(plan, check_mode)
    after = done.last.after
    values = {
        "changed": bool(done.changes),
        "changes": done.changes,
        "vips": _vip.described(after, side),
        "writers": _vip_files.told(_vip.places(after, side, after.manifest.vips_of(side)), asked.writer),
    }
    if side == REAL_SERVER:
        values["devices"] = list(after.manifest.dummies)
        values["settings"] = _vip_settings.holding(after, side, asked)
    diff = _diff(done.first.before, after, [vip.address for vip in vips], side)
    return Result(values, diff, done.last.warnings)


def _plan(host: Host, vips: t.Sequence[_vip.Vip], side: str, asked: Asked, params: t.Mapping[str, t.Any]) -> Plan:
    ours = host.manifest.vips_of(side)
    named = [vip.address for vip in vips]
    if params["state"] == "absent":
        _vip_checks.check_leaving(host, [address for address in named if address in ours], side)
        return _judged(_vip.absent(host, named, side, asked))
    _vip_checks.check(host, vips, side, asked)
    if params["purge"]:
        _vip_checks.check_leaving(host, [address for address in ours if address not in named], side)
    return _judged(_vip.present(host, vips, side, asked, purge=params["purge"]))


def _judged(plan: Plan) -> Plan:
    """The plan, if the network managers take the files in it."""
    faults = _manager_commands.faults(plan.steps)
    if faults:
        raise OptionError(faults)
    return plan


def _diff(before: Host, after: Host, named: t.Sequence[str], side: str) -> dict[str, t.Any]:
    addresses = {*named, *before.manifest.vips_of(side), *after.manifest.vips_of(side)}
    recorded = {*before.manifest.settings, *after.manifest.settings}
    settings = {name for name in recorded if side == REAL_SERVER and _vip_settings.is_one(name)}
    files = {*before.manifest.files_of(side), *after.manifest.files_of(side)}
    return {name: _shown(host, addresses, settings, files) for name, host in (("before", before), ("after", after))}


def _shown(
    host: Host, addresses: t.Collection[str], settings: t.Collection[str], files: t.Collection[str]
) -> dict[str, t.Any]:
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
        **({"files": {path: host.files.get(path, "").splitlines() for path in sorted(files)}} if files else {}),
    }
