# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with a host of either kind: start it, see whether it answers, wait for it, end it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType
from typing import Any

import access
import container
import namespace
import record
import topology
import uml
from common import Trouble, say
from topology import Host

KINDS: dict[str, ModuleType] = {"uml": uml, "container": container}
PATIENCE = 120  # seconds for a boot on a busy machine
QUICK = 15  # seconds for a host that ran before


# ---- which kind


@cache
def choice() -> str:
    """What OPENLVS_LAB_DRIVER asks for; auto takes containers where they can be directors, too."""
    asked = os.environ.get("OPENLVS_LAB_DRIVER") or "auto"
    if asked not in ("auto", "mixed", *KINDS):
        raise Trouble(f"OPENLVS_LAB_DRIVER is {asked}; it can be auto, uml, container or mixed.")
    if asked == "auto":
        return "container" if container.can_direct() else "uml"
    return asked


def _kind(host: Host) -> ModuleType:
    """The kind of the host: what it is as long as it keeps its disk, otherwise what new ones become."""
    asked = choice()
    if asked == "mixed":
        asked = "uml" if topology.directs(host) else "container"
    if not host.cables:
        asked = "uml"  # tests do to its kernel what nobody should do to this machine's
    return KINDS[record.state(host).get("driver") or asked]


def _by_kind(hosts: Iterable[Host]) -> list[tuple[ModuleType, list[Host]]]:
    groups: dict[ModuleType, list[Host]] = {}
    for host in hosts:
        groups.setdefault(_kind(host), []).append(host)
    return list(groups.items())


# ---- start and end


@cache
def _base(kind: ModuleType) -> Any:
    """The kernel and the image that a new host of the kind gets; it is made when there is none."""
    return kind.base()


def check(hosts: Sequence[Host]) -> None:
    """Say before anything is changed what this machine lacks."""
    for kind, some in _by_kind(hosts):
        kind.check(some)


def prepare(hosts: Iterable[Host]) -> None:
    """Have all that the hosts are made from."""
    for kind, _some in _by_kind(hosts):
        _base(kind)


def plug(hosts: Sequence[Host]) -> set[str]:
    """Connect the hosts; the names of those that had lost an interface (a running one has to be started anew)."""
    return {name for kind, some in _by_kind(hosts) for name in kind.plug(some)}


def start(hosts: Sequence[Host]) -> None:
    for kind, some in _by_kind(hosts):
        on = _base(kind)
        say(f"starting {', '.join(host.name for host in some)} {on}")
        for host in some:
            for path in (record.directory(host), record.boot_script(host).parent):
                path.mkdir(parents=True, exist_ok=True)
            kind.start(host, on)


def kill(host: Host) -> None:
    """Cut the power, keep the disk."""
    access.forget(host)
    _kind(host).kill(host)


def remove(host: Host) -> None:
    """End the host and forget its disk; at its next start it can be of another kind."""
    access.forget(host)
    _kind(host).erase(host)
    record.forget(host)


def remove_strays() -> None:
    """End what the lab has lost sight of, and its network."""
    container.erase_all()
    namespace.remove()


def stale(hosts: Iterable[Host]) -> list[Host]:
    """Those that run on another kernel or image than they would when started now."""
    found = []
    for kind, some in _by_kind(hosts):
        on = _base(kind)
        for host in some:
            seen = record.state(host)
            if (seen.get("kernel"), seen.get("built")) != (on.kernel, on.built):
                found.append(host)
    return found


def memory(host: Host) -> int:
    """MiB of memory the host takes now."""
    return record.proportional(_kind(host).processes(host))


# ---- wait


def silent(hosts: Sequence[Host]) -> list[Host]:
    """Those whose ssh server does not greet."""
    return namespace.ask(_silent, hosts) if hosts else []


def _silent(hosts: Sequence[Host]) -> list[Host]:
    with ThreadPoolExecutor(len(hosts)) as pool:
        return [host for host, greets in zip(hosts, pool.map(_greets, hosts)) if not greets]


def _greets(host: Host) -> bool:
    try:
        with socket.create_connection((host.management, 22), 1) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait(hosts: Iterable[Host], patience: float = PATIENCE) -> list[Host]:
    """Wait until ssh answers; the hosts that stay silent are returned. One that dies while booting is an error."""
    waiting, deadline = list(hosts), time.monotonic() + patience
    while waiting:
        waiting = silent(waiting)
        for host in waiting:
            if not record.pid(host):
                tail = record.console(host).read_text(errors="replace")[-600:]
                raise Trouble(f"{host.name} died; a pristine disk may help: lab reset {host.name}. Last words:\n{tail}")
        if time.monotonic() > deadline:
            break
        if waiting:
            time.sleep(0.1)
    return waiting


def settle(hosts: Sequence[Host], now: str) -> None:
    """Wait until the hosts have finished booting, and say how they are."""
    late = wait(hosts)
    if late:
        names = ", ".join(host.name for host in late)
        raise Trouble(f"{names} did not answer within {PATIENCE} s. See: lab log {late[0].name}")
    question = "systemctl is-system-running --wait; systemctl --failed --plain --no-legend"
    for host, answer in access.ask(hosts, question).items():
        health, *failed = answer.splitlines() or ["unreachable"]
        if health != "running":
            say(f"{host.name} is {health}: {', '.join(line.split()[0] for line in failed)}")
    if hosts:
        say(f"{now}: {', '.join(host.name for host in hosts)}")
