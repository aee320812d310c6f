# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which network manager looks after which interface, from what the managers themselves leave in /run and /etc.

Nothing is asked of a daemon and no command is run: it is read on every run.
"""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files

NETWORKD, NETWORKMANAGER, NETPLAN, IFUPDOWN, IFCFG = "networkd", "networkmanager", "netplan", "ifupdown", "ifcfg"
OURS = "openlvs-"  # what the name of each of our files has
INTERFACES, INTERFACES_D = "/etc/network/interfaces", "/etc/network/interfaces.d"
NETWORK_SCRIPTS = "/etc/sysconfig/network-scripts"

_LINKS, _LEASES = "/run/systemd/netif/links", "/run/systemd/netif/leases"
_DEVICES, _MADE_BY_IT = "/run/NetworkManager/devices", "/run/NetworkManager/system-connections"
_PROFILES = "/etc/NetworkManager/system-connections"
_IFSTATE = "/run/network/ifstate"
_NETPLAN_FILES = ("/lib/netplan/*.yaml", "/etc/netplan/*.yaml", "/run/netplan/*.yaml")
_NETPLAN_NETWORK = re.compile(r"\d+-netplan-(.+)\.network")
_SOURCES = re.compile(r"^\s*source(-directory)?\s+(/etc/network/)?interfaces\.d(/\*)?\s*$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Managed:
    """How a network manager knows an interface.

    :attr owner: what tells it to look after the interface: a file, or a profile; none where it only watches.
    :attr kind: what sort of interface netplan takes it for, such as V(ethernets).
    :attr network: the file of networkd that matches the interface.
    :attr guarded: whether somebody has said already what networkd shall keep.
    :attr leased: whether networkd has an address from a DHCP server there.
    """

    manager: str
    owner: str = ""
    kind: str = ""
    network: str = ""
    guarded: bool = False
    leased: bool = False

    @property
    def by_others(self) -> bool:
        """Whether somebody else has told the manager to look after it."""
        return bool(self.owner) and OURS not in self.owner


def read(indices: t.Mapping[str, int]) -> dict[str, Managed]:
    """Who looks after which of these interfaces; those that nobody looks after are left out.

    :arg indices: name of each interface -> its number in the kernel.
    """
    found: dict[str, Managed] = {}
    state = _lines(_IFSTATE)
    for name, index in indices.items():
        managed = (
            _ifcfg(name)
            or _networkmanager(name, index)
            or _networkd(index)
            or (Managed(IFUPDOWN, INTERFACES) if name in state else None)
        )
        if managed is not None:
            found[name] = managed
    return found


def sources_interfaces_d() -> bool:
    """Whether ifupdown reads more than its main file."""
    return bool(_SOURCES.search(_files.read(INTERFACES) or ""))


def _networkd(index: int) -> Managed | None:
    state = _lines(f"{_LINKS}/{index}")
    network = state.get("NETWORK_FILE", "")
    if not network or state.get("ADMIN_STATE", "unmanaged") == "unmanaged":
        return None
    guarded = any(
        "KeepConfiguration=" in (_files.read(path) or "")
        for path in (network, *glob.glob(f"/*/systemd/network/{os.path.basename(network)}.d/*.conf"))
        if OURS not in path
    )
    leased = os.path.exists(f"{_LEASES}/{index}")
    match = _NETPLAN_NETWORK.fullmatch(os.path.basename(network))
    if match is None:
        return Managed(NETWORKD, network, network=network, guarded=guarded, leased=leased)
    kind = _netplan_kind(match[1])
    return Managed(NETPLAN, match[1], kind=kind, network=network, guarded=guarded, leased=leased)


def _netplan_kind(definition: str) -> str:
    """What netplan's files say the definition is; it depends on PyYAML, so that is there where it is."""
    with contextlib.suppress(ImportError):
        import yaml

        for path in sorted(path for pattern in _NETPLAN_FILES for path in glob.glob(pattern)):
            with contextlib.suppress(yaml.YAMLError):
                for kind, definitions in ((yaml.safe_load(_files.read(path) or "") or {}).get("network") or {}).items():
                    if isinstance(definitions, dict) and definition in definitions and OURS not in path:
                        return str(kind)
    return "ethernets"


def _networkmanager(name: str, index: int) -> Managed | None:
    device = _lines(f"{_DEVICES}/{index}")
    if device.get("managed") != "true":
        return None
    uuid = device.get("connection-uuid", "")
    for path in glob.glob(f"{_MADE_BY_IT}/*.nmconnection") + glob.glob(f"{_PROFILES}/*"):
        profile = _lines(path)
        if uuid and profile.get("uuid") == uuid:
            return Managed(NETWORKMANAGER, "" if profile.get("external") == "true" else path)
    return Managed(NETWORKMANAGER, f"profile {uuid}" if uuid else "")


def _ifcfg(name: str) -> Managed | None:
    path = f"{NETWORK_SCRIPTS}/ifcfg-{name}"
    return Managed(IFCFG, path) if os.path.exists(path) else None


def _lines(path: str) -> dict[str, str]:
    """Lines such as V(name=value)."""
    text = ""
    with contextlib.suppress(OSError):
        text = _files.read(path) or ""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
