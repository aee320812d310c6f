# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The harness itself: tests do not see each other, and a first run is a first run."""

from __future__ import annotations

import guest
import pytest


@pytest.mark.parametrize("attempt", [1, 2])
def test_each_test_has_a_table_and_addresses_of_its_own(sh, attempt):
    assert sh("ipvsadm -Sn") == ""
    assert "192.0.2.1" not in sh("ip address")
    assert sh("cat /proc/sys/net/ipv4/conf/all/arp_ignore") == "0\n"
    assert sh("ls -A /var/lib") == "openlvs\n"
    sh("ipvsadm -A -t 192.0.2.1:80 && ip address add 192.0.2.1/32 dev lo && touch /var/lib/openlvs/trace")
    sh("echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore")
    assert sh("ipvsadm -Sn") == "-A -t 192.0.2.1:80 -s wlc\n"


def test_a_failing_command_shows_its_words(sh):
    with pytest.raises(AssertionError, match="No such file"):
        sh("cat /nowhere")


def test_first_run_has_no_pyroute2_and_no_ip_vs(first_run, sh):
    assert "ip_vs" not in guest.lsmod()
    assert "No module named 'pyroute2'" in sh("python3 -c 'import pyroute2' 2>&1", check=False)
    sh("python3 -c 'import apt'")


def test_pyroute2_is_back_afterwards(sh):
    sh("python3 -c 'import pyroute2'")


MODULE = """
from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={"value": {"type": "int", "required": True}}, supports_check_mode=True)
if module.params["value"] < 0:
    raise RuntimeError("broken")
module.exit_json(value=module.params["value"], check=module.check_mode)
"""


@pytest.fixture
def probe(tmp_path, monkeypatch):
    (tmp_path / "probe.py").write_text(MODULE)
    monkeypatch.setattr(guest, "MODULES", tmp_path)


def test_a_module_gives_its_result(probe, run_module):
    assert run_module("probe", {"value": "3"}) == {**run_module("probe", {"value": 3}), "value": 3, "check": False}
    assert run_module("probe", {"value": 3}, check=True)["check"] is True


def test_a_failing_module_gives_its_message(probe, run_module):
    result = run_module("probe", {"value": "x"})
    assert result["failed"] is True
    assert "value" in result["msg"]


def test_a_crashing_module_shows_its_traceback(probe, run_module):
    with pytest.raises(AssertionError, match="RuntimeError: broken"):
        run_module("probe", {"value": -1})
