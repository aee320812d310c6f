# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on the lab that change while a client asks, and what the client notices."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playing import LAB, play

ASKING = Path(__file__).with_name("asking.py")
RATE = 20


class Site:
    """Playbooks on the lab.

    :arg inventory: where the description is written.
    """

    def __init__(self, inventory: Path) -> None:
        self._inventory = inventory

    def play(self, playbook: str, description: dict[str, Any]) -> None:
        self._inventory.write_text(json.dumps(description))
        play(playbook, self._inventory)

    def site(self, description: dict[str, Any]) -> None:
        self.play("playbooks/site.yml", description)


@contextlib.contextmanager
def load(path: Path, *places: tuple[str, int], hold: float = 0) -> Iterator[None]:
    """Requests of the client to each address and port, as lines of a file each: ``path`` with its number.

    :arg hold: for so many seconds each connection is open before it asks.
    """
    code = ASKING.read_text().replace("'", "'\\''")
    with contextlib.ExitStack() as stack:
        running = []
        for number, (address, port) in enumerate(places):
            command = [LAB, "exec", "client", f"python3 -c '{code}' {address} {port} {RATE} {hold}"]
            lines = stack.enter_context(path.with_name(f"{path.name}{number}").open("w"))
            running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=lines))
        try:
            yield
        finally:
            for process in running:
                assert process.stdin
                process.stdin.close()
            codes = [process.wait() for process in running]
        assert not any(codes), codes


def requests(path: Path, number: int = 0) -> list[tuple[float, str, str]]:
    """What became of them: when, who answered, what went wrong."""
    lines = path.with_name(f"{path.name}{number}").read_text().splitlines()
    return sorted(tuple(json.loads(line)) for line in lines)


def judge(change: str, found: list[tuple[float, str, str]], most: int, servers: set[str]) -> None:
    """Say what was lost, and see that it is not more than that, and that these servers have answered."""
    lost = [request for request in found if request[2]]
    answered = Counter(server for _due, server, trouble in found if not trouble)
    print(f"\n{change}: {len(lost)} of {len(found)} requests lost, {RATE} a second; answered: {dict(answered)}")
    assert len(lost) <= most, lost
    assert set(answered) == servers and len(found) > RATE
