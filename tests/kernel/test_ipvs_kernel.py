# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between the modules and the kernel: first runs, refusals, and somebody else at work at the same time."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import replace

import guest
import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_family
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import ATTEMPTS, converge
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs, TableChanged
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, EDIT, REMOVE, Step, plan
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import read_rules, write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ipvs import VIP, VIP6, service, table

MODULES = {
    "ipvs_services": {"services": [service("198.51.100.1")], "purge": True, "owner": "x"},
    "ipvs_service": {"vip": VIP, "port": 80},
    "ipvs_real_server": {"vip": VIP, "port": 80, "address": "198.51.100.1"},
}


@pytest.mark.parametrize("name", MODULES)
def test_a_first_run_in_check_mode_says_what_it_would_do_and_loads_nothing(first_run, name):
    before = guest.lsmod()
    result = first_run(name, MODULES[name], check=True)
    assert result["changed"] is True and result["changes"]
    assert guest.lsmod() == before


def test_looking_loads_nothing(first_run):
    before = guest.lsmod()
    result = first_run("ipvs_info", {})
    assert result["available"] is False and result["services"] == []
    assert guest.lsmod() == before


def test_nothing_to_do_loads_nothing(first_run):
    before = guest.lsmod()
    assert first_run("ipvs_services", {"services": [], "purge": True, "owner": "x"})["changed"] is False
    assert first_run("ipvs_service", {**MODULES["ipvs_service"], "state": "absent"})["changed"] is False
    assert guest.lsmod() == before


def test_a_first_run_loads_ip_vs_and_needs_no_library(first_run):
    assert first_run("ipvs_services", MODULES["ipvs_services"])["changed"] is True
    assert {"ip_vs", "ip_vs_wlc"} <= guest.lsmod()
    assert table() == [f"-A -t {VIP}:80 -s wlc", f"-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 1"]


KEY = ServiceKey.addressed("tcp", VIP, 80)
GOOD = RealServer("198.51.100.1", 80)


def test_a_missing_scheduler_is_named_with_its_module():
    with pytest.raises(KernelError) as caught:
        Ipvs().apply([Step(ADD, Service(KEY, "best"))])
    assert str(caught.value) == (
        "Service tcp 192.0.2.10:80: cannot add it: the kernel has no scheduler 'best' (module ip_vs_best): it is not"
        f" installed for kernel {os.uname().release}."
    )


def test_a_scheduler_whose_module_is_not_installed_is_refused_before_anything_is_done(run_module, sh):
    guest.unload_ip_vs()
    modules = f"/lib/modules/{os.uname().release}/modules.dep"
    sh(f"grep -v /ip_vs_twos.ko {modules} >/var/lib/modules.dep && mount --bind /var/lib/modules.dep {modules}")
    services = [service("198.51.100.1"), service("198.51.100.1", port=81, scheduler="twos")]
    for check in (True, False):
        result = run_module("ipvs_services", {"services": services}, check=check)
        assert result["findings"] == [
            f"Service tcp {VIP}:81: the kernel has no scheduler 'twos' (module ip_vs_twos): it is not installed for"
            f" kernel {os.uname().release}."
        ]
        assert "ip_vs" not in guest.lsmod()


def test_a_tunnel_that_an_older_kernel_would_build_otherwise_is_refused(run_module, monkeypatch):
    old = os.uname_result(("Linux", "old", "4.19.0-27-amd64", "#1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: old)
    tunnels = [
        {"address": "198.51.100.1", "forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080},
        {"address": "198.51.100.2", "forward": "tun", "tunnel_type": "gre"},
        {"address": "198.51.100.3", "forward": "tun"},
    ]
    for check in (True, False):
        result = run_module("ipvs_services", {"services": [service(real_servers=tunnels)]}, check=check)
        assert result["findings"] == [
            f"Service tcp {VIP}:80, real server 198.51.100.1:80: tunnel_type gue needs Linux 5.2 or later, and this is"
            " 4.19.0-27-amd64. Use tunnel_type: ipip.",
            f"Service tcp {VIP}:80, real server 198.51.100.2:80: tunnel_type gre needs Linux 5.3 or later, and this is"
            " 4.19.0-27-amd64. Use tunnel_type: ipip.",
        ]
        assert table() == []


@pytest.mark.parametrize("bad", [RealServer("224.0.0.1", 80), RealServer("2001:db8::1", 80)])
def test_after_a_refusal_nothing_is_removed(sh, bad):
    sh(f"ipvsadm -A -t {VIP}:80; ipvsadm -a -t {VIP}:80 -r 198.51.100.7 -g; ipvsadm -A -t {VIP}:81")
    before = table()
    want = Table.of([(Service(KEY, "rr"), [bad])])
    with pytest.raises(KernelError, match=r"real server .*: cannot add it: the kernel does not take") as caught:
        Ipvs().apply(plan(Ipvs().read(), want, purge=True, purge_real_servers=True))
    assert table() == before
    assert caught.value.details["applied"] == []


def test_the_rest_of_a_refused_phase_is_told(sh):
    steps = [
        Step(ADD, Service(KEY)),
        Step(ADD, Service(KEY), RealServer("224.0.0.1", 80)),
        Step(ADD, Service(KEY), GOOD),
    ]
    with pytest.raises(KernelError) as caught:
        Ipvs().apply([*steps, Step(REMOVE, Service(KEY))])
    assert caught.value.details["applied"] == table()


@pytest.mark.parametrize(
    ("prepare", "step"),
    [
        (f"ipvsadm -A -t {VIP}:80", Step(ADD, Service(KEY))),
        (f"ipvsadm -A -t {VIP}:80; ipvsadm -a -t {VIP}:80 -r 198.51.100.1 -g", Step(ADD, Service(KEY), GOOD)),
        ("true", Step(EDIT, Service(KEY))),
        ("true", Step(REMOVE, Service(KEY))),
        ("true", Step(ADD, Service(KEY), GOOD)),
        (f"ipvsadm -A -t {VIP}:80", Step(EDIT, Service(KEY), GOOD)),
        (f"ipvsadm -A -t {VIP}:80", Step(REMOVE, Service(KEY), GOOD)),
    ],
)
def test_a_table_that_changed_meanwhile_is_recognised(sh, prepare, step):
    sh(prepare)
    with pytest.raises(TableChanged):
        Ipvs().apply([step])


@pytest.mark.parametrize(
    "meddle",
    [
        f"ipvsadm -A -t {VIP}:80 -s rr",
        f"ipvsadm -D -t {VIP}:81",
        f"ipvsadm -d -t {VIP}:81 -r 198.51.100.1",
        f"ipvsadm -a -t {VIP}:81 -r 198.51.100.2 -g; ipvsadm -D -t {VIP}:82",
        "ipvsadm -C",
    ],
)
def test_somebody_else_at_work_means_read_and_plan_again(sh, meddle):
    sh(f"ipvsadm -A -t {VIP}:81 -s rr; ipvsadm -a -t {VIP}:81 -r 198.51.100.1 -g -w 5; ipvsadm -A -t {VIP}:82")
    other = ServiceKey.addressed("tcp", VIP, 81)
    servers = [RealServer("198.51.100.1", 81), RealServer("198.51.100.2", 81)]
    want = Table.of([(Service(KEY), [GOOD]), (Service(other), servers)])
    calls = []

    def meddled(have):
        steps = plan(have, want, purge=True)
        calls.append(steps)
        if len(calls) == 1:
            sh(meddle)
        return steps

    outcome = converge(Ipvs(), meddled, check_mode=False)
    assert len(calls) == 2
    assert Ipvs().read() == want == outcome.after
    assert plan(Ipvs().read(), want, purge=True, purge_real_servers=True) == ()


def test_somebody_who_never_stops_is_told_in_the_end(sh):
    calls = []

    def meddled(have):
        calls.append(1)
        sh(f"ipvsadm -A -t {VIP}:80 2>/dev/null || ipvsadm -D -t {VIP}:80")
        return [Step(EDIT if KEY in have.services else ADD, Service(KEY))]

    with pytest.raises(TableChanged, match="Somebody else changes the table at the same time"):
        converge(Ipvs(), meddled, check_mode=False)
    assert len(calls) == ATTEMPTS


def test_what_no_tool_can_make_is_read_too(sh):
    """The kernel takes protocols that it cannot balance; they must not stop us from reading."""
    odd = Table.of([(Service(ServiceKey.addressed("47", VIP, 1)), [RealServer("198.51.100.1", 1, "bypass")])])
    Ipvs().apply(plan(Table(), odd))
    assert Ipvs().read() == odd
    assert write_rules(odd) == [
        f"-A --protocol-47 {VIP}:1 -s wlc",
        f"-a --protocol-47 {VIP}:1 -r 198.51.100.1:1 --bypass -w 1",
    ]
    Ipvs().apply(plan(odd, Table(), purge=True))
    assert table() == []


def test_a_missing_persistence_engine_is_named():
    with pytest.raises(KernelError, match=r"has no persistence engine 'best' \(module ip_vs_pe_best\): it is not inst"):
        Ipvs().apply([Step(ADD, Service(KEY, "rr", persistent=60, pe="best"))])


def test_a_persistence_engine_is_read_and_written(sh):
    if not sh("find /lib/modules/$(uname -r) -name 'ip_vs_pe_sip*'"):
        return
    line = f"-A -u {VIP}:5060 -s rr -p 60 -M 255.255.255.0 --pe sip -o -b flag-3"
    sh(f"ipvsadm {line}")
    have = Ipvs().read()
    assert table() == write_rules(have) == [line]
    (found,) = have.services.values()
    Ipvs().apply(plan(have, Table.of([(replace(found, scheduler="lc"), ())])))
    assert table() == [line.replace("-s rr", "-s lc")]


def test_without_root_the_reason_is_told(sh):
    sh("modprobe ip_vs")
    done = sh(
        "setpriv --bounding-set=-net_admin python3 -c '"
        "from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs; Ipvs().read()' 2>&1",
        check=False,
    )
    assert "The IPVS table: cannot read it: the kernel wants root" in done


def test_every_answer_of_the_family_is_heard_in_small_buffers(monkeypatch):
    """A kilobyte for each acknowledgement: a full datagram of them fits in the buffer that everybody gets."""
    monkeypatch.setattr(_netlink_family, "_RECEIVE_BUFFER", 0)
    monkeypatch.setattr(_netlink_family, "_SO_RCVBUFFORCE", socket.SO_RCVBUF)
    opened = _netlink_family.open_socket()
    assert struct.unpack("i", opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4))[0] < 10000
    monkeypatch.undo()
    monkeypatch.setattr(_netlink_family, "_RECEIVE_BUFFER", 106496)
    monkeypatch.setattr(_netlink_family, "_SO_RCVBUFFORCE", socket.SO_RCVBUF)
    want = Table.of([(Service(KEY), [RealServer(f"198.51.{n // 250}.{n % 250 + 1}", 80) for n in range(1000)])])
    Ipvs().apply(plan(Table(), want))
    assert Ipvs().read() == want


# ---- any table to any table


def services() -> st.SearchStrategy[Service]:
    schedulers = st.sampled_from(
        [("wlc", ()), ("rr", ()), ("sh", ("sh-fallback",)), ("mh", ("mh-fallback", "mh-port"))]
    )
    keys = st.one_of(
        st.builds(
            ServiceKey.addressed,
            st.sampled_from(["tcp", "udp", "sctp"]),
            st.sampled_from([VIP, VIP6]),
            st.integers(1, 2),
        ),
        st.builds(ServiceKey.marked, st.integers(1, 2), st.sampled_from(["ipv4", "ipv6"])),
    )

    def build(key, scheduler, persistent, wide):
        mask = "64" if key.family == "ipv6" else "255.255.255.0"
        return Service(key, *scheduler, persistent, None if wide or persistent is None else mask)

    return st.builds(build, keys, schedulers, st.none() | st.integers(1, 2678400), st.booleans())


def real_servers(key: ServiceKey) -> st.SearchStrategy[RealServer]:
    addresses = (
        [f"198.51.100.{n}" for n in range(1, 5)] if key.family == "ipv4" else [f"2001:db8::{n}" for n in range(1, 5)]
    )
    return st.builds(
        lambda address, port, forward, weight, upper, lower: RealServer(
            address, port, forward, weight, upper, min(upper, lower)
        ),
        st.sampled_from(addresses),
        st.integers(79, 80),
        st.sampled_from(["dr", "nat", "tun"]),
        st.integers(0, 65535),
        st.integers(0, 2**31 - 1),
        st.integers(0, 2**31 - 1),
    )


def entries() -> st.SearchStrategy[Table]:
    entry = services().flatmap(
        lambda found: st.tuples(
            st.just(found), st.lists(real_servers(found.key), max_size=4, unique_by=lambda s: s.key)
        )
    )
    return st.lists(entry, max_size=6, unique_by=lambda entry: entry[0].key).map(Table.of)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(entries())
def test_from_any_table_to_any_table(want):
    kernel = Ipvs()
    have = kernel.read()
    steps = plan(have, want, purge=True, purge_real_servers=True)
    kernel.apply(steps)
    assert kernel.read() == want
    assert plan(kernel.read(), want, purge=True, purge_real_servers=True) == ()
    seen = read_rules(guest.sh("ipvsadm -Sn"))
    assert seen.services == want.services
    for key, servers in want.real_servers.items():
        found = {
            name: (server.forward, server.weight, server.tunnel_type) for name, server in seen.servers(key).items()
        }
        assert found == {name: (server.forward, server.weight, server.tunnel_type) for name, server in servers.items()}


def test_the_highest_mark_comes_back_from_the_file(run_module, sh, tmp_path):
    """ipvsadm writes marks from 2147483648 on as negative numbers, which it does not read."""
    saved = tmp_path / "rules"
    params = {"services": [service("198.51.100.1", mark=4294967295)], "save_to": str(saved)}
    run_module("ipvs_services", params)
    assert table()[0] == "-A -f -1 -s wlc"
    assert read_rules("\n".join(table())) == Ipvs().read()
    sh(f"ipvsadm -C; grep -v '^#' {saved} | ipvsadm -R")
    assert run_module("ipvs_services", params)["changed"] is False
