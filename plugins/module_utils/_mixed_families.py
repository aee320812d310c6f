# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Real servers of the other family than their service, and sync daemons: the kernel has either, never both.

A message of the sync protocol has room for one family. Whichever comes second is refused by the kernel, when much may
have been done already; so it is refused here, before (ip_vs_ctl.c, ip_vs_genl_set_cmd and start_sync_thread).
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import Table, endpoint, family_of


def refuse_servers(steps: t.Iterable[Step], daemons: t.Callable[[], t.Collection[str]]) -> None:
    """:arg daemons: the roles of those that run; asked only where that matters.
    :raises OptionError: for each step that brings such a real server beside them.
    """
    mixed = [
        step
        for step in steps
        if step.server is not None and step.phase != REMOVE and family_of(step.server.address) != step.key.family
    ]
    running = daemons() if mixed else ()
    if running:
        raise OptionError(
            [
                f"{step.subject}: it is of the other family than its service, and the kernel has none beside a sync"
                f" daemon, of which {' and '.join(running)} runs here. Stop that by ipvs_sync_daemon, or leave it out."
                for step in mixed
            ]
        )


def refuse_daemon(role: str, table: Table) -> None:
    """:raises OptionError: when the table has such a real server, beside which no sync daemon starts."""
    for key in table.services:
        for server in table.servers(key).values():
            if family_of(server.address) != key.family:
                place = endpoint(server.address, server.port)
                raise OptionError(
                    [
                        f"Sync daemon {role}: service {key} has the real server {place} of the other family, and the"
                        " kernel runs no sync daemon beside such. Take it out, or do without the daemon."
                    ]
                )
