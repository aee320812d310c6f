# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon a client beyond the router is served when a VIP appears, and when it moves to another director.

Both times are taken on the director by its own clock: when the address was there, and when the first request came of a
client that has been asking all the time. What it is without our announcements is measured as well.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playing import lab, on
from site_of_changes import RATE, Site, load, requests

VIPS = ("192.168.0.210", "fd99:2::210")
LIMIT = 1.0  # seconds
_WATCHES = {
    "address": "ip -ts monitor address",
    "asked": "tcpdump -i eth1 -nn -tttt -l -Q in ether dst {mac} and tcp dst port 80",
}


def description(director: str) -> dict[str, Any]:
    web = {
        "name": "web",
        "directors": [director],
        "vips": [{"address": vip} for vip in VIPS],
        "port": 80,
        "scheduler": "rr",
        "real_servers": [{"host": "rs1"}, {"host": "rs2"}],
    }
    hosts = {
        "lvs1": {"lvs_addresses": ["192.168.0.75/24", "fd99:2::11/64"]},
        "lvs2": {"lvs_addresses": ["192.168.0.76/24", "fd99:2::12/64"]},
        "rs1": {"lvs_addresses": ["192.168.0.45/24", "fd99:2::21/64"]},
        "rs2": {"lvs_addresses": ["192.168.0.55/24", "fd99:2::22/64"]},
    }
    group = {"lvs_directors": {"hosts": {"lvs1": {}, "lvs2": {}}}}
    return {"all": {"vars": {"lvs_services": [web]}, "hosts": hosts, "children": group}}


@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    lab("reset")
    site = Site(tmp_path_factory.mktemp("appearing") / "cluster.json")
    yield site
    site.play("playbooks/teardown.yml", description("lvs1"))


def mac_of(host: str) -> str:
    return on(host, "cat /sys/class/net/eth1/address").strip()


def watch(host: str) -> None:
    """Begin to note when addresses come and when somebody asks."""
    for name, command in _WATCHES.items():
        noting = f"exec {command.format(mac=mac_of(host))} >/tmp/{name} 2>/tmp/{name}.said"
        on(host, f"systemd-run -q --collect --unit=watch-{name} sh -c '{noting}'")
    on(host, "until grep -q listening /tmp/asked.said; do sleep 0.1; done")


def waits(host: str) -> dict[str, float | None]:
    """Seconds from each VIP's coming to the first request for it; None where none came."""
    on(host, "sleep 0.5; systemctl stop watch-address watch-asked")
    came, asked = (on(host, f"cat /tmp/{name}; rm /tmp/{name}*") for name in ("address", "asked"))
    found: dict[str, float | None] = {}
    for vip in VIPS:
        there = re.search(rf"^\[(\S+)\] (?!Deleted).*{re.escape(vip)}/", came, re.MULTILINE)
        assert there, f"{vip} never came to {host}: {came}"
        since = datetime.fromisoformat(there[1])
        times = [datetime.fromisoformat(line[:26]) for line in asked.splitlines() if f" > {vip}.80:" in line]
        after = [(when - since).total_seconds() for when in times if when >= since]
        found[vip] = min(after, default=None)
    return found


def served(path: Path) -> list[int]:
    """How many requests were lost to each VIP after its first answer."""
    lost = []
    for number in range(len(VIPS)):
        found = requests(path, number)
        first = next(index for index, one in enumerate(found) if not one[2])
        assert not found[-1][2], found[-1]
        lost.append(sum(bool(one[2]) for one in found[first:]))
    return lost


@pytest.mark.parametrize(("what", "director"), [("appears", "lvs1"), ("moves", "lvs2")])
def test_a_client_beyond_the_router_is_served_at_once(
    site: Site, what: str, director: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with load(tmp_path / "requests", *((vip, 80) for vip in VIPS)):
        time.sleep(2)  # the router knows by now who has the VIP, or that nobody has
        watch(director)
        site.site(description(director))
        found = waits(director)
    with capsys.disabled():
        shown = ", ".join(f"{vip} after {wait:.3f} s" for vip, wait in found.items() if wait is not None)
        lost = " and ".join(map(str, served(tmp_path / "requests")))
        print(
            f"\na VIP {what}: asked for at {director}: {shown}; lost from the first answer on, {RATE} a second: {lost}"
        )
    assert all(wait is not None and wait < LIMIT for wait in found.values()), found


def test_without_an_announcement_it_takes_longer(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The VIPs go back by hand, and nobody tells the router, which believes what it has heard last."""
    site.site(description("lvs2"))
    for vip in VIPS:
        on("router", f"ip neighbour replace {vip} lladdr {mac_of('lvs2')} dev eth2 nud reachable")
    with load(tmp_path / "requests", *((vip, 80) for vip in VIPS)):
        watch("lvs1")
        for vip in VIPS:
            length = 128 if ":" in vip else 32
            on("lvs2", f"ip address del {vip}/{length} dev eth1")
            on("lvs1", f"ip address add {vip}/{length} dev eth1 {'nodad' if ':' in vip else ''}")
        time.sleep(5 * LIMIT)
        found = waits("lvs1")
    for vip in VIPS:
        on("lvs1", f"ip address del {vip}/{128 if ':' in vip else 32} dev eth1")
    site.site(description("lvs2"))
    with capsys.disabled():
        print(f"\nwithout an announcement: {found} after {5 * LIMIT:.0f} s")
    assert set(found.values()) == {None}
