# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests do not depend on which modules this machine has for its kernel."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _kernel_needs


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kernel_needs, "_MODULES", "/nowhere")
