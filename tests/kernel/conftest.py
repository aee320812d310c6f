# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the kernel tests, which run inside the lab's guest (tests/kernel/run).

Every test gets a host of its own: fresh network and mount namespaces.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import guest
import pytest


def pytest_configure() -> None:
    """Never touch the machine that somebody works on."""
    if "lab" not in Path("/proc/cmdline").read_text().split():
        raise pytest.UsageError("They change the kernel they run on: run them in the lab's guest by tests/kernel/run")


def pytest_report_header() -> str:
    library = importlib.metadata.version("pyroute2")
    python = platform.python_version()
    return f"guest kernel {platform.release()}, Python {python}, pyroute2 {library}, uid {os.getuid()}"


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    """Namespaces of its own for each test."""
    with guest.fresh_host():
        yield


@pytest.fixture
def sh() -> Callable[..., str]:
    """sh(command, check=True) -> what the command printed."""
    return guest.sh


@pytest.fixture
def run_module() -> Callable[..., dict[str, Any]]:
    """run_module(name, params, check=False, diff=True, fresh=False) -> the module's result."""
    return guest.run_module


@pytest.fixture
def first_run(host: None) -> Iterator[Callable[..., dict[str, Any]]]:
    """run_module on a host that has no pyroute2 and no ip_vs loaded yet."""
    guest.unload_ip_vs()

    def run(name: str, params: dict[str, Any], check: bool = False, diff: bool = True) -> dict[str, Any]:
        return guest.run_module(name, params, check, diff, fresh=True)

    with guest.without_pyroute2():
        yield run
