# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which kernel settings keep a real server silent about its VIPs. Pure: from what is found to what is to be written.

The kernel takes the greater of the value on ``all`` and the value on the interface that receives or sends
(IN_DEV_MAXCONF in include/linux/inetdevice.h). ``arp_ignore`` is silent about an address of another interface at 1, 2
and 8; 3 is silent about addresses of scope host only, 4 to 7 do nothing (arp_ignore() in net/ipv4/arp.c).
``arp_announce`` never tells the VIP at 2 only; 1 tells it to neighbours in its own subnet (arp_solicit()).
Values on ``lo`` have no effect. IPv6 needs no setting: neighbour discovery answers for the receiving interface only.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._sysctl import per_interface

IGNORE, ANNOUNCE = "arp_ignore", "arp_announce"
SILENT_IGNORE = frozenset({1, 2, 8})
SILENT_ANNOUNCE = frozenset({2})
OURS = {IGNORE: 1, ANNOUNCE: 2}


@dataclasses.dataclass(frozen=True)
class Arp:
    """The two settings of an interface, or of ``all``."""

    arp_ignore: int
    arp_announce: int


Conf = t.Mapping[str, Arp]


def names(where: t.Iterable[str]) -> list[str]:
    """The names of both settings on each of these."""
    return [per_interface(interface, setting) for setting in (IGNORE, ANNOUNCE) for interface in where]


def needed(conf: Conf, listed: t.Sequence[str], nics: t.Sequence[str]) -> dict[str, str]:
    """What must be written so that no neighbour on any network learns a VIP from this host.

    :arg listed: the interfaces that shall be silent by their own values, whatever happens to ``all``.
    :arg nics: every interface on which neighbours may ask; its value is written only where it spoils that of ``all``.
    """
    return {
        **_needed(IGNORE, SILENT_IGNORE, {name: arp.arp_ignore for name, arp in conf.items()}, listed, nics),
        **_needed(ANNOUNCE, SILENT_ANNOUNCE, {name: arp.arp_announce for name, arp in conf.items()}, listed, nics),
    }


def audible(conf: Conf, nics: t.Iterable[str]) -> list[str]:
    """The interfaces among these on which a neighbour may learn a VIP of another interface."""
    everywhere = conf["all"]
    return [
        nic
        for nic in nics
        if nic in conf
        and not (
            max(everywhere.arp_ignore, conf[nic].arp_ignore) in SILENT_IGNORE
            and max(everywhere.arp_announce, conf[nic].arp_announce) in SILENT_ANNOUNCE
        )
    ]


def _needed(
    setting: str, silent: frozenset[int], found: t.Mapping[str, int], listed: t.Sequence[str], nics: t.Sequence[str]
) -> dict[str, str]:
    everywhere = found["all"] if found["all"] in silent else OURS[setting]
    loud = [where for where in ("all", *listed) if found[where] not in silent]
    loud += [nic for nic in nics if nic not in loud and max(everywhere, found.get(nic, 0)) not in silent]
    return {per_interface(where, setting): str(OURS[setting]) for where in loud}
