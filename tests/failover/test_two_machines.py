# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two machines that are directors and real servers, and a client beyond the router; there is no other host."""

from __future__ import annotations

import ast
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml
from cluster import inventory_of, play, until
from playing import CHECKOUT, LAB, on

MACHINES = ("lvs1", "lvs2")
EXAMPLE = CHECKOUT / "examples/two_machines.yml"
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


@dataclass(frozen=True)
class Pair:
    """Two machines.

    :attr own: their addresses.
    :attr itself: where the director that has the VIP serves when nobody else does.
    :attr synced: whether they tell each other of connections.
    """

    vip: str
    own: tuple[str, str]
    prefix: int
    itself: str
    synced: bool

    @property
    def place(self) -> str:
        """The VIP as it stands before a port."""
        return f"[{self.vip}]" if ":" in self.vip else self.vip

    def asked(self, times: int) -> Counter[str]:
        """Who answered so many requests of the client, one after another."""
        command = [LAB, "exec", "client", "python3 -"]
        text = ASK.format(times=times, vip=self.place)
        done = subprocess.run(command, check=True, input=text, capture_output=True, text=True)
        return Counter(ast.literal_eval(done.stdout))

    def holders(self) -> list[str]:
        return [name for name in MACHINES if f" {self.vip}/" in on(name, "ip -o address show dev eth1")]

    def holder(self) -> str:
        until(lambda: len(self.holders()) == 1, "one has the VIP")
        return self.holders()[0]

    def serving(self, director: str) -> set[str]:
        """Whom a director balances among."""
        rules = on(director, "ipvsadm --save --numeric").splitlines()
        places = [line.split()[4] for line in rules if line.startswith(f"-a -t {self.place}:")]
        return {place.rpartition(":")[0].strip("[]") for place in places}


EXAMPLES_OWN = Pair("172.25.0.200", ("172.25.0.33", "172.25.0.34"), 24, "127.0.0.1", synced=False)
BY_IPV6 = Pair("fd99:2::200", ("fd99:2::11", "fd99:2::12"), 64, "::1", synced=True)


def by_ipv6() -> str:
    """The example in IPv6, with directors that tell each other of connections."""
    described = yaml.safe_load(EXAMPLE.read_text())
    hosts, variables = described["all"]["hosts"], described["all"]["vars"]
    for name, address in zip(MACHINES, BY_IPV6.own):
        hosts[name]["lvs_addresses"] = [f"{address}/{BY_IPV6.prefix}"]
    (vrrp,), (web,) = variables["lvs_vrrp"], variables["lvs_services"]
    del vrrp["multicast"], variables["keepalived_auth_pass"]
    vrrp["sync"] = True
    web["vips"][0]["address"] = BY_IPV6.vip
    web["sorry_server"]["address"] = "::1"
    return json.dumps(described)


@pytest.fixture(scope="module", autouse=True, name="pair", params=[EXAMPLES_OWN, BY_IPV6], ids=["example", "ipv6"])
def fixture_pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair: Pair = request.param
    folder = tmp_path_factory.mktemp("machines")
    subprocess.run([LAB, "reset", "client", "router", *MACHINES], check=True)
    on("router", "ip address add 172.25.0.1/24 dev eth2")
    for name, address in zip(MACHINES, pair.own):
        on(name, f"ip address replace {address}/{pair.prefix} dev eth1; mkdir -p /var/www/html")
        on(name, "hostname >/var/www/html/index.html && nginx")
    description = folder / "description.yml"
    description.write_text(EXAMPLE.read_text() if pair is EXAMPLES_OWN else by_ipv6())
    inventories = inventory_of(("client", "router", *MACHINES), folder), description
    play("site", *inventories)
    until(lambda: all(pair.serving(name) == set(pair.own) for name in MACHINES), "all servers are there")
    pair.holder()
    yield pair
    play("teardown", *inventories)
    for name in MACHINES:
        assert pair.vip not in on(name, "ip address show")
        assert "openlvs" not in on(name, "nft list ruleset")


def all_are_served(pair: Pair) -> None:
    """By both in turn; with connection sync, a port that is used again may come to the same machine as before."""
    answers = pair.asked(1000)
    assert set(answers) == set(MACHINES) and min(answers.values()) >= (400 if pair.synced else 500), answers


def test_each_request_is_answered_before_and_after_a_failover(pair: Pair) -> None:
    """And where a keepalived that was stopped is started again, nobody notices; and back."""
    first = pair.holder()
    all_are_served(pair)
    (second,) = set(MACHINES) - {first}
    on(first, "systemctl stop keepalived")
    until(lambda: pair.holders() == [second], f"{second} has the VIP")
    assert pair.serving(second) == set(pair.own)
    all_are_served(pair)
    on(first, "systemctl start keepalived")
    until(lambda: pair.serving(first) == set(pair.own), f"{first} is ready again")
    all_are_served(pair)
    assert pair.holders() == [second]
    on(second, "systemctl stop keepalived")
    until(lambda: pair.holders() == [first], f"{first} has the VIP")
    on(second, "systemctl start keepalived")
    until(lambda: pair.serving(second) == set(pair.own), f"{second} is ready again")
    all_are_served(pair)


def test_without_the_mark_packets_go_in_circles(pair: Pair) -> None:
    """What the mark is for."""
    (other,) = set(MACHINES) - {pair.holder()}
    on(other, "nft delete table inet openlvs_director")
    try:
        assert pair.asked(40)["nobody"] >= 5
    finally:
        on(other, "nft --file /etc/openlvs/director.nft")
    assert not pair.asked(40)["nobody"]


def test_a_web_server_that_stops_is_out_until_it_is_back(pair: Pair) -> None:
    on("lvs2", "nginx -s stop")
    until(lambda: all(pair.serving(name) == {pair.own[0]} for name in MACHINES), "lvs2 is out")
    assert pair.asked(100) == {"lvs1": 100}
    on("lvs2", "nginx")
    until(lambda: all(pair.serving(name) == set(pair.own) for name in MACHINES), "lvs2 is back")
    assert pair.asked(100) == {"lvs1": 50, "lvs2": 50}


def test_without_any_page_the_director_itself_answers(pair: Pair) -> None:
    """Its web server lives; it has no page to show."""
    for name in MACHINES:
        on(name, "mv /var/www/html/index.html /var/www/html/other.html")
    until(lambda: all(pair.serving(name) == {pair.itself} for name in MACHINES), "the director itself serves")
    here = pair.holder()
    assert on("client", f"curl --silent http://{pair.place}/other.html") == here
    for name in MACHINES:
        on(name, "mv /var/www/html/other.html /var/www/html/index.html")
    until(lambda: all(pair.serving(name) == set(pair.own) for name in MACHINES), "both are back")
