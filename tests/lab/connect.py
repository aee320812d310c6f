# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ProxyCommand of ssh: open the connection inside the lab's namespace and hand the socket over (ProxyUseFdpass).

So the controller needs neither a wrapper around ansible nor an address in the lab.   NAMESPACE HOST PORT
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

namespace, host, port = sys.argv[1:]
try:
    with open(f"/run/netns/{namespace}") as lab:
        if ctypes.CDLL(None, use_errno=True).setns(lab.fileno(), 0x40000000):
            sys.exit(f"Cannot enter {lab.name}: {os.strerror(ctypes.get_errno())}")
    connection = socket.create_connection((host, int(port)), 20)
except OSError as exc:
    sys.exit(f"{host} does not answer ({exc}). Is the lab up? tests/lab/lab status")
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
connection.settimeout(None)
socket.send_fds(socket.socket(fileno=1), [b"\0"], [connection.fileno()])
