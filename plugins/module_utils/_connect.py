# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Opens connections as a client does, and closes them so that nothing is left half-open. Standard library only.

UDP has no connections: there a datagram is a request, and what comes back is the answer. What a service answers to is
known for few. To any other an empty datagram is sent, and its silence says nothing; but who is not there refuses it.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import errno
import os
import socket
import time
import typing as t

PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "sctp": socket.IPPROTO_SCTP, "udp": socket.IPPROTO_UDP}
# By port: who are the root's name servers (RFC 1035), and what time is it (RFC 5905).
_QUESTIONS = {53: bytes.fromhex("4c56 0100 0001 0000 0000 0000 00 0002 0001"), 123: b"\x23" + bytes(47)}
# linux/in.h, linux/in6.h: hear of refusals also without being connected, for answers may come from elsewhere.
_HEAR_REFUSALS = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
_PATIENCE = 3  # questions in a row that nobody answers; more would only cost time
_TRIES = 3  # datagrams may be lost, and clients ask again
_GRACE = 0.5  # seconds for the other side to close, or to refuse
TIMED_OUT = "no answer in time"
SILENT = "no answer, and none was to be expected"
UNREACHABLE = os.strerror(errno.EHOSTUNREACH).lower()  # nobody has the address, found out after seconds


def is_probe(text: str) -> bool:
    """Whether it is hexadecimal, and something."""
    try:
        return bytes.fromhex(text) != b""
    except ValueError:
        return False


@dataclasses.dataclass(frozen=True)
class Target:
    """Where to connect, and how often.

    :attr probe: what to ask over UDP, in hexadecimal.
    """

    vip: str
    port: int
    protocol: str
    count: int
    timeout: float
    probe: str | None = None

    @property
    def question(self) -> bytes | None:
        """What to ask over UDP; None where nobody knows."""
        return _QUESTIONS.get(self.port) if self.probe is None else bytes.fromhex(self.probe)

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.vip else socket.AF_INET


@dataclasses.dataclass
class Outcome:
    """What came of it."""

    asked: int = 0
    answered: int = 0
    errors: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


def connect(target: Target, once: t.Callable[[Target], str | None]) -> Outcome:
    """One connection after another. Ends early when nobody answers at all any more.

    :arg once: opens and closes one; what went wrong, or None. SILENT is neither an answer nor wrong.
    """
    outcome = Outcome()
    silent = 0
    while outcome.asked < target.count and silent < _PATIENCE:
        outcome.asked += 1
        error = once(target)
        if error is None:
            outcome.answered += 1
        elif error != SILENT:
            outcome.errors[error] += 1
        silent = silent + 1 if error in (TIMED_OUT, UNREACHABLE) else 0
    return outcome


def once(target: Target) -> str | None:
    """Open one connection and close it, or ask one question."""
    try:
        if target.protocol == "udp":
            return _ask(target, target.question)
        with socket.socket(target.family, socket.SOCK_STREAM, PROTOCOLS[target.protocol]) as channel:
            channel.settimeout(target.timeout)
            channel.connect((target.vip, target.port))
            _close(channel)
    except socket.timeout:
        return TIMED_OUT
    except OSError as exc:
        return (exc.strerror or str(exc)).lower()
    return None


def _ask(target: Target, question: bytes | None) -> str | None:
    with socket.socket(target.family, socket.SOCK_DGRAM) as channel:
        channel.setsockopt(*_HEAR_REFUSALS[target.family], 1)
        channel.settimeout(target.timeout / _TRIES if question else min(target.timeout, _GRACE))
        for _try in range(_TRIES if question else 1):
            channel.sendto(question or b"", (target.vip, target.port))
            with contextlib.suppress(socket.timeout):
                _answer, (sender, *_place) = channel.recvfrom(1 << 16)
                break
        else:
            return TIMED_OUT if question else SILENT
    if socket.inet_pton(target.family, sender) == socket.inet_pton(target.family, target.vip):
        return None
    return f"answered from {sender}, where clients expect nobody: the server has to answer from the vip"


def _close(channel: socket.socket) -> None:
    """Say that we are done and let the other side be done too: a close with unread data would be a reset."""
    deadline = time.monotonic() + _GRACE
    try:
        channel.shutdown(socket.SHUT_WR)
        while time.monotonic() < deadline:
            channel.settimeout(_GRACE)
            if not channel.recv(1 << 16):
                return
    except OSError:
        pass  # the connection was open, which is what was asked
