# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real lab of two hosts, beside the one in use: it comes up, and comes back from everything that was done to it."""

from __future__ import annotations

import os
import signal
import time

import beside
import connect
import namespace
import pytest

QUICK = 3  # seconds for an `up` that finds everything in order


@pytest.fixture(scope="module")
def lab():
    with beside.lab("uml") as lab:
        yield lab


@pytest.fixture
def up(lab):
    """The lab with lvs1 and rs1 running."""
    lab("up", "lvs1", "rs1")
    return lab


def test_up_and_a_quick_second_up(up):
    pids, start = [up.process_of(host) for host in ("lvs1", "rs1")], time.monotonic()
    up("up", "lvs1", "rs1")
    assert time.monotonic() - start < QUICK
    assert [up.process_of(host) for host in ("lvs1", "rs1")] == pids
    assert up.talk("lvs1")


def test_nothing_that_is_offered_is_there_before(up):
    offered = up("exec", "rs1", "sed -n 's/^Package: //p' /srv/packages/Packages").split()
    assert {"ipvsadm", "keepalived", "ldirectord", "python3-pyroute2"} <= {*offered}
    installed = up("exec", "rs1", "dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p'")
    assert not {*offered} & {*installed.split()}


def test_daemons_start_at_installation_as_debian_starts_them(up):
    up("exec", "rs1", "apt-get -q update && apt-get -qy install ipvsadm keepalived")
    ask = "systemctl is-enabled ipvsadm keepalived 2>/dev/null; systemctl is-active ipvsadm keepalived"
    ask += "; systemctl show --value --property ConditionResult keepalived"  # it has no configuration yet
    assert up("exec", "rs1", ask, check=False).split() == ["enabled", "enabled", "active", "inactive", "no"]


def test_a_dead_host_is_started_on_its_disk(up):
    up("exec", "rs1", "touch /root/kept && sync")
    os.killpg(up.process_of("rs1"), signal.SIGKILL)
    assert "starting rs1" in up("up", "lvs1", "rs1")
    up("exec", "rs1", "test -e /root/kept")
    assert up.talk("lvs1")


def test_a_damaged_disk_is_replaced(up):
    up("kill", "rs1")
    os.truncate(up.directory / "hosts/rs1/disk.cow", 0)
    assert "rs1 gets a pristine disk" in up("up", "rs1")
    assert up.talk("lvs1")


def test_a_lost_namespace_is_made_again(up):
    os.kill(connect.holder(namespace.name(up.directory)), signal.SIGKILL)
    assert "starting lvs1, rs1" in up("up", "lvs1", "rs1")
    assert up.talk("lvs1")


def test_a_silent_host_is_started_anew(up):
    os.killpg(up.process_of("rs1"), signal.SIGSTOP)
    assert "rs1 does not answer" in up("up", "lvs1", "rs1")
    assert up.talk("lvs1")


def test_reboot_is_a_reboot(up):
    before = up("exec", "rs1", "cat /proc/sys/kernel/random/boot_id")
    assert "back: rs1" in up("reboot", "rs1")
    assert up("exec", "rs1", "cat /proc/sys/kernel/random/boot_id") != before
    assert up.talk("lvs1")


def test_from_inside_the_lab_it_refuses(up):
    assert "Refused" in up("sh", str(beside.LAB), "up", "rs1", check=False)
    assert "Refused" in up("sh", str(beside.LAB), "down", check=False)
    assert up.talk("lvs1")


def test_debians_kernel_has_ip_vs(up):
    up("down", "rs1")
    assert "kernel debian" in up("up", "rs1", OPENLVS_LAB_KERNEL="debian")
    up("exec", "rs1", "modprobe ip_vs_wlc && grep ^ip_vs_wlc /proc/modules && modprobe ipip && modprobe dummy")
    assert up.talk("lvs1")
