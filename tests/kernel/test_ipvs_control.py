# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync daemons, timeouts, counters and connections of a real kernel, judged by ipvsadm."""

from __future__ import annotations

import socket

import guest
import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink
from ipvs import VIP, VIP6, counted, service, table

DAEMON = {"role": "master", "interface": "wire"}


@pytest.fixture
def wire(sh):
    """A network with addresses of both families."""
    sh("ip link add wire mtu 9000 type dummy && ip address add 198.51.100.10/24 dev wire")
    sh("ip -6 address add 2001:db8:1::10/64 dev wire nodad && ip link set wire multicast on up")


@pytest.fixture
def apply(run_module):
    """apply(module, **options): check mode says it, the run does it, and changes nothing the second time."""

    def run(name, **options):
        before = daemons(), timeouts()
        checked = run_module(name, options, check=True)
        assert (daemons(), timeouts()) == before
        result = run_module(name, options)
        assert not result.get("failed"), result
        assert checked == result
        again = run_module(name, options)
        assert again["changed"] is False and again["changes"] == [] and "diff" in again
        return result

    return run


def daemons() -> list[str]:
    """What ipvsadm says of the sync daemons."""
    return guest.sh("ipvsadm -L --daemon").splitlines()


def timeouts() -> str:
    """What ipvsadm says of the timeouts."""
    return guest.sh("ipvsadm -L --timeout").strip().rpartition(": ")[2]


def test_a_sync_daemon_comes_changes_and_goes(wire, apply):
    result = apply("ipvs_sync_daemon", **DAEMON)
    first = "master sync daemon (mcast=wire, syncid=0, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)"
    assert daemons() == [first] and len(result["changes"]) == 1
    apply("ipvs_sync_daemon", role="backup", interface="wire", syncid=255, group="ff05::51", port=65535, ttl=255)
    assert daemons() == [
        first,
        "backup sync daemon (mcast=wire, syncid=255, maxlen=8952, group=ff05::51, port=65535, ttl=255)",
    ]
    result = apply("ipvs_sync_daemon", **DAEMON, maxlen=65507, syncid=7)
    assert [line.split(" --")[0] for line in result["changes"]] == ["--stop-daemon master", "--start-daemon master"]
    assert daemons()[0] == first.replace("syncid=0, maxlen=1472", "syncid=7, maxlen=65507")
    assert daemons()[1].startswith("backup")
    assert apply("ipvs_sync_daemon", role="master", state="absent")["changes"] == ["--stop-daemon master"]
    assert [line.split()[0] for line in daemons()] == ["backup"]
    apply("ipvs_sync_daemon", role="both", state="absent")
    assert daemons() == []


def test_what_ipvsadm_has_started_is_recognised(wire, apply, run_module, sh):
    sh("ipvsadm --start-daemon master --mcast-interface wire --syncid 9")
    sh("ipvsadm --start-daemon backup --mcast-interface wire --syncid 9 --sync-maxlen 1024 --mcast-group ff02::51")
    assert run_module("ipvs_sync_daemon", {**DAEMON, "syncid": 9})["changed"] is False
    told = {"role": "backup", "interface": "wire", "syncid": 9, "maxlen": 1024, "group": "ff02::51"}
    assert run_module("ipvs_sync_daemon", told)["changed"] is False
    (first, second) = run_module("ipvs_info", {})["daemons"]
    assert first["role"] == "master" and first["maxlen"] == 1472 and first["port"] == 8848
    assert second == {**told, "port": 8848, "ttl": 1}
    lines = run_module("ipvs_sync_daemon", {"role": "both", "state": "absent"})["diff"]["before"].splitlines()
    assert daemons() == []
    for line in lines:
        sh(f"ipvsadm {line}")
    assert run_module("ipvs_info", {})["daemons"] == [first, second]


def test_both_at_once(wire, apply):
    apply("ipvs_sync_daemon", role="both", interface="wire", syncid=5)
    assert [line.partition(",")[2][:10] for line in daemons()] == [" syncid=5,", " syncid=5,"]


def test_what_the_kernel_cannot_do_is_said(wire, run_module, sh):
    run_module("ipvs_sync_daemon", DAEMON)
    before = daemons()
    result = run_module("ipvs_sync_daemon", {**DAEMON, "interface": "nowhere"})
    assert result["findings"] == [
        "Sync daemon master: interface 'nowhere' is not there. It is the one on which the other directors are."
    ]
    assert daemons() == before
    sh("ip link add dead type dummy && ip address add 203.0.113.1/24 dev dead")
    result = run_module("ipvs_sync_daemon", {**DAEMON, "interface": "dead"})
    assert result["msg"] == (
        "Sync daemon master: cannot start it on dead: the interface has no way to the group; it must be up and have an"
        " address of the group's family. The one that ran before runs again."
    )
    assert daemons() == before
    run_module("ipvs_sync_daemon", {"role": "master", "state": "absent"})
    needed = "state is present but all of the following are missing: interface"
    assert needed in run_module("ipvs_sync_daemon", {"role": "master"})["msg"]


@pytest.mark.parametrize("check", [True, False])
def test_a_daemon_and_real_servers_of_the_other_family_exclude_each_other(wire, run_module, sh, check):
    """Whichever comes second is refused before anything is done."""
    mixed = {"services": [service(real_servers=[{"address": "2001:db8::1", "forward": "tun"}])]}
    run_module("ipvs_sync_daemon", DAEMON)
    running = daemons()
    result = run_module("ipvs_services", mixed, check=check)
    assert "[2001:db8::1]:80: it is of the other family" in result["findings"][0] and "master runs" in result["msg"]
    assert table() == [] and daemons() == running
    run_module("ipvs_sync_daemon", {"role": "master", "state": "absent"})
    run_module("ipvs_services", mixed)
    built = table()
    result = run_module("ipvs_sync_daemon", {**DAEMON, "role": "backup"}, check=check)
    assert "has the real server [2001:db8::1]:80 of the other family" in result["findings"][0]
    assert built and table() == built and daemons() == []


def test_a_refusal_in_the_middle_names_the_object_and_what_is_done(wire, run_module, sh, monkeypatch):
    """The kernel refuses what could not be foreseen: here a daemon that is started after the look at those that run."""
    monkeypatch.setattr(_netlink.Ipvs, "daemons", lambda ipvs: ())
    sh("ipvsadm -A -f 9")
    run_module("ipvs_sync_daemon", DAEMON)
    mixed = service(port=81, real_servers=[{"address": "2001:db8::1", "forward": "tun"}])
    described = [service("198.51.100.1"), mixed, service("198.51.100.1", mark=3)]
    result = run_module("ipvs_services", {"services": described, "purge": True})
    assert result["msg"].startswith(f"Service tcp {VIP}:81, real server [2001:db8::1]:81: cannot add it: the kernel")
    assert sorted([*result["applied"], "-A -f 9 -s wlc"]) == sorted(table())
    sh("ipvsadm --stop-daemon master")
    assert sorted(run_module("ipvs_services", {"services": described, "purge": True})["changes"]) == [
        "-D -f 9",
        f"-a -t {VIP}:81 -r [2001:db8::1]:81 -i -w 1",
    ]


def test_timeouts(apply, run_module, sh):
    assert timeouts() == "900 120 300"
    assert apply("ipvs_timeouts", tcp=7300)["changes"] == ["--set 7300 0 0"]
    assert timeouts() == "7300 120 300"
    result = apply("ipvs_timeouts", tcp_fin=1, udp=2000000)
    assert result["timeouts"] == {"tcp": 7300, "tcp_fin": 1, "udp": 2000000}
    assert timeouts() == "7300 1 2000000" and run_module("ipvs_info", {})["timeouts"] == result["timeouts"]
    sh("ipvsadm --set 0 60 0")
    assert run_module("ipvs_timeouts", {"tcp": 0, "tcp_fin": 60})["changed"] is False


def send(address: str, port: int, count: int = 1) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _dummy in range(count):
        with socket.socket(family, socket.SOCK_DGRAM) as opened:
            opened.sendto(b"x", (address, port))


def test_counters_begin_again(run_module, sh):
    sh(f"ip address add {VIP}/32 dev lo")
    services = [service("127.0.0.1", protocol="udp", port=port) for port in (9, 10)]
    run_module("ipvs_services", {"services": services})
    send(VIP, 9, 3)
    send(VIP, 10, 2)
    assert counted("3 3 2 2") == ["3", "3", "2", "2"]
    one = {"state": "zeroed", "vip": VIP, "port": 9, "protocol": "udp"}
    checked = run_module("ipvs_counters", one, check=True)
    assert counted("3 3 2 2") == ["3", "3", "2", "2"]
    result = run_module("ipvs_counters", one)
    assert checked == result and result["changes"] == [f"-Z -u {VIP}:9"]
    assert result["diff"]["before"].startswith(f"udp {VIP}:9: conns 3, inpkts 3,")
    assert counted("0 0 2 2") == ["0", "0", "2", "2"]
    assert run_module("ipvs_counters", one)["changed"] is False
    assert run_module("ipvs_counters", {"state": "zeroed"})["services"] == [f"udp {VIP}:10"]
    assert counted("0 0 0 0") == ["0"] * 4
    assert run_module("ipvs_counters", {"state": "zeroed"})["changed"] is False
    assert sh("ipvsadm -Lnc | grep -c UDP") == "5\n"


def test_connections_are_those_of_ipvsadm(run_module, sh):
    sh(f"ip address add {VIP}/32 dev lo && ip -6 address add {VIP6}/128 dev lo")
    described = [
        service("127.0.0.1", protocol="udp", port=9, persistent=60, netmask="255.255.255.0"),
        service("::1", vip=VIP6, protocol="udp", port=9),
        service("127.0.0.1", mark=3, persistent=60),
        service("::1", mark=3, family="ipv6", persistent=60),
        service("127.0.0.1", protocol="udp", port=5060, persistent=60, pe="sip"),
    ]
    assert not run_module("ipvs_services", {"services": described}).get("failed")
    send(VIP, 9, 2)
    send(VIP6, 9)
    for family, address in ((socket.AF_INET, VIP), (socket.AF_INET6, VIP6)):
        with socket.socket(family, socket.SOCK_DGRAM) as marked:
            marked.setsockopt(socket.SOL_SOCKET, 36, 3)  # SO_MARK
            marked.sendto(b"x", (address, 77))
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.sendto(b"INVITE sip:bob@x SIP/2.0\r\nCall-ID: abc123@host\r\nFrom: x\r\n\r\n", (VIP, 5060))

    def shown(**options):
        result = run_module("ipvs_info", {"connections": True, **options})
        assert len(result["connections"]) == min(result["connections_total"], options.get("connections_limit", 99))
        return result["connections"]

    lines = sh("ipvsadm -Lnc").splitlines()[2:]
    assert len(lines) == 10
    found = shown()
    for line, one in zip(lines, found):
        protocol, _expires, state, client, _vip, server = line.split()[:6]
        assert one["state"] == state
        assert ("IP" if one["mark"] else one["protocol"].upper()) == protocol
        assert client.replace("[", "").replace("]", "") == f"{one['client']}:{one['client_port']}"
        assert server.replace("[", "").replace("]", "") == f"{one['address']}:{one['server_port']}"
        assert 0 < one["expires"] <= 300
    templates = [one for one in found if one["template"]]
    assert sorted(one["protocol"] for one in templates) == ["mark", "mark", "udp", "udp"]
    assert {one["pe_data"] for one in templates} == {None, "abc123@host"}
    assert len(shown(vip=VIP, port=9)) == 3 and len(shown(vip=VIP6)) == 2 and len(shown(family="ipv6")) == 3
    assert {(one["mark"], one["family"]) for one in shown(mark=3)} == {(3, "ipv4"), (3, "ipv6")}
    assert shown(protocol="tcp") == []
    limited = run_module("ipvs_info", {"connections": True, "connections_limit": 3})
    assert len(limited["connections"]) == 3 and limited["connections_total"] == 10
    assert "connections_limit -1: use 0 or more." in run_module("ipvs_info", {"connections_limit": -1})["msg"]
    assert "connections" not in run_module("ipvs_info", {})


def test_settings_are_those_of_the_kernel(run_module, sh):
    sh("modprobe ip_vs && echo 1 >/proc/sys/net/ipv4/vs/expire_nodest_conn")
    result = run_module("ipvs_info", {})
    assert result["settings"]["expire_nodest_conn"] == "1" and result["settings"]["conn_reuse_mode"] == "1"
    assert result["settings"]["conn_tab_bits"] == sh("cat /sys/module/ip_vs/parameters/conn_tab_bits").strip()
    assert set(sh("ls /proc/sys/net/ipv4/vs").split()) < set(result["settings"])
    assert result["version"] == "1.2.1" and f"size={result['connection_table_size']}" in sh("ipvsadm -Ln")


def test_services_are_filtered_and_real_servers_sorted(run_module, sh):
    for line in (f"-t {VIP}:80", f"-u {VIP}:80", f"-t {VIP}:81", f"-t [{VIP6}]:80", "-f 3", "-f 3 -6"):
        sh(f"ipvsadm -A {line}")
    for host in (20, 3, 100):
        sh(f"ipvsadm -a -t {VIP}:80 -r 198.51.100.{host}")

    def names(**options):
        return [found["service"] for found in run_module("ipvs_info", options)["services"]]

    assert names(port=80) == [f"tcp {VIP}:80", f"udp {VIP}:80", f"tcp [{VIP6}]:80"]
    assert names(protocol="tcp", vip=VIP) == [f"tcp {VIP}:80", f"tcp {VIP}:81"]
    assert names(family="ipv6") == [f"tcp [{VIP6}]:80", "mark 3 ipv6"]
    assert names(mark=3, family="ipv4") == ["mark 3 ipv4"]
    assert "mutually exclusive" in run_module("ipvs_info", {"mark": 3, "port": 80})["msg"]

    def order(**options):
        found = run_module("ipvs_info", {"vip": VIP, "port": 80, "protocol": "tcp", **options})["services"][0]
        return [server["address"] for server in found["real_servers"]]

    assert order() == ["198.51.100.20", "198.51.100.3", "198.51.100.100"]
    assert order(sort="address") == ["198.51.100.3", "198.51.100.20", "198.51.100.100"]
    listed = [line.split()[1] for line in sh(f"ipvsadm -Ln -t {VIP}:80").splitlines() if line.startswith("  -> 198")]
    assert [f"{address}:80" for address in order(sort="address")] == listed


@pytest.mark.parametrize(
    ("name", "params", "changed"),
    [
        ("ipvs_sync_daemon", {"role": "both", "state": "absent"}, False),
        ("ipvs_sync_daemon", {"role": "master", "interface": "lo"}, True),
        ("ipvs_timeouts", {"tcp": 900, "udp": 300}, False),
        ("ipvs_timeouts", {"tcp": 901}, True),
        ("ipvs_counters", {"state": "zeroed"}, False),
        ("ipvs_counters", {"state": "zeroed", "mark": 3}, False),
        ("ipvs_info", {"connections": True}, False),
    ],
)
def test_a_first_run_in_check_mode_loads_nothing(first_run, name, params, changed):
    before = guest.lsmod()
    result = first_run(name, params, check=True)
    assert result["changed"] is changed and not result.get("failed"), result
    if not changed:
        assert not first_run(name, params, check=False).get("failed") or "mark" in params
    assert guest.lsmod() == before


def test_flush_is_an_empty_list(run_module, sh):
    """What ipvsadm -C does, but one service after another: the kernel's own flush never leaves these modules."""
    sh(f"ipvsadm -A -t {VIP}:80; ipvsadm -a -t {VIP}:80 -r 198.51.100.1; ipvsadm -A -f 3 -6")
    assert run_module("ipvs_services", {"services": [], "purge": True})["changed"] is True
    assert table() == []
