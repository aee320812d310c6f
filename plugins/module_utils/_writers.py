# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Files that make network managers agree with VIPs, and which of them suits an interface. Pure.

Each format is a module of its own: VIPs of one side on one interface in, files out, and what it cannot do.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _write_ifcfg,
    _write_ifupdown,
    _write_netplan,
    _write_networkd,
    _write_networkmanager,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import (
    IFCFG,
    IFUPDOWN,
    NETPLAN,
    NETWORKD,
    NETWORKMANAGER,
    Managed,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._written import Place, Text

AUTO, UNIT = "auto", "unit"


class Writer(t.NamedTuple):
    """A format.

    :attr files: the files by their paths.
    :attr cannot: why it cannot be on that interface, with the remedy; nothing if it can.
    """

    files: t.Callable[[Place], dict[str, Text]]
    cannot: t.Callable[[Place], str]


WRITERS = {
    NETWORKD: Writer(_write_networkd.files, _write_networkd.cannot),
    NETWORKMANAGER: Writer(_write_networkmanager.files, _write_networkmanager.cannot),
    NETPLAN: Writer(_write_netplan.files, _write_netplan.cannot),
    IFUPDOWN: Writer(_write_ifupdown.files, _write_ifupdown.cannot),
    IFCFG: Writer(_write_ifcfg.files, _write_ifcfg.cannot),
}
CHOICES = (AUTO, UNIT, *WRITERS)

# Where our files are, and where somebody else's could be in their way.
PLACES = (
    "/etc/systemd/network/*openlvs-*",
    "/etc/systemd/network/*.d/openlvs-*",
    "/etc/NetworkManager/system-connections/openlvs-*",
    "/etc/NetworkManager/dispatcher.d/*openlvs-*",
    "/etc/netplan/*openlvs-*",
    "/etc/network/interfaces.d/openlvs-*",
    "/etc/sysconfig/network-scripts/ifcfg-*:*",
)
# Which manager keeps in mind what it has read, by where the file is.
_READERS = (
    ("/etc/netplan/", NETPLAN),
    ("/etc/systemd/network/", NETWORKD),
    ("/etc/NetworkManager/system-connections/", NETWORKMANAGER),
    ("/etc/sysconfig/network-scripts/", NETWORKMANAGER),
)


def choose(asked: str, managed: Managed | None) -> str:
    """The writer for an interface: what is asked for, else what looks after it at another's wish, else the unit."""
    if asked != AUTO:
        return asked
    return managed.manager if managed is not None and managed.by_others else UNIT


def reader(path: str) -> str:
    """Which manager has to be told of the file; none where it is read whenever it is needed."""
    return next((manager for start, manager in _READERS if path.startswith(start)), "")


def retired(path: str) -> str:
    """What the file holds while its manager is told that the VIPs are gone; nothing where it can be removed at once.

    When networkd is told that the file itself is gone, older ones remove all addresses of the interface for a moment.
    """
    return _write_networkd.EMPTY if reader(path) == NETWORKD else ""
