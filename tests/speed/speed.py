# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the example cluster twice on fresh hosts; print tasks and seconds by role.

The first run installs packages on bare hosts and makes everything; the second finds everything as it should be, which
must take it no longer than a share of the first. Both are measured one after the other, on the same machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "tests" / "lab" / "lab"
SHARE = 0.40


def run(*command: str) -> str:
    """Run a command, return what it prints, and stop with that when it fails."""
    done = subprocess.run(command, cwd=CHECKOUT, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def site() -> tuple[float, str]:
    """Run the playbook; its seconds from start to end, and its output."""
    inventory = run(str(LAB), "inventory").strip()
    start = time.monotonic()
    output = run("ansible-playbook", "-i", inventory, "-i", "examples/inventory.yml", "playbooks/site.yml")
    return time.monotonic() - start, output


def main() -> None:
    """Measure, and judge the second run."""
    os.environ.update(report.ENVIRONMENT, ANSIBLE_HOME=str(CHECKOUT / ".ansible"), ANSIBLE_PIPELINING="1")
    run(str(LAB), "reset")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUNIT_OUTPUT_DIR"] = folder
        first, _output = site()
        second, output = site()
        print(report.table(report.runs(Path(folder))))
    share = second / first
    print(f"site.yml from start to end: first {first:.1f} s, second {second:.1f} s, which is {share:.0%} of the first")
    if re.search(r"changed=[1-9]", output):
        sys.exit(f"The second run changed something:\n{output}")
    if share > SHARE:
        sys.exit(f"The second run must take at most {SHARE:.0%} of the first.")


if __name__ == "__main__":
    main()
