# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The settings of a host that passes packets on: whether it does, and whether it tells of shorter ways. Pure.

A director that masquerades into the network of its VIPs must not send ICMP redirects: a real server that learns of the
router beside it answers past the director (net/ipv4/route.c sends one where a packet leaves by the interface it came
by; it looks at the values of ``all`` and of the interface, and either of them suffices).
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._sysctl import per_interface

IP_FORWARD = "net.ipv4.ip_forward"
_REDIRECTS = "send_redirects"


def redirects(interface: str) -> str:
    """The name of the setting on an interface, or on V(all)."""
    return per_interface(interface, _REDIRECTS)


def is_one(name: str) -> bool:
    """Whether a setting is one of these."""
    return name == IP_FORWARD or name.endswith(f".{_REDIRECTS}")


def wanted(forward: bool | None, silent: t.Sequence[str] | None) -> dict[str, str]:
    """The settings that must hold, with their values.

    :arg silent: interfaces by which no redirect may be sent; None and none: nothing is wanted.
    """
    names = [redirects(interface) for interface in ("all", *silent)] if silent else []
    return {**({IP_FORWARD: "1"} if forward else {}), **dict.fromkeys(names, "0")}


def ours(name: str) -> str:
    """The value that we write."""
    return "1" if name == IP_FORWARD else "0"
