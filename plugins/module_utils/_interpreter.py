# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which Python a module runs under.

A distribution's packages, such as python3-pyroute2, serve its own Python alone; Ansible takes the newest one that it
finds, which on RHEL 9 may be a python3.12 from beside it.
"""

from __future__ import annotations

import importlib.util

from ansible.module_utils.common.respawn import has_respawned, probe_interpreters_for_module, respawn_module

SYSTEM = ("/usr/libexec/platform-python", "/usr/bin/python3")


def has(library: str) -> bool:
    """Whether modules can use the library, under this Python or under one of the system."""
    return bool(importlib.util.find_spec(library) or probe_interpreters_for_module(SYSTEM, library))


def start_again_with(library: str) -> None:
    """Run the module anew under a Python of the system that has the library; returns where none has it."""
    if has_respawned():
        return
    python = probe_interpreters_for_module(SYSTEM, library)
    if python:
        respawn_module(python)  # ends this process with what the other one printed
