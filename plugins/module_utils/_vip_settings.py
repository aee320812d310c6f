# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The kernel settings that go with VIPs: ARP silence on a real server, forwarding on a director where asked. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _arp
from ansible_collections.openlvs.lvs.plugins.module_utils._host import IP_FORWARD, Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, REAL_SERVER, Manifest


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a user asks of settings.

    :arg interfaces: interfaces that shall be silent by their own values, besides V(all). Real-server side.
    :arg ip_forward: True: on; False: as it was found; None: nothing asked. Director side.
    """

    interfaces: tuple[str, ...] = ()
    ip_forward: bool | None = None


def side_of(name: str) -> str:
    """Which side needs a setting, by its name."""
    return DIRECTOR if name == IP_FORWARD else REAL_SERVER


def ours(name: str) -> str:
    """The value that we write, by the setting's name."""
    return "1" if name == IP_FORWARD else str(_arp.OURS[name.rpartition(".")[2]])


def writes(host: Host, side: str, addresses: t.Iterable[str], asked: Asked) -> dict[str, str]:
    """What must be written before these VIPs are there. A value that suffices is left as it is."""
    if side == REAL_SERVER:
        return _arp.needed(host.arp, asked.interfaces, host.nics) if _any_ipv4(addresses) else {}
    wanted = asked.ip_forward and not host.ip_forward and any(True for _address in addresses)
    return {IP_FORWARD: ours(IP_FORWARD)} if wanted else {}


def dispensable(manifest: Manifest, side: str, asked: Asked) -> dict[str, str]:
    """The recorded settings that nothing needs any longer, with the values found."""
    if side == REAL_SERVER:
        needed = _any_ipv4(manifest.vips_of(side))
    else:
        needed = bool(manifest.vips_of(side)) and asked.ip_forward is not False
    return {} if needed else {name: value for name, value in manifest.settings.items() if side_of(name) == side}


def holding(host: Host, side: str, asked: Asked) -> dict[str, str]:
    """The settings that must hold as long as the recorded VIPs of this side are there, with their values."""
    names = [name for name in host.manifest.settings if side_of(name) == side]
    if side == REAL_SERVER and _any_ipv4(host.manifest.vips_of(side)):
        names += _arp.names(["all", *asked.interfaces])
    if side == DIRECTOR and asked.ip_forward and host.manifest.vips_of(side):
        names.append(IP_FORWARD)
    values = {name: host.setting(name) for name in sorted(set(names))}
    return {name: value for name, value in values.items() if value is not None}


def _any_ipv4(addresses: t.Iterable[str]) -> bool:
    return any(":" not in address for address in addresses)
