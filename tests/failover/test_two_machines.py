# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two machines that are directors and real servers, and a client beyond the router; there is no other host."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from clients import LAB, on
from cluster import CHECKOUT, inventory_of, play, until

VIP = "172.25.0.200"
OWN = {"lvs1": "172.25.0.33", "lvs2": "172.25.0.34"}
MACHINES = tuple(OWN)
ASK = """
import collections, urllib.request
answers = collections.Counter()
for _number in range({times}):
    try:
        answers[urllib.request.urlopen("http://{vip}/", timeout=2).read().decode().strip()] += 1
    except OSError:
        answers["nobody"] += 1
print(dict(answers))
"""


def asked(times: int) -> Counter[str]:
    """Who answered so many requests of the client, one after another."""
    command = [LAB, "exec", "client", "python3 -"]
    text = ASK.format(times=times, vip=VIP)
    return Counter(
        ast.literal_eval(subprocess.run(command, check=True, input=text, capture_output=True, text=True).stdout)
    )


def holders() -> list[str]:
    return [name for name in MACHINES if f" {VIP}/" in on(name, "ip -o address show dev eth1")]


def holder() -> str:
    until(lambda: len(holders()) == 1, "one has the VIP")
    return holders()[0]


def serving(director: str) -> set[str]:
    """Whom a director balances among."""
    rules = on(director, "ipvsadm --save --numeric").splitlines()
    places = [line.split()[4] for line in rules if line.startswith(f"-a -t {VIP}:")]
    return {place.partition(":")[0] for place in places}


@pytest.fixture(scope="module", autouse=True)
def fixture_machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("machines")
    subprocess.run([LAB, "reset", "client", "router", *MACHINES], check=True)
    on("router", "ip address add 172.25.0.1/24 dev eth2")
    for name, address in OWN.items():
        on(name, f"ip address add {address}/24 dev eth1; mkdir -p /var/www/html")
        on(name, "hostname >/var/www/html/index.html && nginx")
    inventories = inventory_of(("client", "router", *MACHINES), folder), CHECKOUT / "examples/two_machines.yml"
    play("site", *inventories)
    until(lambda: len(holders()) == 1 and all(serving(name) == set(OWN.values()) for name in MACHINES), "all is there")
    yield
    play("teardown", *inventories)
    for name in MACHINES:
        assert VIP not in on(name, "ip address show")
        assert "openlvs" not in on(name, "nft list ruleset")


def test_each_request_is_answered_before_and_after_a_failover() -> None:
    """And where a keepalived that was stopped is started again, nobody notices; and back."""
    first = holder()
    assert asked(1000) == {"lvs1": 500, "lvs2": 500}
    (second,) = set(MACHINES) - {first}
    on(first, "systemctl stop keepalived")
    until(lambda: holders() == [second], f"{second} has the VIP")
    assert serving(second) == set(OWN.values())
    assert asked(1000) == {"lvs1": 500, "lvs2": 500}
    on(first, "systemctl start keepalived")
    until(lambda: serving(first) == set(OWN.values()), f"{first} is ready again")
    assert asked(1000) == {"lvs1": 500, "lvs2": 500}
    assert holders() == [second]
    on(second, "systemctl stop keepalived")
    until(lambda: holders() == [first], f"{first} has the VIP")
    on(second, "systemctl start keepalived")
    until(lambda: serving(second) == set(OWN.values()), f"{second} is ready again")
    assert asked(1000) == {"lvs1": 500, "lvs2": 500}


def test_without_the_mark_packets_go_in_circles() -> None:
    """What the mark is for."""
    (other,) = set(MACHINES) - {holder()}
    on(other, "nft delete table inet openlvs_director")
    try:
        assert asked(40)["nobody"] >= 5
    finally:
        on(other, "nft --file /etc/openlvs/director.nft")
    assert not asked(40)["nobody"]


def test_a_web_server_that_stops_is_out_until_it_is_back() -> None:
    on("lvs2", "nginx -s stop")
    until(lambda: all(serving(name) == {OWN["lvs1"]} for name in MACHINES), "lvs2 is out")
    assert asked(100) == {"lvs1": 100}
    on("lvs2", "nginx")
    until(lambda: all(serving(name) == set(OWN.values()) for name in MACHINES), "lvs2 is back")
    assert asked(100) == {"lvs1": 50, "lvs2": 50}


def test_without_any_page_the_director_itself_answers() -> None:
    """Its web server lives; it has no page to show."""
    for name in MACHINES:
        on(name, "mv /var/www/html/index.html /var/www/html/other.html")
    until(lambda: all(serving(name) == {"127.0.0.1"} for name in MACHINES), "the director itself serves")
    here = holder()
    assert on("client", f"curl --silent http://{VIP}/other.html") == here
    for name in MACHINES:
        on(name, "mv /var/www/html/other.html /var/www/html/index.html")
    until(lambda: all(serving(name) == set(OWN.values()) for name in MACHINES), "both are back")
