# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Ethernet frames of ARP (RFC 826) and of IPv6 neighbour discovery (RFC 4861), written and read. Pure."""

from __future__ import annotations

import ipaddress
import struct
import typing as t

ETH_P_ARP, ETH_P_IPV6 = 0x0806, 0x86DD
_REQUEST, _REPLY = 1, 2
_ICMPV6, _SOLICITATION, _ADVERTISEMENT = 58, 135, 136
_SOURCE_MAC_OPTION, _TARGET_MAC_OPTION = 1, 2
_OVERRIDE, _ROUTER = 0x20000000, 0x80000000
_SOLICITED_NODE = ipaddress.IPv6Address("ff02::1:ff00:0").packed
_BROADCAST = b"\xff" * 6
_ETHERNET, _IPV6 = 14, 40

MacAddress = bytes


class Answer(t.NamedTuple):
    """Somebody says that the address is his."""

    address: str
    mac: str


def who_has(address: str, source: str, mac: MacAddress) -> bytes:
    """Ask every neighbour for the MAC of an IPv4 address. The source may be V(0.0.0.0)."""
    return _arp(_REQUEST, mac, source, bytes(6), address)


def gratuitous_arp(address: str, mac: MacAddress) -> bytes:
    """Tell every neighbour that the IPv4 address is here now, in the form that RFC 5227 calls an announcement."""
    return _arp(_REQUEST, mac, address, bytes(6), address)


def solicitation(address: str, source: str, mac: MacAddress) -> bytes:
    """Ask the neighbours for the MAC of an IPv6 address. The source may be V(::), as in duplicate address detection."""
    group = ipaddress.IPv6Address(_SOLICITED_NODE[:-3] + _packed(address)[-3:])
    body = struct.pack("!I16s", 0, _packed(address))
    if source != "::":
        body += struct.pack("!BB6s", _SOURCE_MAC_OPTION, 1, mac)
    return _icmpv6(_SOLICITATION, body, source, str(group), mac)


def advertisement(address: str, mac: MacAddress, router: bool) -> bytes:
    """Tell every neighbour that the IPv6 address is here now."""
    flags = _OVERRIDE | (_ROUTER if router else 0)
    body = struct.pack("!I16sBB6s", flags, _packed(address), _TARGET_MAC_OPTION, 1, mac)
    return _icmpv6(_ADVERTISEMENT, body, address, "ff02::1", mac)


def read_answer(frame: bytes) -> Answer | None:
    """The answer in a frame; None where it is something else."""
    try:
        kind = struct.unpack_from("!H", frame, 12)[0]
        if kind == ETH_P_ARP:
            return _read_arp(frame)
        if kind == ETH_P_IPV6:
            return _read_advertisement(frame)
    except struct.error:
        pass  # too short to be one
    return None


def _arp(operation: int, mac: MacAddress, source: str, target_mac: MacAddress, target: str) -> bytes:
    ethernet = struct.pack("!6s6sH", _BROADCAST, mac, ETH_P_ARP)
    body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, mac, _packed(source), target_mac, _packed(target))
    return ethernet + body


def _read_arp(frame: bytes) -> Answer | None:
    kinds, operation, mac, source = struct.unpack_from("!6sH6s4s", frame, _ETHERNET)
    if kinds != struct.pack("!HHBB", 1, 0x0800, 6, 4) or operation != _REPLY:
        return None
    return Answer(str(ipaddress.ip_address(source)), mac.hex(":"))


def _icmpv6(kind: int, body: bytes, source: str, target: str, mac: MacAddress) -> bytes:
    group = _packed(target)
    message = struct.pack("!BBH", kind, 0, 0) + body
    pseudo = _packed(source) + group + struct.pack("!IxxxB", len(message), _ICMPV6)
    message = struct.pack("!BBH", kind, 0, _checksum(pseudo + message)) + body
    ethernet = struct.pack("!6s6sH", b"\x33\x33" + group[-4:], mac, ETH_P_IPV6)
    return ethernet + struct.pack("!IHBB", 6 << 28, len(message), _ICMPV6, 255) + pseudo[:32] + message


def _read_advertisement(frame: bytes) -> Answer | None:
    next_header, hops = struct.unpack_from("!BB", frame, _ETHERNET + 6)
    kind, code = struct.unpack_from("!BB", frame, _ETHERNET + _IPV6)
    if (next_header, hops, kind, code) != (_ICMPV6, 255, _ADVERTISEMENT, 0):
        return None
    target = struct.unpack_from("!16s", frame, _ETHERNET + _IPV6 + 8)[0]
    mac = _target_mac(frame[_ETHERNET + _IPV6 + 24 :]) or frame[6:12]
    return Answer(str(ipaddress.ip_address(target)), mac.hex(":"))


def _target_mac(options: bytes) -> bytes | None:
    while len(options) >= 8:
        kind, units = options[0], options[1]
        if kind == _TARGET_MAC_OPTION:
            return options[2:8]
        options = options[8 * max(units, 1) :]
    return None


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed
