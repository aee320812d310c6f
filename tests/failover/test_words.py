# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each word of keepalived.conf that a description may use, judged by keepalived itself."""

from __future__ import annotations

import re
import subprocess

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import SCRIPT_SECURITY
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import files, words
from playing import LAB, on

INSTANCE = {"name": "front", "interface": "eth1", "id": 51, "vips": [{"address": "192.168.0.77"}]}
SERVER = {"address": "192.168.0.45"}
SERVICE = {"vip": "192.168.0.77", "port": 80}
NEEDED = {"http": {"path": "/", "regex": "a"}, "https": {"path": "/", "regex": "a"}, "script": {"path": "/bin/true"}}
NEEDED["file"] = {"path": "/run/switch"}
# What a word that is not listed takes is true, or a number.
VALUES: dict[str, object] = {
    "bindto": "192.168.0.75",
    "bind_if": "eth1",
    "http_protocol": "1.0C",
    "regex_options": ["caseless", "use_offset_limit"],
    "regex_stack": [32768, 524288],
    "snmp_name": "web",
    "user": "nobody nogroup",
    "virtualhost": "www.example.org",
    "weight": "2 reverse",
}
NUMBERS = (1, 1000)
DRAFT = "/root/draft.conf"
INSECURE = 6  # it misses the lines about script security


def settings(key: str, said: dict[str, object]) -> dict[str, object]:
    """What is written when these words are said of an instance, a service, a real server, or a kind of check."""
    server = {**SERVER, "keepalived": said} if key == "real server" else SERVER
    service: dict[str, object] = {**SERVICE, "real_servers": [server]}
    if key == "service":
        service |= {"keepalived": said, "sorry_server": {"address": "192.168.0.75"}}
    elif key in words.CHECKS:
        service["checks"] = [{"type": key, **NEEDED.get(key, {}), "keepalived": said}]
    instance = {**INSTANCE, "keepalived": said} if key == "instance" else INSTANCE
    return {"router_id": "lvs1", "instances": [instance], "virtual_servers": [service]}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def value(kind: words.Kind, word: str) -> object:
    """One that the collection takes."""
    for one in (VALUES.get(word, True), *NUMBERS, "/bin/true"):
        try:
            kind(one)
        except ValueError:
            continue
        return one
    raise AssertionError(f"nothing is known that {word} takes")


@pytest.fixture(scope="module", name="version")
def fixture_version() -> str:
    subprocess.run([LAB, "reset", "lvs1"], check=True)
    said = on("lvs1", "apt-get install --yes keepalived >/dev/null && keepalived --version 2>&1")
    found = re.search(r"v([0-9.]+)", said)
    assert found
    return found[1]


PLACES = {"instance": words.INSTANCE, "service": words.VIRTUAL_SERVER, "real server": words.REAL_SERVER}
PLACES |= {kind: {**known, **words.BLOCKS.get(kind, {})} for kind, known in words.CHECKS.items()}


@pytest.mark.parametrize("place", PLACES)
def test_keepalived_takes_what_the_collection_takes(place: str, version: str) -> None:
    known = PLACES[place]
    too_new = [word for word in known if numbers(words.SINCE.get(word, "0")) > numbers(version)]
    said = {word: value(kind, word) for word, kind in known.items() if word not in too_new}
    text = files({**settings(place, said), "version": version})["config"]
    text = SCRIPT_SECURITY.sub("", text)  # over which keepalived 2.2.7 ends without a verdict
    command = [LAB, "exec", "lvs1", f"cat >{DRAFT} && keepalived --config-test --use-file {DRAFT}"]
    done = subprocess.run(command, input=text, text=True, check=False, capture_output=True)
    assert done.returncode in (0, INSECURE) and "nknown" not in done.stderr + done.stdout, (
        done.stderr + done.stdout + text
    )
