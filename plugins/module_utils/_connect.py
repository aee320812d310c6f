# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Opens connections as a client does, and closes them so that nothing is left half-open. Standard library only."""

from __future__ import annotations

import collections
import dataclasses
import errno
import os
import socket
import time
import typing as t

PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "sctp": socket.IPPROTO_SCTP}
_PATIENCE = 3  # questions in a row that nobody answers; more would only cost time
_GRACE = 0.5  # seconds for the other side to close
TIMED_OUT = "no answer in time"
UNREACHABLE = os.strerror(errno.EHOSTUNREACH).lower()  # nobody has the address, found out after seconds


@dataclasses.dataclass(frozen=True)
class Target:
    """Where to connect, and how often."""

    vip: str
    port: int
    protocol: str
    count: int
    timeout: float


@dataclasses.dataclass
class Outcome:
    """What came of it."""

    asked: int = 0
    answered: int = 0
    errors: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


def connect(target: Target, once: t.Callable[[Target], str | None]) -> Outcome:
    """One connection after another. Ends early when nobody answers at all any more.

    :arg once: opens and closes one; what went wrong, or None.
    """
    outcome = Outcome()
    silent = 0
    while outcome.asked < target.count and silent < _PATIENCE:
        outcome.asked += 1
        error = once(target)
        if error is None:
            outcome.answered += 1
        else:
            outcome.errors[error] += 1
        silent = silent + 1 if error in (TIMED_OUT, UNREACHABLE) else 0
    return outcome


def once(target: Target) -> str | None:
    """Open one connection and close it."""
    family = socket.AF_INET6 if ":" in target.vip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM, PROTOCOLS[target.protocol]) as channel:
            channel.settimeout(target.timeout)
            channel.connect((target.vip, target.port))
            _close(channel)
    except socket.timeout:
        return TIMED_OUT
    except OSError as exc:
        return (exc.strerror or str(exc)).lower()
    return None


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
