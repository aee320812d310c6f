# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way into the lab: find its namespace, enter it.

As a command it is the ProxyCommand of ssh: it opens the connection inside the lab and hands the socket over
(ProxyUseFdpass). So the controller needs neither a wrapper around ansible nor an address in the lab.   LAB HOST PORT
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path


def holder(name: str) -> int | None:
    """The process that keeps the lab's namespace: it is ours and bears the lab's name, given to it in there."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = (process / "cmdline").read_bytes().split(b"\0")[0] == name.encode()
            if named and process.stat().st_uid == os.getuid():
                return int(process.name)
        except OSError:
            continue
    return None


def enter(pid: int) -> None:
    """Move this process, which has to be of one thread, to where that one is."""
    libc = ctypes.CDLL(None, use_errno=True)
    for kind in ("user", "net") if os.getuid() else ("net",):
        with open(f"/proc/{pid}/ns/{kind}") as namespace:
            if libc.setns(namespace.fileno(), 0):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace.name)


def main(name: str, host: str, port: str) -> None:
    """Connect, and send the socket to ssh."""
    try:
        pid = holder(name)
        if not pid:
            raise OSError("there is no lab")
        enter(pid)
        connection = socket.create_connection((host, int(port)), 20)
    except OSError as exc:
        sys.exit(f"{host} does not answer ({exc}). Is the lab up? tests/lab/lab status")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(None)
    socket.send_fds(socket.socket(fileno=1), [b"\0"], [connection.fileno()])


if __name__ == "__main__":
    main(*sys.argv[1:])
