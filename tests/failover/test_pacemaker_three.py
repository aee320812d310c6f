# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three directors of a cluster of Pacemaker, with a VIP of each family: one loses its power, then a second one."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import STAY, asking
from cluster import run_playbook, until
from playing import LAB, lab, on
from test_failover import ROWS, told

VIP, VIP6 = "192.168.0.77", "fd99:2::77"
DIRECTORS = {"lvs1": (75, 11), "lvs2": (76, 12), "lvs3": (183, 13)}
SERVERS = {"rs1": (45, 21), "rs2": (55, 22)}
CHECK = {"type": "http", "path": "/", "interval": 1, "timeout": 1, "fall": 2}
ASKED = 400
# One after the other, each on a connection of its own; how many had no answer within a second.
ASK6 = f"for i in $(seq {ASKED}); do curl --silent --max-time 1 'http://[{VIP6}]/' || echo lost; sleep 0.02; done"


def play(playbook: str, folder: Path, **extra: str) -> str:
    """Run a playbook on one service with both VIPs."""
    web: dict[str, object] = {"name": "web", "vips": [{"address": VIP}, {"address": VIP6}], "port": 80}
    web |= {"scheduler": "rr", "checks": [CHECK], "directors": list(DIRECTORS)}
    web |= {"real_servers": [{"host": name} for name in SERVERS]}
    nodes = [{"host": name, "id": number} for number, name in enumerate(DIRECTORS, 1)]
    front = {"name": "front", "directors": nodes, "fencing": False, "sync": {"id": 7}}
    variables = {"lvs_engine": "pacemaker", "lvs_services": [web], "lvs_pacemaker": [front]}
    hosts = {
        name: {"lvs_addresses": [f"192.168.0.{four}/24", f"fd99:2::{six}/64"]}
        for name, (four, six) in {**DIRECTORS, **SERVERS}.items()
    }
    groups = {"lvs_directors": {"hosts": {key: {} for key in DIRECTORS}}, "lvs_clients": {"hosts": {"client": {}}}}
    return run_playbook(playbook, {"all": {"vars": variables, "hosts": hosts, "children": groups}}, folder, **extra)


def holders(vip: str, among: tuple[str, ...] = tuple(DIRECTORS)) -> list[str]:
    return [name for name in among if f" {vip}/" in on(name, "ip -o address show dev eth1")]


@contextlib.contextmanager
def asking_six() -> Iterator[list[str]]:
    """Requests to the VIP of IPv6; what came of them is known after it."""
    answers: list[str] = []
    process = subprocess.Popen([LAB, "exec", "client", ASK6], stdout=subprocess.PIPE, text=True)
    yield answers
    answers += process.communicate()[0].split()


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("three")
    ROWS.clear()
    lab("reset", "client", "router", *DIRECTORS, *SERVERS)
    yield folder
    print("\n\n" + "\n".join(ROWS))
    lab("down", "lvs3")


def test_both_families_are_served_and_a_second_run_changes_nothing(folder: Path) -> None:
    play("site", folder)
    assert len(holders(VIP)) == 1 and holders(VIP) == holders(VIP6)
    assert " changed=0 " in play("site", folder)
    said = play("verify", folder)
    assert "it has a quorum, and lvs1 and lvs2 and lvs3 are in it" in said
    assert "ldirectord runs on lvs1 and lvs2 and lvs3" in said
    shown = on(holders(VIP6)[0], "ip -6 -o address show dev eth1")
    (line,) = [one for one in shown.splitlines() if f" {VIP6}/" in one]
    assert f"{VIP6}/128" in line and "deprecated" in line and "tentative" not in line


def test_they_move_on_purpose(folder: Path) -> None:
    (first,) = holders(VIP)
    with asking_six() as answers, asking(VIP, folder / "move") as load:
        time.sleep(4)
        play("failover", folder, lvs_leave=first, lvs_patience="3")
    told("three directors: failover.yml", load)
    ROWS.append(f"{'over IPv6, of ' + str(ASKED):<44}{answers.count('lost'):>28}")
    assert load.stayed == STAY and answers.count("lost") < ASKED / 100
    assert holders(VIP) == holders(VIP6) != [first]


def test_two_go_on_without_the_third_and_one_does_not_without_two(folder: Path) -> None:
    (first,) = holders(VIP)
    others = tuple(name for name in DIRECTORS if name != first)
    with asking_six() as answers, asking(VIP, folder / "power") as load:
        time.sleep(4)
        lab("kill", first)
        until(
            lambda: len(holders(VIP, others)) == 1 and holders(VIP6, others) == holders(VIP, others), "another has them"
        )
        time.sleep(3)
    told("three directors: power cut of the one with the VIP", load)
    ROWS.append(f"{'over IPv6, of ' + str(ASKED):<44}{answers.count('lost'):>28}")
    assert load.stayed == STAY
    assert 0 < answers.count("lost") < ASKED / 4 and answers[-1] in SERVERS
    (second,) = holders(VIP, others)
    (third,) = set(others) - {second}
    lab("kill", third)
    until(lambda: not holders(VIP, (second,)) and not holders(VIP6, (second,)), f"{second} has no quorum")
    lab("start", first, third)
    until(lambda: len(holders(VIP)) == 1 and holders(VIP) == holders(VIP6), "a director has them")
