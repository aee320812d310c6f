# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of ipvs_services that is killed at any step leaves a table that serves, and the next run completes the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest
from ipvs import VIP6, service, table, thresholds
from killing import kill

RULES = "/var/lib/rules"


def left() -> tuple[list[str], dict, str, str]:
    """What a run leaves: the table, its thresholds, the manifest, the file."""
    files = [Path(_manifest.PATH), Path(RULES)]
    return table(), thresholds(), *(path.read_text() if path.exists() else "" for path in files)


def options(*services, **more):
    return {"services": list(services), "owner": "me", "save_to": RULES, "purge_real_servers": True, **more}


BEFORE = options(
    service("198.51.100.1", "198.51.100.2"),
    service("198.51.100.1", port=81, scheduler="rr"),
    service("2001:db8::1", vip=VIP6),
)
AFTER = options(
    service(
        scheduler="sh",
        real_servers=[
            {"address": "198.51.100.2", "weight": 0, "upper_threshold": 9},
            {"address": "198.51.100.3", "forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080},
        ],
    ),
    service("2001:db8::2", vip=VIP6, persistent=60),
    service("198.51.100.1", mark=3),
)
NOTHING = options()


def served() -> set[str]:
    """The services that have a real server."""
    return {line.split(" -r ")[0] for line in table() if line.startswith("-a ")}


@pytest.mark.parametrize(
    ("before", "after"), [(NOTHING, BEFORE), (BEFORE, AFTER), (AFTER, NOTHING)], ids=["first", "change", "last"]
)
def test_it_serves_and_is_completed_whenever_it_is_killed(run_module, before, after):
    run_module("ipvs_services", before)
    had = served()
    run_module("ipvs_services", after)
    target, keeps = left(), had & served()
    effects = 0
    while True:
        run_module("ipvs_services", before)
        last = kill(after, effects)
        if last is None:
            break
        print(f"killed before {last}\n    left: {told()}")
        assert keeps <= served(), last
        result = run_module("ipvs_services", after)
        assert not result.get("failed"), last
        assert left() == target, last
        print(f"    then: {', '.join(result['changes']) or 'nothing'}")
        effects += 1
    print(f"killed at each of {effects} places, completed by the next run")
    assert effects > len(target[0])
    assert left() == target


def told() -> str:
    """What a kill left, for people."""
    rules, _limits, manifest, saved = left()
    services = json.loads(manifest)["services"].get("me", []) if manifest else []
    lines = sum(line.startswith("-") for line in saved.splitlines())
    return f"{'; '.join(rules) or 'an empty table'} | {len(services)} services recorded | {lines} lines in the file"


def test_what_a_killed_run_of_one_owner_made_leaves_with_the_description(run_module):
    effects = 0
    while not table():
        assert kill(AFTER, effects)
        effects += 1
    assert json.loads(Path(_manifest.PATH).read_text())["services"]
    run_module("ipvs_services", NOTHING)
    assert left() == ([], {}, "", "")
