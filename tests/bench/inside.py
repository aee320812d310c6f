# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acts in the lab's guest `kernel`, and what they cost, judged by ipvsadm.

What an act costs is the processor time that the guest has had of this machine meanwhile, as this machine's kernel
counts it: the guest is a process here. All acts are work for one processor, and how long each has to wait for that
processor says more of what else the machine does than of the act.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

LAB = Path(__file__).resolve().parents[1] / "lab" / "lab"
_SPACE = "ip netns exec bench"
_TIMES = 5  # runs that change nothing, one after another
_TICKS = os.sysconf("SC_CLK_TCK")


def guest(command: str, given: t.IO[bytes] | None = None) -> str:
    """Run a shell line in the guest; what it printed."""
    done = subprocess.run([LAB, "exec", "kernel", command], stdin=given, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"In the guest, {command}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


class Guest:
    """The guest as a process of this machine."""

    def __init__(self) -> None:
        directory = subprocess.run([LAB, "cache"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        found = [group for group, command in _processes() if directory in command and "umid=kernel" in command]
        self._group = found[0]
        _seconds, self._ask = self._cost("true")

    def _used(self) -> float:
        """Processor time of all its processes, those that have ended included."""
        ticks = [sum(map(int, stat[11:15])) for stat in _stats() if int(stat[2]) == self._group]
        return sum(ticks) / _TICKS

    def _cost(self, command: str) -> tuple[str, float]:
        before = self._used()
        output = guest(command)
        time.sleep(0.3)  # for what the end of a process leaves to be done
        return output, self._used() - before

    def seconds(self, command: str, times: int = 1) -> float:
        """What a command costs in the network namespace, without what it costs to run any command.

        :arg times: how often to run it, for what is short beside a tick of the clock and changes nothing.
        """
        _output, cost = self._cost(f"{_SPACE} sh -c 'for _run in $(seq {times}); do {command} || exit; done'")
        return max(cost - self._ask, 0.0) / times

    def ipvsadm(self, folder: str) -> dict[str, float]:
        """Load, save and edit by ipvsadm."""
        _fresh_namespace()
        found = {"load": self.seconds(f"ipvsadm -R <{folder}/rules")}
        _must_be(f"{folder}/rules", "ipvsadm -R")
        found["same"] = self.seconds("ipvsadm -Sn >/dev/null", _TIMES)
        found["edit"] = self.seconds(f"ipvsadm -R <{folder}/edits")
        _must_be(f"{folder}/edited", "ipvsadm -R of the edits")
        return found

    def module(self, folder: str) -> dict[str, float]:
        """Start for nothing, load, change nothing, and edit by the module, as Ansible runs it with pipelining."""
        _fresh_namespace()
        acts = {
            "start": (f"{folder}/../payload-of-nothing", "/dev/null", "/dev/null"),
            "load": (f"{folder}/payload", f"{folder}/rules", f"{folder}/rules"),
            "same": (f"{folder}/payload", "/dev/null", f"{folder}/rules"),
            "edit": (f"{folder}/payload-edited", f"{folder}/edits", f"{folder}/edited"),
        }
        found = {}
        for act, (payload, changes, wanted) in acts.items():
            times = _TIMES if changes == "/dev/null" else 1
            found[act] = self.seconds(f"/usr/bin/python3 <{payload} >{folder}/result", times)
            _must_say(f"{folder}/result", changes, act)
            _must_be(wanted, f"the module, {act}")
        return found


def memory(folder: str) -> dict[str, float]:
    """The most MiB that the module has resident while it loads, and while it changes nothing."""
    _fresh_namespace()
    look = "import resource, subprocess as s; s.run('/usr/bin/python3', stdout=s.DEVNULL, check=True)"
    look += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = f'{_SPACE} /usr/bin/python3 -c "{look}" <{folder}/payload'
    return {act: int(guest(command)) / 1024 for act in ("load", "same")}


def _fresh_namespace() -> None:
    """A kernel that has lost a large table keeps it for a while, and looks there first whenever it adds something."""
    guest("ip netns del bench 2>/dev/null && sleep 3; ip netns add bench")
    guest(f"{_SPACE} ip link set lo up")  # until then no address is unicast to the kernel


def _must_be(wanted: str, what: str) -> None:
    """The table holds the lines of a file and no others: a fast wrong answer fails."""
    if guest(f"{_SPACE} ipvsadm -Sn | sort | cmp - <(sort {wanted}) 2>&1 || true"):
        sys.exit(f"{what}: the table is not as in {wanted}")


def _must_say(result: str, changes: str, act: str) -> None:
    """The module says that it changed as many things as a file has lines."""
    count = f"import json; print(len(json.load(open('{result}'))['changes']))"
    said, wanted = guest(f'/usr/bin/python3 -c "{count}"; wc -l <{changes}').split()
    if said != wanted:
        sys.exit(f"{act}: the module says that it changed {said} things, not {wanted}")


def _stats() -> t.Iterator[list[str]]:
    """What the kernel says of each process, from its state on: proc(5)."""
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended


def _processes() -> t.Iterator[tuple[int, str]]:
    """The process group and the command line of each process."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat = (place / "stat").read_text().rpartition(")")[2].split()
            yield int(stat[2]), (place / "cmdline").read_text()
        except OSError:
            continue
