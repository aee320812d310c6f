# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the IPVS tests share: short ways to write a service, and ipvsadm as the judge."""

from __future__ import annotations

import importlib
import time
from typing import Any

from guest import sh

# For the modules, which run in processes forked from this one: half of their time would be compiling it.
importlib.import_module("ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_services")

VIP, VIP6 = "192.0.2.10", "2001:db8::10"
SCHEDULERS = ["rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos"]


def service(*addresses: str, **options: Any) -> dict[str, Any]:
    """A TCP service on port 80 of the VIP with these real servers, or what the options say."""
    identity = {} if "mark" in options else {"vip": VIP, "port": 80}
    return {**identity, "real_servers": [{"address": address} for address in addresses], **options}


def table() -> list[str]:
    """The kernel's table as ipvsadm saves it: services and real servers sorted, without thresholds."""
    return sh("ipvsadm -Sn").splitlines()


def in_order() -> dict[str, list[str]]:
    """Each service's real servers in the kernel's own order, newest first, in hexadecimal."""
    found: dict[str, list[str]] = {}
    servers: list[str] = []
    for words in (line.split() for line in sh("cat /proc/net/ip_vs").splitlines()[3:]):
        if words[0] == "->":
            servers.append(words[1])
        else:
            servers = found[" ".join(words[:2])] = []
    return found


def newest_first() -> list[str]:
    """Hexadecimal addresses of all real servers in the kernel's own order."""
    return [server.rpartition(":")[0] for servers in in_order().values() for server in servers]


def counted(pattern: str) -> list[str]:
    """Packets of all services and real servers, when there are some: the kernel sums them up every two seconds."""
    deadline = time.monotonic() + 20
    while True:
        lines = sh("ipvsadm -Ln --stats --exact").splitlines()[3:]
        packets = [line.split()[3] for line in lines]
        if packets == pattern.split() or time.monotonic() > deadline:
            return packets
        time.sleep(0.2)


def thresholds() -> dict[str, tuple[int, int]]:
    """Upper and lower threshold of each real server."""
    lines = [line.split() for line in sh("ipvsadm -Ln --thresholds").splitlines()]
    return {words[1]: (int(words[2]), int(words[3])) for words in lines[3:] if words[0] == "->"}
