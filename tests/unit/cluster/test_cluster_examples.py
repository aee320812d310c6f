# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the documentation of what runs on the controller, in one play; and what is documented is returned."""

from __future__ import annotations

import importlib
import sys

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import services_spec
from cluster_builders import HOSTS, WEB
from test_cluster_action import CHECKOUT, play
from test_cluster_proof import all_well

sys.path.append(str(CHECKOUT / "tests" / "kernel"))
from documented import differences

MODULES = "ansible_collections.openlvs.lvs.plugins.modules."


def examples(name):
    """The tasks of a module's documentation."""
    return yaml.safe_load(importlib.import_module(MODULES + name).EXAMPLES)


def held():
    """What the filter's example hands to ipvs_services, with two real servers of which one is ready."""
    file = CHECKOUT / "plugins" / "filter" / "hold_unready.yml"
    (task,) = yaml.safe_load(yaml.safe_load(file.read_text())["EXAMPLES"])
    servers = [{"name": name, "address": f"192.0.2.{number}"} for name, number in (("rs1", 11), ("rs2", 12))]
    services = [{"vip": WEB["vip"], "port": 80, "real_servers": servers}]
    expression = task["openlvs.lvs.ipvs_services"]["services"]
    return {"name": task["name"], "ansible.builtin.set_fact": {"held": expression}, "vars": {"services": services}}


def test_the_examples_of_the_controller(tmp_path):
    seen = all_well()
    inventory = {
        "vars": {"lvs_services": [WEB], "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "hosts": {name: {**values, **seen[name]} for name, values in HOSTS.items()},
        "children": {
            "lvs_directors": {"hosts": {"lvs1": {}}},
            "lvs_real_servers": {"hosts": {"rs1": {}, "rs2": {}}},
            "lvs_clients": {"hosts": {"client": {}}},
        },
    }
    facts = {"lvs_host": "{{ lvs_host }}", "cacheable": True}
    looked = {"ansible.builtin.set_fact": facts, "when": "lvs_host is defined"}
    results = "{{ {'cluster': lvs_cluster, 'proof': proved, 'held': held} | to_json }}"
    kept = {"content": results, "dest": "{{ playbook_dir }}/result.json", "mode": "0600"}
    (proof,) = examples("proof")
    tasks = [
        *examples("cluster"),
        looked,
        {**proof, "register": "proved"},
        held(),
        {"ansible.builtin.copy": kept, "run_once": True},
    ]
    plays = [{"hosts": "all", "gather_facts": False, "connection": "local", "tasks": tasks}]
    output, result = play(tmp_path, yaml.safe_dump({"all": inventory}), playbook=yaml.safe_dump(plays, sort_keys=False))
    assert "failed=0" in output and "failed=1" not in output, output
    assert '"director_services": [' in output and "Of 22 claims 22 hold" in output
    for name in ("cluster", "proof"):
        assert differences(CHECKOUT / "plugins" / "modules" / f"{name}.py", result[name]) == []
    assert [server.get("hold", False) for server in result["held"][0]["real_servers"]] == [False, True]
    checked = ArgumentSpecValidator({"services": services_spec()}).validate({"services": result["held"]})
    assert not checked.error_messages
    assert len(read_services(checked.validated_parameters["services"]).held) == 1
