# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The kernel settings that go with VIPs: a real server is silent about them. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _arp
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER, Manifest


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a user asks of settings.

    :arg interfaces: interfaces that shall be silent by their own values, besides V(all). Real-server side.
    :arg silence_by: what keeps VIPs from ARP: settings, V(sysctl), or something that needs none. Real-server side.
    """

    interfaces: tuple[str, ...] = ()
    writer: str = "auto"
    silence_by: str = "sysctl"

    @property
    def by_settings(self) -> bool:
        """Whether settings keep VIPs from ARP."""
        return self.silence_by == "sysctl"


def is_one(name: str) -> bool:
    """Whether a setting is one of these."""
    return name.rpartition(".")[2] in _arp.OURS


def ours(name: str) -> str:
    """The value that we write."""
    return str(_arp.OURS[name.rpartition(".")[2]])


def writes(host: Host, side: str, addresses: t.Iterable[str], asked: Asked) -> dict[str, str]:
    """What must be written before these VIPs are there. A value that suffices is left as it is."""
    if side != REAL_SERVER or not asked.by_settings or not _any_ipv4(addresses):
        return {}
    return _arp.needed(host.arp, asked.interfaces, host.nics)


def dispensable(manifest: Manifest, side: str, asked: Asked) -> dict[str, str]:
    """The recorded settings that nothing needs any longer, with the values found."""
    if side != REAL_SERVER or (_any_ipv4(manifest.vips_of(side)) and asked.by_settings):
        return {}
    return {name: value for name, value in manifest.settings.items() if is_one(name)}


def holding(host: Host, side: str, asked: Asked) -> dict[str, str]:
    """The settings that must hold as long as the recorded VIPs of this side are there, with their values."""
    if side != REAL_SERVER:
        return {}
    names = [name for name in host.manifest.settings if is_one(name)]
    if asked.by_settings and _any_ipv4(host.manifest.vips_of(side)):
        names += _arp.names(["all", *asked.interfaces])
    values = {name: host.setting(name) for name in sorted({*names})}
    return {name: value for name, value in values.items() if value is not None}


def _any_ipv4(addresses: t.Iterable[str]) -> bool:
    return any(":" not in address for address in addresses)
