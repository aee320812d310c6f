# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs in ifcfg files, of network-scripts and of NetworkManager on RHEL up to 9. Pure.

Each IPv4 VIP is an alias, a file beside that of its interface. IPv6 has no aliases: those VIPs are the unit's alone.
"""

from __future__ import annotations

import ipaddress

from ansible_collections.openlvs.lvs.plugins.module_utils._managers import IFCFG, NETWORK_SCRIPTS
from ansible_collections.openlvs.lvs.plugins.module_utils._written import HEADER, Place, Text


def files(place: Place) -> dict[str, Text]:
    """A file for each alias."""
    aliases = [held.address for held in place.held if held.address.label and ":" in held.address.label]
    return {
        f"{NETWORK_SCRIPTS}/ifcfg-{address.label}": Text(
            "\n".join([f"# {HEADER}", *_lines(place, address.label or "", address.address, address.prefix), ""])
        )
        for address in aliases
    }


def cannot(place: Place) -> str:
    """Why not."""
    if place.is_managed_by(IFCFG):
        return ""
    return (
        f"there is no {NETWORK_SCRIPTS}/ifcfg-{place.interface}, and an alias needs its interface's file. "
        "Let lvs_vip_writer be auto."
    )


def _lines(place: Place, label: str, address: str, prefix: int) -> list[str]:
    network = ipaddress.IPv4Network(f"{address}/{prefix}", strict=False)
    if not place.silent:
        return [
            "TYPE=Ethernet",
            "BOOTPROTO=none",
            f"NAME={label}",
            f"DEVICE={label}",
            "ONBOOT=yes",
            f"IPADDR={address}",
            f"PREFIX={prefix}",
        ]
    return [
        f"DEVICE={label}",
        f"IPADDR={address}",
        f"NETMASK={network.netmask}",
        f"NETWORK={network.network_address}",
        f"BROADCAST={network.broadcast_address}",
        "ONBOOT=yes",
        f"NAME={label}",
    ]
