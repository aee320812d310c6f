# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The kernel's IPVS table of this network namespace: read it, and apply steps to it.

A plain generic netlink socket and the codec beside this file are all it takes, so neither ipvsadm nor pyroute2 has to
be installed for it: pyroute2 knows the family only since 0.8.1, and not all of it. Asking the kernel for the family
loads ip_vs; so nothing is asked as long as /proc/net/ip_vs is missing and there is nothing to write.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._kernel_needs import no_engine, no_scheduler
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table

PROC_TABLE = "/proc/net/ip_vs"

# How many messages travel in one datagram. Their acknowledgements must fit in the socket's buffer, of which each takes
# about a kilobyte, even where the buffer may not be enlarged.
BATCH = 128
_RECEIVE_BUFFER = 4 * 1024 * 1024
_DATAGRAM = 256 * 1024
_PATIENCE = 60

_T = t.TypeVar("_T")


class TableChanged(KernelError):
    """Somebody else changed the table after it was read: what to add is there, or what to edit or remove is not.

    :attr done: the steps that were applied all the same.
    """

    def __init__(self, message: str, number: int, done: list[Step]) -> None:
        super().__init__(message, number, applied=[str(step) for step in done])
        self.done = done


class Observed(t.NamedTuple):
    """A service as the kernel counts it."""

    service: Service
    stats: dict[str, int]
    servers: list[tuple[RealServer, dict[str, int], dict[str, int]]]
    """Each with its connections and its statistics, in the order in which they were added."""


def loaded() -> bool:
    """Is ip_vs there? Asks nothing that would load it."""
    return os.path.exists(PROC_TABLE)


class Ipvs:
    """The table of the network namespace that the process is in."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._family = 0
        self._sequence = itertools.count(1)

    def read(self) -> Table:
        """The table; empty while ip_vs is not loaded, and then it stays unloaded."""
        if not loaded():
            return Table()
        services = [codec.service_of(found) for found in self._dump_services()]
        return Table.of((service, self._real_servers(service.key)) for service in services)

    def observe(self, wanted: t.Callable[[ServiceKey], bool]) -> list[Observed]:
        """The services that are asked for, with what the kernel counts; none while ip_vs is not loaded."""
        if not loaded():
            return []
        result = []
        for found in self._dump_services():
            service = codec.service_of(found)
            if not wanted(service.key):
                continue
            servers = [
                (
                    codec.real_server_of(dest, service.key.family),
                    codec.connections_of(dest),
                    codec.stats_of(dest, codec.DEST_STATS64, codec.DEST_STATS),
                )
                for dest in self._dump_real_servers(service.key)
            ]
            stats = codec.stats_of(found, codec.SVC_STATS64, codec.SVC_STATS)
            result.append(Observed(service, stats, servers))
        return sorted(result, key=lambda observed: observed.service.key.sort_key)

    def apply(self, steps: t.Sequence[Step]) -> None:
        """Apply the steps in their order.

        The kernel goes on after a message that it refused, so a datagram never holds more than one phase, all its
        acknowledgements are read before the next is sent, and nothing is sent after a refusal.

        :raises TableChanged: when the table is not the one that the steps were made for.
        :raises KernelError: when the kernel refuses a step for another reason.
        """
        done: list[Step] = []
        for _dummy, phase in itertools.groupby(steps, key=lambda step: step.phase):
            for batch in _batches(phase, BATCH):
                errors = self._send_batch(batch)
                done.extend(step for step, number in zip(batch, errors) if not number)
                for step, number in zip(batch, errors):
                    if number:
                        raise _refusal(step, number, done)

    def _real_servers(self, key: ServiceKey) -> list[RealServer]:
        return [codec.real_server_of(found, key.family) for found in self._dump_real_servers(key)]

    def _dump_services(self) -> list[codec.Attributes]:
        family = self._open()
        sequence = next(self._sequence)
        return self._dump(codec.services_request(family, sequence), sequence, codec.CMD_SERVICE)

    def _dump_real_servers(self, key: ServiceKey) -> list[codec.Attributes]:
        """The kernel dumps the newest first: turned round here."""
        family = self._open()
        sequence = next(self._sequence)
        return self._dump(codec.real_servers_request(family, key, sequence), sequence, codec.CMD_DEST)[::-1]

    def _dump(self, request: bytes, sequence: int, container: int) -> list[codec.Attributes]:
        self._send(request)
        result: list[codec.Attributes] = []
        while True:
            for message in self._receive():
                if message.sequence != sequence:
                    continue
                if message.kind == codec.NLMSG_DONE:
                    return result
                if message.kind == codec.NLMSG_ERROR:
                    raise _failure("cannot read it", codec.error_of(message.payload))
                result.append(codec.attributes(codec.genl_attributes(message.payload)[container]))

    def _send_batch(self, batch: list[Step]) -> list[int]:
        """Send the steps in one datagram; the error number of each, 0 when it was done."""
        family = self._open()
        places = {next(self._sequence): place for place in range(len(batch))}
        self._send(b"".join(codec.step_request(family, batch[place], number) for number, place in places.items()))
        errors = [0] * len(batch)
        while places:
            for message in self._receive():
                place = places.pop(message.sequence, None)
                if place is not None and message.kind == codec.NLMSG_ERROR:
                    errors[place] = codec.error_of(message.payload)
        return errors

    def _open(self) -> int:
        """The number of the family. The first call opens the socket, and loads ip_vs where it is not."""
        if self._socket is None:
            self._socket = _open_socket()
            self._family = self._ask_family()
        return self._family

    def _ask_family(self) -> int:
        sequence = next(self._sequence)
        self._send(codec.family_request(sequence))
        family = 0
        while True:
            for message in self._receive():
                if message.sequence != sequence:
                    continue
                if message.kind != codec.NLMSG_ERROR:
                    family = codec.family_number(message.payload)
                    continue
                number = codec.error_of(message.payload)
                if number:
                    raise _no_family(number)
                return family

    def _send(self, datagram: bytes) -> None:
        try:
            t.cast(socket.socket, self._socket).send(datagram)
        except OSError as exc:
            raise _failure("cannot send to the kernel", exc.errno or errno.EIO) from exc

    def _receive(self) -> t.Iterator[codec.Message]:
        try:
            return codec.messages(t.cast(socket.socket, self._socket).recv(_DATAGRAM))
        except BlockingIOError as exc:
            raise _failure(f"the kernel gave no answer for {_PATIENCE} s", errno.ETIMEDOUT) from exc
        except OSError as exc:
            raise _failure("cannot hear the kernel's answer", exc.errno or errno.EIO) from exc


def _batches(items: t.Iterable[_T], size: int) -> t.Iterator[list[_T]]:
    rest = iter(items)
    while True:
        batch = list(itertools.islice(rest, size))
        if not batch:
            return
        yield batch


# asm-generic/socket.h, linux/netlink.h: not in Python's socket module.
_NETLINK_GENERIC, _SO_RCVBUFFORCE, _SOL_NETLINK, _NETLINK_CAP_ACK = 16, 33, 270, 10


def _open_socket() -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_GENERIC)
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _PATIENCE, 0))
    opened.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
    opened.bind((0, 0))
    return opened


def _failure(act: str, number: int) -> KernelError:
    return KernelError(f"The IPVS table: {act}: {_reason(number)}.", number)


def _no_family(number: int) -> KernelError:
    if number == errno.ENOENT:
        message = (
            f"The IPVS table: kernel {os.uname().release} has no IPVS and could not load the module ip_vs. Is the"
            " module installed for this kernel, and does 'modprobe ip_vs' work? In a container the host has to load it."
        )
        return KernelError(message, number)
    return _failure("cannot find the kernel's netlink family IPVS", number)


def _refusal(step: Step, number: int, done: list[Step]) -> KernelError:
    act = "add" if step.phase == ADD else "remove" if step.phase == REMOVE else "change"
    head = f"{step.subject}: cannot {act} it: "
    missing_server = number == errno.ENOENT and step.server is not None
    if number in (errno.EEXIST, errno.ESRCH) or missing_server:
        found = "it is already there" if number == errno.EEXIST else "it is gone"
        return TableChanged(f"{head}{found}. Somebody else changes the table at the same time.", number, done)
    return KernelError(head + _why(step, number) + ".", number, applied=[str(step) for step in done])


def _why(step: Step, number: int) -> str:
    if number == errno.ENOENT:
        scheduler, engine = step.service.scheduler, step.service.pe
        # The kernel looks for the scheduler first, and loads it.
        if engine and os.path.exists(f"/sys/module/ip_vs_{scheduler}"):
            return no_engine(engine)
        return no_scheduler(scheduler) + (f"; or {no_engine(engine)}" if engine else "")
    if number == errno.EINVAL and step.server is not None:
        return (
            f"the kernel does not take {step.server.address} as a real server here: it must be a unicast address, and"
            " of the VIP's family unless it is reached by a tunnel and no sync daemon runs"
        )
    if number == errno.EAFNOSUPPORT:
        return "IPv6 is switched off in this kernel"
    return _reason(number)


def _reason(number: int) -> str:
    if number in (errno.EPERM, errno.EACCES):
        return (
            "the kernel wants root (CAP_NET_ADMIN in the initial user namespace); a rootless container cannot use IPVS"
        )
    name = errno.errorcode.get(number, str(number))
    return f"{os.strerror(number)} ({name})"
