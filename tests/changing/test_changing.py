# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients notice while site.yml changes a running cluster on the lab: how many new requests each change loses."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "tests" / "lab" / "lab"
ASKING = Path(__file__).with_name("asking.py")
VIP, RATE = "192.168.4.200", 20


def lab(*words: str) -> str:
    return subprocess.run([LAB, *words], check=True, capture_output=True, text=True).stdout


def description(device: str = "lo", **service: Any) -> dict[str, Any]:
    """A director in its real servers' own network.

    :arg device: which holds the VIP on the real servers.
    """
    web = {"name": "web", "vip": VIP, "port": 80, "scheduler": "rr", "real_servers": [{"host": "rs1"}, {"host": "rs2"}]}
    routing = ["route replace default via 192.168.4.4 table 4"]
    hosts = {
        "lvs1": {"lvs_addresses": ["192.168.4.4/24"]},
        "rs1": {"lvs_addresses": ["192.168.4.3/24"], "lab_routing": [*routing, "rule add from 192.168.4.3 lookup 4"]},
        "rs2": {"lvs_addresses": ["192.168.4.2/24"], "lab_routing": [*routing, "rule add from 192.168.4.2 lookup 4"]},
    }
    return {"all": {"vars": {"lvs_services": [{**web, **service}], "lvs_vip_interface": device}, "hosts": hosts}}


class Cluster:
    """The described cluster on the lab."""

    def __init__(self, inventory: Path) -> None:
        self._inventory = inventory

    def play(self, playbook: str, **service: Any) -> None:
        self._inventory.write_text(json.dumps(description(**service)))
        command = ["ansible-playbook", "-i", lab("inventory").strip(), "-i", str(self._inventory), playbook]
        environment = {**os.environ, "ANSIBLE_HOME": str(CHECKOUT / ".ansible"), "ANSIBLE_PIPELINING": "1"}
        done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    lab("up")
    cluster = Cluster(tmp_path_factory.mktemp("changing") / "cluster.json")
    cluster.play("molecule/default/prepare.yml")
    cluster.play("playbooks/site.yml", forward="dr")
    yield cluster
    cluster.play("playbooks/teardown.yml")


@contextlib.contextmanager
def load(path: Path) -> Iterator[None]:
    """Requests of the client, as lines of the file."""
    code = ASKING.read_text().replace("'", "'\\''")
    command = [LAB, "exec", "client", f"python3 -c '{code}' {VIP} 80 {RATE}"]
    with path.open("w") as lines, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=lines) as asking:
        try:
            yield
        finally:
            assert asking.stdin
            asking.stdin.close()
            assert asking.wait() == 0


def judge(change: str, path: Path, most: int) -> None:
    """Say what was lost, and see that it is not more than that."""
    requests = [json.loads(line) for line in path.read_text().splitlines()]
    lost = [request for request in requests if request[2]]
    answered = Counter(server for _due, server, trouble in requests if not trouble)
    print(f"\n{change}: {len(lost)} of {len(requests)} requests lost, {RATE} a second; answered: {dict(answered)}")
    assert len(lost) <= most, lost
    assert set(answered) == {"rs1", "rs2"} and len(requests) > RATE


@pytest.mark.parametrize(("change", "most"), [("dr -> nat", 0), ("nat -> dr", 3 * RATE)])
def test_another_way_to_forward(
    cluster: Cluster, change: str, most: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No new request is lost; but some are when connections that are masqueraded share the kernel's route."""
    with load(tmp_path / "requests"):
        cluster.play("playbooks/site.yml", forward=change.rpartition(" ")[2])
    with capsys.disabled():
        judge(change, tmp_path / "requests", most)


@pytest.mark.parametrize("change", ["lo -> dummy0", "dummy0 -> lo"])
def test_another_device_for_the_vips(
    cluster: Cluster, change: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The VIP stands on the new device, which is made first, before it leaves the old one."""
    with load(tmp_path / "requests"):
        cluster.play("playbooks/site.yml", forward="dr", device=change.rpartition(" ")[2])
    assert lab("exec", "rs1", f"ip -oneline address show to {VIP}").split()[1] == change.rpartition(" ")[2]
    with capsys.disabled():
        judge(change, tmp_path / "requests", 0)
