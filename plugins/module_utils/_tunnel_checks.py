# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What cannot work with tunnels on a host, each with its reason; all findings at once and before any change. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import tunnel_problems
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import GRE, Tunnel, listeners


def parse(options: t.Sequence[t.Mapping[str, t.Any]]) -> list[Tunnel]:
    """The tunnels as a user wrote them, as values."""
    findings: list[str] = []
    tunnels: list[Tunnel] = []
    for number, option in enumerate(options):
        where = f"tunnels[{number}] {option['address']!r}"
        said = (option["tunnel_type"], option["tunnel_port"], option["tunnel_checksum"])
        reasons = [*_address(option["address"]), *tunnel_problems("tun", *said)]
        reasons += [f"vips {vip!r}: {reason}" for vip in option["vips"] for reason in _address(vip)]
        if not option["vips"]:
            reasons.append("vips is empty: which devices take packets out depends on the families of the VIPs.")
        findings += [f"{where}: {reason}" for reason in reasons]
        if not reasons:
            tunnels.append(_tunnel(option))
            findings += [f"{where}: {reason}" for reason in _beside(tunnels[-1], tunnels[:-1])]
    if findings:
        raise OptionError(findings)
    return tunnels


def check(host: Host, tunnels: t.Sequence[Tunnel]) -> None:
    """Whether this host can have these tunnels."""
    findings = []
    for tunnel in tunnels:
        if not host.standing(tunnel.address):
            own = ", ".join(one.address for one in host.addresses if one.scope == "global")
            reason = "it is none of this host's addresses, so no packet that is sent there arrives"
            findings.append(f"Tunnel {tunnel}: address {tunnel.address}: {reason}. There are {own}.")
        for port in listeners([tunnel]):
            if not host.listeners.get(port, True):
                reason = "another owner takes packets out of something else than GUE there. Choose another port"
                findings.append(f"Tunnel {tunnel}: port {port.port}: {reason}.")
    if findings:
        raise OptionError(findings)


def _address(text: str) -> list[str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ["it is neither an IPv4 nor an IPv6 address. Write the address, without a prefix."]
    if "%" in text or address.is_multicast or address.is_unspecified or address.is_loopback or address.is_link_local:
        return ["it is not an address that directors can send to. Use a unicast address."]
    return []


def _tunnel(option: t.Mapping[str, t.Any]) -> Tunnel:
    return Tunnel(
        type=option["tunnel_type"],
        address=str(ipaddress.ip_address(option["address"])),
        vips=tuple(dict.fromkeys(str(ipaddress.ip_address(vip)) for vip in option["vips"])),
        port=option["tunnel_port"],
        checksum=option["tunnel_checksum"],
    )


def _beside(tunnel: Tunnel, others: t.Iterable[Tunnel]) -> list[str]:
    for other in others:
        if tunnel.place == other.place:
            if tunnel.type == GRE and tunnel.checksum != other.checksum:
                reason = "a device that takes GRE with checksums drops what has none, so one address cannot take both"
                return [f"{tunnel} beside {other}: {reason}."]
            return [f"{tunnel} is listed twice. Put the VIPs of both into one."]
    return []
