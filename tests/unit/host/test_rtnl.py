# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pyroute2's message classes put on the wire for us, byte by byte, whatever the release."""

from __future__ import annotations

import errno
import struct
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _rtnl
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute
from hosts import LINKS

IPV4 = Address("192.0.2.10", 32, "lo", label="lo:0", broadcast="192.0.2.10")
IPV6 = Address("2001:db8::10", 128, "eth0", deprecated=True)
CREATE, PLAIN = 0x605, 0x005  # NLM_F_REQUEST, NLM_F_ACK, and NLM_F_CREATE with NLM_F_EXCL


class Channel:
    """A kernel that answers with an error number."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(bytes(data))

    def recv(self, _size: int) -> bytes:
        sequence = struct.unpack_from("=I", self.sent[-1], 8)[0]
        return struct.pack("=IHHIIi", 20, 2, 0, sequence, 0, -self.code)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def sent(act: t.Callable[[_rtnl.Writer], None], code: int = 0) -> tuple[int, int, bytes]:
    """Type and flags of the message, and what follows its header."""
    channel = Channel(code)
    with _rtnl.Writer() as writer:
        writer._channel.close()
        writer._channel = t.cast(t.Any, channel)
        writer._channel.close = lambda: None  # type: ignore[method-assign]
        act(writer)
    [data] = channel.sent
    length, kind, flags = struct.unpack_from("=IHH", data)
    assert length == len(data)
    return kind, flags, data[16:]


def test_an_ipv4_address_with_label_and_broadcast() -> None:
    vip = bytes([192, 0, 2, 10])
    body = struct.pack("=BBBBI", 2, 32, 0, 0, 1) + attribute(2, vip) + attribute(1, vip)
    assert sent(lambda writer: writer.remove_address(IPV4, LINKS["lo"])) == (21, PLAIN, body)
    body += attribute(3, b"lo:0\0") + attribute(4, vip)
    assert sent(lambda writer: writer.add_address(IPV4, LINKS["lo"])) == (20, CREATE, body)


def test_an_ipv6_address_without_duplicate_detection_and_never_preferred() -> None:
    vip = bytes.fromhex("20010db8000000000000000000000010")
    body = struct.pack("=BBBBI", 10, 128, 2, 0, 2) + attribute(2, vip) + attribute(1, vip)
    body += attribute(6, struct.pack("=IIII", 0, 0xFFFFFFFF, 0, 0))
    assert sent(lambda writer: writer.add_address(IPV6, LINKS["eth0"])) == (20, CREATE, body)


def test_a_host_route() -> None:
    route = HostRoute("192.0.2.10", "lo")
    body = struct.pack("=BBBBBBBBI", 2, 32, 0, 0, 254, 3, 253, 1, 0)
    body += attribute(1, bytes([192, 0, 2, 10])) + attribute(4, struct.pack("=I", 1))
    assert sent(lambda writer: writer.add_route(route, LINKS["lo"])) == (24, CREATE, body)
    any_origin = body[:5] + b"\0" + body[6:]
    assert sent(lambda writer: writer.remove_route(route, LINKS["lo"])) == (25, PLAIN, any_origin)


def test_what_the_kernel_refuses_is_said_in_words() -> None:
    with pytest.raises(KernelError) as error:
        sent(lambda writer: writer.add_address(IPV4, LINKS["lo"]), errno.EEXIST)
    assert str(error.value) == "Address 192.0.2.10/32 on lo: cannot add it: the kernel says: File exists."
    assert error.value.errno == errno.EEXIST


def test_a_missing_library_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyroute2.netlink.rtnl.ifaddrmsg", None)
    with pytest.raises(LvsError, match="python3-pyroute2"):
        _rtnl.Writer()
