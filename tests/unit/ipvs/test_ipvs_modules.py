# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules themselves, with a table made of a dictionary."""

from __future__ import annotations

import errno
import importlib
import json

import pytest
from ansible.module_utils import basic
from ansible_collections.openlvs.lvs.plugins.module_utils import _ipvs_info, _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Observed
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import SyncDaemon
from ansible_collections.openlvs.lvs.plugins.module_utils._timeouts import Timeouts, after
from ansible_collections.openlvs.lvs.plugins.modules.ipvs_counters import COUNTERS

from .tables import FakeKernel

MODULES = "ansible_collections.openlvs.lvs.plugins.modules."
WEB = {"vip": "192.0.2.10", "port": 80}
SERVER = {**WEB, "address": "198.51.100.1"}


class Kernel(FakeKernel):
    """Counts a connection for each service and real server until it is told to begin again."""

    count = 1
    now = Timeouts(900, 120, 300)

    def daemons(self):
        return {"backup": SyncDaemon("backup", "eth1", 7, "ff05::51", 8849, 2, 8900)}

    def info(self):
        return {"version": "1.2.1", "connection_table_size": 4096}

    def timeouts(self):
        return self.now

    def set_timeouts(self, step):
        self.now = after(self.now, step)

    def zero(self, key):
        self.count = 0

    def observe(self, wanted):
        read = self.read()
        return [
            Observed(
                service,
                {**dict.fromkeys(COUNTERS, 0), "conns": self.count},
                [
                    (server, {"active_connections": 0}, dict.fromkeys(COUNTERS, self.count))
                    for server in servers.values()
                ],
            )
            for service, servers in read.entries()
            if wanted(service.key)
        ]


@pytest.fixture
def kernel():
    return Kernel()


@pytest.fixture
def run(monkeypatch, capsys, tmp_path, kernel):
    """run(module, params, check=False, diff=True) -> its result."""
    monkeypatch.setattr(_manifest.exclusive.__wrapped__, "__defaults__", (str(tmp_path / "lock"), 1.0))

    def call(name, params, check=False, diff=True):
        module = importlib.import_module(MODULES + name)
        for place in (module, _ipvs_info):
            monkeypatch.setattr(place, "Ipvs", lambda: kernel, raising=False)
            monkeypatch.setattr(place, "Control", lambda: kernel, raising=False)
        arguments = {**params, "_ansible_check_mode": check, "_ansible_diff": diff}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        with pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return call


def lines(kernel):
    return [str(step) for step in kernel.done]


def test_a_service(run, kernel):
    checked = run("ipvs_service", WEB, check=True)
    assert kernel.done == []
    result = run("ipvs_service", WEB)
    assert checked == result
    assert result["changed"] is True and result["service"] == "tcp 192.0.2.10:80"
    assert result["changes"] == lines(kernel) == ["-A -t 192.0.2.10:80 -s wlc"]
    assert result["diff"] == {"before": "", "after": "-A -t 192.0.2.10:80 -s wlc\n"}
    again = run("ipvs_service", WEB, diff=False)
    assert again["changed"] is False and again["changes"] == [] and "diff" not in again
    assert run("ipvs_service", {**WEB, "state": "absent", "scheduler": "nonsense"})["changes"] == [
        "-D -t 192.0.2.10:80"
    ]
    assert run("ipvs_service", {**WEB, "state": "absent"})["changed"] is False


def test_a_real_server(run, kernel):
    result = run("ipvs_real_server", SERVER)
    assert result["failed"] and "it is not in the table, so it can have no real server. Add it first." in result["msg"]
    assert run("ipvs_real_server", SERVER, check=True)["changed"] is True
    run("ipvs_service", WEB)
    result = run("ipvs_real_server", {**SERVER, "weight": 3})
    assert result["real_server"] == "198.51.100.1:80" and result["changed"] is True
    assert run("ipvs_real_server", {**SERVER, "weight": 3})["changed"] is False
    assert run("ipvs_service", WEB)["changed"] is False
    assert run("ipvs_real_server", {**SERVER, "state": "absent"})["changed"] is True
    assert lines(kernel)[1:] == [
        "-a -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 3",
        "-d -t 192.0.2.10:80 -r 198.51.100.1:80",
    ]


def test_a_refusal_of_the_kernel_is_a_message(run, kernel):
    kernel.refuse = lambda step: errno.EINVAL
    result = run("ipvs_service", WEB)
    assert result["failed"] and result["msg"] == "Service tcp 192.0.2.10:80: refused"
    assert result["applied"] == []


def test_findings_are_listed(run, kernel):
    result = run("ipvs_service", {**WEB, "persistent": 0, "scheduler": "best"})
    assert result["failed"] and len(result["findings"]) == 2 and result["msg"] == "\n".join(result["findings"])
    assert kernel.done == []


def test_info(run, kernel):
    run("ipvs_service", WEB)
    run("ipvs_service", {"mark": 3})
    run("ipvs_real_server", SERVER)
    first, second = run("ipvs_info", {})["services"]
    assert first["service"] == "tcp 192.0.2.10:80" and first["stats"]["conns"] == 1
    assert first["real_servers"][0]["address"] == "198.51.100.1"
    assert second["mark"] == 3 and second["real_servers"] == []
    assert [found["service"] for found in run("ipvs_info", {"mark": 3})["services"]] == ["mark 3 ipv4"]
    assert [found["service"] for found in run("ipvs_info", {"vip": "192.0.2.10"})["services"]] == ["tcp 192.0.2.10:80"]
    assert "mutually exclusive" in run("ipvs_info", {"vip": "192.0.2.10", "mark": 3})["msg"]


def test_info_of_everything_else(run):
    result = run("ipvs_info", {})
    assert result["version"] == "1.2.1" and result["connection_table_size"] == 4096
    assert result["timeouts"] == {"tcp": 900, "tcp_fin": 120, "udp": 300}
    assert result["daemons"] == [
        {
            "role": "backup",
            "interface": "eth1",
            "syncid": 7,
            "group": "ff05::51",
            "port": 8849,
            "ttl": 2,
            "maxlen": 8900,
        }
    ]
    assert "connections" not in result and isinstance(result["settings"], dict)


def test_info_sorts_real_servers_on_request(run, kernel):
    run("ipvs_service", WEB)
    for host in (20, 3, 100):
        run("ipvs_real_server", {**WEB, "address": f"198.51.100.{host}"})

    def order(**params):
        return [one["address"].rpartition(".")[2] for one in run("ipvs_info", params)["services"][0]["real_servers"]]

    assert order() == ["20", "3", "100"] and order(sort="address") == ["3", "20", "100"]


def test_counters_are_zeroed_once(run, kernel):
    run("ipvs_service", WEB)
    run("ipvs_service", {"mark": 3})
    zeroed = {"state": "zeroed"}
    checked = run("ipvs_counters", {**zeroed, **WEB}, check=True)
    assert kernel.count == 1
    result = run("ipvs_counters", {**zeroed, **WEB})
    assert checked == result and kernel.count == 0
    assert result["changes"] == ["-Z -t 192.0.2.10:80"] and result["services"] == ["tcp 192.0.2.10:80"]
    assert result["diff"]["before"].startswith("tcp 192.0.2.10:80: conns 1, inpkts 0")
    again = run("ipvs_counters", {**zeroed, **WEB})
    assert again["changed"] is False and again["changes"] == again["services"] == []
    kernel.count = 1
    everything = run("ipvs_counters", zeroed)
    assert everything["changes"] == ["-Z"] and everything["services"] == ["tcp 192.0.2.10:80", "mark 3 ipv4"]


def test_counters_of_a_service_that_is_not_there(run):
    result = run("ipvs_counters", {"state": "zeroed", "mark": 9})
    assert result["msg"] == "Service mark 9 ipv4: it is not in the table, so it has no counters."
    assert run("ipvs_counters", {"state": "zeroed", "mark": 9}, check=True)["changed"] is False
    assert "required together: vip, port" in run("ipvs_counters", {"state": "zeroed", "vip": "192.0.2.10"})["msg"]
    assert "missing required arguments: state" in run("ipvs_counters", {})["msg"]


def test_timeouts(run, kernel):
    checked = run("ipvs_timeouts", {"tcp": 7300, "udp": 0}, check=True)
    assert kernel.now == (900, 120, 300)
    result = run("ipvs_timeouts", {"tcp": 7300, "udp": 0})
    assert checked == result and kernel.now == (7300, 120, 300)
    assert result["changes"] == ["--set 7300 0 0"] and result["timeouts"]["tcp"] == 7300
    assert result["diff"] == {"before": "--set 900 120 300\n", "after": "--set 7300 120 300\n"}
    again = run("ipvs_timeouts", {"tcp": 7300, "tcp_fin": 120})
    assert again["changed"] is False and again["changes"] == []
    assert run("ipvs_timeouts", {"udp": 2678401})["findings"] == [
        "Timeouts: udp 2678401 is out of range. Use 1 to 2678400 seconds, or leave it out to change nothing."
    ]
    assert "one of the following is required: tcp, tcp_fin, udp" in run("ipvs_timeouts", {})["msg"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "one of the following is required: vip, mark"),
        ({"vip": "192.0.2.10"}, "required together: vip, port"),
        ({**WEB, "mark": 3}, "mutually exclusive: vip|mark"),
    ],
)
def test_what_goes_together(run, params, words):
    assert words in run("ipvs_service", params)["msg"]
    assert words in run("ipvs_real_server", {**params, "address": "198.51.100.1"})["msg"]
    assert words in run("ipvs_services", {"services": [params]})["msg"]
