# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of ipvs_services that is killed at any step leaves a table that serves, and the next run completes the work.

And two runs at once do not spoil each other's work.
"""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import guest
import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest, _netlink, _netlink_family, _saved_table
from ipvs import VIP, VIP6, service, table, thresholds

RULES = "/var/lib/rules"
EFFECTS = [(_netlink_family.Family, "command"), (_manifest, "save"), (_saved_table, "save")]


def left() -> tuple[list[str], dict, str, str]:
    """What a run leaves: the table, its thresholds, the manifest, the file."""
    files = [Path(_manifest.PATH), Path(RULES)]
    return table(), thresholds(), *(path.read_text() if path.exists() else "" for path in files)


@pytest.fixture
def killed(run_module, monkeypatch):
    """killed(options, effects) -> whether a run was killed after so many commands to the kernel and files written."""

    def run(options, effects):
        count = [effects]

        def before(act):
            def wrapped(*args, **kwargs):
                if not count[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
                count[0] -= 1
                return act(*args, **kwargs)

            return wrapped

        with monkeypatch.context() as patch:
            patch.setattr(_netlink, "BATCH", 1)
            for place, name in EFFECTS:
                patch.setattr(place, name, before(getattr(place, name)))
            try:
                run_module("ipvs_services", options)
            except AssertionError as error:
                assert "gave no result" in str(error)
                return True
            return False

    return run


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
def test_it_serves_and_is_completed_whenever_it_is_killed(run_module, killed, before, after):
    run_module("ipvs_services", before)
    had = served()
    run_module("ipvs_services", after)
    target, keeps = left(), had & served()
    effects = 0
    while True:
        run_module("ipvs_services", before)
        if not killed(after, effects):
            break
        assert keeps <= served(), f"after {effects} effects"
        assert not run_module("ipvs_services", after).get("failed"), f"after {effects} effects"
        assert left() == target, f"after {effects} effects"
        effects += 1
    print(f"killed at each of {effects} places, completed by the next run")
    assert effects > len(target[0])
    assert left() == target


def test_what_a_killed_run_of_one_owner_made_leaves_with_the_description(run_module, killed):
    assert killed(AFTER, 4)
    assert table() and json.loads(Path(_manifest.PATH).read_text())["services"]
    run_module("ipvs_services", NOTHING)
    assert left() == ([], {}, "", "")


def at_once(*runs):
    """Each in a process of its own, started together."""
    with ThreadPoolExecutor(len(runs)) as pool:
        started = [pool.submit(guest.run_module, "ipvs_services", run, False, True, True) for run in runs]
        return [one.result() for one in started]


def test_two_runs_at_once_come_one_after_the_other():
    """Neither of them sees a half of the other's: what is left is one of the two."""
    first = {"services": [service(*(f"198.51.100.{n}" for n in range(1, 40)))], "purge": True}
    second = {"services": [service("198.51.100.99", scheduler="rr"), service(mark=3)], "purge": True}
    for one in (first, second):
        one["purge_real_servers"] = True
    results = at_once(first, second, first, second)
    assert not any(result.get("failed") for result in results), results
    assert len(table()) in (40, 3) and ("-s rr" in table()[0]) is (len(table()) == 3)


def test_two_owners_at_once_keep_their_own():
    one = options(service("198.51.100.1"), service("198.51.100.1", port=82), save_to="/var/lib/one", owner="one")
    two = options(
        service("198.51.100.1", port=81), service("198.51.100.1", port=82), save_to="/var/lib/two", owner="two"
    )
    results = at_once(one, two)
    assert not any(result.get("failed") for result in results), results
    assert [line for line in table() if line.startswith("-A")] == [
        f"-A -t {VIP}:{port} -s wlc" for port in (80, 81, 82)
    ]
    assert set(json.loads(Path(_manifest.PATH).read_text())["services"]) == {"one", "two"}
    guest.run_module("ipvs_services", {"services": [], "owner": "one"})
    assert [line for line in table() if line.startswith("-A")] == [f"-A -t {VIP}:{port} -s wlc" for port in (81, 82)]
