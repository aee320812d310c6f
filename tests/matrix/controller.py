# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controllers for use: ansible-core of a series, and a Python that this machine or a Debian brings to run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cells import Controller
from log import CHECKOUT, LAB, Log, Trouble

KEPT = CHECKOUT / ".ansible/controllers"
DEBIAN = {"3.11": "bookworm", "3.13": "trixie"}  # where a Python can be had that the machine lacks


@dataclass(frozen=True)
class Ready:
    """A controller that runs: the command that starts its interpreter, and whose that is if not this machine's."""

    python: tuple[str, ...]
    place: str
    environment: dict[str, str]

    def facts(self) -> dict[str, str]:
        """The versions of ansible-core and Python, as they say themselves."""
        ask = "import platform; from ansible.release import __version__; print(__version__, platform.python_version())"
        core, python = subprocess.check_output([*self.python, "-c", ask], env=self.environment, text=True).split()
        return {"ansible-core": core, "on Python": f"{python}{self.place}"}


def ready(controller: Controller, lab: dict[str, str], log: Log) -> Ready:
    """Find or make what the controller consists of."""
    environment = {**lab, "PYTHONPATH": str(_packages(controller, log)), "LC_ALL": "C.UTF-8"}
    found = subprocess.run([CHECKOUT / "tests/python", controller.python], check=False, capture_output=True, text=True)
    if found.returncode == 0 and os.environ.get("OPENLVS_MATRIX_PYTHON") != "debian":
        return Ready((found.stdout.strip(),), "", environment)
    if controller.python not in DEBIAN:
        raise Trouble(f"no Python {controller.python} on this machine, nor in a Debian of the lab")
    suite = DEBIAN[controller.python]
    inside = (str(CHECKOUT / "tests/matrix/inside"), str(_tree(suite, lab, log)), "python3")
    return Ready(inside, f", Debian's {suite}", environment)


def _packages(controller: Controller, log: Log) -> Path:
    """The newest ansible-core of the series with all it needs, for PYTHONPATH; no other pip than .venv's is needed."""
    target = KEPT / controller.name
    if not target.exists():
        new = target.with_name(f"{target.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        fitting = ["--python-version", controller.python, "--only-binary=:all:"]
        asked = ("--dest", new / "wheels", f"ansible-core~={controller.series}.0")
        log.run("download ansible-core", os.environ, *pip, "download", *fitting, *asked)
        # pip has just chosen for that Python, and would now judge by the one that runs it
        fitting += ["--no-index", "--no-deps", "--ignore-requires-python", "--target", str(new / "packages")]
        log.run("install ansible-core", os.environ, *pip, "install", *fitting, *(new / "wheels").glob("*.whl"))
        (new / "packages").rename(target)
        shutil.rmtree(new)
    return target


def _tree(suite: str, lab: dict[str, str], log: Log) -> Path:
    """The files of a lab host as a root directory."""
    environment = {**lab, "OPENLVS_LAB_SUITE": suite}
    log.run(f"{suite}'s image", environment, "make", "lab-image")
    image = Path(subprocess.check_output([LAB, "cache", "image"], env=environment, text=True).strip())
    tree = KEPT / image.stem
    if not tree.exists():
        new = tree.with_name(f"{tree.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        log.run(f"{suite}'s tree", environment, "/usr/sbin/debugfs", "-R", f"rdump / {new}", image)
        new.rename(tree)
    return tree
