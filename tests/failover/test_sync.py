# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directors that tell each other of connections: what is open goes on, and who had a real server keeps it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import STAY, asking
from cluster import run_playbook, until
from playing import LAB, on

VIP = "192.168.0.77"
DIRECTORS = ("lvs1", "lvs2")
ADDRESSES = {"lvs1": 75, "lvs2": 76, "rs1": 45, "rs2": 55}
KEPT = 8080  # the port of the persistent service
SOURCES = [f"10.99.1.{number}" for number in range(101, 109)]
LAG = 4  # seconds; the kernel tells of connections two to three seconds late


def description() -> dict[str, object]:
    """A service for connections that stay, and a persistent one, of one VIP."""
    common = {"vips": [{"address": VIP, "vrrp": "front"}], "directors": list(DIRECTORS), "scheduler": "rr"}
    common["real_servers"] = [{"host": "rs1"}, {"host": "rs2"}]
    services = [{"name": "web", "port": 80, **common}, {"name": "kept", "port": KEPT, "persistent": 300, **common}]
    directors = [{"host": name, "priority": 100} for name in DIRECTORS]
    vrrp = {"name": "front", "id": 51, "sync": True, "directors": directors}
    hosts = {name: {"lvs_addresses": [f"192.168.0.{number}/24"]} for name, number in ADDRESSES.items()}
    variables = {"lvs_engine": "keepalived", "lvs_services": services, "lvs_vrrp": [vrrp]}
    return {"all": {"vars": variables, "hosts": hosts, "children": {"lvs_directors": {"hosts": {"lvs2": {}}}}}}


def holders() -> list[str]:
    return [name for name in DIRECTORS if f" {VIP}/" in on(name, "ip -o address show dev eth1")]


def both() -> tuple[str, str]:
    """Who has the VIP, and who will have it."""
    until(lambda: len(holders()) == 1, "one has the VIP")
    (first,) = holders()
    (second,) = set(DIRECTORS) - {first}
    return first, second


def daemons() -> dict[str, str]:
    """The sync daemons of each director."""
    return {name: on(name, "ipvsadm --list --daemon") for name in DIRECTORS}


def roles() -> dict[str, list[str]]:
    return {
        name: [line.split()[0] for line in text.splitlines() if "syncid=51" in line] for name, text in daemons().items()
    }


def servers() -> dict[str, str]:
    """Who answers each of some clients at the persistent service."""
    asked = f"http://{VIP}:{KEPT}/"
    return {source: on("client", f"curl --silent --interface {source} {asked}") for source in SOURCES}


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("sync")
    subprocess.run([LAB, "reset", "client", "router", *ADDRESSES], check=True)
    for source in SOURCES:
        on("client", f"ip address add {source}/24 dev eth1")
    for name in DIRECTORS:
        on(name, "apt-get install --yes ipvsadm")
    run_playbook("site", description(), folder)
    first, second = both()
    until(lambda: roles() == {first: ["master"], second: ["backup"]}, "each has its role")
    yield folder
    run_playbook("teardown", description(), folder)
    assert not any(daemons().values())


def test_what_is_open_goes_on_and_clients_keep_their_servers(folder: Path) -> None:
    first, second = both()
    served = servers()
    assert set(served.values()) == {"rs1", "rs2"}
    with asking(VIP, folder / "stop") as seen:
        time.sleep(LAG)
        on(first, "systemctl stop keepalived")
        until(lambda: holders() == [second], f"{second} has the VIP")
        time.sleep(LAG)
    assert seen.stayed == STAY
    assert servers() == served
    assert roles() == {first: [], second: ["master"]}
    on(first, "systemctl start keepalived")
    until(lambda: roles() == {first: ["backup"], second: ["master"]}, f"{first} listens")


def test_what_is_open_outlives_the_director(folder: Path) -> None:
    """One that has lost its power, and with it the connections that began before it had the VIP."""
    first, second = both()
    served = servers()
    with asking(VIP, folder / "power") as seen:
        time.sleep(LAG)
        subprocess.run([LAB, "kill", first], check=True)
        until(lambda: f" {VIP}/" in on(second, "ip -o address show dev eth1"), f"{second} has the VIP")
        time.sleep(LAG)
    assert seen.stayed == STAY
    assert servers() == served
    subprocess.run([LAB, "start", first], check=True)
    until(lambda: roles() == {first: ["backup"], second: ["master"]}, f"{first} listens")


def test_without_a_daemon_connections_are_cut_off_and_the_run_brings_it_back(folder: Path) -> None:
    """Keepalived does not notice."""
    first, second = both()
    on(second, "ipvsadm --stop-daemon backup")
    with asking(VIP, folder / "none") as seen:
        time.sleep(LAG)
        on(first, "systemctl stop keepalived")
        until(lambda: holders() == [second], f"{second} has the VIP")
        time.sleep(LAG)
    assert seen.stayed < STAY
    on(first, "systemctl start keepalived")
    on(second, "ipvsadm --stop-daemon master; ipvsadm --start-daemon master --mcast-interface eth1 --syncid 9")
    run_playbook("site", description(), folder)
    first, second = both()
    assert roles() == {first: ["master"], second: ["backup"]}
    said = run_playbook("verify", description(), folder)
    for name in DIRECTORS:
        assert f"holds   {name}: a sync daemon shares its connections by eth1, as number 51" in said
