# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the module ``lvs_settings`` does: parameters in, result out."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _director_settings,
    _host_kernel,
    _host_run,
    _ipvs_settings,
    _netlink_family,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._director_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._host_run import Result
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan


def run(params: t.Mapping[str, t.Any], check_mode: bool) -> Result:
    """Bring the settings to where the parameters want them; in check mode only say how."""
    asked = _asked(params)
    if asked.of_ipvs and not check_mode:
        _netlink_family.load()  # its settings come with it

    def plan() -> Plan:
        host = _host_kernel.read()
        _director_settings.check(host, asked, os.uname().release)
        return _director_settings.plan(host, asked, params["purge"])

    done = _host_run.run(plan, check_mode)
    after = done.last.after
    held, found = _director_settings.wanted(after, asked), _director_settings.recorded_by(after)
    values = {"changed": bool(done.changes), "changes": done.changes, "settings": held, "found": found}
    warnings = (*done.last.warnings, *_ipvs_settings.not_yet(asked.ipvs, after.ipvs))
    names = sorted({*held, *found, *_director_settings.recorded_by(done.first.before)})
    diff = {"before": _shown(done.first.before, names), "after": _shown(after, names)}
    return Result(values, diff, warnings)


def _asked(params: t.Mapping[str, t.Any]) -> Asked:
    settings = params["ipvs_settings"]
    findings = [f"ipvs_settings: {reason}" for reason in _ipvs_settings.findings(settings)]
    if findings:
        raise OptionError(findings)
    return Asked(
        ip_forward=params["ip_forward"],
        ipv6_forward=params["ipv6_forward"],
        no_redirects=tuple(dict.fromkeys(params["no_redirects"])),
        ipvs={name: _ipvs_settings.normal(value) for name, value in settings.items()},
    )


def _shown(host: Host, names: t.Iterable[str]) -> dict[str, str | None]:
    return {name: host.setting(name) for name in names}
