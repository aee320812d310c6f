# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last run of each cell found, kept between runs, and the page that shows it all."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cells import EVERY, OUT_OF_REACH, PYROUTE2, Cell, Library, Life, Sanity
from log import CHECKOUT

KEPT = CHECKOUT / ".ansible/matrix"
PAGE = """\
# What was run

The tables are what `make test-matrix` found; `python tests/matrix/matrix.py --page >docs/tested.md` writes this page.

## A cluster's life

Each line is a whole life of [the example's cluster](../examples/inventory.yml) on fresh hosts of the lab:
`site.yml --check`, `site.yml`, `site.yml` again, which may change nothing, `verify.yml`, a reboot of the director and
the real servers, `verify.yml`, `teardown.yml`. The modules' own tests run, too, once on each guest and once on
each kernel.
The kernel `own` is the newest that Debian has, backports included. "At" names the commit that was run.

{lives}
## Sanity tests

`ansible-test sanity` without anything ignored, of each ansible-core; what depends on the version of Python is tested
with each version that modules can meet and that the machine has.

{sanities}
## Versions of pyroute2

The kernel tests of the modules that write through pyroute2, with each version of it, and on each Python that modules
can meet (`make test-pyroute2`). A guest runs its Debian's own Python; where no Debian has the version, it runs the one
of the machine that the tests were started on. All other modules need no pyroute2.

{libraries}
## What cannot be run

{out_of_reach}"""
CONTROLLER = ("ansible-core", "on Python")
FOUND = ("result", "seconds", "at")
LIFE = ("guest", "its Python", "pyroute2", "kernel", *CONTROLLER, *FOUND, "kernel tests")
SANITY = (*CONTROLLER, *FOUND)
LIBRARY = ("Python", "guest", "kernel", *PYROUTE2, *FOUND)


def log_path(cell: Cell) -> Path:
    return KEPT / f"{cell.name.replace(':', '_')}.log"


def keep(cell: Cell, found: dict[str, str]) -> None:
    log_path(cell).with_suffix(".json").write_text(json.dumps(found))


def _kept(cell: Cell) -> dict[str, str]:
    """What the cell is, and what its last run found."""
    known = {"result": "not run", **cell.known}
    path = log_path(cell).with_suffix(".json")
    return known | json.loads(path.read_text()) if path.exists() else known


def _results(kind: type[Cell], columns: tuple[str, ...]) -> str:
    """A line for each cell of the plan, and for each other one that was run."""
    found = [
        kept
        for cell in EVERY
        if isinstance(cell, kind) and ((kept := _kept(cell))["result"] != "not run" or cell.planned)
    ]
    return _table(columns, ([one.get(column, "") for column in columns] for one in found))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def out_of_reach() -> str:
    return _table(("what", "why"), OUT_OF_REACH.items())


def page() -> str:
    """All that is known, as Markdown."""
    return PAGE.format(
        lives=_results(Life, LIFE),
        sanities=_results(Sanity, SANITY),
        libraries=_results(Library, LIBRARY),
        out_of_reach=out_of_reach(),
    )
