# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.


"""What the module ``lvs_tunnel`` does: parameters in, result out."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _host_kernel,
    _host_run,
    _rp_filter,
    _tunnel,
    _tunnel_checks,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._host_run import Result
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import described
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan


def run(params: t.Mapping[str, t.Any], check_mode: bool) -> Result:
    """Bring the tunnels to where the parameters want them; in check mode only say how."""
    tunnels = _tunnel_checks.parse(params["tunnels"])

    def plan() -> Plan:
        host = _host_kernel.read()
        _tunnel_checks.check(host, tunnels)
        return _tunnel.present(host, tunnels, params["purge"])

    first, last, changes = _host_run.run(plan, check_mode)
    values = {
        "changed": bool(changes),
        "changes": changes,
        "tunnels": [described(tunnel) for tunnel in last.after.manifest.tunnels],
        "settings": _tunnel.holding(last.after),
        "commands": [str(step) for step in _tunnel.boot(last.after)],
    }
    return Result(values, {"before": _shown(first.before, last), "after": _shown(last.after, last)}, last.warnings)


def _shown(host: Host, last: Plan) -> dict[str, t.Any]:
    """What stands there, whoever put it there."""
    recorded = [last.before.manifest, last.after.manifest]
    devices = {name for manifest in recorded for name in manifest.devices}
    settings = {name for manifest in recorded for name in manifest.settings if _rp_filter.is_one(name)}
    return {
        "tunnels": [described(tunnel) for tunnel in host.manifest.tunnels],
        "devices": {
            **{name: "up" if link.up else "down" for name, link in sorted(host.links.items()) if name in devices},
            **{str(port): "up" for port in sorted(host.listeners) if str(port) in devices},
        },
        "settings": {name: host.setting(name) for name in sorted(settings)},
    }
