# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands in the checkout, and keep what they say."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "tests/lab/lab"
PATIENCE = 3600  # seconds, for a command that hangs


class Trouble(Exception):
    """What went wrong, in a line of the table."""


class Log:
    """What the commands of one cell say."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text("")

    def run(self, step: str, environment: Mapping[str, str], *command: str | Path) -> str:
        """The command's output; Trouble when it fails or hangs."""
        words = [str(word) for word in command]
        with self.path.open("a") as log:
            log.write(f"\n==== {step}: {' '.join(words)}\n")
            log.flush()
            start = self.path.stat().st_size
            try:
                done = subprocess.run(
                    words, cwd=CHECKOUT, env=environment, check=False, timeout=PATIENCE,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
            except subprocess.TimeoutExpired as exc:
                raise Trouble(f"{step}: no end after {PATIENCE} s") from exc
        if done.returncode:
            raise Trouble(f"{step}: exit code {done.returncode}")
        return self.path.read_bytes()[start:].decode(errors="replace")
