# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directors and real servers fail under an open load, and the engine changes: what clients notice, as a table."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import STAY, Seen, asking, without_answer
from cluster import run_playbook, until
from load import Request
from playing import LAB, on

VIP = "192.168.0.77"
DIRECTORS = ("lvs1", "lvs2")
SERVERS = ("rs1", "rs2")
ADDRESSES = {"lvs1": 75, "lvs2": 76, "rs1": 45, "rs2": 55}
LAG = 5  # seconds, in which directors have told each other of a new connection
ROWS: list[str] = []


def description(engine: str, **words: object) -> dict[str, object]:
    """A service on two real servers; with keepalived its VIP moves between two directors, as these words say."""
    servers = [{"host": name} for name in SERVERS]
    web: dict[str, object] = {"name": "web", "port": 80, "scheduler": "rr", "real_servers": servers}
    if engine == "kernel":
        web |= {"vips": [{"address": VIP}], "directors": ["lvs1"]}
    else:
        check = {"type": "http", "path": "/", "interval": 2, "timeout": 1, "fall": 2}
        web |= {"vips": [{"address": VIP, "vrrp": "front"}], "directors": list(DIRECTORS)}
        web |= {"checks": [check], "sorry_server": {"port": 8080}}
    vrrp = {
        "name": "front",
        "id": 51,
        "sync": True,
        "directors": [{"host": name, "priority": 100} for name in DIRECTORS],
        **words,
    }
    variables = {"lvs_engine": engine, "lvs_services": [web], "lvs_vrrp": [vrrp] if engine == "keepalived" else []}
    hosts = {name: {"lvs_addresses": [f"192.168.0.{number}/24"]} for name, number in ADDRESSES.items()}
    groups = {"lvs_directors": {"hosts": {"lvs2": {}}}}
    return {"all": {"vars": variables, "hosts": hosts, "children": groups}}


def site(engine: str, folder: Path, playbook: str = "site", **extra: str) -> str:
    """Run a playbook with the description of that engine; what it prints."""
    return run_playbook(playbook, description(engine), folder, **extra)


def holders() -> list[str]:
    """Who has the VIP on its network card now."""
    return [name for name in DIRECTORS if f" {VIP}/" in on(name, "ip -o address show dev eth1")]


def serving(director: str) -> set[str]:
    """The real servers with a weight in a director's table, by the last part of their address."""
    rules = on(director, "ipvsadm --save --numeric").splitlines()
    places = [line.split()[4] for line in rules if line.startswith("-a") and not line.endswith("-w 0")]
    return {place.partition(":")[0].rpartition(".")[2] for place in places}


BOTH = {str(ADDRESSES[name]) for name in SERVERS}


def one_holder() -> bool:
    return len(holders()) == 1


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cluster under keepalived, on fresh hosts; web servers on the directors stand in when no other answers."""
    folder = tmp_path_factory.mktemp("failover")
    subprocess.run([LAB, "reset", "client", "router", *DIRECTORS, *SERVERS], check=True)
    for name in DIRECTORS:
        on(name, "apt-get install --yes ipvsadm && echo sorry >/var/www/html/index.html && nginx")
    site("keepalived", folder)
    until(one_holder, "a director has the VIP")
    yield folder
    heads = (
        f"{'what happens':<44}{'s without an answer':>20}{'lost':>8}{'of':>8}{f'stayed of {STAY}':>14}   who answered"
    )
    print("\n\n" + "\n".join([heads, *ROWS]))


def told(what: str, load: Seen) -> list[Request]:
    """Add a row; every request of the last second was answered."""
    requests = sorted(load.requests(), key=lambda request: request.due)
    lost = [request for request in requests if request.trouble]
    answers = Counter(request.server for request in requests if not request.trouble)
    shown = ", ".join(f"{name} {count}" for name, count in sorted(answers.items()))
    ROWS.append(
        f"{what:<44}{without_answer(requests):>20.2f}{len(lost):>8}{len(requests):>8}{load.stayed:>14}   {shown}"
    )
    assert not [request for request in lost if request.due > requests[-1].due - 1], what
    return requests


def test_nothing_happens(folder: Path) -> None:
    """What the load itself loses."""
    with asking(VIP, folder / "nothing") as load:
        time.sleep(5)
    assert not [one for one in told("nothing", load) if one.trouble]
    assert load.stayed == STAY


def test_the_vip_is_moved_on_purpose(folder: Path) -> None:
    """No connection is lost, and no request but of a client that uses a port again.

    For two minutes the other director remembers where the port's last connection went, and hears of the next one late.
    One client that asks a hundred times a second meets that now and then; many clients hardly ever do.
    """
    for what in ("failover.yml", "failover.yml, the other way"):
        (first,) = holders()
        with asking(VIP, folder / "move") as load:
            time.sleep(LAG)
            site("keepalived", folder, "failover", lvs_leave=first, lvs_patience="3")
            time.sleep(2)
        assert len([one for one in told(what, load) if one.trouble]) <= 1
        assert load.stayed == STAY
        assert holders() == list(set(DIRECTORS) - {first})
        assert all(serving(name) == BOTH for name in DIRECTORS)
        assert " changed=0 " in site("keepalived", folder)


def test_a_director_without_the_vip_has_none_to_leave(folder: Path) -> None:
    (first,) = holders()
    (other,) = set(DIRECTORS) - {first}
    with asking(VIP, folder / "none") as load:
        said = site("keepalived", folder, "failover", lvs_leave=other, lvs_patience="3")
    assert f"{other} had none of the VIPs, so none was moved" in said
    assert not [one for one in told("failover.yml for a director without the VIP", load) if one.trouble]
    assert holders() == [first] and load.stayed == STAY


@pytest.mark.parametrize(
    ("what", "command"),
    [
        ("keepalived is stopped where the VIP is", "systemctl stop keepalived"),
        ("keepalived is killed there (SIGKILL)", "killall --signal KILL keepalived || pkill -KILL -x keepalived"),
    ],
)
def test_keepalived_ends_on_the_director_that_has_the_vip(folder: Path, what: str, command: str) -> None:
    """The other director takes the VIP; the first comes back and takes nothing from it."""
    (first,) = holders()
    (second,) = set(DIRECTORS) - {first}
    with asking(VIP, folder / "end") as load:
        time.sleep(LAG)
        on(first, command)
        until(lambda: holders() == [second], f"{second} has the VIP alone")
        time.sleep(3)
    told(what, load)
    assert serving(second) == BOTH
    with asking(VIP, folder / "back") as load:
        on(first, "systemctl start keepalived")
        time.sleep(6)
    assert not [one for one in told("it is started again", load) if one.trouble]
    assert holders() == [second]


def cut_power(what: str, folder: Path) -> tuple[str, str]:
    """Of the director that has the VIP; who had it, and who has it then."""
    (first,) = holders()
    (second,) = set(DIRECTORS) - {first}
    with asking(VIP, folder / "power") as load:
        time.sleep(LAG)
        subprocess.run([LAB, "kill", first], check=True)
        until(lambda: f" {VIP}/" in on(second, "ip -o address show dev eth1"), f"{second} has the VIP")
        time.sleep(3)
    told(what, load)
    return first, second


def test_a_director_loses_its_power(folder: Path) -> None:
    """The other director takes the VIP; the first comes back by itself and takes nothing from it."""
    first, second = cut_power("power cut of the director that has the VIP", folder)
    with asking(VIP, folder / "power on") as load:
        subprocess.run([LAB, "start", first], check=True)
        time.sleep(6)
    told("it is switched on again", load)
    assert holders() == [second]
    assert serving(first) == BOTH
    on(first, "nginx")


def test_a_cable_is_pulled(folder: Path) -> None:
    """The director that has the VIP is cut off from everybody, and does not know; then it is there again."""
    (first,) = holders()
    with asking(VIP, folder / "cable") as load:
        time.sleep(LAG)
        subprocess.run([LAB, "link", first, "lan", "down"], check=True)
        until(lambda: holders() == [*DIRECTORS], "both have the VIP")
        time.sleep(3)
    told("cable out of the director that has the VIP", load)
    with asking(VIP, folder / "cable in") as load:
        subprocess.run([LAB, "link", first, "lan", "up"], check=True)
        until(one_holder, "one has the VIP")
        time.sleep(3)
    told("it is plugged in again", load)
    until(lambda: all(serving(name) == BOTH for name in DIRECTORS), "both know of both servers")


def test_the_network_between_the_directors_is_cut(folder: Path) -> None:
    """Each believes that it is alone, until they hear each other again; first the one that gives in."""
    with asking(VIP, folder / "split") as load:
        time.sleep(LAG)
        for name in DIRECTORS:
            on(name, "iptables -I INPUT -p vrrp -j DROP")
        until(lambda: holders() == [*DIRECTORS], "both have the VIP")
        time.sleep(3)
    told("network cut between the directors", load)
    with asking(VIP, folder / "healed") as load:
        time.sleep(2)
        on("lvs1", "iptables -F INPUT")
        until(lambda: holders() == ["lvs2"], "the higher address stays")
        on("lvs2", "iptables -F INPUT")
        time.sleep(12)
    told("it is whole again", load)
    until(lambda: all(serving(name) == BOTH for name in DIRECTORS), "both know of both servers")


def test_a_service_dies_on_a_real_server(folder: Path) -> None:
    """It is out, and back when it is well."""
    (director,) = holders()
    with asking(VIP, folder / "dies") as load:
        time.sleep(2)
        on("rs1", "systemctl stop nginx")
        until(lambda: serving(director) == BOTH - {"45"}, "rs1 is out")
        time.sleep(3)
        on("rs1", "systemctl start nginx")
        until(lambda: serving(director) == BOTH, "rs1 is back")
        time.sleep(3)
    requests = told("the service dies on rs1, and is well again", load)
    assert {one.server for one in requests[-100:]} == set(SERVERS)


def test_every_real_server_dies(folder: Path) -> None:
    """The director's own page answers until one is back."""
    (director,) = holders()
    with asking(VIP, folder / "all") as load:
        time.sleep(2)
        for name in SERVERS:
            on(name, "systemctl stop nginx")
        until(lambda: serving(director) == {str(ADDRESSES[director])}, "the sorry server answers alone")
        time.sleep(3)
        for name in SERVERS:
            on(name, "systemctl start nginx")
        until(lambda: serving(director) == BOTH, "both are back")
        time.sleep(3)
    requests = told("all die, and are well again", load)
    assert {one.server for one in requests if not one.trouble} == {*SERVERS, "sorry"}


def test_drift_is_mended_and_a_dead_server_stays_out(folder: Path) -> None:
    """What others change in the table under keepalived comes right with the next run."""
    (director,) = holders()
    on("rs1", "systemctl stop nginx")
    until(lambda: serving(director) == BOTH - {"45"}, "rs1 is out")
    on(director, "ipvsadm --clear")
    site("keepalived", folder)
    assert serving(director) == BOTH - {"45"}
    on("rs1", "systemctl start nginx")
    until(lambda: serving(director) == BOTH, "rs1 is back")


def test_more_signs_of_life_find_a_power_cut_sooner(folder: Path) -> None:
    """With VRRP 3 and five a second."""
    fast = description("keepalived", version=3, advert_interval=0.2)
    run_playbook("site", fast, folder)
    until(one_holder, "one has the VIP")
    first, _second = cut_power("the same with five signs of life a second", folder)
    subprocess.run([LAB, "start", first], check=True)
    until(lambda: serving(first) == BOTH, f"{first} is ready again")
    on(first, "nginx")
    site("keepalived", folder)
    until(one_holder, "one has the VIP")


def test_the_engine_changes_and_changes_back(folder: Path) -> None:
    """From keepalived to the kernel's own table, and back, on the director that has the VIP."""
    (director,) = holders()
    if director != "lvs1":
        on(director, "systemctl restart keepalived")
        until(lambda: holders() == ["lvs1"], "lvs1 has the VIP")
    for engine, what in (("kernel", "from keepalived to kernel"), ("keepalived", "from kernel to keepalived")):
        with asking(VIP, folder / engine) as load:
            time.sleep(2)
            site(engine, folder)
            time.sleep(2)
        told(what, load)
        until(lambda: holders() == ["lvs1"], "lvs1 still has the VIP")
        assert serving("lvs1") == BOTH
    site("kernel", folder, "teardown")
    assert not holders()
    assert not any(serving(name) for name in DIRECTORS)
