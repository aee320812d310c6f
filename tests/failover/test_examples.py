# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the documentation of the modules that need running daemons, one after another on a director."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from playing import inventory, lab, on, run

MODULES = "ansible_collections.openlvs.lvs.plugins.modules."
DIRECTOR = "lvs1"


@pytest.fixture(scope="module", name="director", autouse=True)
def fixture_director() -> None:
    """A director in the networks of the examples."""
    lab("reset", DIRECTOR)
    on(DIRECTOR, "apt-get install --yes ipvsadm keepalived ldirectord nftables python3-pyroute2")
    on(DIRECTOR, "apt-get install --yes --no-install-recommends corosync pacemaker pacemaker-cli-utils resource-agents")
    on(DIRECTOR, "systemctl stop keepalived ldirectord pacemaker corosync")
    on(DIRECTOR, "rm -f /etc/keepalived/keepalived.conf")
    on(DIRECTOR, "ip address add 198.51.100.1/24 dev eth1 && ip address add 192.0.2.1/24 dev eth1")


def examples(name: str) -> list[dict[str, Any]]:
    """The tasks of a module's documentation."""
    found = yaml.safe_load(importlib.import_module(MODULES + name).EXAMPLES)
    assert found
    return list(found)


def changes(folder: Path, task: dict[str, Any], *words: str) -> int:
    """How many tasks changed something."""
    (folder / "play.yml").write_text(yaml.safe_dump([{"hosts": DIRECTOR, "gather_facts": False, "tasks": [task]}]))
    code, output = run(folder / "play.yml", [inventory()], *words)
    assert code == 0, output
    found = re.search(r"changed=(\d+)", output)
    assert found
    return int(found[1])


def once(folder: Path, task: dict[str, Any]) -> None:
    """Check mode says what is done, and the second run does nothing."""
    assert changes(folder, task, "--check") == 1, task["name"]
    assert changes(folder, task) == 1, task["name"]
    assert changes(folder, task) == 0, task["name"]


def table() -> str:
    return on(DIRECTOR, "ipvsadm --save --numeric")


def test_keepalived(tmp_path: Path) -> None:
    """Keepalived looks after a real server; packets for it go to another director for a while; keepalived goes."""
    begin, end = examples("lvs_keepalived")
    everything, nothing_new, nothing = examples("lvs_relay")
    once(tmp_path, begin)
    assert on(DIRECTOR, "systemctl is-active keepalived") == "active"
    assert "-A -t 192.0.2.10:80 -s wlc" in table()
    once(tmp_path, everything)
    assert "-r 198.51.100.2:80 -g -w 1" in table()
    once(tmp_path, nothing_new)
    assert "-r 198.51.100.2:80 -g -w 0" in table()
    once(tmp_path, nothing)
    assert "198.51.100.2" not in table()
    for task in examples("lvs_step_down"):
        assert changes(tmp_path, task) == 0, "there is no VIP that another director could take"
    once(tmp_path, end)
    assert on(DIRECTOR, "systemctl is-active keepalived || true") == "inactive"


def test_ldirectord(tmp_path: Path) -> None:
    """Ldirectord looks after a real server, and leaves what it has made."""
    begin, end = examples("lvs_ldirectord")
    once(tmp_path, begin)
    assert on(DIRECTOR, "systemctl is-active ldirectord") == "active"
    assert "-A -t 192.0.2.10:80 -s wlc" in table()
    once(tmp_path, end)
    assert on(DIRECTOR, "systemctl is-active ldirectord || true") == "inactive"
    assert "-A -t 192.0.2.10:80 -s wlc" in table()


def test_a_cluster(tmp_path: Path) -> None:
    """One director of two is there, and has all; there is nobody to move it to."""
    corosync = "openlvs.lvs.lvs_corosync"
    be_there, leave = examples("lvs_corosync")
    group, move, end = examples("lvs_pacemaker")
    config = be_there[corosync]["config"]
    second = config[config.index("    node {\n        name: lvs2") : config.index("}\nquorum")]
    be_there[corosync] |= {"config": config.replace(second, "").replace("two_node: 1", ""), "authkey": "k" * 128}
    once(tmp_path, be_there)
    once(tmp_path, group)
    assert " 192.0.2.10/32 " in on(DIRECTOR, "ip -o address show dev eth1")
    assert on(DIRECTOR, "systemctl is-active ldirectord") == "active"
    assert changes(tmp_path, move) == 0
    once(tmp_path, end)
    once(tmp_path, leave)
    assert " 192.0.2.10/" not in on(DIRECTOR, "ip -o address show")
    assert on(DIRECTOR, "systemctl is-active pacemaker corosync ldirectord || true").split() == ["inactive"] * 3


def test_a_firewall(tmp_path: Path) -> None:
    """What a firewall drops is said, let in, and kept out again."""
    chain = "type filter hook input priority 0; policy drop; tcp dport 22 accept; ct state established accept;"
    on(DIRECTOR, f"echo 'table inet filter {{ chain input {{ {chain} }}; }}' | nft --file -")
    rules = on(DIRECTOR, "nft list table inet filter")
    say, let_in, close = examples("lvs_firewall")
    assert changes(tmp_path, say) == 0
    once(tmp_path, let_in)
    assert "192.0.2.10" in on(DIRECTOR, "nft list table inet filter")
    once(tmp_path, close)
    assert on(DIRECTOR, "nft list table inet filter") == rules
