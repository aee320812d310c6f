# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation of the IPVS modules do what they say, one after another."""

from __future__ import annotations

import importlib

import pytest
import yaml

MODULES = "ansible_collections.openlvs.lvs.plugins.modules."


@pytest.mark.parametrize("name", ["ipvs_services", "ipvs_service", "ipvs_real_server", "ipvs_info"])
def test_examples_run(run_module, sh, tmp_path, monkeypatch, name):
    etc = tmp_path / "etc"
    etc.mkdir()
    sh(f"cp -a /etc/. {etc} && mount --bind {etc} /etc")
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
