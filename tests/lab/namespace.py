# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own network namespace: bridges for the segments, a tap for each interface of a host.

Nothing outside of it is ever configured: every command that changes the network names the namespace to `ip`, and
is refused when that name does not lead to a namespace other than the machine's.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common import LAB, Trouble, run
from topology import CONTROLLER, SEGMENTS, Host

NAME = "openlvs-lab-" + hashlib.sha256(str(LAB).encode()).hexdigest()[:6]
PATH = Path("/run/netns", NAME)
_CLONE_NEWNET = 0x40000000


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def exists() -> bool:
    """True when PATH is a network namespace of its own; refuses when it is one that is not the lab's."""
    here, found = _identity(Path("/proc/self/ns/net")), _identity(PATH)
    if found is None or here is None or found[0] != here[0]:
        return False  # absent, or the empty file that a crash left behind
    if found == here:
        raise Trouble(
            f"Refused: the namespace {PATH} is the one this command runs in. "
            "The lab configures its own namespace only; run this from outside of it."
        )
    if found == _identity(Path("/proc/1/ns/net")):
        raise Trouble(f"Refused: {PATH} is this machine's own network. Remove that name with: umount {PATH}; rm {PATH}")
    return True


def require() -> None:
    if not exists():
        raise Trouble("The lab is not up. Start it with: tests/lab/lab up")


def _batch(lines: list[str]) -> None:
    """Apply `ip` commands inside the lab's namespace, and nowhere else."""
    if lines:
        require()
        run("ip", "-n", NAME, "-batch", "-", stdin="\n".join(lines) + "\n")


def links() -> dict[str, dict[str, object]]:
    require()
    return {link["ifname"]: link for link in json.loads(run("ip", "-n", NAME, "-json", "link").stdout)}


def make() -> None:
    """Make the namespace and its bridges, or what is missing of them."""
    if not exists():
        PATH.unlink(missing_ok=True)
        run("ip", "netns", "add", NAME)
    missing = [segment for segment in SEGMENTS if f"br-{segment}" not in links()]
    if missing:  # bridges are cables, not machines: no addresses of their own accord
        run("ip", "netns", "exec", NAME, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
    lines = [f"link add br-{segment} type bridge forward_delay 0 mcast_snooping 0" for segment in missing]
    lines += [f"link set {name} up" for name in ("lo", *(f"br-{segment}" for segment in SEGMENTS))]
    _batch([*lines, f"addr replace {CONTROLLER} dev br-mgmt"])


def plug(hosts: Iterable[Host]) -> set[str]:
    """Connect the hosts; the names of those that had lost a tap (a running one has to be started anew)."""
    have, lines, repaired = links(), [], set()
    for host in hosts:
        for index, (segment, _addresses) in enumerate(host.interfaces):
            tap = host.tap(index)
            if tap not in have:
                lines.append(f"tuntap add {tap} mode tap")
                repaired.add(host.name)
            lines.append(f"link set {tap} master br-{segment} up")
    _batch(lines)
    return repaired


def cable(host: Host, segment: str, state: str) -> None:
    """Pull a cable or plug it in, at the switch: the host's device does not recover from a tap that was down."""
    segments = [name for name, _addresses in host.interfaces]
    if segment not in segments or state not in ("up", "down"):
        raise Trouble(f"lab link {host.name} SEGMENT up|down: its segments are {', '.join(segments)}")
    position = f"master br-{segment}" if state == "up" else "nomaster"
    _batch([f"link set {host.tap(segments.index(segment))} {position}"])


def pids() -> list[int]:
    """All processes inside the lab's namespace."""
    return [int(pid) for pid in run("ip", "netns", "pids", NAME).stdout.split()] if exists() else []


def remove() -> None:
    """End whatever runs in the namespace, then the namespace."""
    if exists():
        for pid in pids():
            os.kill(pid, signal.SIGKILL)
        run("ip", "netns", "delete", NAME)


@contextmanager
def entered() -> Iterator[None]:
    """Sockets that this thread opens meanwhile belong to the lab's namespace."""
    require()
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(PATH) as away:
        if libc.setns(away.fileno(), _CLONE_NEWNET):
            raise Trouble(f"Cannot enter {PATH}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            if libc.setns(home.fileno(), _CLONE_NEWNET):
                os._exit(70)  # never go on inside the lab by mistake
