# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real servers as containers: they come back from everything as other hosts do, and cannot touch this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import beside
import connect
import container
import namespace
import pytest
import record

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not container.engine(), reason="containers need root and podman: make test-containers"
)


@pytest.fixture(scope="module")
def lab():
    with beside.lab("container") as lab:
        yield lab


def processes(lab, word: str) -> list[str]:
    """Processes of this lab's containers on the machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(lab.directory) in words and word in words:
            found.append(words)
    return found


@pytest.fixture
def up(lab):
    lab("up", "rs1", "rs2")
    return lab


def test_they_look_like_other_hosts(up):
    assert up("exec", "rs1", "systemctl is-system-running") == "running\n"
    assert "192.168.0.45/24" in up("exec", "rs1", "ip -brief address show eth1")
    assert up("exec", "rs1", "cat /sys/class/net/eth1/address") == "02:4c:56:53:01:15\n"
    assert up("exec", "rs1", "hostname") == "rs1\n"
    assert up.talk("rs2")


def test_a_host_can_change_its_network_and_nothing_else(up):
    up("exec", "rs1", "sysctl -qw net.ipv4.conf.all.arp_ignore=1")
    assert up("exec", "rs2", "cat /proc/sys/net/ipv4/conf/all/arp_ignore") == "0\n"
    assert "Read-only" in up("exec", "rs1", "f=/proc/sys/kernel/pid_max; echo $(cat $f) >$f", check=False)
    bounding = int(up("exec", "rs1", "sed -n 's/^CapBnd:\\s*//p' /proc/1/status"), 16)
    assert not bounding & (1 << 16 | 1 << 17 | 1 << 25)  # modules, ports, the clock


def test_what_is_written_outlives_a_power_cut(up):
    up("exec", "rs1", "touch /root/kept")
    up("kill", "rs1")
    assert not up.talk("rs2")
    up("start", "rs1")
    up("exec", "rs1", "test -e /root/kept")
    assert up.talk("rs2")


def test_reboot_is_a_reboot_and_the_cables_are_plugged(up):
    up("exec", "rs1", "ip address add 192.168.0.77/32 dev lo; touch /run/gone")
    assert "back: rs1" in up("reboot", "rs1")
    assert "192.168.0.77" not in up("exec", "rs1", "ip address show lo; test ! -e /run/gone")
    assert up.talk("rs2")


def test_a_host_that_is_switched_off_stays_off(up):
    off = up.process_of("rs1")
    up("exec", "rs1", "systemctl poweroff", check=False)
    deadline = time.monotonic() + 30
    while record.start_time(off) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "dead" in next(line for line in up("status").splitlines() if line.startswith("rs1"))
    assert "starting rs1" in up("up", "rs1")
    assert up.talk("rs2")


def test_a_container_without_its_process_is_found(up):
    os.killpg(up.process_of("rs1"), signal.SIGKILL)
    assert "starting rs1" in up("up", "rs1", "rs2")
    assert up.talk("rs2")


def test_a_lost_network_is_repaired(up):
    os.kill(connect.holder(namespace.name(up.directory)), signal.SIGKILL)
    assert "rs1 had lost an interface" in up("up", "rs1", "rs2")
    assert up.talk("rs2")


def test_the_machines_own_podman_sees_none_of_them(up):
    if container.engine_name() == "podman":
        words = ["podman", "ps", "--all", "--format", "{{.Names}}"]
        assert "openlvs" not in subprocess.run(words, capture_output=True, text=True, check=False).stdout


def test_down_finds_containers_that_were_forgotten(up):
    for host in ("rs1", "rs2"):
        (up.directory / "hosts" / host / "state.json").unlink()
    up("down")
    assert not processes(up, "conmon")
