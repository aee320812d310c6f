# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Read the table, plan, apply; and again when somebody else changed it in between. One code path for check mode too."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._kernel_needs import refuse_missing
from ansible_collections.openlvs.lvs.plugins.module_utils._mixed_families import refuse_servers
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import TableChanged
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import Step, after, rerouted
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._table import Table

ATTEMPTS = 5


class Access(t.Protocol):
    """A table that can be read and changed: the kernel's, or one of a test."""

    def read(self) -> Table:
        """The table as it is."""

    def apply(self, steps: t.Sequence[Step]) -> None:
        """Do the steps in their order, and nothing of the phases after that of one that was refused."""

    def daemons(self) -> t.Collection[str]:
        """The roles of the sync daemons that run."""

    def remind(self, steps: t.Sequence[Step]) -> None:
        """Do these steps again until the kernel has forgotten what it knew before them."""


@dataclass(frozen=True)
class Outcome:
    """What was done, or in check mode would be."""

    before: Table
    after: Table
    steps: t.Sequence[Step]

    @property
    def changes(self) -> list[str]:
        """The steps as ipvsadm(8) command lines."""
        return [str(step) for step in self.steps]

    @property
    def diff(self) -> dict[str, str]:
        """The services that change, before and after."""
        keys = {step.key for step in self.steps}
        return {
            "before": "".join(f"{line}\n" for line in write_rules(self.before.only(keys))),
            "after": "".join(f"{line}\n" for line in write_rules(self.after.only(keys))),
        }


def converge(access: Access, make_plan: t.Callable[[Table], t.Sequence[Step]], check_mode: bool) -> Outcome:
    """Bring the table to where the plan leads.

    :raises OptionError: when the kernel lacks what a step needs.
    :raises KernelError: when the kernel refuses a step, or when somebody else keeps changing the table.
    """
    before = have = access.read()
    done: list[Step] = []
    for attempt in range(1, ATTEMPTS + 1):
        steps = make_plan(have)
        refuse_missing(steps)
        refuse_servers(steps, access.daemons)
        try:
            if steps and not check_mode:
                access.apply(steps)
                access.remind(rerouted(have, steps))
        except KernelError as exc:
            if attempt == ATTEMPTS or not isinstance(exc, TableChanged):
                exc.details["applied"] = [*map(str, done), *exc.details.get("applied", [])]
                raise
            done += exc.done
            have = access.read()
            continue
        return Outcome(before, after(have, steps), [*done, *steps])
    raise AssertionError("the loop returns or raises")
