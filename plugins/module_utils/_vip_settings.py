# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The kernel settings that go with VIPs: ARP silence on a real server, what is asked of a director. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _arp, _forwarding, _ipvs_settings, _rp_filter
from ansible_collections.openlvs.lvs.plugins.module_utils._forwarding import IP_FORWARD
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import (
    DIRECTOR,
    REAL_SERVER,
    VRRP,
    Manifest,
    VipRecord,
)

TUNNELS = "tunnels"


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a user asks of settings.

    :arg interfaces: interfaces that shall be silent by their own values, besides V(all). Real-server side.
    :arg ip_forward: True: on; False: as it was found; None: nothing asked. Director side.
    :arg no_redirects: interfaces by which no ICMP redirect may be sent; none: as it was found; None: nothing asked.
        Director side.
    :arg ipvs: settings of IPVS; those that are not named are as they were found. None: nothing asked. Director side.
    """

    interfaces: tuple[str, ...] = ()
    ip_forward: bool | None = None
    no_redirects: tuple[str, ...] | None = None
    ipvs: t.Mapping[str, str] | None = None

    @property
    def of_ipvs(self) -> dict[str, str]:
        """The settings of IPVS by their whole names; a parameter of the module is none of them."""
        asked = self.ipvs or {}
        return {_ipvs_settings.PREFIX + name: asked[name] for name in asked if name != _ipvs_settings.TABLE_BITS}


def side_of(name: str) -> str:
    """Which side needs a setting, by its name; what lets packets out of tunnels pass goes with those, V(tunnels)."""
    if _rp_filter.is_one(name):
        return TUNNELS
    return DIRECTOR if _forwarding.is_one(name) or name.startswith(_ipvs_settings.PREFIX) else REAL_SERVER


def ours(name: str) -> str | None:
    """The value that we write, by the setting's name; None where a user chooses it."""
    if name.startswith(_ipvs_settings.PREFIX) or _rp_filter.is_one(name):
        return None
    return _forwarding.ours(name) if _forwarding.is_one(name) else str(_arp.OURS[name.rpartition(".")[2]])


def writes(host: Host, side: str, addresses: t.Iterable[str], asked: Asked) -> dict[str, str]:
    """What must be written before these VIPs are there. A value that suffices is left as it is."""
    if side == REAL_SERVER:
        return _arp.needed(host.arp, asked.interfaces, host.nics) if _any_ipv4(addresses) else {}
    if not any(True for _address in [*addresses, *host.manifest.vips_of(VRRP)]):
        return {}
    forwarding = {
        name: value
        for name, value in _forwarding.wanted(asked.ip_forward, asked.no_redirects).items()
        if host.setting(name) not in (None, value)
    }
    different = {
        name: value for name, value in asked.of_ipvs.items() if not _ipvs_settings.same(name, host.setting(name), value)
    }
    return {**forwarding, **different}


def dispensable(manifest: Manifest, side: str, asked: Asked) -> dict[str, str]:
    """The recorded settings that nothing needs any longer, with the values found."""
    vips = _held(manifest, side)

    def needed(name: str) -> bool:
        if side == REAL_SERVER:
            return _any_ipv4(vips)
        if name == IP_FORWARD:
            wanted = asked.ip_forward is not False
        elif _forwarding.is_one(name):
            wanted = asked.no_redirects is None or name in _forwarding.wanted(None, asked.no_redirects)
        else:
            wanted = asked.ipvs is None or name in asked.of_ipvs
        return wanted and bool(vips)

    return {name: value for name, value in manifest.settings.items() if side_of(name) == side and not needed(name)}


def holding(host: Host, side: str, asked: Asked) -> dict[str, str]:
    """The settings that must hold as long as the recorded VIPs of this side are there, with their values."""
    names = [name for name in host.manifest.settings if side_of(name) == side]
    if side == REAL_SERVER and _any_ipv4(host.manifest.vips_of(side)):
        names += _arp.names(["all", *asked.interfaces])
    if side == DIRECTOR and _held(host.manifest, side):
        names += _forwarding.wanted(asked.ip_forward, asked.no_redirects)
    # not as the kernel has it now: some modes of defense change by themselves
    chosen = asked.of_ipvs if side == DIRECTOR and _held(host.manifest, side) else {}
    values = {name: chosen.get(name) or host.setting(name) for name in sorted({*names, *chosen})}
    return {name: value for name, value in values.items() if value is not None}


def _held(manifest: Manifest, side: str) -> dict[str, VipRecord]:
    """The VIPs of a side; to a director those belong that keepalived may bring at any moment."""
    return {**manifest.vips_of(side), **(manifest.vips_of(VRRP) if side == DIRECTOR else {})}


def _any_ipv4(addresses: t.Iterable[str]) -> bool:
    return any(":" not in address for address in addresses)
