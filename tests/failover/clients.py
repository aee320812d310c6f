# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client beyond the router asks for a page a hundred times a second, whatever becomes of those before.

Beside that it keeps connections open, and asks over each of them twice a second.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from load import Load, Request
from playing import CHECKOUT, LAB, on

LOAD = CHECKOUT / "tests" / "kernel" / "load.py"
STAYING = Path(__file__).with_name("staying.py")
RATE, PATIENCE = 100, 1.0  # a second; seconds
STAY = 20  # connections


class Seen(Load):
    """What the client has seen.

    :attr stayed: how many of the connections that stay open have had all their answers.
    """

    stayed = 0


@contextlib.contextmanager
def asking(vip: str, path: Path) -> Iterator[Seen]:
    """Requests to port 80 of a VIP as long as the context lasts; what came of them is known after it."""
    seen = Seen(path, RATE)
    targets = json.dumps([["http", vip, 80]])
    asked = f"ask /root/requests {RATE} {PATIENCE} '{targets}'"
    with _running(LOAD, asked) as load, _running(STAYING, f"{vip} {STAY}") as staying:
        yield seen
        load.communicate()
        seen.stayed = int(staying.communicate()[0])
    assert load.returncode == staying.returncode == 0
    path.write_text(on("client", "cat /root/requests") + "\n")


@contextlib.contextmanager
def _running(script: Path, arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A script on the client, which has begun and ends when its standard input does."""
    with script.open("rb") as text:
        subprocess.run([LAB, "exec", "client", f"cat >/root/{script.name}"], stdin=text, check=True)
    command = [LAB, "exec", "client", f"python3 /root/{script.name} {arguments}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


def without_answer(requests: list[Request]) -> float:
    """The longest time, in seconds, in which no request was answered, judged by when they were due."""
    answered = sorted(request.due for request in requests if not request.trouble)
    pauses = [later - earlier for earlier, later in zip(answered, answered[1:])]
    longest = max(pauses, default=0.0)
    return longest if longest > 2 / RATE else 0.0
