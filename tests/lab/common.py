# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every part of the lab uses: where things are kept, how to say something, how to give up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
LAB = Path(
    os.environ.get("OPENLVS_LAB_DIR") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "openlvs-lab")
).resolve()
RUN = LAB / "run"  # gone after `lab down`
SHARE = LAB / "share"  # what the hosts see of this machine, through hostfs

# command -> Debian package
TOOLS = {
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "linux.uml": "user-mode-linux",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "depmod": "kmod",
    "newuidmap": "uidmap",
}
# where an ordinary user's shell does not look for them
os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_STARTED = time.monotonic()


class Trouble(Exception):
    """Something the user has to know; its text is all that is shown."""


def say(text: str) -> None:
    """Print a line of progress with the seconds since the command began."""
    print(f"[{time.monotonic() - _STARTED:5.1f} s] {text}", flush=True)


def need(tools: Iterable[str]) -> None:
    """Name every missing tool together with the command that installs it."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        packages = " ".join(sorted({TOOLS[tool] for tool in missing}))
        raise Trouble(f"{', '.join(missing)} is missing. Install it with: apt-get install {packages}")


def run(*command: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that has to succeed; its own words explain a failure."""
    words = [str(word) for word in command]
    done = subprocess.run(words, input=stdin, check=False, text=True, capture_output=True)
    if done.returncode:
        raise Trouble(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
    return done


def python_script(target: Path, source: str) -> None:
    """Install a helper of the lab so that it runs without this checkout, by the interpreter that runs now."""
    text = f"#!{sys.executable}\n" + (HERE / source).read_text()
    if not target.exists() or target.read_text() != text:
        new = target.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o755)
        new.replace(target)
