# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Tells the neighbours of an interface whose an address is now, and asks them. Standard library only."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import select
import socket
import time
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _arp_packet
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, Link

_ROUNDS, _PAUSE = 3, 0.1  # a lost frame would cost minutes


def announce(link: Link, addresses: t.Sequence[str]) -> None:
    """Send gratuitous ARP and unsolicited neighbour advertisements, so that nobody goes on to send to the old place."""
    if not _is_ethernet(link):
        return  # no neighbour there knows addresses by their MAC
    mac = _mac(link)
    router = _forwards_ipv6(link.name)
    frames = [
        _arp_packet.advertisement(address, mac, router) if ":" in address else _arp_packet.gratuitous_arp(address, mac)
        for address in addresses
    ]
    with _open(link, 0) as channel:
        for number in range(_ROUNDS):
            if number:
                time.sleep(_PAUSE)
            for frame in frames:
                _send(channel, frame, link)


def ask(
    link: Link, own: t.Sequence[Address], asked: t.Sequence[str], timeout: float, count: int
) -> dict[str, list[str]]:
    """Ask for all these addresses at once and listen until the time is up: address -> the MACs that answered.

    :arg own: the addresses of this host; one of the interface is the sender, but never one that is asked for.
    :arg count: how often to ask, evenly over the time.
    """
    if not _is_ethernet(link):
        raise LvsError(f"Interface {link.name}: cannot ask on it, for it is no Ethernet interface. Name another one.")
    macs: dict[str, set[str]] = {str(ipaddress.ip_address(address)): set() for address in asked}
    frames = [_question(link, own, address, frozenset(macs)) for address in macs]
    kinds = {_arp_packet.ETH_P_IPV6 if ":" in address else _arp_packet.ETH_P_ARP for address in macs}
    with contextlib.ExitStack() as stack:
        channels = [stack.enter_context(_open(link, kind)) for kind in kinds]
        start = time.monotonic()
        for number in range(count):
            for frame in frames:
                _send(channels[0], frame, link)
            _listen(channels, start + timeout * (number + 1) / count, macs)
    return {address: sorted(found) for address, found in macs.items()}


def _question(link: Link, own: t.Sequence[Address], address: str, asked: frozenset[str]) -> bytes:
    source = _source(link, own, address, asked)
    make = _arp_packet.solicitation if ":" in address else _arp_packet.who_has
    return make(address, source, _mac(link))


def _source(link: Link, own: t.Sequence[Address], address: str, asked: frozenset[str]) -> str:
    """The interface's own address in the subnet of the one asked for, else any of its own, else none.

    An address that is asked for is nobody's own in this sense: as sender it would change the neighbours' minds.
    """
    wanted = ipaddress.ip_address(address)
    usable = [
        found
        for found in own
        if found.interface == link.name and found.ipv6 == (wanted.version == 6) and found.address not in asked
    ]
    usable.sort(key=lambda found: wanted not in ipaddress.ip_interface(f"{found.address}/{found.prefix}").network)
    usable.sort(key=lambda found: found.alone)  # another VIP, most likely
    if usable:
        return usable[0].address
    return "::" if wanted.version == 6 else "0.0.0.0"


def _listen(channels: t.Sequence[socket.socket], deadline: float, macs: t.Mapping[str, set[str]]) -> None:
    while True:
        rest = deadline - time.monotonic()
        if rest <= 0:
            return
        for channel in select.select(channels, [], [], rest)[0]:
            answer = _arp_packet.read_answer(channel.recv(2048))
            if answer is not None and answer.address in macs:
                macs[answer.address].add(answer.mac)


def _open(link: Link, kind: int) -> socket.socket:
    try:
        channel = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        channel.bind((link.name, kind))
    except OSError as exc:
        raise LvsError(
            f"Interface {link.name}: cannot open it for Ethernet frames: {exc.strerror}. The module must run as root, "
            "or with the capability CAP_NET_RAW."
        ) from exc
    return channel


def _send(channel: socket.socket, frame: bytes, link: Link) -> None:
    try:
        channel.send(frame)
    except OSError as exc:
        raise LvsError(
            f"Interface {link.name}: cannot send on it: {exc.strerror}. Is it up? ip link show {link.name}"
        ) from exc


def _is_ethernet(link: Link) -> bool:
    return len(_mac(link)) == 6 and not link.silent


def _mac(link: Link) -> bytes:
    return bytes.fromhex(link.mac.replace(":", ""))


def _forwards_ipv6(interface: str) -> bool:
    try:
        with open(os.path.join("/proc/sys/net/ipv6/conf", interface, "forwarding"), encoding="ascii") as file:
            return file.read().strip() != "0"
    except FileNotFoundError:
        return False
