# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Static neighbour entries of a router: planned so that a run which is cut off leaves nothing unknown."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _static_neighbours
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import Managed
from ansible_collections.openlvs.lvs.plugins.module_utils._static_neighbours import done, files, plan

ONE, TWO = ("eth1", "192.0.2.10"), ("eth1", "2001:db8::10")
OLD, NEW, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"


def said(planned):
    return [str(step) for step in planned.steps]


def test_what_was_there_before_is_recorded_and_comes_back():
    first = plan({ONE: OTHER}, (), {ONE: NEW, TWO: NEW}, True)
    assert [record["found"] for record in first.recorded] == [OTHER, None]
    there = done({ONE: OTHER}, first.steps)
    assert there == {ONE: NEW, TWO: NEW} and plan(there, first.after, there, True).steps == ()
    last = plan(there, first.after, {}, True)
    assert done(there, last.steps) == {ONE: OTHER} and last.after == ()


def test_a_run_that_is_cut_off_after_any_step_is_completed_by_the_next():
    for have, want in itertools.product(({}, {ONE: OTHER}), ({ONE: NEW, TWO: NEW}, {TWO: OLD}, {})):
        first = plan(have, (), {ONE: OLD}, True)
        there = done(have, first.steps)
        second = plan(there, first.after, want, True)
        for number in range(len(second.steps) + 1):
            cut = done(there, second.steps[:number])
            third = plan(cut, second.recorded, want, True)
            assert done(cut, third.steps) == {**have, **want} and third.after == second.after


def test_without_purge_nothing_goes():
    ours = plan({}, (), {ONE: OLD}, True).after
    planned = plan({ONE: OLD}, ours, {TWO: NEW}, False)
    assert said(planned) == [f"ip -6 neighbour replace 2001:db8::10 lladdr {NEW} dev eth1 nud permanent"]
    assert [record["address"] for record in planned.after] == ["192.0.2.10", "2001:db8::10"]


@pytest.mark.parametrize(
    ("guarded", "head"), [(False, "[Network]\nKeepConfiguration=static\n"), (True, "")], ids=["bare", "guarded"]
)
def test_networkd_hears_of_the_entries_on_its_interfaces(guarded, head):
    want = {ONE: NEW, ("eth2", "192.0.2.11"): NEW}
    ours = plan({}, (), want, True).after
    network = "/etc/systemd/network/10-lan.network"
    managers = {
        "eth1": Managed("networkd", network, network=network, guarded=guarded),
        "eth2": Managed("networkmanager", "/etc/NetworkManager/system-connections/lan.nmconnection"),
        "eth3": Managed("netplan", "eth3", network="/run/systemd/network/10-netplan-eth3.network"),
    }
    assert {path: one.text.content.split("\n", 1)[1] for path, one in files(ours, want, managers).items()} == {
        f"{network}.d/openlvs-router.conf": f"{head}\n[Neighbor]\nAddress=192.0.2.10\nLinkLayerAddress={NEW}\n"
    }


def test_two_places_for_one_address():
    options = [{"address": "192.0.2.10", "interface": "eth1", "mac": mac} for mac in (OLD, NEW)]
    (text,) = _static_neighbours.findings(options, ["lo", "eth1"])
    assert text.startswith("neighbours[1] '192.0.2.10': it goes to another mac on eth1 already")
