# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of the IPVS modules do what they say, one after another."""

from __future__ import annotations

import importlib
import socket
import time

import guest
import pytest
import yaml

MODULES = "ansible_collections.openlvs.lvs.plugins.modules."


NAMES = sorted(path.stem for path in guest.MODULES.glob("ipvs_*.py"))


@pytest.fixture
def host_for_examples(sh, tmp_path):
    """A host on which every example has something to do: an /etc and a network of its own."""
    etc = tmp_path / "etc"
    etc.mkdir()
    sh(f"cp -a /etc/. {etc} && mount --bind {etc} /etc")
    sh("ip link add eth1 type dummy && ip address add 198.51.100.10/24 dev eth1 && ip link set eth1 multicast on up")
    sh("ip -6 address add 2001:db8:1::10/64 dev eth1 nodad")


def count_something(run_module, sh):
    """Clients of two services, for there are two examples of setting counters to zero."""
    sh("ip address add 192.0.2.10/32 dev lo")
    for port in (80, 81):
        sh(f"ipvsadm -A -t 192.0.2.10:{port}; ipvsadm -a -t 192.0.2.10:{port} -r 127.0.0.1")
        with socket.socket() as client:
            client.connect_ex(("192.0.2.10", port))
    deadline = time.monotonic() + 20
    while len(run_module("ipvs_counters", {"state": "zeroed"}, check=True)["services"]) < 2:
        assert time.monotonic() < deadline, "the kernel counts nothing"


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(run_module, sh, host_for_examples, name):
    if name == "ipvs_counters":
        count_something(run_module, sh)
    ran = 0
    for task in yaml.safe_load(importlib.import_module(MODULES + name).EXAMPLES):
        for key, params in task.items():
            if not key.startswith("openlvs.lvs.ipvs_"):
                continue
            module = key.rpartition(".")[2]
            checked = run_module(module, params or {}, check=True)
            result = run_module(module, params or {})
            assert not result.get("failed"), (task["name"], result)
            assert (checked["changed"], checked.get("changes")) == (result["changed"], result.get("changes"))
            assert result["changed"] is (module != "ipvs_info"), task["name"]
            assert run_module(module, params or {})["changed"] is False, task["name"]
            ran += 1
    assert ran
