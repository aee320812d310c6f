# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the collection on every guest, kernel and ansible-core that fit together.

A cell is GUEST:KERNEL:ANSIBLE-pyPYTHON, a cluster's life on the lab, sanity:ANSIBLE-pyPYTHON, or pyroute2:pyPYTHON. One
that fails does not stop the others. They run one after another on the lab of OPENLVS_LAB_DIR, whose hosts are taken
down for it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import life
import results
from cells import Cell, Life, choose
from log import CHECKOUT, LAB, Log, Trouble

EPILOG = """environment:
  OPENLVS_LAB_DIR        the lab to use; two labs can run different cells at the same time
  OPENLVS_MATRIX_PYTHON  auto (controllers run on this machine's Python, or on Debian's where it has none) or debian
"""


def run(cell: Cell) -> bool:
    """Run the cell and say how it went."""
    started = time.monotonic()
    found = {"at": _commit()} | ({"guest": cell.guest} if isinstance(cell, Life) else {})
    try:
        found |= {"result": "ok", **life.run(cell, Log(results.log_path(cell)))}
    except (Trouble, subprocess.CalledProcessError) as exc:
        found |= {"result": f"FAILED: {exc}"}
    found["seconds"] = f"{time.monotonic() - started:.0f}"
    results.keep(cell, found)
    print(f"{found['seconds']:>4} s  {cell.name:28} {found['result']}", flush=True)
    if found["result"] != "ok":
        print(f"        see {results.log_path(cell)}", flush=True)
    return found["result"] == "ok"


def _commit() -> str:
    """What is checked out; a plus sign where files differ from it."""
    command = ("git", "describe", "--always", "--abbrev=7", "--dirty=+")
    return subprocess.check_output(command, cwd=CHECKOUT, text=True).strip()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="matrix.py", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("patterns", nargs="*", metavar="CELL", help="its name, or a pattern such as 'bullseye:*'")
    parser.add_argument("--all", action="store_true", help="all cells, not only those of the plan")
    parser.add_argument("--list", action="store_true", help="only show the cells, and what cannot be run")
    parser.add_argument("--page", action="store_true", help="only print docs/tested.md as the kept results have it")
    given = parser.parse_args()
    try:
        cells = choose(given.patterns, given.all)
    except LookupError as exc:
        parser.error(str(exc))
    if given.list:
        print("\n".join(cell.name for cell in cells), results.out_of_reach(), sep="\n\n", end="")
    elif given.page:
        print(results.page(), end="")
    else:
        results.KEPT.mkdir(parents=True, exist_ok=True)
        good = [run(cell) for cell in cells]
        subprocess.run([LAB, "down"], check=True)
        print("", results.page(), f"{sum(good)} of {len(good)} cells passed.", sep="\n")
        return int(not all(good))
    return 0


if __name__ == "__main__":
    sys.exit(main())
