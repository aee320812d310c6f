# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of the lvs_ modules do what they say, one after another."""

from __future__ import annotations

import importlib

import guest
import pytest
import yaml
from segment import Segment, everything

MODULES = "ansible_collections.openlvs.lvs.plugins.modules."
CHANGING = {
    "lvs_gateway",
    "lvs_iptables",
    "lvs_neighbours",
    "lvs_nft",
    "lvs_rs_arp",
    "lvs_settings",
    "lvs_tunnel",
    "lvs_vip",
}
READING = {"lvs_host_facts", "lvs_arp_probe", "lvs_connect"}


@pytest.fixture(name="segment", autouse=True)
def fixture_segment(host):
    segment = Segment()
    segment.neighbour("client", 2)
    guest.sh("ip link add dummy0 type dummy && ip link set dummy0 up")
    guest.sh("modprobe ip_vs")  # a check loads nothing, so without it says less of the settings of IPVS than the run
    return segment


def examples(name):
    """The tasks of a module's documentation that run it."""
    tasks = yaml.safe_load(importlib.import_module(MODULES + name).EXAMPLES)
    mine = [task for task in tasks if f"openlvs.lvs.{name}" in task and "when" not in task]
    found = [(task["name"], task[f"openlvs.lvs.{name}"] or {}) for task in mine]
    assert found
    return found


@pytest.fixture(name="once")
def fixture_once(run_module):
    """once(name, title, params): a task of the examples changes what check mode says, and nothing the second time."""

    def once(name, title, params):
        checked = run_module(name, params, check=True)
        result = run_module(name, params)
        assert not result.get("failed"), (title, result)
        assert (result["changed"], result["changes"]) == (checked["changed"], checked["changes"])
        assert result["changed"], title
        assert run_module(name, params)["changed"] is False, title

    return once


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_examples_that_change_do_so_once(run_module, once, name):
    for title, params in examples(name):
        last = everything()
        run_module(name, params, check=True)
        assert everything() == last, title
        once(name, title, params)


def standing(*units):
    """What systemd says of units: whether it knows them, or keeps them off, and whether they have done their work."""
    shown = [guest.sh(f"systemctl show -p LoadState -p ActiveState {unit}") for unit in units]
    return [dict(line.split("=") for line in lines.splitlines()) for lines in shown]


def test_examples_of_units_bring_them_and_take_them_away(run_module, once):
    """On the guest's own systemd, for a test has none to itself; so what the examples leave is taken away, too."""
    first, second, third = examples("lvs_boot")
    made = [params for _title, params in (first, second)]
    try:
        once("lvs_boot", *first)
        assert standing("vip.service") == [{"LoadState": "loaded", "ActiveState": "active"}]
        assert "arp_ignore = 1" in guest.sh("cat /etc/sysctl.d/zz-vip.conf")
        once("lvs_boot", *second)
        loaded, off = standing("table.service", "ipvsadm.service")
        assert loaded == {"LoadState": "loaded", "ActiveState": "active"} and off["LoadState"] == "masked"
        once("lvs_boot", *third)
        gone, back = standing("table.service", "ipvsadm.service")
        assert gone == {"LoadState": "not-found", "ActiveState": "inactive"} and back["LoadState"] == "loaded"
    finally:
        for params in made:
            run_module("lvs_boot", {**params, "state": "absent"})
        guest.sh("nsenter --net=/proc/1/ns/net ip address del 192.0.2.10/32 dev lo", check=False)


@pytest.mark.parametrize("name", sorted(READING))
def test_examples_that_read_change_nothing(segment, run_module, name):
    segment.ask("client", "ip address add 192.0.2.10/32 dev eth0 && ip address add 2001:db8::10/128 dev eth0 nodad")
    before = everything()
    places = (("192.0.2.10", 80), ("192.0.2.10", 443), ("2001:db8::10", 443))
    with segment.serving("client", *places), segment.answering("client", 7):
        for title, params in examples(name):
            result = run_module(name, params)
            assert not result.get("failed") and result["changed"] is False, (title, result)
            assert all(answer["macs"] for answer in result.get("answers", [])), title
            assert not any(target["errors"] for target in result.get("targets", [])), title
    assert everything() == before
