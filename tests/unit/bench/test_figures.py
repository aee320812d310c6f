# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench says of what it measured."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import figures
import tables


def test_a_ratio_is_of_one_repetition_and_each_aim_has_its_answer():
    row = figures.Row("load", [1.0, 4.0, 9.0], "`ipvsadm -R`", [2.0, 4.0, 6.0], (1.2, 0.5))
    *_heads, line = figures.ratios([row])
    assert line == (
        "| load | 4.00 (1.00-9.00) | `ipvsadm -R` | 4.00 (2.00-6.00) | **1.00 (0.50-1.50)** | 1.2: yes, 0.5: NO |"
    )


def test_what_has_no_aim_is_not_judged():
    assert figures.ratios([figures.Row("x", [1.0], "y", [2.0])])[-1].endswith("| **0.50 (0.50-0.50)** | - |")


def test_cost_per_thousand_is_compared_between_the_smallest_and_the_largest():
    costs = {"even": {1000: [0.01, 0.02], 50000: [0.5, 1.0]}, "steep": {1000: [0.01, 0.01], 50000: [1.0, 2.0]}}
    head, _line, even, steep = figures.linear(costs, 1.25)
    assert "| 1,000 | 50,000 |" in head
    assert even == "| even | 15.0 (10.0-20.0) | 15.0 (10.0-20.0) | **1.00 (1.00-1.00)** | 1.25: yes |"
    assert steep.endswith("**3.00 (2.00-4.00)** | 1.25: NO |")


def test_edits_lead_from_one_table_to_the_other():
    servers = [{"address": f"198.51.100.{number}", "port": 80, "weight": 1} for number in range(1, 251)]
    before = [{"vip": "192.0.2.10", "port": 80, "real_servers": servers}]
    old, new = tables.rules(before), tables.rules(tables.with_weights_edited(before))
    assert tables.edits(old, new) == [
        f"-e -t 192.0.2.10:80 -r 198.51.100.{number}:80 -g -w 11" for number in (100, 200)
    ]
    assert len(old) == 251 and old[0] == "-A -t 192.0.2.10:80 -s wlc"
