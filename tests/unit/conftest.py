# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the checkout importable under its collection name, wherever it stands; let a busy machine take its time."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

CHECKOUT = Path(__file__).resolve().parents[2]
TREE = CHECKOUT / ".ansible" / "collections"
LINK = TREE / "ansible_collections" / "openlvs" / "lvs"

LINK.parent.mkdir(parents=True, exist_ok=True)
if not LINK.exists():
    LINK.symlink_to("../../../..")
sys.path.insert(0, str(TREE))
