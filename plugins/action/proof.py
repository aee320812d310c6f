# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hand what was seen on the hosts to the pure proof, once a run; documented in the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.variables import plain
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof import Line, Look, look_from, prove
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.evidence import REGISTERED

CLIENTS = "lvs_clients"
MANY = 500  # claims; of more, only those are printed that do not hold
COLORS = {True: "green", False: "red", None: "yellow"}
display = Display()


class ActionModule(ActionBase):  # type: ignore[misc]
    """Works on the controller alone and connects to nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec({"cluster": {"type": "dict", "required": True}})
        variables = task_vars or {}
        cluster = plain(options["cluster"])
        clients = [str(name) for name in variables["groups"].get(CLIENTS, [])]
        hosts = dict.fromkeys([*cluster["members"], *clients])
        looks = {name: self._look(name, variables) for name in hosts}
        lines = prove(cluster, looks, clients)
        for line in lines:
            if len(lines) <= MANY or line.holds is not True:
                display.display(str(line), color=COLORS[line.holds])
        summary = self._summary(lines)
        display.display(summary["msg"])
        result.update(summary)
        return result

    @staticmethod
    def _look(name: str, task_vars: dict[str, t.Any]) -> Look:
        found = task_vars["hostvars"].raw_get(name)
        asked = "ansible_limit" not in task_vars or name in task_vars["ansible_play_hosts_all"]
        seen = {key: plain(found[key]) for key in REGISTERED if key in found}
        seen["lvs_host"] = plain((found.get("ansible_facts") or {}).get("lvs_host"))
        return look_from(name, asked, seen)

    @staticmethod
    def _summary(lines: list[Line]) -> dict[str, t.Any]:
        failed = sum(line.holds is False for line in lines)
        unasked = sum(line.holds is None for line in lines)
        count = f"{len(lines) - failed - unasked} hold, {failed} fail, {unasked} could not be asked"
        return {
            "changed": False,
            "failed": failed > 0,
            "msg": f"Of {len(lines)} claims {count}.",
            "lines": [
                {"subject": line.subject, "claim": line.claim, "holds": line.holds, "why": line.why} for line in lines
            ],
        }
