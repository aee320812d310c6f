# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What instances of VRRP watch beside each other, what moves together, and whom they tell."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import run_playbook, until
from playing import LAB, on

DIRECTORS = ("lvs1", "lvs2")
ADDRESSES = {"lvs1": 75, "lvs2": 76, "rs1": 45}
VIPS = {"front": "192.168.0.77", "back": "192.168.0.78"}
ROUTER = "192.168.0.1"
HEARS_NOTHING = f"INPUT --source {ROUTER} --protocol udp --dport 3784 --jump DROP"
TOLD = "/var/tmp/told"
# Whatever it is told stands in a file of the one who was told.
TELL = f'#!/bin/sh\necho "$(id -un) $*" >>{TOLD}\n'
LOOK = '#!/bin/sh\n[ ! -e "/run/$1" ]\n'


def description() -> dict[str, object]:
    """Two instances that move together; only the first one watches anything."""
    directors = [{"host": name, "priority": 100} for name in DIRECTORS]
    front: dict[str, object] = {"name": "front", "id": 51, "group": "site", "directors": directors}
    front |= {"track_interfaces": ["dummy9"], "track_scripts": ["uplink"], "track_processes": ["web"]}
    front |= {"track_files": ["hold"], "track_bfds": ["uplink"]}
    front |= {"keepalived": {"notify": "/usr/local/bin/tell vrrp", "garp_master_repeat": 3}}
    vrrp = [front, {"name": "back", "id": 52, "group": "site", "directors": directors}]
    services = [
        {
            "name": name,
            "vips": [{"address": vip, "vrrp": name}],
            "port": 80,
            "directors": list(DIRECTORS),
            "real_servers": [{"host": "rs1", "keepalived": {"notify_down": "/usr/local/bin/tell down"}}],
            "checks": [{"type": "http", "path": "/", "interval": 1, "timeout": 1, "fall": 1}],
            "keepalived": {"quorum_down": "/usr/local/bin/tell lost", "alpha": True},
        }
        for name, vip in VIPS.items()
    ]
    watched: dict[str, object] = {
        "keepalived_scripts": [{"name": "uplink", "command": "/usr/local/bin/look down", "fall": 1}],
        "keepalived_processes": [{"name": "web", "process": "nginx"}],
        "keepalived_files": [{"name": "hold", "path": "/run/hold"}],
        "keepalived_bfds": [{"name": "uplink", "neighbour": ROUTER}],
    }
    hosts = {name: {"lvs_addresses": [f"192.168.0.{number}/24"]} for name, number in ADDRESSES.items()}
    variables = {"lvs_engine": "keepalived", "lvs_services": services, "lvs_vrrp": vrrp, **watched}
    return {"all": {"vars": variables, "hosts": hosts, "children": {"lvs_directors": {"hosts": {"lvs2": {}}}}}}


def holders() -> set[tuple[str, ...]]:
    """Who has each VIP."""
    shown = {name: on(name, "ip -o address show dev eth1") for name in DIRECTORS}
    return {tuple(name for name in DIRECTORS if f" {vip}/" in shown[name]) for vip in VIPS.values()}


def together() -> str:
    """Who has all of them."""
    until(lambda: holders() in ({("lvs1",)}, {("lvs2",)}), "one director has both VIPs")
    ((first,),) = holders()
    return first


def told(director: str) -> list[str]:
    return on(director, f"cat {TOLD} 2>/dev/null || true").splitlines()


def speaker() -> str:
    """A keepalived that does nothing but answer the directors' BFD."""
    intervals = "min_tx 300\n  min_rx 300"
    sessions = [
        f"bfd_instance {name} {{\n  neighbor_ip 192.168.0.{ADDRESSES[name]}\n  source_ip {ROUTER}\n  {intervals}\n}}\n"
        for name in DIRECTORS
    ]
    return "".join(sessions)


def put(host: str, path: str, text: str) -> None:
    subprocess.run([LAB, "exec", host, f"cat >{path} && chmod 755 {path}"], check=True, input=text, text=True)


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("watching")
    subprocess.run([LAB, "reset", "client", "router", *ADDRESSES], check=True)
    for name in DIRECTORS:
        put(name, "/usr/local/bin/tell", TELL)
        put(name, "/usr/local/bin/look", LOOK)
        on(name, "ip link add dummy9 type dummy && ip link set dummy9 up && nginx")
    on("router", "apt-get install --yes keepalived")
    put("router", "/etc/keepalived/keepalived.conf", speaker())
    on("router", "chmod 644 /etc/keepalived/keepalived.conf && systemctl restart keepalived")
    run_playbook("site", description(), folder)
    yield folder
    run_playbook("teardown", description(), folder)


def test_a_second_run_changes_nothing(folder: Path) -> None:
    together()
    assert "changed=0" in run_playbook("site", description(), folder).partition("lvs1")[2]


def test_who_takes_the_vips_is_told_without_rights(folder: Path) -> None:
    first = together()
    until(lambda: "nobody vrrp INSTANCE front MASTER 100" in told(first), "the new master's script has run")


@pytest.mark.parametrize(
    ("fails", "works"),
    [
        ("touch /run/down", "rm /run/down"),
        ("ip link set dummy9 down", "ip link set dummy9 up"),
        ("nginx -s stop", "nginx"),
        ("echo 1 >/run/hold", "rm /run/hold"),
        (f"iptables --append {HEARS_NOTHING}", f"iptables --delete {HEARS_NOTHING}"),
    ],
)
def test_what_one_of_them_watches_moves_all_of_a_group(fails: str, works: str) -> None:
    first = together()
    (second,) = set(DIRECTORS) - {first}
    on(first, f"rm -f {TOLD}; {fails}")
    until(lambda: holders() == {(second,)}, f"all VIPs have left {first}")
    until(lambda: any("front FAULT" in line for line in told(first)), "the one that failed is told")
    on(first, works)
    until(lambda: any("front BACKUP" in line for line in told(first)), "it has come back")
    assert holders() == {(second,)}


def test_who_wants_to_know_of_real_servers_is_told() -> None:
    for name in DIRECTORS:
        on(name, f"rm -f {TOLD}")
    on("rs1", "systemctl stop nginx; pkill -x nginx || true")
    for name in DIRECTORS:
        until(lambda name=name: {"nobody down", "nobody lost"} <= set(told(name)), f"{name} has been told")
