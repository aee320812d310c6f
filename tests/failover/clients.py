# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client beyond the router asks for a page a hundred times a second, whatever becomes of those before."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from load import Load, Request

LAB = Path(__file__).resolve().parents[1] / "lab" / "lab"
LOAD = Path(__file__).resolve().parents[1] / "kernel" / "load.py"
RATE, PATIENCE = 100, 1.0  # a second; seconds


def on(host: str, command: str) -> str:
    """Run a command on a host of the lab; what it prints."""
    done = subprocess.run([LAB, "exec", host, command], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextlib.contextmanager
def asking(vip: str, path: Path) -> Iterator[Load]:
    """Requests to port 80 of a VIP as long as the context lasts; what came of them is known after it."""
    with LOAD.open("rb") as script:
        subprocess.run([LAB, "exec", "client", "cat >/root/load.py"], stdin=script, check=True)
    targets = json.dumps([["http", vip, 80]])
    command = f"python3 /root/load.py ask /root/requests {RATE} {PATIENCE} '{targets}'"
    process = subprocess.Popen(
        [LAB, "exec", "client", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )  # fmt: skip
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield Load(path, RATE)
        process.stdin.close()
        assert process.wait() == 0
        path.write_text(on("client", "cat /root/requests") + "\n")
    finally:
        process.kill()
        process.wait()


def without_answer(requests: list[Request]) -> float:
    """The longest time, in seconds, in which no request was answered, judged by when they were due."""
    answered = sorted(request.due for request in requests if not request.trouble)
    pauses = [later - earlier for earlier, later in zip(answered, answered[1:])]
    longest = max(pauses, default=0.0)
    return longest if longest > 2 / RATE else 0.0
