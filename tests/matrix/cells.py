# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be combined, what cannot and why, and what is run when nobody asks for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

GUESTS = ("bullseye", "bookworm", "trixie")  # as OPENLVS_LAB_SUITE takes them
KERNELS = ("6.1", "6.12", "own")  # as OPENLVS_LAB_KERNEL takes them; own is the newest that Debian has
SUPPORT = {  # the minor versions of Python 3 that an ansible-core supports on the controller
    "2.18": range(11, 14),
    "2.19": range(11, 14),
    "2.20": range(12, 15),
    "2.21": range(12, 15),
}
MINORS = range(11, 14)  # of the Pythons that controllers are tried with
MODULE_MINORS = range(9, 14)  # of the Pythons that modules run under
PYTHON_OF = {9: "bullseye", 11: "bookworm", 13: "trixie"}
PYROUTE2 = ("0.5.14", "0.6.13", "0.7.2", "0.7.7", "0.7.12", "0.8.1", "0.9.7")
NOT_IMPORTED = {("0.5.14", 12), ("0.5.14", 13)}


@dataclass(frozen=True)
class Controller:
    """An ansible-core on a Python."""

    series: str
    minor: int

    @property
    def python(self) -> str:
        return f"3.{self.minor}"

    @property
    def name(self) -> str:
        return f"{self.series}-py{self.python}"

    @property
    def known(self) -> dict[str, str]:
        """What stands in a line of the page before it was run."""
        return {"ansible-core": self.series, "on Python": self.python}


@dataclass(frozen=True)
class Life:
    """A cluster's life: the guests, their kernel, the controller that builds the cluster."""

    guest: str
    kernel: str
    controller: Controller

    @property
    def name(self) -> str:
        return f"{self.guest}:{self.kernel}:{self.controller.name}"

    @property
    def tests_modules(self) -> bool:
        """Whether the modules' own tests run: on each guest and on each kernel, not on each of both."""
        return self.controller == PINNED and (self.kernel == "own" or self.guest == "bookworm")

    @property
    def known(self) -> dict[str, str]:
        return {"guest": self.guest, "kernel": self.kernel, **self.controller.known}

    @property
    def planned(self) -> bool:
        """Each guest on each kernel with the pinned ansible-core, and on the newest kernel with each other one."""
        return self.controller in CHOSEN if self.kernel == "own" else self.controller == PINNED


@dataclass(frozen=True)
class Sanity:
    """The sanity tests of one ansible-core."""

    controller: Controller

    @property
    def name(self) -> str:
        return f"sanity:{self.controller.name}"

    @property
    def known(self) -> dict[str, str]:
        return self.controller.known

    @property
    def planned(self) -> bool:
        return self.controller in CHOSEN


@dataclass(frozen=True)
class Library:
    """The kernel tests of what uses pyroute2, with each version of it, on one Python."""

    minor: int
    planned = True

    @property
    def python(self) -> str:
        return f"3.{self.minor}"

    @property
    def name(self) -> str:
        return f"pyroute2:py{self.python}"

    @property
    def known(self) -> dict[str, str]:
        return {"Python": self.python, "guest": self.guest}

    @property
    def own(self) -> bool:
        """Whether it is a guest's own Python; else the guest gets this machine's."""
        return self.minor in PYTHON_OF

    @property
    def guest(self) -> str:
        """The newest has a C library that runs what was made for an older one."""
        return PYTHON_OF.get(self.minor, GUESTS[-1])


Cell = Life | Sanity | Library

PINNED = Controller("2.19", 11)  # what tests/requirements.txt installs
CHOSEN = (Controller("2.18", 11), PINNED, Controller("2.20", 13), Controller("2.21", 13))
CONTROLLERS = [Controller(series, minor) for series in SUPPORT for minor in MINORS if minor in SUPPORT[series]]
EVERY: list[Cell] = [
    *(Life(guest, kernel, controller) for guest in GUESTS for kernel in KERNELS for controller in CONTROLLERS),
    *(Sanity(controller) for controller in CONTROLLERS),
    *map(Library, MODULE_MINORS),
]
OUT_OF_REACH = {
    **{
        f"ansible-core {series} on Python 3.{minor}": f"it needs Python 3.{supported[0]} to 3.{supported[-1]}"
        for series, supported in SUPPORT.items()
        for minor in MINORS
        if minor not in supported
    },
    "pyroute2 0.5.14 on Python 3.12 and later": "it imports distutils, which Python no longer has",
    "ansible-core 2.17 and older": "the collection needs 2.18",
    "ansible-core 2.22": "not released yet",
    "controllers on Python 3.14": "no Debian has it",
    "RHEL 9 and 10 and their relatives": "the lab has no system of theirs to start; see [what stands in](rhel.md)",
    "kernels older than 6.1": "no present release of Debian has their source",
    "other machines than amd64, real network cards": "the lab's hosts are User-Mode-Linux kernels",
}


def choose(patterns: Sequence[str], everything: bool) -> list[Cell]:
    """Those cells of the plan, or of all there are, whose names match; a pattern that matches none is a mistake."""
    offered = [cell for cell in EVERY if everything or cell.planned]
    for pattern in patterns:
        if not any(fnmatchcase(cell.name, pattern) for cell in offered):
            raise LookupError(f"No cell {'' if everything else 'of the plan '}is called {pattern}. See --list --all.")
    return [cell for cell in offered if not patterns or any(fnmatchcase(cell.name, pattern) for pattern in patterns)]
