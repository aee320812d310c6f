# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Under which Python a module goes on."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _interpreter


def started(monkeypatch: pytest.MonkeyPatch, found: str | None, respawned: bool) -> list[str]:
    """The interpreters that were started, where this one is found to have the library."""
    starts: list[str] = []
    monkeypatch.setattr(_interpreter, "has_respawned", lambda: respawned)
    monkeypatch.setattr(_interpreter, "probe_interpreters_for_module", lambda _paths, _library: found)
    monkeypatch.setattr(_interpreter, "respawn_module", starts.append)
    _interpreter.start_again_with("pyroute2")
    return starts


def test_the_systems_python_takes_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch, "/usr/bin/python3", respawned=False) == ["/usr/bin/python3"]
    assert started(monkeypatch, "/usr/bin/python3", respawned=True) == []


def test_nothing_is_started_where_no_python_has_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    assert started(monkeypatch, None, respawned=False) == []
