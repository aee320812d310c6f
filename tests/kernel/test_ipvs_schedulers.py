# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each scheduler by what it does: who serves real requests, by its rule, over IPv4 and IPv6, TCP, UDP and SCTP."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import guest
import pytest
from ipvs import VIP, VIP6
from segment import ANSWER, Segment

NUMBER = {"rs1": 11, "rs2": 12, "rs3": 13}
PORTS = [80, 81]
CLIENTS = 60
FAMILIES = {
    "ipv4": (VIP, "192.0.2.{}", "198.51.100.{}", "ip route add 198.51.100.0/24 via 192.0.2.2"),
    "ipv6": (VIP6, "2001:db8::{:x}", "2001:db8:1::{:x}", "ip route add 2001:db8:1::/64 via 2001:db8::2"),
}


class Cluster:
    """A director (the host), a client with many addresses, three real servers behind direct routing."""

    def __init__(self, segment: Segment, family: str) -> None:
        self.vip, own, client, way = FAMILIES[family]
        self._segment = segment
        self._address = {name: own.format(number) for name, number in NUMBER.items()}
        self.sources = [client.format(number) for number in range(1, CLIENTS + 1)]
        length = 128 if ":" in self.vip else 32
        guest.sh(f"ip address add {self.vip}/{length} dev eth0 {'nodad' if ':' in self.vip else ''}; {way}")
        for name in NUMBER:
            segment.ask(name, f"ip address add {self.vip}/{length} dev lo; {way}")
            segment.ask(name, "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore")
            segment.ask(name, "echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce")
        batch = "\n".join(f"address add {source}/{length} dev lo" for source in self.sources)
        subprocess.run(["ip", "-n", "client", "-batch", "-"], input=batch, text=True, check=True)

    def serve(self, scheduler: str, weights: tuple[int, int, int] = (1, 1, 1), **options: Any) -> None:
        """Services of this kind on both ports and no others."""
        protocol = options.pop("protocol", "tcp")
        servers = [{"address": self._address[name], "weight": weight} for name, weight in zip(NUMBER, weights)]
        common = {"vip": self.vip, "protocol": protocol, "scheduler": scheduler, "real_servers": servers, **options}
        # Anew, for schedulers remember whose turn it is.
        guest.sh("ipvsadm -C")
        services = [{**common, "port": port} for port in PORTS]
        assert "failed" not in guest.run_module("ipvs_services", {"services": services, "purge_real_servers": True})

    def reweigh(self, scheduler: str, weights: tuple[int, int, int], **options: Any) -> None:
        """The same with other weights, in place."""
        servers = [{"address": self._address[name], "weight": weight} for name, weight in zip(NUMBER, weights)]
        common = {"vip": self.vip, "scheduler": scheduler, "real_servers": servers, **options}
        services = [{**common, "port": port} for port in PORTS]
        assert "failed" not in guest.run_module("ipvs_services", {"services": services})

    def ask(self, count: int = 1, port: int = 80, **how: Any) -> list[str]:
        """Who answered, one after another."""
        question = {"protocol": "tcp", "address": self.vip, "port": port, "count": count, **how}
        command = ["ip", "netns", "exec", "client", sys.executable, ANSWER, "ask", json.dumps([question])]
        [names] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return names

    def shares(self, count: int, **how: Any) -> list[int]:
        """How many of so many requests each real server answered."""
        names = Counter(self.ask(count, **how))
        assert sum(names[name] for name in NUMBER) == names.total(), names
        return [names[name] for name in NUMBER]


@pytest.fixture(name="cluster", params=FAMILIES)
def fixture_cluster(host: None, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    segment = Segment()
    segment.neighbours({"client": 2, **NUMBER})
    found = Cluster(segment, request.param)
    with contextlib.ExitStack() as stack:
        for name in NUMBER:
            stack.enter_context(segment.answering(name, *PORTS))
        yield found


def test_in_turn(cluster):
    cluster.serve("rr", (3, 2, 1))
    names = cluster.ask(9)
    assert set(names[:3]) == {*NUMBER} and names == names[:3] * 3  # whatever the weights
    cluster.serve("wrr", (3, 2, 1))
    assert cluster.shares(12) == [6, 4, 2]
    cluster.serve("wrr", (3, 0, 1))
    assert cluster.shares(12) == [9, 0, 3]


def test_by_connections(cluster):
    """Those that are open count, so they stay open while others come."""
    cluster.serve("lc", (3, 2, 1))
    assert cluster.shares(12, keep=True) == [4, 4, 4]
    cluster.serve("wlc", (3, 2, 1))
    assert cluster.shares(3, keep=True) == [1, 1, 1]
    cluster.serve("wlc", (3, 2, 1))
    assert cluster.shares(12, keep=True) == [6, 4, 2]
    cluster.serve("sed", (3, 2, 1))
    assert cluster.shares(3, keep=True) == [2, 1, 0]  # who is fast is asked again before who is slow is asked at all
    cluster.serve("sed", (3, 2, 1))
    assert cluster.shares(12, keep=True) == [6, 4, 2]
    cluster.serve("nq", (30, 2, 1))
    assert cluster.shares(3, keep=True) == [1, 1, 1]  # nobody is idle while others queue
    cluster.serve("nq", (30, 2, 1))
    assert cluster.shares(12, keep=True) == [10, 1, 1]


def test_one_before_the_next(cluster):
    cluster.serve("fo", (2, 3, 1))
    assert cluster.shares(12) == [0, 12, 0]
    cluster.reweigh("fo", (2, 0, 1))
    assert cluster.shares(12) == [12, 0, 0]
    cluster.serve("ovf", (3, 4, 2))
    names = cluster.ask(13, keep=True)  # who has more connections than its weight gets no other
    assert names[:12] == ["rs2"] * 5 + ["rs1"] * 4 + ["rs3"] * 3 and names[12] not in NUMBER


def test_by_destination(cluster):
    cluster.serve("dh")
    assert sorted(cluster.shares(12)) == [0, 0, 12]
    # A destination stays where it is until that is overloaded and somebody is idle; then lblc takes it elsewhere,
    # and lblcr takes another one in besides.
    cluster.serve("lblc", (2, 2, 2))
    assert sorted(cluster.shares(3, keep=True)) == [0, 0, 3]
    cluster.serve("lblc", (2, 2, 2))
    assert sorted(cluster.shares(12, keep=True)) == [3, 3, 6]
    cluster.serve("lblcr", (2, 2, 2))
    assert sorted(cluster.shares(3, keep=True)) == [0, 0, 3]
    cluster.serve("lblcr", (2, 2, 2))
    assert cluster.shares(12, keep=True) == [4, 4, 4]


def by_source(cluster, **how):
    """Who served each client, who has to be the same each time."""
    first = cluster.ask(sources=cluster.sources, **how)
    assert cluster.ask(sources=cluster.sources, **how) == first
    return first


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
def test_by_source(cluster, scheduler):
    cluster.serve(scheduler, (2, 1, 1))
    served = by_source(cluster)
    # To sh the service's port is nothing; mh makes another table for the same real servers at another port.
    assert (by_source(cluster, port=81) == served) == (scheduler == "sh")
    shares = [served.count(name) / CLIENTS for name in NUMBER]
    assert 0.3 < shares[0] < 0.7 and all(0.1 < share < 0.4 for share in shares[1:]), shares

    cluster.serve(scheduler, scheduler_flags=[f"{scheduler}-port"])
    assert all(cluster.shares(CLIENTS))  # one client, whose ports differ

    cluster.serve(scheduler)
    served = by_source(cluster)
    cluster.reweigh(scheduler, (1, 0, 1))
    drained = [name if name in NUMBER else "nobody" for name in by_source(cluster)]
    assert drained == ["nobody" if name == "rs2" else name for name in served]
    cluster.serve(scheduler, scheduler_flags=[f"{scheduler}-fallback"])
    assert by_source(cluster) == served
    cluster.reweigh(scheduler, (1, 0, 1), scheduler_flags=[f"{scheduler}-fallback"])
    fallen = by_source(cluster)
    assert "rs2" not in fallen and {*fallen} <= {*NUMBER}
    assert [one for one, was in zip(fallen, served) if was != "rs2"] == [was for was in served if was != "rs2"]


def test_by_chance(cluster):
    """Of two that chance names, who has less to do: far more even than chance alone."""
    cluster.serve("twos")
    assert all(15 <= share <= 25 for share in cluster.shares(60, keep=True))
    cluster.serve("twos", (1, 0, 1))
    assert cluster.shares(20, keep=True)[1] == 0


def test_over_udp_and_sctp(cluster):
    for protocol in ("udp", "sctp"):
        cluster.serve("wrr", (3, 2, 1), protocol=protocol)
        assert cluster.shares(12, protocol=protocol) == [6, 4, 2]
