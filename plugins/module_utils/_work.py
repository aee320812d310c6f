# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A plan in the making: steps in order, each done to the value of the host that the next one starts from. Pure."""

from __future__ import annotations

import dataclasses

from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, Record, SetSetting, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import Manifest


@dataclasses.dataclass(frozen=True)
class Plan:
    """Steps in order, and what they leave behind."""

    steps: tuple[Step, ...]
    before: Host
    after: Host
    warnings: tuple[str, ...] = ()


class Work:
    """The steps so far, and the host as they leave it."""

    def __init__(self, host: Host) -> None:
        self.before = self.host = host
        self.steps: list[Step] = []
        self.warnings: list[str] = []

    def do(self, step: Step) -> None:
        """One more step."""
        self.steps.append(step)
        self.host = step.done(self.host)

    def record(self, manifest: Manifest) -> None:
        """Write the manifest where it changes."""
        if manifest != self.host.manifest:
            self.do(Record(manifest, self.host.manifest))

    def restore(self, name: str, value: str, ours: str | None = None) -> None:
        """Set a setting back to the value found, unless somebody else has changed it since.

        :arg ours: what this collection has written; None where that is not known, or does not matter.
        """
        now = self.host.setting(name)
        if now in (None, value):
            return
        if ours in (None, now):
            self.do(SetSetting(name, value))
        else:
            self.warnings.append(
                f"Setting {name}: it stays at {now}, for somebody has changed it since: this collection had found "
                f"{value} and set {ours}."
            )

    def plan(self) -> Plan:
        """The finished plan."""
        return Plan(tuple(self.steps), self.before, self.host, tuple(self.warnings))
