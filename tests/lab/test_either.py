# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts of either kind do alike, shown on two real servers of each."""

from __future__ import annotations

import os
import time

import beside
import container
import pytest
import record

needs_engine = pytest.mark.skipif(
    os.getuid() != 0 or not container.engine(), reason="containers need root and podman: make test-containers"
)


@pytest.fixture(scope="module", params=["uml", pytest.param("container", marks=needs_engine)])
def lab(request):
    with beside.lab(request.param) as lab:
        yield lab


@pytest.fixture
def up(lab):
    lab("up", "rs1", "rs2")
    return lab


def test_a_forgotten_host_is_ended_before_it_starts_again(up):
    forgotten = up.process_of("rs1")
    (up.directory / "hosts/rs1/state.json").unlink()
    up("up", "rs1", "rs2")
    assert not record.start_time(forgotten)
    assert up.talk("rs2")


def test_a_lost_interface_is_repaired(up):
    up("sh", "ip", "link", "delete", "tap21-1")
    assert "rs1 had lost an interface" in up("up", "rs1", "rs2")
    assert up.talk("rs2")


def test_a_cable_can_be_pulled_and_plugged(up):
    up("link", "rs1", "lan", "down")
    assert not up.talk("rs2")
    up("link", "rs1", "lan", "up")
    time.sleep(1)  # a neighbour entry that failed is asked for again
    assert up.talk("rs2")


def test_reset_forgets_the_disk(up):
    up("exec", "rs1", "touch /root/gone && sync")
    up("reset", "rs1")
    up("exec", "rs1", "test ! -e /root/gone")
