# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands on the lab's hosts, and playbooks that are run on them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "tests" / "lab" / "lab"


def lab(*words: str, check: bool = True) -> str:
    """What a command of the lab prints."""
    return _output([str(LAB), *words], check=check)


def on(host: str, command: str, given: str = "", check: bool = True) -> str:
    """What a command on a host prints."""
    return _output([str(LAB), "exec", host, command], given, check).strip()


def _output(command: list[str], given: str = "", check: bool = True) -> str:
    done = subprocess.run(command, input=given, check=False, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def run(playbook: str | Path, inventories: Iterable[Path], *options: str) -> tuple[int, str]:
    """Run a playbook, of the checkout if it has no whole path; its exit code and output."""
    environment = {**os.environ, "ANSIBLE_HOME": str(CHECKOUT / ".ansible"), "ANSIBLE_PIPELINING": "1"}
    environment |= {"ANSIBLE_NOCOLOR": "1", "COLUMNS": "10000"}
    command = ["ansible-playbook", *(f"--inventory={path}" for path in inventories), str(playbook), *options]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def inventory() -> Path:
    """Of the lab."""
    return Path(lab("inventory").strip())


def attempt(playbook: str | Path, description: Path, *options: str) -> tuple[int, str]:
    """Run a playbook on the lab's hosts, with a description beside their inventory; its exit code and output."""
    return run(playbook, (inventory(), description), *options)


def play(playbook: str | Path, description: Path, *options: str) -> str:
    """Run one that has to succeed; its output."""
    code, output = attempt(playbook, description, *options)
    assert code == 0, output
    return output
