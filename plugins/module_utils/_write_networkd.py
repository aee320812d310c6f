# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs for systemd-networkd: systemd.network(5). Pure.

One .network file alone matches an interface, so VIPs on an interface of somebody's file go into a drop-in of that.
"""

from __future__ import annotations

import os

from ansible_collections.openlvs.lvs.plugins.module_utils._managers import NETWORKD
from ansible_collections.openlvs.lvs.plugins.module_utils._written import HEADER, Held, Place, Text

FOLDER = "/etc/systemd/network"
# Without it networkd removes all addresses for a moment when it starts, or when it is told of a new file.
_GUARD = "[Network]\nKeepConfiguration=static\n"
EMPTY = f"# {HEADER}\n{_GUARD}"


def files(place: Place) -> dict[str, Text]:
    """A drop-in of the interface's file; a file of its own for a silent interface that has none."""
    sections = "".join(map(_sections, place.held))
    if place.is_managed_by(NETWORKD):
        return drop_in(place, sections)
    match = f"[Match]\nName={place.interface}\n\n[Link]\nRequiredForOnline=no\n\n"
    return {f"{FOLDER}/50-{place.name}.network": Text(f"# {HEADER}\n{match}{_GUARD}{sections}")}


def drop_in(place: Place, sections: str) -> dict[str, Text]:
    """What is added to the file that matches the interface."""
    if place.managed is None:
        raise ValueError(f"nothing looks after {place.interface}")
    guard = "" if place.managed.guarded else _GUARD
    if not guard + sections:
        return {}
    path = f"{FOLDER}/{os.path.basename(place.managed.network)}.d/openlvs-{place.side}.conf"
    return {path: Text(f"# {HEADER}\n{guard}{sections}")}


def cannot(place: Place) -> str:
    """Why not."""
    if place.is_managed_by(NETWORKD) or place.silent:
        return ""
    return (
        f"systemd-networkd does not look after {place.interface}, and a .network file for the VIP alone would make it "
        "take the interface over. Write one with all its addresses first, or let lvs_vip_writer be auto."
    )


def _sections(held: Held) -> str:
    address = held.address
    lines = ["", "[Address]", f"Address={held.whole}"]
    if address.broadcast and not address.alone:
        lines.append(f"Broadcast={address.broadcast}")
    lines += [f"Label={address.label}"] if address.label else []
    lines += ["DuplicateAddressDetection=none"] if address.ipv6 else []
    lines += ["PreferredLifetime=0"] if address.deprecated else []
    if held.host_route:
        lines += ["", "[Route]", f"Destination={address.address}/32", "Scope=link"]
    return "\n".join([*lines, ""])
