# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Links, addresses and host routes of this network namespace.

Reading needs the standard library only, so that facts are quick and a first run in check mode works on a host where
nothing has been installed. Writing goes through pyroute2, imported on the first write; only its message classes and
``nlm_request`` are used, which are the same from 0.5.14 to 0.9.
"""

from __future__ import annotations

import dataclasses
import errno
import ipaddress
import os
import socket
import struct
import sys
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _tunnel_codec
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, LibraryMissing, LvsError

SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}

# include/uapi/linux/netlink.h, rtnetlink.h, if_addr.h, if_link.h, if.h
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP_INTR, _NLM_F_DUMP = 0x1, 0x4, 0x10, 0x300
_NLM_F_EXCL, _NLM_F_CREATE = 0x200, 0x400
_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_IFF_UP, _IFF_LOOPBACK, _IFF_NOARP = 0x1, 0x8, 0x80
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO = 1, 3, 4, 18
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_BROADCAST, _IFA_FLAGS = 1, 2, 3, 4, 8
_IFA_F_SECONDARY, _IFA_F_NODAD, _IFA_F_DADFAILED, _IFA_F_DEPRECATED = 0x01, 0x02, 0x08, 0x20
_RTM_TYPE = 7  # where a route's type stands in struct rtmsg
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_RT_TABLE_MAIN, _RT_SCOPE_LINK, _RTN_UNICAST = 254, 253, 1
_RTPROT_UNSPEC, _RTPROT_BOOT = 0, 3
_IPV4_BITS = 32
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ATTEMPTS = 5
_FOREVER = 0xFFFFFFFF


@dataclasses.dataclass(frozen=True)
class Link:
    """A network interface.

    :arg kind: of a virtual one, such as ``ipip``; with what matters of its options, in the words of ip(8).
    """

    index: int
    name: str
    mac: str
    up: bool = True
    loopback: bool = False
    noarp: bool = False
    mtu: int = 0
    kind: str = ""
    options: str = ""

    @property
    def silent(self) -> bool:
        """Whether no neighbour can ask for an address on it: loopback, dummy, tunnel and the like."""
        return self.loopback or self.noarp


@dataclasses.dataclass(frozen=True)
class Address:
    """An address on an interface. IPv6 knows neither label nor broadcast."""

    address: str
    prefix: int
    interface: str
    scope: str = "global"
    label: str | None = None
    broadcast: str | None = None
    secondary: bool = False
    dadfailed: bool = False
    deprecated: bool = False  # IPv6: not chosen as the source of new connections

    @property
    def ipv6(self) -> bool:
        """Whether it is an IPv6 address."""
        return ":" in self.address

    @property
    def alone(self) -> bool:
        """Whether its prefix holds nothing but itself: /32 or /128."""
        return self.prefix == ipaddress.ip_address(self.address).max_prefixlen

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix} on {self.interface}"


@dataclasses.dataclass(frozen=True)
class HostRoute:
    """A route of the main table to one IPv4 address."""

    address: str
    interface: str
    gateway: str | None = None
    scope: str = "link"

    def __str__(self) -> str:
        via = f" via {self.gateway}" if self.gateway else ""
        return f"{self.address}{via} dev {self.interface}"


def links() -> dict[str, Link]:
    """Every interface by name, in the kernel's order."""
    found = {}
    for payload in dump(_RTM_GETLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0)):
        _family, _type, index, flags, _change = struct.unpack_from("=BxHiII", payload)
        attributes = attributes_of(payload, 16)
        name = _text(attributes[_IFLA_IFNAME])
        info = attributes_of(attributes.get(_IFLA_LINKINFO, b""), 0)
        kind = _text(info.get(_IFLA_INFO_KIND, b""))
        found[name] = Link(
            index=index,
            name=name,
            mac=attributes.get(_IFLA_ADDRESS, b"").hex(":"),
            up=bool(flags & _IFF_UP),
            loopback=bool(flags & _IFF_LOOPBACK),
            noarp=bool(flags & _IFF_NOARP),
            mtu=_number(attributes[_IFLA_MTU]),
            kind=kind,
            options=_tunnel_codec.options(kind, attributes_of(info.get(_IFLA_INFO_DATA, b""), 0)),
        )
    return found


def addresses(known: t.Mapping[str, Link]) -> tuple[Address, ...]:
    """Every address of both families on these interfaces, in the kernel's order."""
    names = {link.index: link.name for link in known.values()}
    found = []
    for payload in dump(_RTM_GETADDR, struct.pack("=BBBBI", 0, 0, 0, 0, 0)):
        family, prefix, flags, scope, index = struct.unpack_from("=BBBBI", payload)
        if index not in names or family not in _FAMILIES:
            continue  # its interface came after the links were read
        attributes = attributes_of(payload, 8)
        flags = _number(attributes[_IFA_FLAGS]) if _IFA_FLAGS in attributes else flags
        found.append(
            Address(
                address=_address(attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS]),
                prefix=prefix,
                interface=names[index],
                scope=SCOPES.get(scope, str(scope)),
                label=_text(attributes[_IFA_LABEL]) if _IFA_LABEL in attributes else None,
                broadcast=_address(attributes[_IFA_BROADCAST]) if _IFA_BROADCAST in attributes else None,
                secondary=family == socket.AF_INET and bool(flags & _IFA_F_SECONDARY),
                dadfailed=family == socket.AF_INET6 and bool(flags & _IFA_F_DADFAILED),
                deprecated=family == socket.AF_INET6 and bool(flags & _IFA_F_DEPRECATED),
            )
        )
    return tuple(found)


def host_routes(known: t.Mapping[str, Link]) -> tuple[HostRoute, ...]:
    """Every /32 route of the main table."""
    names = {link.index: link.name for link in known.values()}
    header = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, _RT_TABLE_MAIN, 0, 0, 0, 0)
    found = []
    for payload in dump(_RTM_GETROUTE, header):
        length, table, scope = struct.unpack_from("=xBxxBxB", payload)
        if length != _IPV4_BITS or table != _RT_TABLE_MAIN:
            continue
        attributes = attributes_of(payload, 12)
        found.append(
            HostRoute(
                address=_address(attributes[_RTA_DST]),
                interface=names.get(_number(attributes.get(_RTA_OIF, bytes(4))), "?"),
                gateway=_address(attributes[_RTA_GATEWAY]) if _RTA_GATEWAY in attributes else None,
                scope=SCOPES.get(scope, str(scope)),
            )
        )
    return tuple(found)


def gateways() -> list[str]:
    """Every gateway of the host's unicast routes, whatever they lead to and whichever table they are in."""
    found: dict[str, None] = {}
    for family in _FAMILIES:
        for payload in dump(_RTM_GETROUTE, struct.pack("=BBBBBBBBI", family, 0, 0, 0, 0, 0, 0, 0, 0)):
            attributes = attributes_of(payload, 12)
            if payload[_RTM_TYPE] == _RTN_UNICAST and _RTA_GATEWAY in attributes:
                found[_address(attributes[_RTA_GATEWAY])] = None
    return list(found)


def add_link(name: str, kind: str, options: str) -> None:
    """Make a tunnel device; the kernel loads what it needs, which may bring along the very device."""
    act = f"Device {name}: cannot make it"
    try:
        _command(_RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL, _tunnel_codec.made(name, kind, options), act)
    except KernelError as exc:
        if exc.errno == errno.EOPNOTSUPP:
            why = f"kernel {os.uname().release} knows no tunnel device of the kind {kind}. Is its module installed?"
            raise KernelError(f"{act}: {why}", exc.errno) from exc
        if exc.errno != errno.EEXIST or options:
            raise


def set_link(name: str, up: bool) -> None:
    """Bring it up or down."""
    _command(_RTM_NEWLINK, 0, _tunnel_codec.named(name, up), f"Device {name}: cannot bring it {'up' if up else 'down'}")


def remove_link(name: str) -> None:
    """Remove a device; one that belongs to the kernel's module stays, and the kernel does not say so."""
    _command(_RTM_DELLINK, 0, _tunnel_codec.named(name), f"Device {name}: cannot remove it")


def _command(kind: int, flags: int, body: bytes, act: str) -> None:
    with _open() as channel:
        header = struct.pack("=IHHII", 16 + len(body), kind, _NLM_F_REQUEST | _NLM_F_ACK | flags, 1, 0)
        channel.send(header + body)
        _collect(channel, 1, act)


class Writer:
    """Adds and removes addresses and host routes. Use it as a context manager."""

    def __init__(self) -> None:
        try:
            # Not at the top: it takes longer to import than all the rest, and most runs write nothing.
            from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
            from pyroute2.netlink.rtnl.rtmsg import rtmsg
        except ImportError as exc:
            raise LibraryMissing(
                f"Python library pyroute2: {sys.executable} cannot import it ({exc}), and it is what sets addresses. "
                "Install the package python3-pyroute2, or name a Python that has it by ansible_python_interpreter."
            ) from exc
        self._ifaddrmsg, self._rtmsg = ifaddrmsg, rtmsg
        self._channel = _open()
        self._sequence = 0

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._channel.close()

    def add_address(self, address: Address, link: Link) -> None:
        """Fails where it is there already."""
        message = self._address(address, link)
        if address.ipv6:
            message["flags"] = _IFA_F_NODAD
        if address.deprecated:  # preferred for 0 seconds, valid for ever
            message["attrs"].append(("IFA_CACHEINFO", {"ifa_valid": _FOREVER}))
        if address.label:
            message["attrs"].append(("IFA_LABEL", address.label))
        if address.broadcast:
            message["attrs"].append(("IFA_BROADCAST", address.broadcast))
        self._send(message, _RTM_NEWADDR, _NLM_F_CREATE | _NLM_F_EXCL, f"Address {address}: cannot add it")

    def remove_address(self, address: Address, link: Link) -> None:
        """Fails where it is not there."""
        self._send(self._address(address, link), _RTM_DELADDR, 0, f"Address {address}: cannot remove it")

    def add_route(self, route: HostRoute, link: Link) -> None:
        """Fails where a route to the address is there already."""
        flags = _NLM_F_CREATE | _NLM_F_EXCL
        self._send(self._route(route, link), _RTM_NEWROUTE, flags, f"Route {route}: cannot add it")

    def remove_route(self, route: HostRoute, link: Link) -> None:
        """Fails where it is not there. Who put it there does not matter: a network manager may have put it back."""
        message = self._route(route, link)
        message["proto"] = _RTPROT_UNSPEC
        self._send(message, _RTM_DELROUTE, 0, f"Route {route}: cannot remove it")

    def _address(self, address: Address, link: Link) -> t.Any:
        message = self._ifaddrmsg()
        message["family"] = socket.AF_INET6 if address.ipv6 else socket.AF_INET
        message["prefixlen"] = address.prefix
        message["index"] = link.index
        message["attrs"] = [("IFA_LOCAL", address.address), ("IFA_ADDRESS", address.address)]
        return message

    def _route(self, route: HostRoute, link: Link) -> t.Any:
        message = self._rtmsg()
        message["family"] = socket.AF_INET
        message["dst_len"] = _IPV4_BITS
        message["table"] = _RT_TABLE_MAIN
        message["proto"] = _RTPROT_BOOT
        message["scope"] = _RT_SCOPE_LINK
        message["type"] = _RTN_UNICAST
        message["attrs"] = [("RTA_DST", route.address), ("RTA_OIF", link.index)]
        return message

    def _send(self, message: t.Any, kind: int, flags: int, act: str) -> None:
        self._sequence += 1
        message["header"]["type"] = kind
        message["header"]["flags"] = _NLM_F_REQUEST | _NLM_F_ACK | flags
        message["header"]["sequence_number"] = self._sequence
        message.encode()
        self._channel.send(message.data)
        _collect(self._channel, self._sequence, act)


def _open() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)


def dump(kind: int, header: bytes) -> list[bytes]:
    """All payloads that the kernel has of this kind; asked again when they changed meanwhile."""
    with _open() as channel:
        for sequence in range(1, _ATTEMPTS + 1):
            length = 16 + len(header)
            channel.send(struct.pack("=IHHII", length, kind, _NLM_F_REQUEST | _NLM_F_DUMP, sequence, 0) + header)
            payloads, torn = _collect(channel, sequence, "Network configuration: cannot read it")
            if not torn:
                return payloads
    raise LvsError("Network configuration: cannot read it, for it keeps changing under the reader. Run again.")


def command(kind: int, flags: int, message: bytes, act: str) -> None:
    """Send one message and wait for its acknowledgement.

    :raises KernelError: when the kernel refuses it.
    """
    with _open() as channel:
        channel.send(struct.pack("=IHHII", 16 + len(message), kind, flags, 1, 0) + message)
        _collect(channel, 1, act)


def _collect(channel: socket.socket, sequence: int, act: str) -> tuple[list[bytes], bool]:
    """The payloads of an answer up to its end or acknowledgement, and whether they changed meanwhile."""
    payloads: list[bytes] = []
    torn = False
    while True:
        data = channel.recv(1 << 18)
        offset = 0
        while offset < len(data):
            length, kind, flags, answered, _port = struct.unpack_from("=IHHII", data, offset)
            payload = data[offset + 16 : offset + length]
            offset += (length + 3) & ~3
            if answered != sequence:
                continue
            torn = torn or bool(flags & _NLM_F_DUMP_INTR)
            if kind not in (_NLMSG_DONE, _NLMSG_ERROR):
                payloads.append(payload)
                continue
            code = -_signed(payload)
            if code:
                raise KernelError(f"{act}: the kernel says: {os.strerror(code)}.", code)
            return payloads, torn


def attributes_of(payload: bytes, offset: int) -> dict[int, bytes]:
    """The attributes of a message, which begin behind its own header."""
    found = {}
    while offset + 4 <= len(payload):
        length, kind = struct.unpack_from("=HH", payload, offset)
        found[kind & 0x3FFF] = payload[offset + 4 : offset + length]
        offset += max((length + 3) & ~3, 4)
    return found


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode()


def _number(value: bytes) -> int:
    return int(struct.unpack("=I", value)[0])


def _signed(value: bytes) -> int:
    return int(struct.unpack_from("=i", value)[0])


def _address(value: bytes) -> str:
    return str(ipaddress.ip_address(value))
