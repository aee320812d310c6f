# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a cluster of Pacemaker that is as described, and of one that is not."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.evidence import Look
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.pacemaker import prove_clusters

VIEW = {
    "pacemaker_name": "front",
    "pacemaker_nodes": [{"name": "lvs1"}, {"name": "lvs2"}],
    "pacemaker_vips": [{"address": "192.0.2.77"}],
}
VIEWS = {"lvs1": VIEW, "lvs2": VIEW, "rs1": {**VIEW, "pacemaker_nodes": []}}
RUNNING = {"openlvs-ldirectord": ["lvs1", "lvs2"], "openlvs-vip-192.0.2.77": ["lvs1"]}
GOOD = {"quorate": True, "online": ["lvs1", "lvs2"], "running": RUNNING, "failures": []}


def unit(active: bool, enabled: bool = False) -> dict[str, t.Any]:
    return {"units": {"ldirectord.service": {"active": active, "enabled": enabled}}, "files": {}}


def failing(cluster: t.Any = None, first: t.Any = None, second: t.Any = None) -> list[str]:
    looks = {
        "lvs1": Look("lvs1", True, cluster={**GOOD, **(cluster or {})}, boot=first or unit(True)),
        "lvs2": Look("lvs2", True, boot=second or unit(True)),
    }
    lines = prove_clusters(VIEWS, looks)
    assert len(lines) == 3
    return [line.why for line in lines if not line.holds]


def test_all_is_well() -> None:
    assert failing() == []


@pytest.mark.parametrize(
    ("why", "seen"),
    [
        ("lvs2 is not there", {"cluster": {"online": ["lvs1"]}}),
        ("it has none", {"cluster": {"quorate": False}}),
        ("nothing of it runs", {"cluster": {"running": {"openlvs-ldirectord": ["lvs1"]}}}),
        (
            "openlvs-vip-192.0.2.77 runs on lvs1 and lvs2",
            {"cluster": {"running": {**RUNNING, "openlvs-vip-192.0.2.77": ["lvs1", "lvs2"]}}},
        ),
        ("nothing of it runs", {"cluster": {"running": {}}}),
        ("it failed", {"cluster": {"running": {}, "failures": ["it failed"]}}),
        ("it does not run on lvs1", {"first": unit(False)}),
        ("lvs2 would start it at boot", {"second": unit(True, True)}),
    ],
)
def test_what_is_not(why: str, seen: dict[str, t.Any]) -> None:
    found = failing(**seen)
    assert len(found) == 1 and why in found[0]


def test_nobody_looked() -> None:
    lines = prove_clusters(VIEWS, {"lvs1": Look("lvs1"), "lvs2": Look("lvs2")})
    assert [line.holds for line in lines] == [None, None, None]
