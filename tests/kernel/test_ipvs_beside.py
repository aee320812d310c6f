# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real keepalived works on the same kernel: its services stay as they are, and so can weights that it has set."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest
from ipvs import service, table

THEIRS = "192.0.2.20"
CHECKED = "delay_loop 1\nretry 0\nalpha\ninhibit_on_failure\nTCP_CHECK {\nconnect_timeout 1\n}\n"
SERVERS = "".join(f"real_server 127.0.0.{n} 80 {{\nweight 3\n{CHECKED}}}\n" for n in (2, 3))
CONFIGURATION = f"virtual_server {THEIRS} 80 {{\nlvs_sched rr\nlvs_method DR\nprotocol TCP\n{SERVERS}}}\n"
LINES = [f"-A -t {THEIRS}:80 -s rr", *(f"-a -t {THEIRS}:80 -r 127.0.0.{n}:80 -g -w {w}" for n, w in ((2, 3), (3, 0)))]


@contextlib.contextmanager
def running(*command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(name="keepalived", autouse=True)
def fixture_keepalived(host, tmp_path):
    """It checks two real servers: one answers, the other has got weight 0."""
    configuration = tmp_path / "keepalived.conf"
    configuration.write_text(CONFIGURATION)
    web = running(sys.executable, "-m", "http.server", "--bind", "127.0.0.2", "80")
    files = [f"--{name}={tmp_path / name}" for name in ("pid", "checkers_pid")]
    daemon = running("keepalived", "--dont-fork", "--check", f"--use-file={configuration}", *files)
    with web, daemon:
        for _dummy in range(300):
            if theirs() == LINES:
                break
            time.sleep(0.1)
        assert theirs() == LINES
        yield


def theirs():
    return [line for line in table() if THEIRS in line]


def test_its_services_stay_while_ours_come_change_and_go(run_module):
    for described in (
        [service("198.51.100.1"), service("198.51.100.1", port=81)],
        [service("198.51.100.2", scheduler="mh")],
        [],
    ):
        options = {"services": described, "owner": "me", "purge_real_servers": True}
        assert run_module("ipvs_services", options)["changed"] is True
        assert theirs() == LINES
    assert table() == LINES


def test_weights_that_its_checks_have_set_can_be_kept(run_module):
    described = service(vip=THEIRS, scheduler="rr")
    described["real_servers"] = [{"address": f"127.0.0.{n}", "weight": 3} for n in (2, 3)]
    assert run_module("ipvs_services", {"services": [described], "keep_weights": True})["changed"] is False
    assert run_module("ipvs_services", {"services": [described]}, check=True)["changes"] == [
        f"-e -t {THEIRS}:80 -r 127.0.0.3:80 -g -w 3"
    ]
    assert theirs() == LINES
