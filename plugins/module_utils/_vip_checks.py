# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What cannot work with VIPs on a host, each with its reason; all findings at once and before any change. Pure."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _vip_devices, _vip_files
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._vip import LABEL_MAX, Vip, standing, wanted_places
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked

_SIDES = {REAL_SERVER: "a real server", DIRECTOR: "a director"}
_WHOLE_NETWORK = (
    "On a real server a VIP always stands alone, as /32 or /128: with a shorter prefix on a loopback device the host "
    "takes the whole network for its own, answers ARP for every address in it and cannot reach its neighbours."
)

_NOTHING = Asked()


def parse(options: t.Sequence[t.Mapping[str, t.Any]], side: str) -> list[Vip]:
    """The VIPs as a user wrote them, as values."""
    findings: list[str] = []
    vips: list[Vip] = []
    for number, option in enumerate(options):
        where = f"vips[{number}] {option['address']!r}"
        reasons = _address_findings(option["address"], side)
        if not reasons:
            vip = _vip(option)
            reasons = _vip_findings(vip, option)
            if any(other.address == vip.address for other in vips):
                reasons.append("it is listed twice. One address stands on a host once; remove one of the two.")
            vips.append(vip)
        findings += [f"{where}: {reason}" for reason in reasons]
    if findings:
        raise OptionError(findings)
    return vips


def check(host: Host, vips: t.Sequence[Vip], side: str, asked: Asked = _NOTHING) -> None:
    """Whether these VIPs can be put on this host."""
    findings = [
        f"arp_interfaces {name!r}: there is no such interface on this host; there are {_names(host)}."
        for name in asked.interfaces
        if name not in host.links or name not in host.arp
    ]
    for vip in vips:
        findings += [f"VIP {vip.address}: {reason}" for reason in _host_findings(host, vip, side)]
    findings += _vip_files.findings(host, wanted_places(host, vips, side), asked.writer)
    if findings:
        raise OptionError(findings)


def check_silenced(host: Host, vips: t.Iterable[Vip]) -> None:
    """Whether rules keep these VIPs from ARP, as they have to before the VIPs are there."""
    findings = [
        f"VIP {vip.address}: no rule of nftables keeps it from ARP, so it would answer. Run lvs_nft with silent before."
        for vip in vips
        if not vip.ipv6 and vip.address not in host.silenced
    ]
    if findings:
        raise OptionError(findings)


def check_leaving(host: Host, addresses: t.Iterable[str], side: str) -> None:
    """Whether these VIPs of ours can leave this host."""
    leaving = [found for address in addresses for found in standing(host, address, side)]
    findings = [f"VIP {reason}" for reason in _orphans(host, leaving)]
    if findings:
        raise OptionError(findings)


def _address_findings(text: str, side: str) -> list[str]:
    if "/" in text:
        remedy = "Use the suboption prefix." if side == DIRECTOR else _WHOLE_NETWORK
        return [f"the address comes without a prefix. {remedy}"]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ["it is neither an IPv4 nor an IPv6 address. Names are not looked up; write the address."]
    if "%" in text or address.is_link_local:
        return ["it is a link-local address, which routers do not pass on. Use an address that clients can reach."]
    if address.is_multicast or address.is_unspecified or address.is_loopback or str(address) == "255.255.255.255":
        return ["it is not the address of a single host on a network. Use a unicast address that clients can reach."]
    return []


def _vip(option: t.Mapping[str, t.Any]) -> Vip:
    address = ipaddress.ip_address(option["address"])
    prefix = option.get("prefix")
    return Vip(
        address=str(address),
        interface=option["interface"],
        prefix=address.max_prefixlen if prefix is None else prefix,
        label=option.get("label"),
        host_route=option["host_route"],
    )


def _vip_findings(vip: Vip, option: t.Mapping[str, t.Any]) -> list[str]:
    reasons = []
    longest = ipaddress.ip_address(vip.address).max_prefixlen
    if not 1 <= vip.prefix <= longest:
        reasons.append(f"prefix {option['prefix']} is not within 1..{longest}.")
    if vip.label is None:
        return reasons
    if vip.ipv6:
        reasons.append(f"label {vip.label!r}: IPv6 addresses have no label. Remove it.")
    elif vip.label != vip.interface and not vip.label.startswith(f"{vip.interface}:"):
        reasons.append(
            f"label {vip.label!r}: it must be the interface's name, or begin with it and a colon, as in "
            f"'{vip.interface}:0'; ifconfig and others find the interface by it."
        )
    elif len(vip.label) > LABEL_MAX:
        reasons.append(f"label {vip.label!r}: it has {len(vip.label)} characters, and the kernel takes {LABEL_MAX}.")
    return reasons


def _host_findings(host: Host, vip: Vip, side: str) -> list[str]:
    link = host.links.get(vip.interface)
    if link is None and _vip_devices.can_be_made(vip.interface, side):
        return []
    if link is None:
        return [f"there is no interface {vip.interface!r} on this host; there are {_names(host)}."]
    reasons = []
    if not link.up and not _vip_devices.is_ours(host, vip.interface):
        reasons.append(
            f"interface {vip.interface} is down, and the kernel takes no packets for an address on it. "
            f"Bring it up: ip link set {vip.interface} up"
        )
    if vip.ipv6 and vip.interface in host.without_ipv6:
        reasons.append(
            f"IPv6 is turned off on interface {vip.interface}. Turn it on: "
            f"sysctl -w net.ipv6.conf.{vip.interface.replace('.', '/')}.disable_ipv6=0"
        )
    if side == REAL_SERVER and not link.silent:
        reasons.append(
            f"interface {vip.interface} is a network card, on which this real server would answer ARP for the VIP; "
            "arp_ignore=1 is silent about addresses of other interfaces only. Use lo or a dummy interface."
        )
    record = host.manifest.vips.get(vip.address)
    if record and record["side"] != side:
        reasons.append(
            f"the manifest records it here as that of {_SIDES[record['side']]}, and on one host it cannot be that of "
            f"{_SIDES[side]} as well. Take it off that side first."
        )
        return reasons
    ours = standing(host, vip.address, side) if record else []
    moved = host.manifest.moved.get(vip.address)
    for found in host.standing(vip.address):
        if found not in ours and not _adoptable(found, vip) and not (moved and moved["interface"] == found.interface):
            reasons.append(_foreign(found, vip, side))
    reasons += [
        f"a route to it is in the way: {route}. Remove it, or set host_route to false."
        for route in host.routes_to(vip.address)
        if vip.host_route and (route.gateway or (not record and route.interface != vip.interface))
    ]
    return reasons + _orphans(host, [found for found in ours if found.prefix != vip.prefix])


def _adoptable(found: Address, vip: Vip) -> bool:
    """Whether it stands exactly as a VIP would, so that somebody must have meant it as one."""
    alias = found.label not in (None, found.interface)
    return (found.interface, found.prefix) == (vip.interface, vip.prefix) and (found.alone or alias)


def _foreign(found: Address, vip: Vip, side: str) -> str:
    if side == REAL_SERVER and found.interface == vip.interface and not found.alone:
        return f"{found} is there already, not put there by this collection. {_WHOLE_NETWORK} Remove it first."
    return (
        f"it is this host's own address: {found}, not put there by this collection. A VIP is an address beside those "
        "of the hosts; choose another one, or remove that one first."
    )


def _orphans(host: Host, leaving: t.Sequence[Address]) -> list[str]:
    """Secondary addresses that the kernel would remove together with a primary one."""
    return [
        f"{found} cannot be removed alone: the kernel would remove {other} with it. "
        f"First set net.ipv4.conf.{found.interface}.promote_secondaries to 1."
        for found in leaving
        for other in host.addresses
        if found.interface not in host.promoting and not found.secondary and _secondary_of(other, found)
    ]


def _secondary_of(other: Address, primary: Address) -> bool:
    if not other.secondary or (other.interface, other.prefix) != (primary.interface, primary.prefix):
        return False
    network = ipaddress.ip_interface(f"{primary.address}/{primary.prefix}").network
    return ipaddress.ip_address(other.address) in network


def _names(host: Host) -> str:
    return ", ".join(host.links)
