# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real server counts by its last ten results, under keepalived and ldirectord, as the checker has them do it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import run_playbook, until
from playing import LAB, on
from test_failover import serving

ADDRESSES = {"lvs1": 75, "rs1": 45, "rs2": 55}
BOTH = {"45", "55"}
# Says that it is well each time, or every other time, or never, as the file tells.
SERVER = """
import http.server, itertools, pathlib
turns = itertools.cycle((True, False))
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        word = pathlib.Path("/root/health").read_text().strip()
        self.send_response(200 if word == "well" or (word == "flapping" and next(turns)) else 500)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.HTTPServer(("", 8099), Answer).serve_forever()
"""
CHECK = {"type": "http", "port": 8099, "path": "/", "interval": 1, "timeout": 2, "window": 10, "failures": 7}


def feels(word: str) -> None:
    on("rs1", f"echo {word} >/root/health")


def site(engine: str, folder: Path, playbook: str = "site") -> None:
    web = {"name": "web", "vip": "192.168.0.77", "port": 80, "real_servers": [{"host": "rs1"}, {"host": "rs2"}]}
    hosts = {name: {"lvs_addresses": [f"192.168.0.{number}/24"]} for name, number in ADDRESSES.items()}
    variables = {"lvs_engine": engine, "lvs_services": [{**web, "checks": [CHECK]}]}
    run_playbook(playbook, {"all": {"vars": variables, "hosts": hosts}}, folder)


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Real servers with a second web server, which tells how they feel."""
    folder = tmp_path_factory.mktemp("window")
    subprocess.run([LAB, "reset", "client", "router", *ADDRESSES], check=True)
    for name in ("rs1", "rs2"):
        subprocess.run([LAB, "exec", name, "cat >/root/server.py"], input=SERVER, text=True, check=True)
        on(name, "echo well >/root/health && systemd-run --quiet --unit=health python3 /root/server.py")
    on("lvs1", "apt-get install --yes ipvsadm")  # for the test itself
    yield folder
    site("ldirectord", folder, "teardown")
    assert (
        on("lvs1", "ls -d /usr/local/lib/openlvs /run/openlvs/check-* /etc/openlvs/check-* 2>/dev/null || true") == ""
    )


@pytest.mark.parametrize("engine", ["keepalived", "ldirectord"])
def test_seven_of_the_last_ten(engine: str, folder: Path) -> None:
    """Every other failure changes nothing; a server that has gone is out, and back when it is well again."""
    site(engine, folder)
    until(lambda: serving("lvs1") == BOTH, "both are in")
    kept = f"/run/openlvs/check-{engine}"
    assert on("lvs1", f"stat -c '%U %a' {kept}") == "nobody 700"
    assert set(on("lvs1", f"stat -c %U:%G {kept}/*").split()) == {"nobody:nogroup"}
    feels("flapping")
    end = time.monotonic() + 15
    while time.monotonic() < end:
        assert serving("lvs1") == BOTH
        time.sleep(0.5)
    seen = on("lvs1", f"cat {kept}/*192.168.0.45*").split()
    assert seen[0] == "up" and "+-+-+-" in seen[1]
    feels("ill")
    until(lambda: serving("lvs1") == {"55"}, "rs1 is out")
    feels("flapping")
    time.sleep(5)
    assert serving("lvs1") == {"55"}
    feels("well")
    until(lambda: serving("lvs1") == BOTH, "rs1 is back")
