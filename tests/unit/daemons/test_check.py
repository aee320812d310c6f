# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checker: how results become a verdict, what it looks at, and as whom it works."""

from __future__ import annotations

import http.server
import json
import os
import stat
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _check
from ansible_collections.openlvs.lvs.plugins.module_utils._checker import Checker

SEVEN_OF_TEN = {"window": 10, "failures": 7, "fall": 3, "rise": 1}
IN_A_ROW = {"fall": 3, "rise": 2}


def verdicts(results: str, check: dict[str, t.Any], memory: _check.Memory | None = None) -> str:
    """How a server counts after each of the results: U or D."""
    said = ""
    for result in results:
        memory = _check.remember(memory, result == "+", check)
        said += "U" if memory.well else "D"
    return said


def test_every_other_failure_changes_nothing() -> None:
    assert verdicts("+-" * 20, SEVEN_OF_TEN) == "U" * 40
    assert verdicts("-+" * 20, SEVEN_OF_TEN) == "D" * 40
    assert verdicts("+" + "--+" * 20, SEVEN_OF_TEN).count("D") > 30  # two of three are too many


def test_seven_of_the_last_ten_take_it_out_and_seven_bring_it_back() -> None:
    assert verdicts("++++++++++" + "-------", SEVEN_OF_TEN) == "U" * 16 + "D"
    assert verdicts("----------" + "+++++++", SEVEN_OF_TEN) == "D" * 16 + "U"
    assert verdicts("+" * 10 + "--+--+--+-", SEVEN_OF_TEN) == "U" * 19 + "D"
    assert verdicts("+" * 10 + "------" + "+" * 10, SEVEN_OF_TEN) == "U" * 26
    assert verdicts("+" * 10 + "-------" + "++++++" + "-" * 4 + "+++", SEVEN_OF_TEN) == "U" * 16 + "D" * 14


def test_in_a_row_without_a_window() -> None:
    assert verdicts("++--+---+-++", IN_A_ROW) == "UUUUUUUDDDDU"


def test_the_first_result_counts_until_others_outweigh_it() -> None:
    assert verdicts("-++", IN_A_ROW) == "DDU" and verdicts("-" + "+" * 7, SEVEN_OF_TEN) == "D" * 7 + "U"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        here = self.path == "/here" and self.headers["Host"] == "www.example.org"
        self.send_response(200 if here else 404)
        self.end_headers()
        self.wfile.write(b"Welcome")

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture(name="port", scope="module")
def fixture_port() -> t.Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


HTTP = {"type": "http", "path": "/here", "host": "www.example.org", "timeout": 5}
WELCOME = "83218ac34c1834c26781fe4bde918ee4"  # its MD5


@pytest.mark.parametrize(
    ("check", "good"),
    [
        ({}, True),
        ({"host": "other"}, False),
        ({"host": "other", "status": [404]}, True),
        ({"status": ["200-299"], "regex": "^W.l", "digest": WELCOME}, True),
        ({"regex": "Goodbye"}, False),
        ({"digest": "0" * 32}, False),
        ({"type": "tcp"}, True),
        ({"type": "script", "path": "/bin/sh -c 'exit 0'"}, True),
        ({"type": "script", "path": "/bin/false"}, False),
        ({"type": "script", "path": "/bin/nobody-has-this"}, False),
        ({"type": "script", "path": "/bin/sleep 60", "timeout": 0.2}, False),
    ],
)
def test_looking(port: int, check: dict[str, t.Any], good: bool) -> None:
    assert _check.look({**HTTP, **check}, "127.0.0.1", port) is good


def test_nobody_listens() -> None:
    for kind in ("tcp", "http"):
        assert not _check.look({**HTTP, "type": kind}, "127.0.0.1", 1)


def test_what_is_remembered_is_read_back_and_gets_old(tmp_path: Path) -> None:
    path, check = str(tmp_path / "one"), {**SEVEN_OF_TEN, "interval": 1, "timeout": 1}
    assert _check.read(path, check) is None
    _check.write(path, _check.Memory(False, "+-+"))
    assert _check.read(path, check) == _check.Memory(False, "+-+")
    os.utime(path, (0, 0))
    assert _check.read(path, check) is None
    Path(path).write_text("nonsense")
    assert _check.read(path, check) is None


def test_what_is_installed_runs_alone(tmp_path: Path, port: int) -> None:
    """As ldirectord runs it: with four words, in a place that is its user's."""
    texts = Checker("ldirectord").texts({"5 0": [{**HTTP, **IN_A_ROW, "interval": 1}]}, "nobody", "# ours.")
    program, config, tmpfiles = list(texts)
    assert texts[tmpfiles].endswith("d /run/openlvs/check-ldirectord 0700 nobody - -\n")
    kept = tmp_path / "run"
    kept.mkdir()
    text = texts[program].replace("/etc/openlvs/{}.json", f"{tmp_path}/{{}}.json")
    alone = tmp_path / os.path.basename(program)
    alone.write_text(text.replace("/run/openlvs/{}", str(kept)))
    (tmp_path / "check-ldirectord.json").write_text(texts[config])
    command = [sys.executable, "-I", str(alone), "5", "0", "[127.0.0.1]", str(port)]
    assert subprocess.run(command, check=False).returncode == 0
    assert (kept / f"5_0_127.0.0.1_{port}_0").read_text() == "up +++\n"
    assert subprocess.run([*command[:-1], "1"], check=False).returncode == 1
    assert json.loads(texts[config])["5 0"][0]["fall"] == 3
    assert not stat.S_IMODE(Checker("x").modes[program.replace("ldirectord", "x")]) & 0o022
