# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action as playbooks call it: the variables of a real inventory, and time and memory of a large one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from ansible_collections.openlvs.lvs.plugins.plugin_utils import _cluster
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.hosts import DESCRIPTION_VARIABLES, HOST_VARIABLES
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.servers import CHECK_KEYS, SERVER_KEYS
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import SERVICE_KEYS, VIP_KEYS, Section

CHECKOUT = Path(__file__).resolve().parents[3]
SERVICES, SERVERS = 200, 50
ENOUGH = 5  # seconds of this process: ten times what it takes
PLAY = """
- hosts: all
  gather_facts: false
  connection: local
  tasks:
    - openlvs.lvs.cluster:
        live: "{{ live | default(true) | bool }}"
      run_once: true
      register: lvs_cluster
    - ansible.builtin.copy:
        content: "{{ lvs_cluster | to_json }}"
        dest: "{{ playbook_dir }}/result.json"
        mode: "0600"
      run_once: true
"""
INVENTORY = """
all:
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    port_of_all: 80
  children:
    blue:
      vars:
        lvs_service_defaults: {scheduler: rr}
        lvs_services: "{{ described }}"
        described:
          - name: blue
            directors: [lvs1]
            vip: "{{ blue_vip }}"
            port: "{{ port_of_all }}"
            real_servers: [{host: rs1, weight: "{{ 1 + 1 }}"}]
        blue_vip: 192.0.2.77
      hosts:
        lvs1: {lvs_addresses: [192.0.2.5/24], lvs_interface: eth1}
        rs1: {lvs_addresses: ["{{ '192.0.2.' ~ 11 }}"]}
    green:
      vars:
        lvs_services:
          - {name: green, directors: [lvs2], vip: 192.0.2.78, port: 81, real_servers: [{host: rs2}]}
      hosts:
        lvs2: {lvs_addresses: [192.0.2.6/24], lvs_interface: eth1}
        rs2: {lvs_addresses: [192.0.2.12], lvs_maintenance: true}
"""


def play(folder: Path, inventory: str, *arguments: str, playbook: str = PLAY) -> tuple[str, dict]:
    (folder / "inventory.yml").write_text(inventory)
    (folder / "play.yml").write_text(playbook)
    environment = {**os.environ, "ANSIBLE_HOME": str(CHECKOUT / ".ansible"), "ANSIBLE_NOCOLOR": "1"}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventory.yml", "play.yml", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    result = folder / "result.json"
    return done.stdout, json.loads(result.read_text()) if result.exists() else {}


def test_two_clusters_in_one_inventory(tmp_path):
    output, result = play(tmp_path, INVENTORY)
    assert "failed=0" in output
    assert [(one["name"], one["scheduler"], one["port"]) for one in result["services"]] == [
        ("blue", "rr", 80),
        ("green", "wlc", 81),
    ]
    (blue,) = result["views"]["lvs1"]["director_services"]
    assert blue["real_servers"] == [{"name": "rs1", "address": "192.0.2.11", "port": 80, "weight": 2, "forward": "dr"}]
    assert result["views"]["lvs2"]["director_services"][0]["real_servers"][0]["weight"] == 0


def test_a_proof_does_not_flatter(tmp_path):
    """Nobody has looked at anything."""
    tasks = "    - openlvs.lvs.proof: {cluster: '{{ lvs_cluster }}'}\n      run_once: true\n"
    output, _result = play(tmp_path, INVENTORY, playbook=PLAY + tasks)
    assert "FAILS   rs1: it is silent about VIP 192.0.2.77 -- nobody could look at rs1" in output
    assert re.search(r"Of \d+ claims 0 hold, \d+ fail, \d+ could not be asked", output)
    assert "failed=1" in output


def test_all_findings_of_an_inventory_in_one_message(tmp_path):
    wrong = (
        INVENTORY.replace("rs2}]", "rs9}]")
        .replace("192.0.2.77", "192.0.2.5")
        .replace("lvs_maintenance", "lvs_maintainance")
    )
    output, result = play(tmp_path, wrong)
    assert result == {}
    text = re.sub(r"\s+", " ", output)
    assert "Findings in the description of the clusters: 2. Nothing was changed." in text
    assert "lvs1: lvs_services[0] blue: vip 192.0.2.5 is lvs1's own address" in text
    assert (
        "lvs2: lvs_services[0] green real_servers[0]: host 'rs9' is not in the inventory (did you mean 'rs2'?)" in text
    )
    assert "rs2: variable lvs_maintainance is read by nothing (did you mean 'lvs_maintenance'?)" in text


@pytest.mark.parametrize(("live", "says"), [("true", "is set for no host of this inventory"), ("false", "failed=0")])
def test_an_inventory_without_a_description(tmp_path, live, says):
    output, _result = play(tmp_path, INVENTORY.replace("lvs_services:", "other:"), "-e", f"live={live}")
    assert says in output


def test_a_description_that_cannot_be_resolved_is_not_called_missing(tmp_path):
    unknown = INVENTORY.replace("{{ described }}", "{{ nowhere }}").replace("lvs_services:\n", "other:\n")
    output, result = play(tmp_path, unknown)
    text = re.sub(r"\s+", " ", output)
    assert "Findings in the description of the clusters: 2. Nothing was changed." in text
    assert "lvs1: lvs_services cannot be resolved: 'nowhere' is undefined" in text
    assert "is set for no host" not in text and result == {}


def test_two_hundred_services_with_fifty_real_servers_each():
    hosts = {"lvs1": {"lvs_addresses": ["10.1.0.1/16"], "lvs_interface": "eth1"}}
    hosts.update({f"rs{n}": {"lvs_addresses": [f"10.1.0.{n + 10}/16"]} for n in range(SERVERS)})
    services = [
        {"name": f"s{n}", "vip": f"10.1.200.{n + 1}", "port": 80, "real_servers": [{"group": "lvs_real_servers"}]}
        for n in range(SERVICES)
    ]
    groups = {
        "all": list(hosts),
        "lvs_directors": ["lvs1"],
        "lvs_real_servers": [name for name in hosts if name != "lvs1"],
    }
    findings = Findings()
    start = time.process_time()
    result = _cluster.build(
        _cluster.Source([Section("lvs_services", services)], [], hosts, groups), findings, live=True
    )
    seconds = time.process_time() - start
    assert findings.findings == []
    assert sum(len(one["real_servers"]) for one in result["views"]["lvs1"]["director_services"]) == SERVICES * SERVERS
    assert seconds < ENOUGH, f"{seconds:.1f} s"


def test_the_example_inventory_is_fine():
    inventory = yaml.safe_load((CHECKOUT / "examples" / "inventory.yml").read_text())["all"]
    groups = {name: list(group["hosts"]) for name, group in inventory["children"].items()}
    hosts = {name: values for group in inventory["children"].values() for name, values in group["hosts"].items()}
    findings = Findings()
    section = Section("lvs_services", inventory["vars"]["lvs_services"])
    _cluster.build(_cluster.Source([section], [], hosts, {"all": list(hosts), **groups}), findings, live=True)
    assert findings.findings == [] and findings.warnings == []


def test_the_examples_of_the_documentation_are_fine():
    text = (CHECKOUT / "docs" / "description.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    described = [block["all"]["vars"]["lvs_services"] if "all" in block else block["lvs_services"] for block in blocks]
    assert len(described) > 1
    by_hand = {"lvs1": 5, "rs1": 11, "rs2": 12, "rs9": 19}
    hosts = {name: {"lvs_addresses": [f"192.0.2.{n}/24", f"2001:db8::{n}/64"]} for name, n in by_hand.items()}
    hosts["lvs1"]["lvs_interface"] = "eth0"
    groups = {"all": list(hosts), "lvs_directors": ["lvs1"], "lvs_real_servers": ["rs1", "rs2"]}
    for services in described:
        findings = Findings()
        source = _cluster.Source([Section("lvs_services", services)], [], hosts, groups)
        _cluster.build(source, findings, live=True)
        assert findings.findings == []


def test_the_documentation_has_every_key():
    text = (CHECKOUT / "docs" / "description.md").read_text()
    keys = (*SERVICE_KEYS, *SERVER_KEYS, *CHECK_KEYS, *VIP_KEYS, *HOST_VARIABLES, *DESCRIPTION_VARIABLES)
    assert [key for key in keys if f"`{key}`" not in text] == []
