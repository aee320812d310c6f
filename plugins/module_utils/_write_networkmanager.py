# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs for NetworkManager: nm-settings-keyfile(5), NetworkManager-dispatcher(8). Pure.

A device has one profile at a time, and somebody's profile has no place for additions of others. So on such a device a
script of the dispatcher puts the VIPs back whenever the profile has been applied. A device without a profile gets one.
"""

from __future__ import annotations

import uuid

from ansible_collections.openlvs.lvs.plugins.module_utils._managers import NETWORKMANAGER
from ansible_collections.openlvs.lvs.plugins.module_utils._written import HEADER, Held, Place, Text, commands

_OURS = uuid.UUID("6b0c4f2e-7f0e-5d7a-9f7b-1d1a3a0f8c55")  # the names of profiles are hashed below it


def files(place: Place) -> dict[str, Text]:
    """A script of the dispatcher, or a profile."""
    if place.is_managed_by(NETWORKMANAGER):
        return {f"/etc/NetworkManager/dispatcher.d/50-{place.name}": Text(_script(place), 0o755)}
    return {f"/etc/NetworkManager/system-connections/{place.name}.nmconnection": Text(_profile(place), 0o600)}


def cannot(place: Place) -> str:
    """Why not."""
    if place.is_managed_by(NETWORKMANAGER):
        return ""
    if not place.silent:
        return (
            f"NetworkManager does not look after {place.interface}, and a profile for the VIP alone would make it take "
            "the interface over. Write one with all its addresses first, or let lvs_vip_writer be auto."
        )
    if place.interface == "lo" and place.managed is None:
        return (
            "NetworkManager does not look after lo on this host, as it does from 1.42 on. Hold the VIP on a dummy "
            "device by lvs_vip_interface: dummy0, or let lvs_vip_writer be auto."
        )
    return ""


def _script(place: Place) -> str:
    lines = [
        "#!/bin/sh",
        f"# {HEADER}",
        "# Called with an interface and what has happened to it.",
        f'[ "$1" = {place.interface} ] || exit 0',
        'case "$2" in up | reapply | dhcp4-change | dhcp6-change) ;; *) exit 0 ;; esac',
        *commands(place.held),
    ]
    return "\n".join([*lines, ""])


def _profile(place: Place) -> str:
    kind = "loopback" if place.interface == "lo" else "dummy"
    lines = [
        f"# {HEADER}",
        "[connection]",
        f"id={place.name}",
        f"uuid={uuid.uuid5(_OURS, place.name)}",
        f"type={kind}",
        f"interface-name={place.interface}",
        "",
        "[ipv4]",
        *_addresses([held for held in place.held if not held.address.ipv6], "disabled"),
        "",
        "[ipv6]",
        *_addresses([held for held in place.held if held.address.ipv6], "ignore"),
    ]
    return "\n".join([*lines, ""])


def _addresses(held: list[Held], none: str) -> list[str]:
    lines = [f"method={'manual' if held else none}"]
    lines += [f"address{number}={one.whole}" for number, one in enumerate(held, 1)]
    routes = [f"{one.address.address}/32" for one in held if one.host_route]
    return lines + [f"route{number}={route}" for number, route in enumerate(routes, 1)]
