# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The bytes by which the kernel is told of tunnel devices, and tells of them. Pure.

Plain ``struct``, since pyroute2 names the options of these devices differently from release to release.
"""

from __future__ import annotations

import ipaddress
import struct
import typing as t

# include/uapi/linux/if_link.h, if_tunnel.h, in.h
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_INFO_KIND, _IFLA_INFO_DATA = 3, 18, 1, 2
_GRE_IFLAGS, _GRE_LOCAL, _IPTUN_LOCAL, _IPTUN_PROTO = 2, 6, 2, 9
_GRE_CSUM, _PROTO_ANY, _PROTO_IPV6 = 0x8000, 0, 41
_GRE_KINDS = ("gre", "ip6gre")
KINDS = ("ipip", "sit", "ip6tnl", *_GRE_KINDS)

_IFF_UP = 0x1


def options(kind: str, data: t.Mapping[int, bytes]) -> str:
    """The options of a device in the words of ip(8), as far as they matter here."""
    words = []
    if kind in _GRE_KINDS:
        words = _local(data.get(_GRE_LOCAL, b""))
        words += ["icsum"] if int.from_bytes(data.get(_GRE_IFLAGS, b""), "big") & _GRE_CSUM else []
    elif kind in KINDS:
        everything = kind == "ip6tnl" and data.get(_IPTUN_PROTO) == bytes([_PROTO_ANY])
        words = ["mode", "any"] if everything else []
        words += _local(data.get(_IPTUN_LOCAL, b""))
    return " ".join(words)


def made(name: str, kind: str, words: str) -> bytes:
    """What follows the header of a message that makes a device with these options."""
    told = words.split()
    local = ipaddress.ip_address(told[told.index("local") + 1]).packed if "local" in told else b""
    data = _attribute(_GRE_LOCAL if kind in _GRE_KINDS else _IPTUN_LOCAL, local) if local else b""
    if "icsum" in told:
        data += _attribute(_GRE_IFLAGS, _GRE_CSUM.to_bytes(2, "big"))
    if kind == "ip6tnl":
        data += _attribute(_IPTUN_PROTO, bytes([_PROTO_ANY if "any" in told else _PROTO_IPV6]))
    info = _attribute(_IFLA_INFO_KIND, kind.encode() + b"\0") + (_attribute(_IFLA_INFO_DATA, data) if data else b"")
    return named(name) + _attribute(_IFLA_LINKINFO, info)


def named(name: str, up: bool | None = None) -> bytes:
    """What follows the header of a message about the device of this name.

    :arg up: whether it shall be up or down; None: no matter.
    """
    flags, mask = (_IFF_UP if up else 0), (0 if up is None else _IFF_UP)
    return struct.pack("=BxHiII", 0, 0, 0, flags, mask) + _attribute(_IFLA_IFNAME, name.encode() + b"\0")


def _local(packed: bytes) -> list[str]:
    return ["local", str(ipaddress.ip_address(packed))] if any(packed) else []


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
