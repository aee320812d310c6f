# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hand the inventory to the pure cluster, once a run; documented in the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.openlvs.lvs.plugins.plugin_utils import _cluster
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.variables import Reader


class ActionModule(ActionBase):  # type: ignore[misc]
    """Works on the controller alone and connects to nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec({"live": {"type": "bool", "default": True}})
        findings = Findings()
        source = self._read(task_vars or {}, findings, options["live"])
        result.update(_cluster.build(source, findings, options["live"]))
        result.update(changed=False, findings=findings.findings, warnings=findings.warnings)
        if options["live"] and findings.findings:
            head = f"Findings in the description of the clusters: {len(findings.findings)}. Nothing was changed."
            return {
                "failed": True,
                "changed": False,
                "msg": "\n".join([head, *findings.findings]),
                "findings": findings.findings,
                "warnings": findings.warnings,
            }
        return result

    def _read(self, task_vars: dict[str, t.Any], findings: Findings, live: bool) -> _cluster.Source:
        hostvars = task_vars["hostvars"]
        here = task_vars["inventory_hostname"]
        # The variables of a play are in task_vars alone.
        hosts = {name: task_vars if name == here else hostvars.raw_get(name) for name in hostvars}
        templars: dict[str, t.Any] = {}

        def render(template: str, host: str) -> t.Any:
            if host not in templars:
                variables = {**hosts[host], "hostvars": hostvars}
                templars[host] = self._templar.copy_with_new_env(available_variables=variables)
            return templars[host].template(template)

        reader = Reader(hosts, render, findings)
        sections = reader.sections()
        if not sections and live and "lvs_services" not in reader.unresolved:
            findings.add("lvs_services", "is set for no host of this inventory. To take everything away, set it to []")
        reader.warn_of_misspelt()
        return _cluster.Source(
            sections=sections,
            vrrp=reader.entries("lvs_vrrp"),
            pacemaker=reader.entries("lvs_pacemaker"),
            hosts={name: reader.host(name) for name in hosts},
            groups={str(name): [str(host) for host in members] for name, members in task_vars["groups"].items()},
        )
