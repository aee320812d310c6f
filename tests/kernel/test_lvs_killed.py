# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any step: no VIP of a real server answers, and the next run completes the work."""

from __future__ import annotations

import os
import signal

import guest
import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _host_kernel
from segment import HOST_MAC, Segment, addresses, everything, manifest

VIP, OTHER = "192.0.2.10", "192.0.2.11"
SILENT = "cat /proc/sys/net/ipv4/conf/all/arp_ignore /proc/sys/net/ipv4/conf/all/arp_announce"


@pytest.fixture(name="segment")
def fixture_segment(host):
    segment = Segment()
    segment.neighbour("client", 2)
    guest.sh("ip link add dummy0 type dummy && ip link set dummy0 up")
    return segment


@pytest.fixture(name="killed")
def fixture_killed(run_module, monkeypatch):
    """killed(name, options, steps) -> whether a run of the module was killed after this many steps."""

    def killed(name, options, steps):
        do, left = _host_kernel._do, [steps]

        def do_until(*step):
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            do(*step)

        with monkeypatch.context() as patch:
            patch.setattr(_host_kernel, "_do", do_until)
            try:
                run_module(name, options)
            except AssertionError as error:
                assert "gave no result" in str(error)
                return True
            return False

    return killed


def stands_silent() -> bool:
    """Whether no VIP is there, or ARP is silent."""
    there = {VIP, OTHER} & {entry["local"] for link in ("lo", "dummy0") for entry in addresses(link).values()}
    return not there or guest.sh(SILENT).split() == ["1", "2"]


PRESENT = {"vips": [{"address": VIP}, {"address": OTHER}]}
MOVED = {"vips": [{"address": VIP, "interface": "dummy0"}]}
NONE = {"vips": [], "purge": True}


@pytest.mark.parametrize(("before", "options"), [(NONE, PRESENT), (PRESENT, NONE)], ids=["present", "absent"])
def test_silent_and_completed_whenever_it_is_killed(segment, run_module, killed, before, options):
    clean = everything()
    run_module("lvs_rs_arp", options)
    target = everything(), manifest()
    steps = 0
    while True:
        run_module("lvs_rs_arp", before)
        if not killed("lvs_rs_arp", options, steps):
            break
        assert stands_silent(), f"after {steps} steps"
        assert run_module("lvs_rs_arp", options)["changed"]
        assert (everything(), manifest()) == target, f"after {steps} steps"
        steps += 1
    assert steps == 7
    run_module("lvs_rs_arp", NONE)
    assert everything() == clean and manifest() == {}


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_neighbour_hears_nothing_after_a_kill(segment, killed, steps):
    assert killed("lvs_rs_arp", PRESENT, steps)
    assert segment.who_have("client", VIP, OTHER) == {VIP: set(), OTHER: set()}


def test_another_description_may_follow_a_kill(segment, run_module, killed):
    clean = everything()
    assert killed("lvs_rs_arp", MOVED, 3)
    run_module("lvs_rs_arp", {"vips": [{"address": OTHER}], "purge": True})
    assert set(addresses("lo")) == {f"{OTHER}/32"} and addresses("dummy0") == {}
    run_module("lvs_rs_arp", {"vips": [], "purge": True})
    assert everything() == clean and manifest() == {}


def test_a_vip_that_could_not_be_announced_is_announced_by_the_next_run(segment, run_module, killed):
    segment.believe("client", VIP, "02:00:00:00:00:99")
    options = {"vips": [{"address": VIP, "interface": "eth0"}]}
    assert killed("lvs_vip", options, 3)
    assert f"{VIP}/32" in addresses("eth0") and segment.cached("client", VIP) == "02:00:00:00:00:99"
    assert run_module("lvs_vip", options)["changes"][0] == f"# announce on eth0: gratuitous ARP {VIP}"
    assert segment.cached("client", VIP) == HOST_MAC
    assert run_module("lvs_vip", options)["changed"] is False
