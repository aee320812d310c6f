# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers fail under an open load on a director with ldirectord, and the engine changes: what clients notice."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import asking
from cluster import run_playbook, until
from playing import LAB, on
from test_failover import ROWS, serving, told

VIP = "192.168.0.77"
ADDRESSES = {"lvs1": 75, "rs1": 45, "rs2": 55}
BOTH = {"45", "55"}
CHECK = {"type": "http", "path": "/", "regex": "rs[12]", "interval": 1, "timeout": 1, "fall": 2}


def site(engine: str, folder: Path, playbook: str = "site") -> None:
    """A service on two real servers, whose VIP stands on one director, whoever looks after them."""
    servers = [{"host": name} for name in ("rs1", "rs2")]
    web: dict[str, object] = {"name": "web", "vip": VIP, "port": 80, "scheduler": "rr", "real_servers": servers}
    if engine != "kernel":
        web |= {"checks": [CHECK], "sorry_server": {"port": 8080}}
    hosts = {name: {"lvs_addresses": [f"192.168.0.{number}/24"]} for name, number in ADDRESSES.items()}
    variables = {"lvs_engine": engine, "lvs_services": [web]}
    run_playbook(playbook, {"all": {"vars": variables, "hosts": hosts}}, folder)


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cluster under ldirectord, on fresh hosts; a web server on the director stands in when no other answers."""
    folder = tmp_path_factory.mktemp("ldirectord")
    ROWS.clear()
    subprocess.run([LAB, "reset", "client", "router", *ADDRESSES], check=True)
    on("lvs1", "apt-get install --yes ipvsadm && echo sorry >/var/www/html/index.html && nginx")
    site("ldirectord", folder)
    yield folder
    print("\n\n" + "\n".join(ROWS))


def test_a_service_dies_on_a_real_server(folder: Path) -> None:
    """It is out, and back when it is well."""
    with asking(VIP, folder / "dies") as load:
        time.sleep(2)
        on("rs1", "systemctl stop nginx")
        until(lambda: serving("lvs1") == {"55"}, "rs1 is out")
        time.sleep(3)
        on("rs1", "systemctl start nginx")
        until(lambda: serving("lvs1") == BOTH, "rs1 is back")
        time.sleep(3)
    requests = told("ldirectord: rs1 dies, and is well again", load)
    assert {one.server for one in requests[-100:]} == {"rs1", "rs2"}


def test_every_real_server_dies(folder: Path) -> None:
    """The director's own page answers until one is back."""
    with asking(VIP, folder / "all") as load:
        time.sleep(2)
        on("rs1", "systemctl stop nginx")
        on("rs2", "systemctl stop nginx")
        until(lambda: serving("lvs1") == {"75"}, "the sorry server answers alone")
        time.sleep(3)
        on("rs1", "systemctl start nginx")
        on("rs2", "systemctl start nginx")
        until(lambda: serving("lvs1") == BOTH, "both are back")
        time.sleep(3)
    requests = told("ldirectord: all die, and are well again", load)
    assert {one.server for one in requests if not one.trouble} == {"rs1", "rs2", "sorry"}


def test_drift_is_mended_and_a_dead_server_stays_out(folder: Path) -> None:
    """What others change in the table under ldirectord comes right with the next run."""
    on("rs1", "systemctl stop nginx")
    until(lambda: serving("lvs1") == {"55"}, "rs1 is out")
    on("lvs1", "ipvsadm --clear")
    site("ldirectord", folder)
    assert serving("lvs1") == {"55"}
    on("rs1", "systemctl start nginx")
    until(lambda: serving("lvs1") == BOTH, "rs1 is back")


def test_it_is_stopped_and_started_while_clients_are_served(folder: Path) -> None:
    """As an upgrade of its package does."""
    with asking(VIP, folder / "restart") as load:
        time.sleep(1)
        on("lvs1", "systemctl restart ldirectord && test -d /proc/$(cat /run/ldirectord.ldirectord.pid)")
        time.sleep(3)
    assert not [one for one in told("ldirectord is restarted", load) if one.trouble]


@pytest.mark.parametrize(("before", "engine"), [
    ("ldirectord", "kernel"), ("kernel", "ldirectord"), ("ldirectord", "keepalived"), ("keepalived", "ldirectord")
])  # fmt: skip
def test_the_engine_changes(folder: Path, before: str, engine: str) -> None:
    """The table stays as it is, whoever looks after it."""
    with asking(VIP, folder / engine) as load:
        time.sleep(2)
        site(engine, folder)
        time.sleep(2)
    told(f"from {before} to {engine}", load)
    assert serving("lvs1") == BOTH


def test_it_leaves_nothing_behind(folder: Path) -> None:
    """Neither table nor VIP nor daemon."""
    site("ldirectord", folder, "teardown")
    assert not serving("lvs1") and f" {VIP}/" not in on("lvs1", "ip -o address show")
    assert on("lvs1", "systemctl is-active ldirectord || true") == "inactive"
