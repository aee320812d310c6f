# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ipvs_services on a real table, judged by ipvsadm."""

from __future__ import annotations

import pytest
from ipvs import SCHEDULERS, VIP, VIP6, counted, in_order, newest_first, service, table, thresholds


@pytest.fixture
def apply(run_module):
    """apply(services, **options): run, succeed, and change nothing the second time."""

    def run(services, **options):
        result = run_module("ipvs_services", {"services": services, **options})
        assert not result.get("failed"), result
        again = run_module("ipvs_services", {"services": services, **options})
        assert again["changed"] is False, again
        assert again["changes"] == [] and again["diff"] == {"before": "", "after": ""}
        return result

    return run


def test_every_scheduler(apply):
    apply([service("198.51.100.1", scheduler=name, port=port) for port, name in enumerate(SCHEDULERS, 10)])
    assert table()[::2] == [f"-A -t {VIP}:{port} -s {name}" for port, name in enumerate(SCHEDULERS, 10)]


KINDS_OF_SERVICES = [
    ({"vip": VIP, "port": 80, "protocol": "tcp"}, f"-t {VIP}:80 -s wlc"),
    ({"vip": VIP, "port": 80, "protocol": "udp"}, f"-u {VIP}:80 -s wlc"),
    ({"vip": VIP, "port": 80, "protocol": "sctp"}, f"--sctp-service {VIP}:80 -s wlc"),
    ({"vip": VIP, "port": 65535}, f"-t {VIP}:65535 -s wlc"),
    ({"vip": VIP6, "port": 80}, f"-t [{VIP6}]:80 -s wlc"),
    ({"vip": "2001:DB8:0::10", "port": 80, "protocol": "udp"}, f"-u [{VIP6}]:80 -s wlc"),
    ({"mark": 3}, "-f 3 -s wlc"),
    ({"mark": 3, "family": "ipv6"}, "-f 3 -6 -s wlc"),
    ({"mark": 2147483647, "family": "ipv6"}, "-f 2147483647 -6 -s wlc"),
    ({"mark": 4, "persistent": 600}, "-f 4 -s wlc -p 600"),
    ({"mark": 5, "persistent": 600, "netmask": "255.255.255.0"}, "-f 5 -s wlc -p 600 -M 255.255.255.0"),
    ({"mark": 6, "persistent": 600, "netmask": "20"}, "-f 6 -s wlc -p 600 -M 255.255.240.0"),
    ({"mark": 7, "persistent": 600, "netmask": "255.255.255.255"}, "-f 7 -s wlc -p 600"),
    ({"mark": 8, "family": "ipv6", "persistent": 1, "netmask": "64"}, "-f 8 -6 -s wlc -p 1 -M 64"),
    ({"mark": 9, "family": "ipv6", "persistent": 2678400, "netmask": "128"}, "-f 9 -6 -s wlc -p 2678400"),
    ({"vip": VIP, "port": 0, "persistent": 50}, f"-t {VIP}:0 -s wlc -p 50"),
    ({"vip": VIP, "port": 53, "protocol": "udp", "scheduler": "rr", "ops": True}, f"-u {VIP}:53 -s rr -o"),
    ({"mark": 10, "scheduler": "sh", "scheduler_flags": ["sh-port"]}, "-f 10 -s sh -b sh-port"),
    (
        {"mark": 11, "scheduler": "sh", "scheduler_flags": ["sh-port", "sh-fallback"]},
        "-f 11 -s sh -b sh-fallback,sh-port",
    ),
    ({"mark": 12, "scheduler": "mh", "scheduler_flags": ["mh-fallback"]}, "-f 12 -s mh -b mh-fallback"),
    (
        {"vip": VIP, "port": 5060, "protocol": "udp", "scheduler": "rr", "persistent": 60, "pe": "sip"},
        f"-u {VIP}:5060 -s rr -p 60 --pe sip",
    ),
    ({"mark": 13, "persistent": 60, "pe": "sip", "ops": True}, "-f 13 -s wlc -p 60 --pe sip -o"),
]


def test_every_kind_of_service(apply, run_module):
    described = [options for options, dummy in KINDS_OF_SERVICES]
    lines = [f"-A {line}" for dummy, line in KINDS_OF_SERVICES]
    checked = run_module("ipvs_services", {"services": described}, check=True)
    assert table() == []
    assert apply(described)["changes"] == checked["changes"] == lines
    assert sorted(table()) == sorted(lines)


def test_every_option_goes_back_to_its_default(apply, sh):
    for line in (
        "-A -f 7 -s rr",
        f"-A -t {VIP}:80 -s sh -p 9 -M 255.255.0.0 -b sh-fallback",
        f"-A -u {VIP}:80 -s lc -o -p 60 --pe sip",
        "-a -f 7 -r 198.51.100.1 -i --tun-type gue --tun-port 6080 --tun-csum -x 9 -w 7",
    ):
        sh(f"ipvsadm {line}")
    apply([service(), service(protocol="udp"), service("198.51.100.1", mark=7)])
    assert table() == [
        f"-A -t {VIP}:80 -s wlc",
        f"-A -u {VIP}:80 -s wlc",
        "-A -f 7 -s wlc",
        "-a -f 7 -r 198.51.100.1:0 -g -w 1",
    ]


TUN = {"forward": "tun"}
KINDS_OF_REAL_SERVERS = [
    ({"port": 1}, {"address": "198.51.100.1", "weight": 2147483647}, f"-t {VIP}:1 -r 198.51.100.1:1 -g -w 2147483647"),
    ({"port": 2}, {"address": "198.51.100.1", "weight": 0}, f"-t {VIP}:2 -r 198.51.100.1:2 -g -w 0"),
    (
        {"port": 3},
        {"address": "198.51.100.1", "port": 8080, "forward": "nat"},
        f"-t {VIP}:3 -r 198.51.100.1:8080 -m -w 1",
    ),
    ({"port": 4}, {"address": "198.51.100.1", "forward": "tun"}, f"-t {VIP}:4 -r 198.51.100.1:4 -i -w 1"),
    ({"port": 5}, {"address": "2001:db8::1", "forward": "tun"}, f"-t {VIP}:5 -r [2001:db8::1]:5 -i -w 1"),
    ({"port": 6}, {"address": "127.0.0.1"}, f"-t {VIP}:6 -r 127.0.0.1:6 -g -w 1"),
    ({"port": 0, "persistent": 9}, {"address": "198.51.100.1"}, f"-t {VIP}:0 -r 198.51.100.1:0 -g -w 1"),
    ({"vip": VIP6, "port": 1}, {"address": "2001:db8::1"}, f"-t [{VIP6}]:1 -r [2001:db8::1]:1 -g -w 1"),
    (
        {"vip": VIP6, "port": 2},
        {"address": "2001:db8::1", "port": 8080, "forward": "nat"},
        f"-t [{VIP6}]:2 -r [2001:db8::1]:8080 -m -w 1",
    ),
    (
        {"vip": VIP6, "port": 3},
        {"address": "198.51.100.1", "forward": "tun"},
        f"-t [{VIP6}]:3 -r 198.51.100.1:3 -i -w 1",
    ),
    (
        {"port": 7},
        {"address": "198.51.100.1", "forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080},
        f"-t {VIP}:7 -r 198.51.100.1:7 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum",
    ),
    (
        {"port": 8},
        {"address": "198.51.100.1", **TUN, "tunnel_type": "gue", "tunnel_port": 65535, "tunnel_checksum": "csum"},
        f"-t {VIP}:8 -r 198.51.100.1:8 -i -w 1 --tun-type gue --tun-port 65535 --tun-csum",
    ),
    (
        {"port": 9},
        {"address": "2001:db8::1", **TUN, "tunnel_type": "gue", "tunnel_port": 1, "tunnel_checksum": "remcsum"},
        f"-t {VIP}:9 -r [2001:db8::1]:9 -i -w 1 --tun-type gue --tun-port 1 --tun-remcsum",
    ),
    (
        {"vip": VIP6, "port": 4},
        {"address": "198.51.100.1", **TUN, "tunnel_type": "gre"},
        f"-t [{VIP6}]:4 -r 198.51.100.1:4 -i -w 1 --tun-type gre --tun-nocsum",
    ),
    (
        {"mark": 5, "family": "ipv6"},
        {"address": "2001:db8::1", **TUN, "tunnel_type": "gre", "tunnel_checksum": "csum"},
        "-f 5 -6 -r [2001:db8::1]:0 -i -w 1 --tun-type gre --tun-csum",
    ),
    ({"mark": 3}, {"address": "198.51.100.1"}, "-f 3 -r 198.51.100.1:0 -g -w 1"),
    ({"mark": 4}, {"address": "198.51.100.1", "port": 80, "forward": "nat"}, "-f 4 -r 198.51.100.1:80 -m -w 1"),
    ({"mark": 3, "family": "ipv6"}, {"address": "2001:db8::1"}, "-f 3 -6 -r [2001:db8::1]:0 -g -w 1"),
]


def test_every_kind_of_real_server(apply):
    apply([service(**options, real_servers=[server]) for options, server, dummy in KINDS_OF_REAL_SERVERS])
    found = [line.replace(" --tun-type ipip", "") for line in table() if line.startswith("-a")]
    assert sorted(found) == sorted(f"-a {line}" for dummy, dummy2, line in KINDS_OF_REAL_SERVERS)


def test_thresholds(apply):
    servers = [
        {"address": "198.51.100.1", "upper_threshold": 100, "lower_threshold": 80},
        {"address": "198.51.100.2", "upper_threshold": 2147483647},
        {"address": "198.51.100.3"},
    ]
    apply([service(real_servers=servers)])
    expected = {"198.51.100.1:80": (100, 80), "198.51.100.2:80": (2147483647, 0), "198.51.100.3:80": (0, 0)}
    assert thresholds() == expected
    apply([service("198.51.100.1", "198.51.100.2", "198.51.100.3")])
    assert set(thresholds().values()) == {(0, 0)}


def test_real_servers_are_added_in_the_order_of_the_description(apply):
    apply([service("198.51.100.2", "198.51.100.1", "198.51.100.3", scheduler="sh")])
    assert newest_first() == ["C6336403", "C6336401", "C6336402"]


def test_edits_keep_connections_and_counters(apply, sh):
    sh(f"ip address add {VIP}/32 dev lo")
    described = service("127.0.0.1", protocol="udp", port=9)
    apply([described])
    sh(f"python3 -c \"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{VIP}', 9))\"")
    assert sh("ipvsadm -Lnc | grep -c UDP") == "1\n"
    assert counted("1 1") == ["1", "1"]
    changed = service(protocol="udp", port=9, scheduler="mh", persistent=60)
    changed["real_servers"] = [{"address": "127.0.0.1", "weight": 7, "upper_threshold": 50}]
    assert [step[:2] for step in apply([changed])["changes"]] == ["-E", "-e"]
    assert sh("ipvsadm -Lnc | grep -c UDP") == "1\n"
    assert counted("1 1") == ["1", "1"]


def test_nothing_is_removed_that_nobody_asked_for(apply, sh):
    foreign = [
        "-A -t 203.0.113.1:80 -s sh -b sh-fallback,sh-port",
        "-a -t 203.0.113.1:80 -r 198.51.100.8:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-csum",
        "-a -t 203.0.113.1:80 -r 198.51.100.9:80 -g -w 1",
        "-A -u 203.0.113.1:53 -s rr -o -b flag-1,flag-3",
        "-A -f 9 -6 -s wlc -p 360 -M 64",
    ]
    for line in [*foreign, f"-A -t {VIP}:80 -s rr", f"-a -t {VIP}:80 -r 198.51.100.7:80 -g -w 1"]:
        sh(f"ipvsadm {line}")
    apply([service("198.51.100.1")])
    assert sorted(table()) == sorted(
        [
            *foreign,
            f"-A -t {VIP}:80 -s wlc",
            f"-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 1",
            f"-a -t {VIP}:80 -r 198.51.100.7:80 -g -w 1",
        ]
    )


def test_purge_real_servers_looks_into_the_listed_services_only(apply, sh):
    sh(f"ipvsadm -A -t {VIP}:80; ipvsadm -a -t {VIP}:80 -r 198.51.100.7 -g")
    sh(f"ipvsadm -A -t {VIP}:81; ipvsadm -a -t {VIP}:81 -r 198.51.100.7 -g")
    result = apply([service("198.51.100.1")], purge_real_servers=True)
    assert [step[:2] for step in result["changes"]] == ["-a", "-d"]
    assert table() == [
        f"-A -t {VIP}:80 -s wlc",
        f"-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 1",
        f"-A -t {VIP}:81 -s wlc",
        f"-a -t {VIP}:81 -r 198.51.100.7:81 -g -w 1",
    ]


def test_purge_removes_every_service_that_is_not_listed(apply, sh):
    sh(f"ipvsadm -A -t {VIP}:81; ipvsadm -a -t {VIP}:81 -r 198.51.100.7 -g; ipvsadm -A -f 9 -6")
    assert len(apply([service()], purge=True)["changes"]) == 3
    assert table() == [f"-A -t {VIP}:80 -s wlc"]


def test_what_leaves_the_description_of_its_owner_leaves_the_table(apply, sh):
    sh("ipvsadm -A -t 203.0.113.1:80")
    apply([service(), service(port=81)], owner="one")
    apply([service(port=82)], owner="two")
    apply([service()], owner="one")
    assert table() == [f"-A -t {VIP}:80 -s wlc", f"-A -t {VIP}:82 -s wlc", "-A -t 203.0.113.1:80 -s wlc"]
    apply([], owner="one")
    apply([], owner="two")
    assert table() == ["-A -t 203.0.113.1:80 -s wlc"]
    assert sh("ls -A /var/lib") == ""


def test_a_service_that_another_owner_lists_too_stays(apply):
    apply([service()], owner="one")
    apply([service()], owner="two")
    apply([], owner="one")
    assert table() == [f"-A -t {VIP}:80 -s wlc"]


def test_the_saved_table_comes_back_complete_and_in_order(apply, sh, tmp_path):
    saved = tmp_path / "rules"
    servers = [
        {"address": "198.51.100.2", "upper_threshold": 100, "lower_threshold": 50},
        {"address": "198.51.100.1", "weight": 0},
        {"address": "2001:db8::9", "forward": "tun"},
    ]
    described = [
        service(scheduler="sh", scheduler_flags=["sh-port"], real_servers=servers),
        service("2001:db8::1", "2001:db8::2", vip=VIP6, protocol="sctp", persistent=30, netmask="64"),
        service("198.51.100.1", protocol="udp", port=53, scheduler="rr", ops=True),
        service("2001:db8::2", "2001:db8::1", mark=5, family="ipv6"),
    ]
    assert apply(described, save_to=str(saved))["changes"][-1] == f"write {saved}"
    assert saved.stat().st_mode & 0o777 == 0o600
    before = table(), thresholds(), in_order()
    sh("ipvsadm -C")
    sh(f"grep -v '^#' {saved} | ipvsadm -R")
    assert (table(), thresholds(), in_order()) == before
    apply(described, save_to=str(saved))
    apply([], save_to=str(saved))
    assert not saved.exists()


def test_the_order_of_the_table_is_the_order_of_the_file(apply, sh, tmp_path):
    saved = tmp_path / "rules"
    apply([service("198.51.100.3", scheduler="sh")])
    apply([service("198.51.100.1", "198.51.100.3", "198.51.100.2", scheduler="sh")], save_to=str(saved))
    before = newest_first()
    sh(f"ipvsadm -C; grep -v '^#' {saved} | ipvsadm -R")
    assert newest_first() == before == ["C6336402", "C6336401", "C6336403"]


def test_another_order_is_told_where_it_matters(run_module):
    run_module("ipvs_services", {"services": [service("198.51.100.3", scheduler="sh")]})
    described = service("198.51.100.1", "198.51.100.3", scheduler="sh")
    result = run_module("ipvs_services", {"services": [described]})
    assert "Service tcp 192.0.2.10:80: its real servers stand in the table in another order" in str(result["warnings"])
    assert not run_module("ipvs_services", {"services": [{**described, "scheduler": "mh"}]}).get("warnings")


def test_a_file_that_was_there_before_comes_back(apply, sh, tmp_path):
    saved, kept = tmp_path / "rules", tmp_path / "rules.before-openlvs"
    saved.write_text("# mine\n")
    saved.chmod(0o644)
    apply([service()], save_to=str(saved))
    assert kept.read_text() == "# mine\n"
    saved.write_text("# somebody wrote it again\n")
    apply([service(port=81)], save_to=str(saved))
    assert kept.read_text() == "# mine\n" and "-A -t 192.0.2.10:81 -s wlc\n" in saved.read_text()
    result = apply([], save_to=str(saved))
    assert result["changes"] == [f"bring back {saved} from {kept}"]
    assert saved.read_text() == "# mine\n" and saved.stat().st_mode & 0o777 == 0o644 and not kept.exists()


def test_a_held_real_server_does_not_enter_but_stays(apply, run_module, tmp_path):
    saved = tmp_path / "rules"
    held = service(real_servers=[{"address": "198.51.100.1", "name": "rs1", "hold": True}, {"address": "198.51.100.2"}])
    result = apply([held], purge_real_servers=True, save_to=str(saved))
    assert result["held"] == [f"tcp {VIP}:80, real server 198.51.100.1:80 (rs1)"]
    assert table()[1:] == [f"-a -t {VIP}:80 -r 198.51.100.2:80 -g -w 1"]
    assert "198.51.100.1" not in saved.read_text()
    apply([service("198.51.100.1", "198.51.100.2")], purge_real_servers=True)
    held["real_servers"][0]["weight"] = 5
    assert apply([held], purge_real_servers=True, save_to=str(saved))["held"] == []
    assert f"-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 5" in table()
    assert "-r 198.51.100.1:80 -g -w 5" in saved.read_text()


def test_weights_that_others_set_are_kept(apply, sh, tmp_path):
    saved = tmp_path / "rules"
    described = [service("198.51.100.1", "198.51.100.2"), service("198.51.100.1", port=81)]
    apply(described, keep_weights=True)
    sh(f"ipvsadm -e -t {VIP}:80 -r 198.51.100.1 -g -w 0; ipvsadm -e -t {VIP}:81 -r 198.51.100.1 -g -w 70")
    servers = [{"address": f"198.51.100.{number}", "weight": 5} for number in (1, 2, 3)]
    described[0] = service(scheduler="rr", real_servers=servers)
    described[0]["real_servers"][0]["upper_threshold"] = 9
    result = apply(described, keep_weights=True, purge_real_servers=True, save_to=str(saved))
    lines = [
        f"-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 0",
        f"-a -t {VIP}:80 -r 198.51.100.2:80 -g -w 1",
        f"-a -t {VIP}:80 -r 198.51.100.3:80 -g -w 5",
        f"-a -t {VIP}:81 -r 198.51.100.1:81 -g -w 70",
    ]
    assert [line for line in table() if line.startswith("-a")] == lines
    assert result["changes"][:3] == [
        f"-a -t {VIP}:80 -r 198.51.100.3:80 -g -w 5",
        f"-E -t {VIP}:80 -s rr",
        f"-e -t {VIP}:80 -r 198.51.100.1:80 -g -w 0 -x 9",
    ]
    rules = saved.read_text()
    assert "-r 198.51.100.1:80 -g -w 0 -x 9\n" in rules and "-r 198.51.100.1:81 -g -w 70\n" in rules
    apply(described)
    assert f"-a -t {VIP}:81 -r 198.51.100.1:81 -g -w 1" in table()


def test_services_of_others_come_and_go_as_they_like(apply, sh):
    """As kube-proxy and keepalived do in the same kernel, while ours are changed, owned and taken away."""
    apply([service("198.51.100.1")], owner="ours")
    sh("ipvsadm -A -t 203.0.113.1:443 -s rr; ipvsadm -a -t 203.0.113.1:443 -r 198.51.100.9:6443 -m")
    apply([service("198.51.100.1"), service("198.51.100.2", mark=3)], owner="ours", purge_real_servers=True)
    sh("ipvsadm -e -t 203.0.113.1:443 -r 198.51.100.9:6443 -m -w 0; ipvsadm -A -f 3 -6 -s sh -b sh-fallback -p 9")
    apply([service(mark=3)], owner="ours", purge_real_servers=True)
    others = [
        "-A -t 203.0.113.1:443 -s rr",
        "-a -t 203.0.113.1:443 -r 198.51.100.9:6443 -m -w 0",
        "-A -f 3 -6 -s sh -p 9 -b sh-fallback",
    ]
    assert sorted(table()) == sorted([*others, "-A -f 3 -s wlc"])
    apply([], owner="ours")
    assert sorted(table()) == sorted(others)


def test_what_left_the_list_stays_ours_until_it_is_purged(apply):
    apply([service("198.51.100.1")], owner="ours")
    both = {"services": [service("198.51.100.1", mark=3)], "owner": "ours", "purge_abandoned": False}
    apply(**both)
    assert sorted(line.split(" -s ")[0] for line in table() if line.startswith("-A")) == ["-A -f 3", f"-A -t {VIP}:80"]
    assert apply(**both)["changed"] is False
    apply([service("198.51.100.1", mark=3)], owner="ours")
    assert [line.split(" -s ")[0] for line in table() if line.startswith("-A")] == ["-A -f 3"]


def test_check_mode_says_what_the_real_run_does(run_module, sh, tmp_path):
    sh(f"ipvsadm -A -t {VIP}:80 -s rr; ipvsadm -a -t {VIP}:80 -r 198.51.100.7 -g -x 9; ipvsadm -A -t {VIP}:81")
    params = {
        "services": [service("198.51.100.1", "198.51.100.2")],
        "purge": True,
        "purge_real_servers": True,
        "owner": "x",
        "save_to": str(tmp_path / "rules"),
    }
    before = sh("cat /proc/net/ip_vs")
    checked = run_module("ipvs_services", params, check=True)
    assert sh("cat /proc/net/ip_vs") == before
    assert sh(f"ls -A {tmp_path}; ls -A /var/lib/openlvs; ls /run | grep lock$ | grep openlvs || true") == ""
    done = run_module("ipvs_services", params)
    assert checked == done and done["changed"] is True
    assert done["diff"] == {
        "before": f"-A -t {VIP}:80 -s rr\n-a -t {VIP}:80 -r 198.51.100.7:80 -g -w 1 -x 9\n-A -t {VIP}:81 -s wlc\n",
        "after": f"-A -t {VIP}:80 -s wlc\n-a -t {VIP}:80 -r 198.51.100.1:80 -g -w 1\n"
        f"-a -t {VIP}:80 -r 198.51.100.2:80 -g -w 1\n",
    }
    assert "".join(f"{line}\n" for line in table()) == done["diff"]["after"]
    assert "diff" not in run_module("ipvs_services", params, diff=False)


def test_everything_that_cannot_work_is_refused_at_once_and_nothing_is_done(run_module):
    described = [
        service("198.51.100.1"),
        service(scheduler="best"),
        service(real_servers=[{"address": "224.0.0.1"}], port=0),
    ]
    result = run_module("ipvs_services", {"services": described, "owner": "x"})
    assert result["failed"] and len(result["findings"]) == 4
    assert table() == []


def test_a_large_table(run_module):
    described = [
        service(*(f"198.18.{number}.{host}" for host in range(1, 51)), vip=f"203.0.113.{number}")
        for number in range(1, 201)
    ]
    for expected in (10200, 0):
        result = run_module("ipvs_services", {"services": described, "purge_real_servers": True}, diff=False)
        assert len(result["changes"]) == expected
    assert len(table()) == 10200
