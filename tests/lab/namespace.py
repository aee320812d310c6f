# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own network namespace: bridges for the segments, a tap for each interface of a host.

A process that bears the lab's name holds it; an ordinary user's lies in a user namespace, where the user is root.
Nothing outside of it is ever configured: every command that changes the network is run at that process' side, and is
refused when its network is the machine's.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import connect
from common import LAB, Trouble, run
from topology import CONTROLLER, SEGMENTS, Host

Answer = TypeVar("Answer")


def name(lab: Path) -> str:
    """Several labs can be up at a time."""
    return "openlvs-lab-" + hashlib.sha256(str(lab).encode()).hexdigest()[:6]


NAME = name(LAB)


def _network(process: object) -> tuple[int, int] | None:
    """What tells the network of a process from others; None for one that is gone, or not ours to look at."""
    try:
        found = Path(f"/proc/{process}/ns/net").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _holder() -> int | None:
    """The process that holds the namespace; refuses one whose network is not the lab's."""
    pid = connect.holder(NAME)
    if pid and _network(pid) == _network("self"):
        raise Trouble(
            f"Refused: the network of process {pid}, {NAME}, is the one this command runs in. "
            "The lab configures its own namespace only; run this from outside of it."
        )
    if pid and _network(pid) == _network(1):
        raise Trouble(f"Refused: process {pid}, {NAME}, is in this machine's own network. End it with: kill {pid}")
    return pid


def exists() -> bool:
    return bool(_holder())


def require() -> int:
    """The process that holds the namespace."""
    pid = _holder()
    if not pid:
        raise Trouble("The lab is not up. Start it with: tests/lab/lab up")
    return pid


def within() -> list[str]:
    """What to put before a command that is to run inside the lab, as root there."""
    user = ["--user", "--preserve-credentials"] if os.getuid() else []
    return ["nsenter", f"--target={require()}", *user, "--net"]


def _enter_and(pid: int, function: Callable[..., Answer], *arguments: object) -> Answer:
    connect.enter(pid)
    return function(*arguments)


def ask(function: Callable[..., Answer], *arguments: object) -> Answer:
    """What the function returns inside the lab: in a process of its own, so that this one is never there."""
    with ProcessPoolExecutor(1, get_context("fork")) as inside:
        return inside.submit(_enter_and, require(), function, *arguments).result()


def _batch(lines: list[str]) -> None:
    """Apply `ip` commands inside the lab's namespace, and nowhere else."""
    if lines:
        run(*within(), "ip", "-batch", "-", stdin="\n".join(lines) + "\n")


def links() -> dict[str, dict[str, object]]:
    return {link["ifname"]: link for link in json.loads(run(*within(), "ip", "-json", "link").stdout)}


def _hold() -> None:
    """Start the process that holds the namespace; it takes its name once it is there."""
    user = ["--map-root-user"] if os.getuid() else []
    words = ["unshare", *user, "--net", "bash", "-c", 'exec -a "$0" sleep infinity 2>/dev/null', NAME]
    quiet = subprocess.DEVNULL
    starting = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, start_new_session=True)
    while not exists():
        if starting.poll() is not None:
            assert starting.stderr
            raise Trouble(f"The lab's namespace cannot be made: {starting.stderr.read().decode().strip()}")
        time.sleep(0.01)


def make() -> None:
    """Make the namespace and its bridges, or what is missing of them."""
    if not exists():
        _hold()
    missing = [segment for segment in SEGMENTS if f"br-{segment}" not in links()]
    if missing:  # bridges are cables, not machines: no addresses of their own accord
        run(*within(), "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
    lines = [f"link add br-{segment} type bridge forward_delay 0 mcast_snooping 0" for segment in missing]
    lines += [f"link set {name} up" for name in ("lo", *(f"br-{segment}" for segment in SEGMENTS))]
    _batch([*lines, f"addr replace {CONTROLLER} dev br-mgmt"])


def plug(hosts: Iterable[Host], make: bool = True) -> set[str]:
    """Connect the hosts; the names of those that had lost a tap (a running one has to be started anew)."""
    have, lines, repaired = links(), [], set()
    for host in hosts:
        for index, (segment, _addresses) in enumerate(host.interfaces):
            tap = host.tap(index)
            if tap not in have:
                repaired.add(host.name)
                if not make:
                    continue
                lines.append(f"tuntap add {tap} mode tap")
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
    return _inhabitants(_network(_holder()))


def _inhabitants(network: tuple[int, int] | None) -> list[int]:
    everybody = (int(process.name) for process in Path("/proc").glob("[0-9]*"))
    return [pid for pid in everybody if network and _network(pid) == network]


def remove() -> None:
    """End whatever runs in the namespace; it goes with the last."""
    network = _network(_holder())
    while found := _inhabitants(network):
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
