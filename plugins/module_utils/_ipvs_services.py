# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the module ipvs_services does: table, manifest and the table's file, in an order that survives being killed.

The manifest records what will be ours before the kernel gets it, and forgets what was ours after the kernel lost it.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest, _saved_table
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import Access, Outcome, converge
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import Description
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import FORWARD
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import (
    Step,
    keep_weights,
    out_of_order,
    plan,
    settle,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, ServiceKey, Table, endpoint


@dataclass(frozen=True)
class Request:
    """What shall be: the description, and how far removal goes."""

    description: Description
    purge: bool = False
    purge_real_servers: bool = False
    keep_weights: bool = False
    owner: str | None = None
    purge_abandoned: bool = True
    save_to: str | None = None
    manifest: str = _manifest.PATH
    lock: str = _manifest.LOCK


@dataclass(frozen=True)
class Report:
    """What was done, or in check mode would be."""

    outcome: Outcome
    changes: list[str]
    held: list[str]
    warnings: list[str]


def run(request: Request, access: Access, check_mode: bool) -> Report:
    """Bring table, manifest and file to what is described.

    :raises LvsError: when the kernel, the manifest or the file refuses.
    """
    if request.save_to is not None:
        _saved_table.judge(request.save_to)
    with contextlib.nullcontext() if check_mode else _manifest.exclusive(request.lock):
        records = _Records(request)
        if not check_mode:
            records.claim()
        planner = _Planner(request, records.abandoned)
        outcome = converge(access, planner, check_mode)
        changes = outcome.changes
        if request.save_to is not None:
            lines = write_rules(_lasting(outcome.after, planner.want))
            act = _saved_table.save(request.save_to, lines, check_mode)
            changes += [act] if act else []
        if not check_mode:
            records.settle()
        changes += records.changes
    held = [planner.describe(key, server) for key, server in planner.left_out]
    warnings = [_ORDER.format(key=key) for key in out_of_order(outcome.after, planner.want)]
    return Report(outcome, changes, held, warnings)


_ORDER = (
    "Service {key}: its real servers stand in the table in another order than in the description. The scheduler sh"
    " sends clients by that order, so another director with the same description can send them elsewhere. To put them"
    " in order, remove the service and let it be made again at a quiet hour, or use the scheduler mh."
)


def _lasting(after: Table, want: Table) -> Table:
    """The listed services as they stand in the table, with real servers that are not listed and stay there.

    Those of others that the kernel made local or bypass are left out, for ipvsadm(8) has no word for them.
    """
    servers = {
        key: {name: server for name, server in after.servers(key).items() if server.forward in FORWARD}
        for key in want.services
    }
    return Table(want.services, servers)


class _Planner:
    """Makes the plan for the table as it is found; the last call counts."""

    def __init__(self, request: Request, abandoned: t.Collection[ServiceKey]) -> None:
        self._request = request
        self._abandoned = abandoned
        self.want = Table()
        self.left_out: list[tuple[ServiceKey, RealServer]] = []

    def __call__(self, have: Table) -> tuple[Step, ...]:
        request = self._request
        self.want, self.left_out = settle(have, request.description.table, request.description.held)
        if request.keep_weights:
            self.want = keep_weights(have, self.want)
        return plan(have, self.want, request.purge, request.purge_real_servers, self._abandoned)

    def describe(self, key: ServiceKey, server: RealServer) -> str:
        """A real server that was held back, for people."""
        name = self._request.description.names.get((key, server.key))
        return f"{key}, real server {endpoint(server.address, server.port)}" + (f" ({name})" if name else "")


class _Records:
    """What the manifest says, and shall say, of the owner's services."""

    def __init__(self, request: Request) -> None:
        self._path = request.manifest
        self._owner = request.owner
        self._manifest = self._settled = _manifest.Manifest()
        self.abandoned: frozenset[ServiceKey] = frozenset()
        self.changes: list[str] = []
        if request.owner is None:
            return
        self._manifest = self._settled = _manifest.load(request.manifest)
        listed = [str(key) for key in request.description.table.services]
        recorded = self._manifest.services.get(request.owner, ())
        others = {name for owner, names in self._manifest.services.items() if owner != request.owner for name in names}
        gone = [name for name in recorded if name not in listed]
        left = listed if request.purge_abandoned else [*listed, *gone]
        if request.purge_abandoned:
            self.abandoned = frozenset(ServiceKey.parse(name) for name in gone if name not in others)
        if set(recorded) != set(left):
            self._settled = self._manifest.with_services(request.owner, left)
            self._claimed = self._manifest.with_services(request.owner, [*listed, *gone])
            count = "1 service" if len(listed) == 1 else f"{len(listed)} services"
            self.changes.append(f"record {count} of owner {request.owner}")

    def claim(self) -> None:
        """Before the kernel gets them: what is listed is ours, and what is no longer listed still is."""
        if self.changes:
            _manifest.save(self._claimed, self._path)

    def settle(self) -> None:
        """After the kernel lost them: only what is listed is ours."""
        if self.changes:
            _manifest.save(self._settled, self._path)
