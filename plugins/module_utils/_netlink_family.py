# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Talk to the kernel's generic netlink family IPVS in this network namespace: ask, and command.

A plain generic netlink socket and the codec beside this file are all it takes, so neither ipvsadm nor pyroute2 has to
be installed for it: pyroute2 knows the family only since 0.8.1, and not all of it. Asking the kernel for the family
loads ip_vs; so whoever only looks asks `loaded` first.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError

PROC_TABLE = "/proc/net/ip_vs"

_RECEIVE_BUFFER = 4 * 1024 * 1024
_DATAGRAM = 64 * 1024  # the kernel's are at most half of it
_PATIENCE = 60

Request = t.Callable[[int, int], bytes]
Split = t.Callable[[bytes], t.Iterator[codec.Message]]


def loaded() -> bool:
    """Is ip_vs there? Asks nothing that would load it."""
    return os.path.exists(PROC_TABLE)


@contextlib.contextmanager
def understood() -> t.Iterator[None]:
    """What the kernel says and nobody here understands is an error with a name, not a traceback."""
    try:
        yield
    except (LookupError, ValueError, OSError, struct.error) as exc:
        why = f"The IPVS table: this release of the collection does not understand the kernel's answer ({exc!r})."
        raise KernelError(why, errno.EBADMSG) from exc


def load() -> None:
    """Have ip_vs loaded.

    :raises KernelError: when the kernel has none.
    """
    Family().open()


class Family:
    """The family IPVS. The first question or command opens the socket, and loads ip_vs where it is not."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._number = 0
        self._sequence = 1

    def ask(self, request: Request) -> list[bytes]:
        """What follows the netlink header in each message of the answer.

        :arg request: makes the message from the family's number and a sequence number.
        :raises KernelError: when the kernel refuses or cannot be understood.
        """
        return [message.payload for message in self._ask(request, codec.messages)]

    def ask_much(self, request: Request) -> list[bytes]:
        """The messages of the answer with their headers: in blocks of several where all have the same header."""
        return [message.data for message in self._ask(request, codec.blocks)]

    def _ask(self, request: Request, split: Split) -> list[codec.Message]:
        family = self.open()
        answer, number = self._converse(lambda sequence: request(family, sequence), split)
        if number:
            raise failure("cannot read it", number)
        return answer

    def command(self, requests: t.Sequence[Request]) -> list[int]:
        """Send the commands in one datagram; the error number of each, 0 when it was done.

        The kernel does them in their order before it answers anything else, so the acknowledgement of the last one says
        that all are done but those that were refused before it: the others need none, and hearing each takes longer
        than doing it.
        """
        family = self.open()
        first = self._sequence
        self._sequence += len(requests)
        datagram = [request(family, first + place) for place, request in enumerate(requests)]
        self._send(b"".join([*map(codec.unacknowledged, datagram[:-1]), datagram[-1]]))
        errors = [0] * len(requests)
        heard: set[int] = set()
        with understood():
            while len(requests) - 1 not in heard:
                for message in codec.messages(self._receive()):
                    place = message.sequence - first
                    if 0 <= place < len(requests) and message.kind == codec.NLMSG_ERROR:
                        errors[place] = codec.error_of(message.payload)
                        heard.add(place)
        return errors

    def open(self) -> int:
        """The family's number; loads ip_vs."""
        if self._socket is None:
            self._socket = open_socket()
            answer, number = self._converse(codec.family_request)
            if number:
                raise _no_family(number)
            with understood():
                self._number = codec.family_number(codec.genl_attributes(answer[0].payload))
        return self._number

    @understood()
    def _converse(
        self, request: t.Callable[[int], bytes], split: Split = codec.messages
    ) -> tuple[list[codec.Message], int]:
        """Ask; what is answered until the kernel says that this was all, and the error number if it refuses."""
        sequence = self._sequence
        self._sequence += 1
        self._send(request(sequence))
        answer: list[codec.Message] = []
        while True:
            for message in split(self._receive()):
                if message.sequence != sequence:
                    continue
                if message.kind == codec.NLMSG_DONE:
                    return answer, 0
                if message.kind == codec.NLMSG_ERROR:
                    return answer, codec.error_of(message.payload)
                answer.append(message)

    def _send(self, datagram: bytes) -> None:
        try:
            t.cast(socket.socket, self._socket).send(datagram)
        except OSError as exc:
            raise failure("cannot send to the kernel", exc.errno or errno.EIO) from exc

    def _receive(self) -> bytes:
        try:
            return t.cast(socket.socket, self._socket).recv(_DATAGRAM)
        except BlockingIOError as exc:
            raise failure(f"the kernel gave no answer for {_PATIENCE} s", errno.ETIMEDOUT) from exc
        except OSError as exc:
            raise failure("cannot hear the kernel's answer", exc.errno or errno.EIO) from exc


# asm-generic/socket.h, linux/netlink.h: not in Python's socket module.
_NETLINK_GENERIC, _SO_RCVBUFFORCE, _SOL_NETLINK, _NETLINK_CAP_ACK = 16, 33, 270, 10


def open_socket() -> socket.socket:
    """A socket to the kernel that does not wait for ever."""
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_GENERIC)
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _PATIENCE, 0))
    opened.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
    opened.bind((0, 0))
    return opened


def failure(act: str, number: int) -> KernelError:
    """The kernel does not do what nobody can do without."""
    return KernelError(f"The IPVS table: {act}: {reason(number)}.", number)


def reason(number: int) -> str:
    """Why, in words, when nothing more is known than the error number."""
    if number in (errno.EPERM, errno.EACCES):
        return (
            "the kernel wants root (CAP_NET_ADMIN in the initial user namespace); a rootless container cannot use IPVS"
        )
    name = errno.errorcode.get(number, str(number))
    return f"{os.strerror(number)} ({name})"


def _no_family(number: int) -> KernelError:
    if number == errno.ENOENT:
        message = (
            f"The IPVS table: kernel {os.uname().release} has no IPVS and could not load the module ip_vs. Is the"
            " module installed for this kernel, and does 'modprobe ip_vs' work? In a container the host has to load it."
        )
        return KernelError(message, number)
    return failure("cannot find the kernel's netlink family IPVS", number)
