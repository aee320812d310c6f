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

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "tests/lab/lab"
KEPT = CHECKOUT / ".ansible/controllers"
DEBIAN = {"3.11": "bookworm", "3.13": "trixie"}  # where a Python can be had that the machine lacks


class Trouble(Exception):
    """Why something cannot be used, or has failed."""


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


def ready(controller: Controller, lab_environment: dict[str, str]) -> Ready:
    """Find or make what the controller consists of."""
    found = subprocess.run([CHECKOUT / "tests/python", controller.python], check=False, capture_output=True, text=True)
    environment = {**os.environ, "PYTHONPATH": str(_packages(controller)), "LC_ALL": "C.UTF-8"}
    if found.returncode == 0 and os.environ.get("OPENLVS_MATRIX_PYTHON") != "debian":
        return Ready((found.stdout.strip(),), "", environment)
    if controller.python not in DEBIAN:
        raise Trouble(f"{found.stderr.strip()} No Debian of the lab has it either.")
    suite = DEBIAN[controller.python]
    tree = _tree(suite, lab_environment)
    return Ready((str(CHECKOUT / "tests/matrix/inside"), str(tree), "python3"), f", Debian's {suite}", environment)


def _packages(controller: Controller) -> Path:
    """The newest ansible-core of the series with all it needs, for PYTHONPATH; no other pip than .venv's is needed."""
    target = KEPT / controller.name
    if not target.exists():
        new = target.with_name(f"{target.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        fitting = ["--quiet", "--python-version", controller.python, "--only-binary=:all:"]
        _pip("download", *fitting, "--dest", new / "wheels", f"ansible-core~={controller.series}.0")
        # pip has just chosen for that Python, and would now judge by the one that runs it
        fitting += ["--no-index", "--no-deps", "--ignore-requires-python"]
        _pip("install", *fitting, "--target", new / "packages", *(new / "wheels").glob("*.whl"))
        (new / "packages").rename(target)
        shutil.rmtree(new)
    return target


def _pip(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments], check=True)


def _tree(suite: str, lab_environment: dict[str, str]) -> Path:
    """The files of a lab host as a root directory."""
    environment = {**lab_environment, "OPENLVS_LAB_SUITE": suite}
    subprocess.run(["make", "--no-print-directory", "lab-image"], cwd=CHECKOUT, env=environment, check=True)
    asked = subprocess.run([LAB, "cache", "image"], env=environment, check=True, capture_output=True, text=True)
    image = Path(asked.stdout.strip())
    tree = KEPT / image.stem
    if not tree.exists():
        new = tree.with_name(f"{tree.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        subprocess.run(["debugfs", "-R", f"rdump / {new}", image], check=True, stderr=subprocess.DEVNULL)
        new.rename(tree)
    return tree
