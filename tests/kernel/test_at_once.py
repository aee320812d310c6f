# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs at once on one host come one after another: none of them sees a half of another's work, or undoes it."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import guest
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest
from ipvs import VIP, service, table
from segment import addresses, manifest


def at_once(*runs):
    """Each of these modules with these options in a process of its own, started together."""
    with ProcessPoolExecutor(len(runs), multiprocessing.get_context("fork")) as pool:
        results = [one.result() for one in [pool.submit(guest.run_module, name, options) for name, options in runs]]
    assert not any(result.get("failed") for result in results), results
    return results


def test_two_whole_tables():
    """What is left is one of the two."""
    first = {"services": [service(*(f"198.51.100.{n}" for n in range(1, 40)))], "purge": True}
    second = {"services": [service("198.51.100.99", scheduler="rr"), service(mark=3)], "purge": True}
    runs = [("ipvs_services", {**one, "purge_real_servers": True}) for one in (first, second)]
    at_once(*runs, *runs)
    assert len(table()) in (40, 3) and ("-s rr" in table()[0]) is (len(table()) == 3)


def test_two_owners_keep_their_own():
    both = service("198.51.100.1", port=82)
    one = {"services": [service("198.51.100.1"), both], "save_to": "/var/lib/one", "owner": "one"}
    two = {"services": [service("198.51.100.1", port=81), both], "save_to": "/var/lib/two", "owner": "two"}
    at_once(("ipvs_services", one), ("ipvs_services", two))
    assert [line for line in table() if line.startswith("-A")] == [
        f"-A -t {VIP}:{port} -s wlc" for port in (80, 81, 82)
    ]
    assert set(json.loads(Path(_manifest.PATH).read_text())["services"]) == {"one", "two"}
    guest.run_module("ipvs_services", {"services": [], "owner": "one"})
    assert [line for line in table() if line.startswith("-A")] == [f"-A -t {VIP}:{port} -s wlc" for port in (81, 82)]


def test_every_module_that_writes():
    guest.sh("ip link add eth0 type dummy && ip address add 192.0.2.1/24 dev eth0 && ip link set eth0 multicast on up")
    vips = [f"192.0.2.{number}" for number in (20, 21)]
    silent = [f"192.0.2.{number}" for number in (30, 31)]
    guest.run_module("ipvs_service", {"vip": VIP, "port": 90})
    at_once(
        *(("ipvs_services", {"services": [service(f"198.51.100.{n}", port=n)], "owner": str(n)}) for n in (1, 2)),
        *(("ipvs_service", {"vip": VIP, "port": port}) for port in (91, 92)),
        *(("ipvs_real_server", {"vip": VIP, "port": 90, "address": f"198.51.100.{n}"}) for n in (1, 2)),
        *(("lvs_vip", {"vips": [{"address": vip, "interface": "eth0"}]}) for vip in vips),
        *(("lvs_rs_arp", {"vips": [{"address": vip}]}) for vip in silent),
        ("ipvs_timeouts", {"tcp": 7300}),
        ("ipvs_sync_daemon", {"role": "master", "interface": "eth0"}),
    )
    found = manifest()
    assert found["services"] == {str(n): [f"tcp {VIP}:{n}"] for n in (1, 2)}
    assert {vip: record["side"] for vip, record in found["vips"].items()} == {
        **dict.fromkeys(vips, "director"),
        **dict.fromkeys(silent, "real_server"),
    }
    assert {f"{vip}/32" for vip in vips} < set(addresses("eth0"))
    assert {f"{vip}/32" for vip in silent} == set(addresses("lo"))
    assert sorted(table()) == sorted(
        [
            *(f"-A -t {VIP}:{port} -s wlc" for port in (1, 2, 90, 91, 92)),
            *(f"-a -t {VIP}:{n} -r 198.51.100.{n}:{n} -g -w 1" for n in (1, 2)),
            *(f"-a -t {VIP}:90 -r 198.51.100.{n}:90 -g -w 1" for n in (1, 2)),
        ]
    )
    assert "7300" in guest.sh("ipvsadm -L --timeout") and "master" in guest.sh("ipvsadm -L --daemon")
