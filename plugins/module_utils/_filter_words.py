# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Addresses, ports and protocols of packet filters' languages, as spans of numbers. Pure."""

from __future__ import annotations

import ipaddress
import socket

from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import Span

NUMBER, MAX_PORT = "number", 65535
KINDS = {4: "ipv4", 6: "ipv6"}
BITS = {4: 32, 6: 128}
PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "ipencap": 4,
    "tcp": 6,
    "udp": 17,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmpv6": 58,
    "ipv6-icmp": 58,
    "vrrp": 112,
    "sctp": 132,
}
FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr")


def address(text: str) -> Span:
    """An address, or a network such as V(192.0.2.0/24).

    :raises ValueError: if it is neither.
    """
    network = ipaddress.ip_network(text, strict=False)
    return Span(KINDS[network.version], int(network[0]), int(network[-1]))


def host(text: str) -> str:
    """An address alone.

    :raises ValueError: if it is none.
    """
    if "%" in text:
        raise ValueError(text)
    return str(ipaddress.ip_address(text))


def addresses(first: str, last: str) -> Span:
    """From one to another."""
    return Span(address(first).kind, address(first).low, address(last).high)


def anywhere(version: int) -> Span:
    return Span(KINDS[version], 0, 2 ** BITS[version] - 1)


def number(value: int) -> Span:
    return Span(NUMBER, value, value)


def ports(text: str) -> Span:
    """A port, or a range V(8000-8010) or V(8000:8010).

    :raises ValueError: if it is neither.
    """
    first, _sign, last = text.replace(":", "-").partition("-")
    span = Span(NUMBER, int(first), int(last or first))
    if not 0 <= span.low <= span.high <= MAX_PORT:
        raise ValueError(text)
    return span


def protocol(word: str | int) -> int:
    """The number of a protocol.

    :raises ValueError: if nobody knows it.
    """
    if str(word).isdigit():
        return int(word)
    try:
        return PROTOCOLS[str(word)] if str(word) in PROTOCOLS else socket.getprotobyname(str(word))
    except OSError as exc:
        raise ValueError(word) from exc
