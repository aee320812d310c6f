# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients notice while site.yml changes a running cluster on the lab: how many new requests each change loses."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from playing import lab, on
from site_of_changes import RATE, Site, judge, load, requests

VIP, OTHER_VIP, OTHER_CLUSTER = "192.168.4.200", "192.168.4.201", "192.168.4.202"
BOTH = {"rs1", "rs2"}
TIMES = int(os.environ.get("TIMES", "1"))  # how often each change of forwarding is made


def description(device: str = "lo", moved: bool = False, **service: t.Any) -> dict[str, t.Any]:
    """A director in its real servers' own network, and another cluster with another director.

    :arg device: which holds the VIP on the real servers.
    :arg moved: whether rs2 has gone to the other cluster.
    """
    one, two = {"host": "rs1"}, {"host": "rs2"}
    web = {"name": "web", "directors": ["lvs1"], "vip": VIP, "port": 80, "scheduler": "rr"}
    web["real_servers"] = [one] if moved else [one, two]
    api = {"name": "api", "directors": ["lvs2"], "vip": OTHER_CLUSTER, "port": 80, "scheduler": "rr"}
    api["real_servers"] = [one, two] if moved else [one]
    routing = ["route replace default via 192.168.4.4 table 4"]
    hosts = {
        "lvs1": {"lvs_addresses": ["192.168.4.4/24"]},
        "lvs2": {"lvs_addresses": ["192.168.4.5/24"]},
        "rs1": {"lvs_addresses": ["192.168.4.3/24"], "lab_routing": [*routing, "rule add from 192.168.4.3 lookup 4"]},
        "rs2": {"lvs_addresses": ["192.168.4.2/24"], "lab_routing": [*routing, "rule add from 192.168.4.2 lookup 4"]},
    }
    variables = {"lvs_services": [{**web, **service}, api], "lvs_vip_interface": device}
    return {"all": {"vars": variables, "hosts": hosts}}


@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab("reset")
    site = Site(tmp_path_factory.mktemp("changing") / "cluster.json")
    site.play("molecule/default/prepare.yml", description())
    site.site(description())
    yield site
    site.play("playbooks/teardown.yml", description())


class Change(t.NamedTuple):
    """What a service is then, beside the words of ``description``, and how many requests may be lost."""

    name: str
    then: dict[str, t.Any]
    most: int = 0


# Each starts where the one before it has ended. Connections of direct routing that are open when it ends break: on a
# busy machine that may be what a second brings. On the way back others share the kernel's route with those that follow.
FORWARDS = [
    Change("dr -> nat", {"forward": "nat"}, RATE),
    Change("nat -> fullnat", {"forward": "fullnat"}),
    Change("fullnat -> nat", {"forward": "nat"}),
    Change("nat -> dr", {"forward": "dr"}, 3 * RATE),
    Change("dr -> fullnat", {"forward": "fullnat"}, RATE),
    Change("fullnat -> dr", {"forward": "dr"}, 3 * RATE),
]
CHANGES = [
    *FORWARDS * TIMES,
    Change("affinity none -> mark", {"affinity": "mark"}),
    Change("affinity mark -> none", {}),
    Change("scheduler rr -> wlc", {"scheduler": "wlc"}),
    Change("scheduler wlc -> rr", {}),
    Change("VIPs from lo to dummy0", {"device": "dummy0"}),
    Change("VIPs from dummy0 to lo", {}),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change(site: Site, change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with load(tmp_path / "requests", (VIP, 80)):
        site.site(description(**change.then))
    if change.then.get("forward", "dr") == "dr":
        held = on("rs1", f"ip -oneline address show to {VIP}").split()
        assert held[1] == change.then.get("device", "lo")
    with capsys.disabled():
        judge(change.name, requests(tmp_path / "requests"), change.most, BOTH)


def test_open_connections_break(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What direct routing loses when it ends is what was open at that moment: one burst, as long as they are open."""
    hold = 2.0
    with load(tmp_path / "requests", (VIP, 80), hold=hold):
        site.site(description(forward="nat"))
    found = requests(tmp_path / "requests")
    lost = [due for due, _server, trouble in found if trouble]
    with capsys.disabled():
        judge(f"dr -> nat, each open for {hold} s", found, round(2 * hold * RATE), BOTH)
        print(f"lost: those that began from {min(lost, default=0)} to {max(lost, default=0)} s")
    assert lost and max(lost) - min(lost) < 2 * hold
    site.site(description())


def test_a_real_server_goes_to_another_cluster(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost at either; in the end it serves the other one, and holds that one's VIP alone."""
    path = tmp_path / "requests"
    with load(path, (VIP, 80), (OTHER_CLUSTER, 80)):
        site.site(description(moved=True))
    with capsys.disabled():
        judge("rs2 to another cluster, at the old one", requests(path), 0, BOTH)
        judge("rs2 to another cluster, at the new one", requests(path, 1), 0, BOTH)
    assert requests(path)[-1][1] == "rs1"
    held = on("rs2", "ip -oneline -4 address show dev lo")
    assert OTHER_CLUSTER in held and VIP not in held
    site.site(description())


def test_another_vip(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The new one is served within a second of its first answer; the old one was up to its last."""
    path = tmp_path / "requests"
    with load(path, (VIP, 80), (OTHER_VIP, 80)):
        site.site(description(vip=OTHER_VIP))
    old, new = requests(path), requests(path, 1)
    first = next(number for number, request in enumerate(new) if not request[2])
    last = max(number for number, request in enumerate(old) if not request[2])
    with capsys.disabled():
        judge(f"another VIP, the new one from its first answer on, at {new[first][0]} s", new[first:], RATE, BOTH)
        judge(f"another VIP, the old one up to its last answer, at {old[last][0]} s", old[: last + 1], 0, BOTH)
    assert old[-1][2], "the old VIP still answers"
