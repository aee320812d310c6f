# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VIPs that a daemon moves between directors: how a module takes them, what is written down, and which stand here."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, VRRP, Manifest, VipRecord
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address

OPTION: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "address": {"type": "str", "required": True},
        "prefix": {"type": "int", "required": True},
        "interface": {"type": "str", "required": True},
    },
}


def records(vips: t.Iterable[t.Mapping[str, t.Any]], announced: bool) -> dict[str, VipRecord]:
    """What is written down of them.

    :arg announced: the daemon says itself that a VIP is here."""
    return {
        vip["address"]: VipRecord(
            side=VRRP,
            interface=vip["interface"],
            prefix=vip["prefix"],
            label=None,
            host_route=False,
            announced=announced,
        )
        for vip in vips
    }


def refuse_homeless(vips: t.Mapping[str, VipRecord], host: Host) -> None:
    """:raises OptionError: when this host lacks interfaces that they would stand on."""
    findings = [
        f"VIP {address}: there is no interface {vip['interface']!r} on this host; there are {', '.join(host.links)}."
        for address, vip in vips.items()
        if vip["interface"] not in host.links
    ]
    if findings:
        raise OptionError(findings)


def held(host: Host) -> list[Address]:
    """Those that are here now."""
    moved = host.manifest.moved
    standing = [one for address in moved for one in host.standing(address)]
    return [one for one in standing if one.interface == moved[one.address]["interface"]]


def handed_over(manifest: Manifest) -> Manifest:
    """They are the role director's."""
    vips = {key: VipRecord(**{**vip, "side": DIRECTOR}) for key, vip in manifest.moved.items()}
    return manifest.with_vips(vips).without_moved(vips)
