# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directors fail under an open load in a cluster of Pacemaker, and the engine changes: what clients notice."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients import STAY, asking
from cluster import run_playbook, until
from playing import LAB, on
from test_failover import ADDRESSES, BOTH, DIRECTORS, LAG, ROWS, SERVERS, VIP, holders, one_holder, serving, told

CHECK = {"type": "http", "path": "/", "interval": 1, "timeout": 1, "fall": 2}
OTHERS = '<primitive id="site-dummy" class="ocf" provider="heartbeat" type="Dummy"/>'


def site(engine: str, folder: Path, playbook: str = "site", **extra: str) -> str:
    """Run a playbook on a service with two real servers; its VIP moves where the engine can do that."""
    servers = [{"host": name} for name in SERVERS]
    moves = engine in ("keepalived", "pacemaker")
    web: dict[str, object] = {"name": "web", "port": 80, "scheduler": "rr", "real_servers": servers}
    web |= {"vips": [{"address": VIP, **({"vrrp": "front"} if engine == "keepalived" else {})}]}
    web |= {"directors": list(DIRECTORS) if moves else ["lvs1"]}
    if engine != "kernel":
        web |= {"checks": [CHECK], "sorry_server": {"port": 8080}}
    directors = [{"host": name, "priority": 100} for name in DIRECTORS]
    vrrp = [{"name": "front", "id": 51, "directors": directors}] if engine == "keepalived" else []
    nodes = [{"host": name, "id": number} for number, name in enumerate(DIRECTORS, 1)]
    clusters = (
        [{"name": "front", "directors": nodes, "fencing": False, "sync": {"id": 7}}] if engine == "pacemaker" else []
    )
    variables = {"lvs_engine": engine, "lvs_services": [web], "lvs_vrrp": vrrp, "lvs_pacemaker": clusters}
    hosts = {name: {"lvs_addresses": [f"192.168.0.{number}/24"]} for name, number in ADDRESSES.items()}
    groups = {"lvs_directors": {"hosts": {"lvs2": {}}}}
    return run_playbook(playbook, {"all": {"vars": variables, "hosts": hosts, "children": groups}}, folder, **extra)


def ldirectords() -> list[str]:
    """Where ldirectord runs now."""
    return [name for name in DIRECTORS if on(name, "systemctl is-active ldirectord || true") == "active"]


def settled() -> bool:
    """Whether both directors are there and ready, and one has the VIP."""
    known = on("lvs1", "crm_mon --one-shot --output-as xml || true")
    return known.count('online="true"') == len(DIRECTORS) and one_holder() and ldirectords() == [*DIRECTORS]


@pytest.fixture(scope="module", name="folder", autouse=True)
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The VIP on one director, as the kernel's own table has it, on fresh hosts."""
    folder = tmp_path_factory.mktemp("pacemaker")
    ROWS.clear()
    subprocess.run([LAB, "reset", "client", "router", *DIRECTORS, *SERVERS], check=True)
    for name in DIRECTORS:
        packages = "corosync pacemaker pacemaker-cli-utils resource-agents ldirectord keepalived"
        on(name, f"apt-get install --yes --no-install-recommends {packages} && systemctl disable --now keepalived")
    site("kernel", folder)
    yield folder
    print("\n\n" + "\n".join(ROWS))


@pytest.mark.parametrize(
    ("before", "engine"),
    [("kernel", "pacemaker"), ("pacemaker", "keepalived"), ("keepalived", "pacemaker"), ("pacemaker", "ldirectord"),
     ("ldirectord", "pacemaker"), ("pacemaker", "kernel"), ("kernel", "pacemaker again")],
)  # fmt: skip
def test_the_engine_changes(folder: Path, before: str, engine: str) -> None:
    """The table and the VIP stay where they are, whoever looks after them."""
    with asking(VIP, folder / engine) as load:
        time.sleep(2)
        site(engine.split(maxsplit=1)[0], folder)
        time.sleep(2)
    told(f"from {before} to {engine}", load)
    assert serving("lvs1") == BOTH and holders() == ["lvs1"]
    if engine.startswith("pacemaker"):
        assert ldirectords() == [*DIRECTORS] and serving("lvs2") == BOTH
    assert " changed=0 " in site(engine.split(maxsplit=1)[0], folder)


def test_the_vip_is_moved_on_purpose(folder: Path) -> None:
    """There and back again; what the playbook does to move it stays nowhere."""
    for what in ("pacemaker: failover.yml", "pacemaker: failover.yml, the other way"):
        (first,) = holders()
        with asking(VIP, folder / "move") as load:
            time.sleep(LAG)
            site("pacemaker", folder, "failover", lvs_leave=first, lvs_patience="3")
            time.sleep(2)
        requests = told(what, load)
        assert len([one for one in requests if one.trouble]) < len(requests) / 100  # of machines that are slow
        assert load.stayed == STAY
        (second,) = set(DIRECTORS) - {first}
        assert holders() == [second] and ldirectords() == [*DIRECTORS]
        assert all(serving(name) == BOTH for name in DIRECTORS)
        assert "cli-" not in on("lvs1", "cibadmin --query --scope constraints")


def test_ldirectord_is_killed(folder: Path) -> None:
    """It is there again before the cluster has noticed, and the table has been there all the time."""
    (first,) = holders()
    with asking(VIP, folder / "kill") as load:
        time.sleep(2)
        on(first, "kill -KILL $(cat /run/ldirectord.ldirectord.pid)")
        until(lambda: first not in ldirectords(), "it has gone")
        until(lambda: first in ldirectords(), "it is back")
        time.sleep(12)  # longer than the cluster takes to look
    assert not [one for one in told("ldirectord is killed there (SIGKILL)", load) if one.trouble]
    assert holders() == [first]


def test_ldirectord_cannot_be_started(folder: Path) -> None:
    """The VIP goes where it runs; the table has been there all the time."""
    (first,) = holders()
    (second,) = set(DIRECTORS) - {first}
    with asking(VIP, folder / "dead") as load:
        time.sleep(2)
        on(first, "systemctl mask --runtime ldirectord; kill -KILL $(cat /run/ldirectord.ldirectord.pid)")
        until(lambda: holders() == [second], f"{second} has the VIP")
        time.sleep(3)
    told("ldirectord cannot be started there", load)
    on(first, "systemctl unmask --runtime ldirectord")
    site("pacemaker", folder)
    until(settled, "both are ready")
    assert holders() == [second]


def test_a_director_loses_its_power(folder: Path) -> None:
    """The other director takes the VIP; the first comes back by itself and takes nothing from it."""
    (first,) = holders()
    (second,) = set(DIRECTORS) - {first}
    with asking(VIP, folder / "power") as load:
        time.sleep(LAG)
        subprocess.run([LAB, "kill", first], check=True)
        until(lambda: f" {VIP}/" in on(second, "ip -o address show dev eth1"), f"{second} has the VIP")
        time.sleep(5)
    told("power cut of the director that has the VIP", load)
    assert load.stayed == STAY
    with asking(VIP, folder / "power on") as load:
        subprocess.run([LAB, "start", first], check=True)
        until(settled, "both are there")
        time.sleep(2)
    told("it is switched on again", load)
    assert holders() == [second]


def test_a_dead_server_stays_out_and_drift_is_mended(folder: Path) -> None:
    """In the table as in the cluster's configuration; resources of others are left alone."""
    on("lvs1", f"cibadmin --create --scope resources --xml-text '{OTHERS}'")
    on("rs1", "systemctl stop nginx")
    until(lambda: all(serving(name) == {"55"} for name in DIRECTORS), "rs1 is out")
    for name in DIRECTORS:
        on(name, "ipvsadm --clear")
        on(name, "sed -i 's/token: 1000/token: 1500/' /etc/corosync/corosync.conf")
    on("lvs1", "corosync-cfgtool -R")  # and then as a run leaves it that ends before it has told the cluster
    for name in DIRECTORS:
        on(name, "sed -i 's/token: 1500/token: 1000/' /etc/corosync/corosync.conf")
    on(
        "lvs2",
        "crm_resource --resource openlvs-ldirectord --meta --set-parameter target-role --parameter-value Stopped",
    )
    until(lambda: not ldirectords() and not holders(), "it is stopped by hand")
    site("pacemaker", folder)
    assert settled()
    assert [on(name, "corosync-cmapctl -g totem.token").split()[-1] for name in DIRECTORS] == ["1000", "1000"]
    until(lambda: all(serving(name) == {"55"} for name in DIRECTORS), "rs1 is still out")
    on("rs1", "systemctl start nginx")
    until(lambda: all(serving(name) == BOTH for name in DIRECTORS), "rs1 is back")
    assert " changed=0 " in site("pacemaker", folder)


def test_a_cluster_with_resources_of_others_goes_on_without_ours(folder: Path) -> None:
    """And goes, too, when these have gone."""
    site("pacemaker", folder, "teardown")
    resources = on("lvs1", "cibadmin --query --scope resources")
    assert "site-dummy" in resources and "openlvs" not in resources
    assert not holders() and not ldirectords() and not any(serving(name) for name in DIRECTORS)
    on("lvs1", "cibadmin --delete --scope resources --xml-text '<primitive id=\"site-dummy\"/>'")
    site("pacemaker", folder, "teardown")
    for name in DIRECTORS:
        assert on(name, "systemctl is-active corosync pacemaker || true").split() == ["inactive", "inactive"]
        assert on(name, "test -e /etc/corosync/authkey || echo none") == "none"
        assert "127.0.0.1" in on(name, "cat /etc/corosync/corosync.conf")
