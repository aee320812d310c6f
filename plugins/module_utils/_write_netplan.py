# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs for netplan where it writes for systemd-networkd. Pure.

Lists of addresses in several of its files add up, so the VIPs have a file of their own, which is read last. Where
netplan writes for NetworkManager, that is the interface's manager.
"""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils import _write_networkd
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import NETPLAN
from ansible_collections.openlvs.lvs.plugins.module_utils._written import HEADER, Held, Place, Text


def files(place: Place) -> dict[str, Text]:
    """A file of netplan's, and what netplan has no word for in a drop-in of the file that it makes."""
    if place.managed is None:
        raise ValueError(f"nothing looks after {place.interface}")
    lines = [
        f"# {HEADER}",
        "network:",
        "  version: 2",
        f"  {place.managed.kind}:",
        f"    {place.managed.owner}:",
        "      addresses:",
        *(f"        - {_address(held)}" for held in place.held),
    ]
    routes = [held.address.address for held in place.held if held.host_route]
    if routes:
        lines.append("      routes:")
        lines += [f"        - {{to: {route}/32, scope: link}}" for route in routes]
    yaml = {f"/etc/netplan/zz-{place.name}.yaml": Text("\n".join([*lines, ""]), 0o600)}
    return {**yaml, **_write_networkd.drop_in(place, "")}


def cannot(place: Place) -> str:
    """Why not."""
    if place.is_managed_by(NETPLAN):
        return ""
    return (
        f"no definition of netplan's that systemd-networkd carries out is about {place.interface}. "
        "Let lvs_vip_writer be auto."
    )


def _address(held: Held) -> str:
    options = [f'label: "{held.address.label}"'] if held.address.label else []
    options += ["lifetime: 0"] if held.address.deprecated else []
    return f'"{held.whole}"' + (f": {{{', '.join(options)}}}" if options else "")
