# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The sync daemon under keepalived, which starts it in the role that VRRP gives the director. Pure.

Keepalived starts the one that its file names where none runs, and stops that one when it ends. One that was started
with other words, or left by a keepalived that was killed, stays, and keeps the right one out.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils import _sync_daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import BACKUP, MASTER, Daemons

KEYWORD = "lvs_sync_daemon"


@dataclass(frozen=True)
class Sync:
    """:attr id: by which directors of one cluster know each other's messages."""

    interface: str
    id: int


def named_in(config: str) -> bool:
    """Whether a keepalived.conf asks for a sync daemon."""
    return any(line.split()[:1] == [KEYWORD] for line in config.splitlines())


def due(
    found: Daemons, asked: Sync | None, ours: bool, here: bool, mtu: t.Callable[[str], int | None]
) -> _sync_daemon.Wanted:
    """What has to change so that what is asked for runs, and it alone.

    :arg ours: what runs now was keepalived's.
    :arg here: the director has the VIPs. Which role it has is keepalived's to say, as long as it has one.
    :arg mtu: of an interface; None where there is no such interface.
    """
    if asked is None:
        return dict.fromkeys(found) if ours else {}
    if [(one.interface, one.syncid) for one in found.values()] == [(asked.interface, asked.id)]:
        return {}
    role, other = (MASTER, BACKUP) if here else (BACKUP, MASTER)
    words = {"role": role, "state": "present", "interface": asked.interface, "syncid": asked.id, "maxlen": None}
    words.update(group=_sync_daemon.GROUP, port=_sync_daemon.PORT, ttl=_sync_daemon.TTL)
    return {other: None, **_sync_daemon.read(words, mtu)}
