# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab remembers of a host: which process it is, what it runs on, and where its things are."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import topology
from common import LAB, SHARE
from topology import Host

HOSTS = LAB / "hosts"


def directory(host: Host) -> Path:
    return HOSTS / host.name


def console(host: Host) -> Path:
    return directory(host) / "console.log"


def boot_script(host: Host) -> Path:
    return SHARE / "boot" / host.name


def known() -> list[Host]:
    """Hosts that were started and not taken down since."""
    found = (topology.find(path.name) for path in HOSTS.glob("*") if (path / "state.json").exists())
    return [host for host in found if host]


def state(host: Host) -> dict[str, str]:
    try:
        return dict(json.loads((directory(host) / "state.json").read_text()))
    except (OSError, ValueError):
        return {}


def remember(host: Host, process: subprocess.Popen[bytes], **facts: str) -> None:
    seen = {"pid": process.pid, "started": start_time(process.pid), **facts}
    (directory(host) / "state.json").write_text(json.dumps(seen))


def images_in_use() -> set[Path]:
    return {Path(state(host)["image"]) for host in known()}


def forget(host: Host) -> None:
    shutil.rmtree(directory(host), ignore_errors=True)
    boot_script(host).unlink(missing_ok=True)


# ---- processes


def start_time(pid: int) -> str | None:
    """When the process began; None for one that is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def pid(host: Host) -> int | None:
    """The process that is the host, if it runs: that very process, not one that got its number later."""
    seen = state(host)
    number = int(seen.get("pid", 0))
    return number if number and start_time(number) == seen["started"] else None


def await_end(number: int, started: str | None) -> None:
    deadline = time.monotonic() + 5
    while started and start_time(number) == started and time.monotonic() < deadline:
        time.sleep(0.02)


def proportional(pids: list[int]) -> int:
    """MiB of memory that these processes take, their share of what is shared."""
    total = 0
    for number in pids:
        try:
            rollup = Path(f"/proc/{number}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total >> 10
