# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which values of ``rp_filter`` let packets out of a tunnel pass, and spoil nothing else. Pure.

The kernel asks by which interface it would answer, and that is never the tunnel; it takes the greater of the values on
``all`` and on the interface. On a tunnel device without an IPv4 address everything but 0 drops the packet, 2, the loose
one, too; on one with an address 2 lets it pass (__fib_validate_source() in net/ipv4/fib_frontend.c). IPv6 has no such
setting.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._sysctl import per_interface

RP_FILTER = "rp_filter"
ALL = "all"

Found = t.Mapping[str, int]


def name_of(interface: str) -> str:
    """The name of the setting on an interface, or on V(all)."""
    return per_interface(interface, RP_FILTER)


def is_one(name: str) -> bool:
    """Whether a setting is one of these."""
    return name.endswith(f".{RP_FILTER}")


def passes(found: Found, device: str, addressed: bool) -> bool:
    """Whether packets that come out of a tunnel device are taken.

    :arg addressed: whether the device has an IPv4 address.
    """
    return device in found and max(found[ALL], found[device]) in _enough(addressed)


def needed(found: Found, devices: t.Mapping[str, bool]) -> dict[str, str]:
    """What must be written so that the packets of these devices are taken, in order.

    Where ``all`` has to give way, what it was for all other interfaces they get for themselves first.

    :arg devices: each with whether it has an IPv4 address.
    """
    values: dict[str, int] = {}
    everywhere = found[ALL]
    if any(everywhere not in _enough(addressed) for addressed in devices.values()):
        others = [name for name in found if name != ALL and name not in devices]
        values = {name: everywhere for name in others if found[name] < everywhere}
        values[ALL] = everywhere = 0
    for device, addressed in devices.items():
        if max(everywhere, found.get(device, 0)) not in _enough(addressed):
            values[device] = 0
    return {name_of(name): str(value) for name, value in values.items()}


def _enough(addressed: bool) -> tuple[int, ...]:
    return (0, 2) if addressed else (0,)
