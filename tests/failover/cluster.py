# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks run on some hosts of the lab, with a description."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Callable, Collection
from pathlib import Path

from playing import inventory, run


def inventory_of(hosts: Collection[str], folder: Path) -> Path:
    """The lab's inventory with these hosts alone."""
    lab = json.loads(inventory().read_text())["all"]
    for place in (lab, *lab["children"].values()):
        place["hosts"] = {name: found for name, found in place.get("hosts", {}).items() if name in hosts}
    kept = folder / "lab.json"
    kept.write_text(json.dumps({"all": lab}))
    return kept


def play(name: str, *inventories: Path, **extra: str) -> str:
    """Run one of the collection's playbooks; what it prints."""
    code, output = run(f"playbooks/{name}.yml", inventories, "--extra-vars", json.dumps(extra))
    assert code == 0, output
    return output


def run_playbook(name: str, description: t.Mapping[str, t.Any], folder: Path, **extra: str) -> str:
    """The same on those hosts of the lab that a description has, and on nobody who may be down."""
    described = folder / "inventory.json"
    described.write_text(json.dumps(description))
    hosts = ("client", "router", *description["all"]["hosts"])
    return play(name, inventory_of(hosts, folder), described, **extra)


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something, long enough for any machine."""
    for _try in range(120):
        if true():
            return
        time.sleep(0.5)
    raise AssertionError(f"never: {what}")
