# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The bytes of the kernel's generic netlink family IPVS (include/uapi/linux/ip_vs.h), to and from the table's values.

Plain ``struct`` because whole tables go through here: some ten thousand real servers in one run. The unit tests hold
every message against pyroute2 message classes that declare the same family. Everything here is pure.
"""

from __future__ import annotations

import functools
import socket
import struct
import sys
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, EDIT, REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    TUNNEL_TYPES,
    RealServer,
    Service,
    ServiceKey,
    flag_names,
)

# linux/netlink.h, linux/genetlink.h
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2

# linux/ip_vs.h
FAMILY_NAME, FAMILY_VERSION = "IPVS", 1
NEW_SERVICE, SET_SERVICE, DEL_SERVICE, GET_SERVICE = 1, 2, 3, 4
NEW_DEST, SET_DEST, DEL_DEST, GET_DEST = 5, 6, 7, 8
CMD_SERVICE, CMD_DEST = 1, 2
SVC_AF, SVC_PROTOCOL, SVC_ADDR, SVC_PORT, SVC_FWMARK = 1, 2, 3, 4, 5
SVC_SCHED_NAME, SVC_FLAGS, SVC_TIMEOUT, SVC_NETMASK, SVC_STATS, SVC_PE_NAME, SVC_STATS64 = 6, 7, 8, 9, 10, 11, 12
DEST_ADDR, DEST_PORT, DEST_FWD_METHOD, DEST_WEIGHT, DEST_U_THRESH, DEST_L_THRESH = 1, 2, 3, 4, 5, 6
DEST_ACTIVE_CONNS, DEST_INACT_CONNS, DEST_PERSIST_CONNS, DEST_STATS, DEST_ADDR_FAMILY = 7, 8, 9, 10, 11
DEST_STATS64, DEST_TUN_TYPE, DEST_TUN_PORT, DEST_TUN_FLAGS = 12, 13, 14, 15
STATS = ("conns", "inpkts", "outpkts", "inbytes", "outbytes", "cps", "inpps", "outpps", "inbps", "outbps")
FLAG_PERSISTENT, FLAG_OPS, FIRST_SCHED_FLAG = 0x1, 0x4, 0x8
ALL_FLAGS = 0xFFFFFFFF

FORWARD = ("nat", "local", "tun", "dr", "bypass")
_FORWARD_NUMBER = {name: number for number, name in enumerate(FORWARD)}
_TUNNEL_NUMBER = {name: number for number, name in enumerate(TUNNEL_TYPES)}
_FORWARD_MASK = 0x7
_PROTOCOL_NUMBER = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": socket.IPPROTO_SCTP}
_PROTOCOL_NAME = {int(number): name for name, number in _PROTOCOL_NUMBER.items()}
_AF = {"ipv4": int(socket.AF_INET), "ipv6": int(socket.AF_INET6)}
_FAMILY = {number: name for name, number in _AF.items()}
_FULL_NETMASK = {"ipv4": "255.255.255.255", "ipv6": "128"}

_NLMSG = struct.Struct("=IHHII")
_GENL = struct.Struct("=BBH")
_NLA = struct.Struct("=HH")
_HEADER = struct.Struct("=IHHIIBBH")
_SAME = 12  # the bytes of a netlink header, but for the port of whom it is for
_NLA_TYPE_MASK = 0x3FFF
_FLAGS_START, _FLAGS_END, _ONLY_REQUEST = 6, 8, struct.pack("=H", NLM_F_REQUEST)
# Type and length stand before each value; an odd size is padded to four bytes.
_DEST_NAME = struct.Struct("=HH16s HH2s2x HHH2x")
_DEST_REST = struct.Struct("=HHI HHI HHI HHI HHB3x HH2s2x HHH2x")

Attributes = t.Mapping[int, bytes]


class Message(t.NamedTuple):
    """One netlink message as it came in, or a block of several that have the same header."""

    kind: int
    flags: int
    sequence: int
    data: bytes

    @property
    def payload(self) -> bytes:
        """What follows the netlink header of the first."""
        return self.data[_NLMSG.size :]


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute, padded."""
    return _NLA.pack(4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def message(family: int, command: int, body: bytes, flags: int, sequence: int) -> bytes:
    """A generic netlink request, complete."""
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, family, NLM_F_REQUEST | flags, sequence, 0, command, FAMILY_VERSION, 0) + body


def messages(datagram: bytes) -> t.Iterator[Message]:
    """The messages of a datagram."""
    start, end = 0, len(datagram)
    unpack, header = _NLMSG.unpack_from, _NLMSG.size
    while start < end:
        if end - start < header:
            raise ValueError("a netlink message was cut short")
        length, kind, flags, sequence, _dummy = unpack(datagram, start)
        if length < header or start + length > end:
            raise ValueError("a netlink message was cut short")
        yield Message(kind, flags, sequence, datagram[start : start + length])
        start += (length + 3) & ~3


def blocks(datagram: bytes) -> t.Iterator[Message]:
    """The messages of a datagram, in one block where all have the same header, else one by one."""
    for first in messages(datagram):
        size = len(first.data)
        count, rest = divmod(len(datagram), size)
        header = zip(range(_SAME), datagram)
        if not rest and not size % 4 and all(datagram[place::size] == bytes([byte]) * count for place, byte in header):
            yield first._replace(data=datagram)
            return
        break
    yield from messages(datagram)


def cut(block: bytes) -> t.Iterator[bytes]:
    """The messages of a block, with their headers."""
    size = _NLMSG.unpack_from(block)[0]
    return (block[start : start + size] for start in range(0, len(block), size))


def unacknowledged(request: bytes) -> bytes:
    """The request, to be answered only when it is refused."""
    return request[:_FLAGS_START] + _ONLY_REQUEST + request[_FLAGS_END:]


def places(data: bytes, start: int = 0) -> t.Iterator[tuple[int, int, int]]:
    """The attributes that stand in ``data`` from ``start`` on: the type of each, where its value starts, and ends."""
    end = len(data)
    unpack = _NLA.unpack_from
    header = _NLA.size
    while end - start >= header:
        length, kind = unpack(data, start)
        if length < header:
            raise ValueError("a netlink attribute is shorter than its header")
        if start + length > end:
            raise ValueError("a netlink attribute was cut short")
        yield kind & _NLA_TYPE_MASK, start + header, start + length
        start += (length + 3) & ~3


def attributes(data: bytes, start: int = 0) -> dict[int, bytes]:
    """The attributes that stand in ``data`` from ``start`` on, by their type."""
    return {kind: data[begin:end] for kind, begin, end in places(data, start)}


def genl_attributes(payload: bytes) -> dict[int, bytes]:
    """The attributes of a generic netlink message."""
    return attributes(payload, _GENL.size)


def dest_of(message: bytes) -> dict[int, bytes]:
    """What a message, with its headers, tells of a real server."""
    return attributes(attributes(message, _HEADER.size)[CMD_DEST])


def error_of(payload: bytes) -> int:
    """The error number of an NLMSG_ERROR; 0 is an acknowledgement."""
    return -int(struct.unpack_from("=i", payload)[0])


def family_request(sequence: int) -> bytes:
    """Ask the controller for the family's number. A kernel without ip_vs loads it on this."""
    name = FAMILY_NAME.encode() + b"\0"
    return message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, name), NLM_F_ACK, sequence)


def family_number(found: Attributes) -> int:
    """The number in the controller's answer."""
    return number(found[CTRL_ATTR_FAMILY_ID])


def services_request(family: int, sequence: int) -> bytes:
    """Ask for all services."""
    return message(family, GET_SERVICE, b"", NLM_F_DUMP, sequence)


def real_servers_request(key: ServiceKey, family: int, sequence: int) -> bytes:
    """Ask for all real servers of a service."""
    return message(family, GET_DEST, attribute(CMD_SERVICE, service_name(key)), NLM_F_DUMP, sequence)


_SERVICE_COMMAND = {ADD: NEW_SERVICE, EDIT: SET_SERVICE, REMOVE: DEL_SERVICE}
_DEST_COMMAND = {ADD: NEW_DEST, EDIT: SET_DEST, REMOVE: DEL_DEST}


def step_request(step: Step, family: int, sequence: int) -> bytes:
    """The message that does a step and is acknowledged."""
    if step.server is None:
        body = service_name(step.key)
        if step.phase != REMOVE:
            body += _service_rest(step.service)
        return message(family, _SERVICE_COMMAND[step.phase], attribute(CMD_SERVICE, body), NLM_F_ACK, sequence)
    dest = _dest_name(step.server) if step.phase == REMOVE else real_server_attributes(step.server)
    body = attribute(CMD_SERVICE, service_name(step.key)) + attribute(CMD_DEST, dest)
    return message(family, _DEST_COMMAND[step.phase], body, NLM_F_ACK, sequence)


def service_of(found: Attributes) -> Service:
    """The service that these attributes describe."""
    family = _FAMILY[number(found[SVC_AF])]
    if SVC_FWMARK in found:
        key = ServiceKey.marked(number(found[SVC_FWMARK]), family)
    else:
        protocol = number(found[SVC_PROTOCOL])
        address = _ADDRESS_OF[family](found[SVC_ADDR])
        port = int.from_bytes(found[SVC_PORT], "big")
        key = ServiceKey(_PROTOCOL_NAME.get(protocol, str(protocol)), address, port, 0, family)
    scheduler = text(found[SVC_SCHED_NAME])
    flags = number(found[SVC_FLAGS][:4])
    persistent = bool(flags & FLAG_PERSISTENT)
    netmask = _netmask(family, found[SVC_NETMASK]) if persistent else None
    return Service(
        key,
        scheduler=scheduler,
        scheduler_flags=tuple(
            name for bit, name in enumerate(flag_names(scheduler)) if flags & (FIRST_SCHED_FLAG << bit)
        ),
        persistent=number(found[SVC_TIMEOUT]) if persistent else None,
        netmask=None if netmask == _FULL_NETMASK[family] else netmask,
        ops=bool(flags & FLAG_OPS),
        pe=text(found.get(SVC_PE_NAME, b"")),
    )


# What the kernel tells of a real server, in the order in which `real_server` takes it: attribute, code of its struct.
REAL_SERVER = {
    DEST_ADDR: "16s",
    DEST_PORT: "H",
    DEST_FWD_METHOD: "I",
    DEST_WEIGHT: "I",
    DEST_U_THRESH: "I",
    DEST_L_THRESH: "I",
    DEST_TUN_TYPE: "B",
    DEST_TUN_PORT: "H",
    DEST_TUN_FLAGS: "H",
    DEST_ADDR_FAMILY: "H",
}
# Older kernels do not tell these; 0 says the same.
REAL_SERVER_OPTIONAL = (DEST_TUN_TYPE, DEST_TUN_PORT, DEST_TUN_FLAGS, DEST_ADDR_FAMILY)


def real_server_of(found: Attributes, service_family: str) -> RealServer:
    """The real server that these attributes describe."""
    told: list[t.Any] = [
        0 if kind in REAL_SERVER_OPTIONAL and kind not in found else struct.unpack(f"={code}", found[kind])[0]
        for kind, code in REAL_SERVER.items()
    ]
    address_of, values = real_server_values(service_family, told[1:])
    return RealServer(address_of(told[0]), *values)


Values = tuple[t.Callable[[bytes], str], tuple[t.Any, ...]]


def real_server_values(service_family: str, told: t.Sequence[int]) -> Values:
    """How the address of a real server is read, and the values that follow it.

    :arg told: what the kernel tells behind the address, in the order of REAL_SERVER.
    """
    port, method, weight, upper, lower, tunnel_type, tunnel_port, tunnel_flags, family = told
    forward = FORWARD[method & _FORWARD_MASK]
    tunnel = (_name(TUNNEL_TYPES, tunnel_type), socket.ntohs(tunnel_port), tunnel_flags) if forward == "tun" else ()
    address_of = _ADDRESS_OF[_FAMILY[family] if family else service_family]
    return address_of, (socket.ntohs(port), forward, weight, upper, lower, *tunnel)


def stats_of(found: Attributes, wide: int, narrow: int) -> dict[str, int]:
    """The counters and rates: from the 64-bit attribute, or from the older one of 32 bits."""
    values = attributes(found[wide] if wide in found else found[narrow])
    return {name: number(values[kind]) for kind, name in enumerate(STATS, 1)}


def connections_of(found: Attributes) -> dict[str, int]:
    """How many connections a real server has."""
    return {
        "active_connections": number(found[DEST_ACTIVE_CONNS]),
        "inactive_connections": number(found[DEST_INACT_CONNS]),
        "persistent_connections": number(found[DEST_PERSIST_CONNS]),
    }


def number(value: bytes) -> int:
    """A number in the byte order of this machine."""
    return int.from_bytes(value, sys.byteorder)


def text(value: bytes) -> str:
    """A string, which ends with a zero byte."""
    return value.rstrip(b"\0").decode("ascii", "replace")


def _name(names: t.Sequence[str], number: int) -> str:
    return names[number] if number < len(names) else str(number)


def _ipv4(value: bytes) -> str:
    return socket.inet_ntoa(value[:4])


# Every address has as many bytes as the longer ones.
_ADDRESS_OF: t.Mapping[str, t.Callable[[bytes], str]] = {
    "ipv4": _ipv4,
    "ipv6": functools.partial(socket.inet_ntop, socket.AF_INET6),
}


@functools.lru_cache(maxsize=16384)
def packed(address: str) -> bytes:
    """An address as the kernel's union of both families: 16 bytes. A machine serves many."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return socket.inet_aton(address) + bytes(12)


def _netmask(family: str, value: bytes) -> str:
    return str(number(value)) if family == "ipv6" else socket.inet_ntoa(value)


def _packed_netmask(service: Service) -> bytes:
    netmask = service.netmask or _FULL_NETMASK[service.key.family]
    return struct.pack("=I", int(netmask)) if service.key.family == "ipv6" else socket.inet_aton(netmask)


@functools.lru_cache(maxsize=16)
def service_name(key: ServiceKey) -> bytes:
    """Attributes that name a service. Messages about its real servers come one after another: kept for them."""
    name = attribute(SVC_AF, struct.pack("=H", _AF[key.family]))
    if key.protocol == "mark":
        return name + attribute(SVC_FWMARK, struct.pack("=I", key.mark))
    protocol = _PROTOCOL_NUMBER[key.protocol] if key.protocol in _PROTOCOL_NUMBER else int(key.protocol)
    name += attribute(SVC_PROTOCOL, struct.pack("=H", protocol))
    name += attribute(SVC_ADDR, packed(key.address))
    return name + attribute(SVC_PORT, struct.pack("!H", key.port))


def _service_rest(service: Service) -> bytes:
    """Attributes of a service that can be changed. One that is left out counts as none to the kernel."""
    flags = FLAG_PERSISTENT if service.persistent is not None else 0
    flags |= FLAG_OPS if service.ops else 0
    for bit, name in enumerate(flag_names(service.scheduler)):
        flags |= FIRST_SCHED_FLAG << bit if name in service.scheduler_flags else 0
    rest = attribute(SVC_SCHED_NAME, service.scheduler.encode() + b"\0")
    rest += attribute(SVC_FLAGS, struct.pack("=II", flags, ALL_FLAGS))
    rest += attribute(SVC_TIMEOUT, struct.pack("=I", service.persistent or 0))
    rest += attribute(SVC_NETMASK, _packed_netmask(service))
    return rest + attribute(SVC_PE_NAME, service.pe.encode() + b"\0") if service.pe else rest


def real_server_attributes(server: RealServer) -> bytes:
    """All attributes of a real server."""
    return _dest_name(server) + _dest_rest(server)


def _dest_name(server: RealServer) -> bytes:
    """Attributes that name a real server inside its service."""
    address = server.address
    return _DEST_NAME.pack(
        *(20, DEST_ADDR, packed(address)),
        *(6, DEST_PORT, server.port.to_bytes(2, "big")),
        *(6, DEST_ADDR_FAMILY, _AF["ipv6" if ":" in address else "ipv4"]),
    )


def _dest_rest(server: RealServer) -> bytes:
    """Attributes of a real server that can be changed."""
    tunnel_type = server.tunnel_type
    return _DEST_REST.pack(
        *(8, DEST_FWD_METHOD, _FORWARD_NUMBER[server.forward]),
        *(8, DEST_WEIGHT, server.weight),
        *(8, DEST_U_THRESH, server.upper_threshold),
        *(8, DEST_L_THRESH, server.lower_threshold),
        *(5, DEST_TUN_TYPE, _TUNNEL_NUMBER[tunnel_type] if tunnel_type in _TUNNEL_NUMBER else int(tunnel_type)),
        *(6, DEST_TUN_PORT, server.tunnel_port.to_bytes(2, "big")),
        *(6, DEST_TUN_FLAGS, server.tunnel_flags),
    )
