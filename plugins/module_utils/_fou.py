# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The ports of UDP where the kernel of this network namespace takes packets out of a wrapping: foo over UDP, and GUE.

Spoken to by its generic netlink family ``fou`` (include/uapi/linux/fou.h). Asking the kernel for that family does not
load its module, which has no alias; so somebody has to load it by its name before the first port is added.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import subprocess

from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_family import open_socket
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import FOU, Listener

_NAME, _LOADED = FOU.encode() + b"\0", f"/sys/module/{FOU}"
_ADD, _DEL, _GET = 1, 2, 3
_PORT, _AF, _TYPE = 1, 2, 4
_TYPE_GUE = 2
_DATAGRAM = 64 * 1024


def read() -> dict[Listener, bool]:
    """Every port, and whether it is one of GUE. Loads nothing."""
    if not os.path.exists(_LOADED):
        return {}
    found = {}
    with _Channel() as channel:
        if not channel.family:
            return {}
        for payload in channel.ask(_GET, b"", codec.NLM_F_DUMP):
            told = codec.genl_attributes(payload)
            listener = Listener(int.from_bytes(told[_PORT], "big"), told[_AF][0] == socket.AF_INET6)
            found[listener] = told[_TYPE][0] == _TYPE_GUE
    return found


def load() -> None:
    """Load the module. Where that fails, ``add`` tells what is missing."""
    with contextlib.suppress(OSError):
        subprocess.run(["modprobe", FOU], check=False, capture_output=True)


def add(listener: Listener) -> None:
    """Take packets out of GUE there."""
    body = _body(listener) + codec.attribute(_TYPE, bytes([_TYPE_GUE]))
    _command(_ADD, body, f"Port {listener.port} of UDP: cannot take packets out of GUE there")


def remove(listener: Listener) -> None:
    """Let go of the port."""
    _command(_DEL, _body(listener), f"Port {listener.port} of UDP: cannot let go of it")


def _body(listener: Listener) -> bytes:
    family = socket.AF_INET6 if listener.ipv6 else socket.AF_INET
    return codec.attribute(_PORT, listener.port.to_bytes(2, "big")) + codec.attribute(_AF, bytes([family]))


def _command(command: int, body: bytes, act: str) -> None:
    with _Channel() as channel:
        if not channel.family:
            release = os.uname().release
            raise KernelError(
                f"{act}: kernel {release} has no foo over UDP, or its module fou (CONFIG_NET_FOU) is not installed. "
                "Install it, or use another type of tunnel.",
                errno.ENOENT,
            )
        try:
            channel.ask(command, body, codec.NLM_F_ACK)
        except OSError as exc:
            hint = ". Another program uses that port" if exc.errno == errno.EADDRINUSE else ""
            raise KernelError(f"{act}: the kernel says: {exc.strerror}{hint}.", exc.errno or 0) from exc


class _Channel:
    """A socket, and the family's number; 0 where the kernel has none."""

    def __init__(self) -> None:
        self._socket = open_socket()
        self._sequence = 0
        name = codec.attribute(codec.CTRL_ATTR_FAMILY_NAME, _NAME)
        self.family = codec.GENL_ID_CTRL
        try:
            [answer] = self.ask(codec.CTRL_CMD_GETFAMILY, name, codec.NLM_F_ACK)
            self.family = codec.family_number(codec.genl_attributes(answer))
        except OSError:
            self.family = 0

    def __enter__(self) -> _Channel:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def ask(self, command: int, body: bytes, flags: int) -> list[bytes]:
        """What is answered until the kernel says that this was all.

        :raises OSError: when it refuses.
        """
        self._sequence += 1
        self._socket.send(codec.message(self.family, command, body, flags, self._sequence))
        answer: list[bytes] = []
        while True:
            for message in codec.messages(self._socket.recv(_DATAGRAM)):
                if message.sequence != self._sequence:
                    continue
                if message.kind not in (codec.NLMSG_ERROR, codec.NLMSG_DONE):
                    answer.append(message.payload)
                    continue
                number = codec.error_of(message.payload) if len(message.payload) >= struct.calcsize("=i") else 0
                if number:
                    raise OSError(number, os.strerror(number))
                return answer
