# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs for ifupdown: interfaces(5). Pure.

Stanzas for one interface add up, and are carried out in their order; the VIPs have one of their own.
"""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils._managers import IFUPDOWN, INTERFACES, INTERFACES_D
from ansible_collections.openlvs.lvs.plugins.module_utils._written import HEADER, Place, Text, commands


def files(place: Place) -> dict[str, Text]:
    """A stanza."""
    lines = [f"# {HEADER}"]
    if not place.is_managed_by(IFUPDOWN):
        lines.append(f"auto {place.interface}")
    lines.append(f"iface {place.interface} inet manual")
    lines += [f"    up {command}" for command in commands(place.held)]
    return {f"{INTERFACES_D}/{place.name.replace('.', '-')}": Text("\n".join([*lines, ""]))}


def cannot(place: Place) -> str:
    """Why not."""
    if not place.sourced:
        return (
            f"ifupdown reads {INTERFACES} alone, which is not ours to change. Add the line "
            f"'source {INTERFACES_D}/*' to it, or let lvs_vip_writer be unit."
        )
    if place.is_managed_by(IFUPDOWN) or place.silent:
        return ""
    return f"ifupdown has not brought {place.interface} up. Let lvs_vip_writer be auto."
