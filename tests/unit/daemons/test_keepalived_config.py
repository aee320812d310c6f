# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived.conf from typed data: what is written, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import files
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.servers import REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.known import known_in_config

FRONT: dict[str, t.Any] = {"name": "front", "interface": "eth0", "id": 51, "vips": [{"address": "192.0.2.10"}]}
BACK: dict[str, t.Any] = {"name": "back", "interface": "eth0", "id": 52, "vips": [{"address": "192.0.2.20"}]}
HOLD: list[dict[str, t.Any]] = [{"name": "hold", "path": "/etc/hold"}]
UPLINK: list[dict[str, t.Any]] = [{"name": "up", "neighbour": "192.0.2.254"}]
WEB: dict[str, t.Any] = {
    "name": "web",
    "vip": "192.0.2.10",
    "port": 80,
    "checks": [{"type": "http", "path": "/", "host": "www.example.org", "status": [200, "301-302"], "fall": 4}],
    "sorry_server": {"address": "192.0.2.1", "port": 8080, "forward": "nat"},
    "real_servers": [{"name": "rs1", "address": "192.0.2.11", "weight": 2}, {"name": "rs2", "address": "192.0.2.12"}],
}
SETTINGS: dict[str, t.Any] = {"router_id": "lvs1", "instances": [FRONT], "virtual_servers": [WEB]}


def config(**changed: t.Any) -> str:
    return str(files({**SETTINGS, **changed})["config"])


def refused(**changed: t.Any) -> str:
    with pytest.raises(OptionError) as caught:
        files({**SETTINGS, **changed})
    assert len(caught.value.findings) == 1, caught.value.findings
    return caught.value.findings[0]


def instance(**changed: t.Any) -> dict[str, t.Any]:
    return {"instances": [{**FRONT, **changed}]}


def web(**changed: t.Any) -> dict[str, t.Any]:
    return {"virtual_servers": [{**WEB, **changed}]}


def marked(**changed: t.Any) -> dict[str, t.Any]:
    return web(**{"vip": None, "port": None, "mark": 5, "sorry_server": None, **changed})


def check(**words: t.Any) -> dict[str, t.Any]:
    return web(checks=[words])


def real(**words: t.Any) -> dict[str, t.Any]:
    return web(real_servers=[{"address": "192.0.2.11", "keepalived": words}])


def page(**words: t.Any) -> dict[str, t.Any]:
    return check(type="http", path="/", regex="ok", keepalived=words)


WRITTEN = """\
# Written by Ansible, role openlvs.lvs.keepalived. Changes made here do not last.
global_defs {
  router_id lvs1
  vrrp_garp_master_refresh 10
}

vrrp_instance front {
  state BACKUP
  nopreempt
  interface eth0
  version 2
  virtual_router_id 51
  priority 100
  advert_int 1
  include /etc/keepalived/openlvs-auth.conf
  virtual_ipaddress {
    192.0.2.10/32 dev eth0
  }
}

# service tcp 192.0.2.10:80
virtual_server 192.0.2.10 80 {
  lvs_sched wlc
  protocol TCP
  sorry_server 192.0.2.1 8080
  sorry_server_lvs_method NAT
  real_server 192.0.2.11 80 {
    weight 2
    lvs_method DR
    HTTP_GET {
      http_protocol 1.1
      url {
        path /
        virtualhost www.example.org
        status_code 200 301-302
      }
      connect_timeout 3
      delay_loop 6
      retry 3
      delay_before_retry 1
    }
  }
"""


def test_a_cluster_is_written_in_full() -> None:
    made = files({**SETTINGS, "auth_pass": "s3cret"})
    assert made["config"].startswith(WRITTEN)
    assert made["secret"] == "authentication {\n  auth_type PASS\n  auth_pass s3cret\n}\n"
    assert "s3cret" not in made["config"]
    assert made["vips"] == [{"address": "192.0.2.10", "prefix": 32, "interface": "eth0"}]
    (service,) = made["services"]
    assert [server["weight"] for server in service["real_servers"]] == [2, 1]
    assert service["sorry_server"]["port"] == 8080


def test_nothing_to_do_is_an_empty_text() -> None:
    assert files({"router_id": "lvs1"})["config"] == ""


def test_a_password_is_for_the_instances_that_can_have_one() -> None:
    six = {**BACK, "vips": [{"address": "2001:db8::10"}]}
    assert config(instances=[FRONT, six], auth_pass="s3cret").count("include") == 1


def test_no_password_is_no_include() -> None:
    assert "include" not in config() and files(SETTINGS)["secret"] == ""


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (instance(state="MASTER", preempt=True), "state MASTER"),
        (instance(unicast_source="192.0.2.1", unicast_peers=["192.0.2.2"]), "unicast_src_ip 192.0.2.1"),
        (instance(version=3, advert_interval=0.25), "advert_int 0.25"),
        (instance(vips=[{"address": "2001:db8::10"}]), "version 3"),
        (instance(vips=[{"address": "192.0.2.10", "prefix": 24}]), "192.0.2.10/24 dev eth0"),
        (instance(vips=[{"address": "192.0.2.10", "label": "eth0:0"}]), "192.0.2.10/32 dev eth0 label eth0:0"),
        (instance(excluded_vips=[{"address": "2001:db8::10"}]), "2001:db8::10/128 dev eth0"),
        (instance(track_interfaces=["eth0", "eth1"]), "eth1"),
        ({"instances": [{**FRONT, "group": "site"}, {**BACK, "group": "site"}]}, "vrrp_sync_group site {"),
        (instance(keepalived={"notify": "/usr/local/bin/told to all"}), 'notify "/usr/local/bin/told to all"'),
        (instance(keepalived={"notify": "/usr/local/bin/told"}), "enable_script_security"),
        ({"scripts": [{"name": "up", "command": "/bin/true -q"}]}, 'script "/bin/true -q"'),
        ({"scripts": [{"name": "up", "command": "/bin/true -q", "interval": None, "fall": None}]}, "interval 1"),
        ({"processes": [{"name": "nginx", "process": "nginx"}]}, "vrrp_track_process nginx {"),
        ({"files": [{"name": "hold", "path": "/etc/a b", "init": 1}]}, 'file "/etc/a b"'),
        ({"files": [{"name": "hold", "path": "/etc/hold"}]}, "weight 0"),
        ({"files": [{"name": "hold", "path": "/etc/hold", "init": 1}]}, "init_file 1"),
        ({**instance(track_files=["hold"]), "files": HOLD}, "track_file {"),
        ({"bfds": UPLINK}, "bfd_instance up {"),
        ({"bfds": UPLINK}, "vrrp"),
        ({"bfds": [{**UPLINK[0], "source": "192.0.2.1", "interval": 0.05, "fall": 4, "weight": 9}]}, "min_tx 50"),
        ({"bfds": [{**UPLINK[0], "keepalived": {"multihop": True, "max_hops": 2}}]}, "multihop true"),
        ({**instance(track_bfds=["up"]), "bfds": UPLINK}, "track_bfd {"),
        ({"multicast_group": "224.0.100.19"}, "vrrp_mcast_group4 224.0.100.19"),
        ({"notification": {"to": ["root@localhost"]}}, "root@localhost"),
        ({"extra": "static_routes {\n}"}, "static_routes {"),
        (web(scheduler="sh", scheduler_flags=["sh-port"]), "sh-port"),
        (web(persistent=60, netmask="255.255.255.0"), "persistence_granularity 255.255.255.0"),
        (web(protocol="udp", ops=True, checks=[{"type": "ping"}]), "ops"),
        (web(quorum=2, hysteresis=1), "hysteresis 1"),
        (web(inhibit_on_failure=True), "inhibit_on_failure"),
        (web(keepalived={"smtp_alert": True}), "smtp_alert true"),
        (web(keepalived={"ha_suspend": True}), "ha_suspend"),
        (real(notify_down="/bin/true"), "notify_down /bin/true"),
        (check(type="tcp", keepalived={"warmup": 0.5}), "warmup 0.5"),
        (check(type="http", path="/", keepalived={"http_protocol": "1.0"}), "http_protocol 1.0"),
        (page(regex_options=["caseless", "dotall"]), "regex_options caseless dotall"),
        (page(regex_stack=[100, 200]), "regex_stack 100 200"),
        (check(type="tcp", window=10, keepalived={"alpha": True}), "alpha true"),
        (web(real_servers=[{"address": "192.0.2.11", "forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080}]),
         "lvs_method TUN type gue port 6080"),
        (web(real_servers=[{"address": "192.0.2.11", "upper_threshold": 9, "lower_threshold": 3}]), "lthreshold 3"),
        (marked(checks=[{"type": "tcp", "port": 80}]), "virtual_server fwmark 5 {"),
        (check(type="https", path="/"), "enable_sni"),
        (check(type="tcp", port=81), "connect_port 81"),
        (check(type="smtp", host="mail.example.org"), "helo_name mail.example.org"),
        (check(type="dns", host="example.org", record="A"), "name example.org"),
        (check(type="udp", payload="6869", reply="00"), "require_reply 00"),
        (check(type="dns", record="DNSKEY"), "type DNSKEY"),
        (check(type="udp", reply="68 6x"), "require_reply 68 6x"),
        (check(type="udp", keepalived={"require_reply": True}), "require_reply"),
        (check(type="script", path="/bin/true", keepalived={"user": "nobody nogroup"}), "user nobody nogroup"),
        (check(type="script", path="/usr/local/bin/look at it"), 'misc_path "/usr/local/bin/look at it"'),
        (check(type="file", path="/etc/out"), "track_file /etc/out {"),
        (check(type="file", path="/etc/out"), "FILE_CHECK {"),
        (check(type="file", path="/etc/out", keepalived={"weight": "2 reverse"}), "weight 2 reverse"),
        (check(type="bfd"), "bfd_instance 192.0.2.12 {"),
        (check(type="bfd", source="192.0.2.1"), "source_ip 192.0.2.1"),
        (check(type="bfd", interval=0.1, fall=5), "multiplier 5"),
        (check(type="bfd", keepalived={"alpha": True, "ttl": 64}), "ttl 64"),
        (check(type="bfd", address="2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"),
         "bfd_instance 0010db8aaaabbbbccccddddeeeeffff {"),
        (check(type="http", path="/", interval=0.5, timeout=1, retry_delay=0.2), "delay_loop 0.5"),
    ],
)  # fmt: skip
def test_each_option_has_its_line(changed: dict[str, t.Any], line: str) -> None:
    assert line in [written.strip() for written in config(**changed).splitlines()]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"instances": [FRONT, {**BACK, "id": 51}]}, "id 51 is that of front"),
        ({"instances": [FRONT, {**BACK, "vips": FRONT["vips"]}]}, "192.0.2.10 is in front already"),
        (instance(vips=[]), "no VIP"),
        (instance(state="MASTER"), "goes with preempt: true alone"),
        (instance(priority=255), "never yields"),
        (instance(advert_interval=0.5), "counts whole seconds"),
        (instance(version=3, advert_interval=60), "0.01 to 40.95"),
        (instance(vips=[{"address": "2001:db8::1"}], version=2), "IPv6 needs VRRP version 3"),
        (instance(vips=[{"address": "192.0.2.10"}, {"address": "2001:db8::1"}]), "excluded_vips"),
        (instance(track_scripts=["up"]), "'up' is not described"),
        (instance(name="front {"), "letters, digits"),
        ({"auth_pass": "ninechars"}, "has 9 characters"),
        ({"auth_pass": "a!b"}, "has ! in it"),
        ({"auth_pass": "a#b"}, "has # in it"),
        (instance(group="site"), "nobody else is in its group 'site'"),
        ({"instances": [{**FRONT, "group": "site", "track_scripts": ["up"]}, {**BACK, "group": "site"}],
          "scripts": [{"name": "up", "command": "/bin/true", "weight": 10}]}, "priorities must not change"),
        (instance(keepalived={"notify": "told"}), "notify must be an absolute path"),
        (instance(keepalived={"garp_master_repeat": "x"}), "a whole number from 0 to 255"),
        (web(keepalived={"ha_suspend": "yes"}), "ha_suspend must be true or false, not 'yes'"),
        (web(keepalived={"lvs_sched": "rr"}), "'lvs_sched' is no word for this. Say scheduler instead"),
        (web(keepalived={"quorum_ip": "/bin/true"}), "Use one of alpha, ha_suspend"),
        (web(keepalived=["alpha"]), "must be a dictionary of words"),
        (real(notify_up="/a\nb"), "a line break"),
        (real(quorum_up="/bin/true"), "'quorum_up' is no word for this"),
        (check(type="tcp", keepalived={"bindto": "eth0"}), "bindto must be an address"),
        (check(type="tcp", keepalived={"bindto": True}), "bindto must be an address"),
        (page(regex_options=[[]]), "must be a list of some of"),
        (check(type="ping", keepalived={"regex_no_match": True}), "'regex_no_match' is no word for this"),
        (check(type="tcp", window=10, keepalived={"bindto": "192.0.2.1"}), "'bindto' is no word for this"),
        ({**check(type="https", path="/", keepalived={"tls_compliant": True}), "version": "2.2.7"},
         "tls_compliant needs keepalived 2.2.8, and this host has 2.2.7"),
        ({"scripts": [{"name": "up", "command": "true"}]}, "absolute path"),
        ({"scripts": [{"name": "up", "command": "/bin/true"}], "script_user": "root"}, "never run as root"),
        ({"files": [{"name": "hold", "path": "etc/hold"}]}, "absolute, not 'etc/hold'"),
        ({"files": [{"name": "hold", "path": "/etc/a\nb"}]}, "a line break"),
        (instance(track_files=["hold"]), "'hold' is not described"),
        (instance(track_bfds=["up"]), "'up' is not described"),
        ({"instances": [{**FRONT, "group": "site", "track_files": ["hold"]}, {**BACK, "group": "site"}],
          "files": [{**HOLD[0], "weight": 2}]}, "file 'hold' has a weight"),
        ({"bfds": [{**UPLINK[0], "name": "u" * 32}]}, "has 32 characters"),
        ({"bfds": [{**UPLINK[0], "neighbour": "router"}]}, "'router' is no address"),
        ({"bfds": [{**UPLINK[0], "source": "2001:db8::1"}]}, "of another family"),
        ({"bfds": [{**UPLINK[0], "interval": 60}]}, "0.001 to 10 seconds"),
        ({"bfds": [{**UPLINK[0], "keepalived": {"alpha": True}}]}, "'alpha' is no word for this"),
        ({"bfds": [{**UPLINK[0], "keepalived": {"min_rx": 5}}]}, "Say interval instead"),
        ({"bfds": [{**UPLINK[0], "keepalived": {"multihop": True}}], "version": "2.2.7"}, "needs keepalived 2.2.8"),
        ({"bfds": [{**UPLINK[0], "neighbour": "192.0.2.11"}], **check(type="bfd")}, "session with 192.0.2.11 already"),
        ({"virtual_servers": [{**WEB, "port": port, "sorry_server": None, "real_servers": WEB["real_servers"][:1],
                               "checks": [{"type": "bfd", "fall": port}]} for port in (80, 81)]},
         "Say the same in both"),
        (check(type="file"), "needs the path of a file"),
        (check(type="file", path="/etc/a b"), "must be letters, digits"),
        (check(type="file", path="/etc/out", keepalived={"weight": "heavy"}), "such as 2, or 2 reverse"),
        (check(type="file", path="/etc/out", keepalived={"alpha": True}), "'alpha' is no word for this"),
        (check(type="file", path="/etc/out", window=9), "has no check of type file"),
        (web(quorum=4), "above 3, the sum of the weights"),
        (web(quorum=2, hysteresis=2), "hysteresis 2 must be below quorum 2"),
        ({**instance(version=3), "auth_pass": "secret"}, "no instance of VRRP is of version 2"),
        (check(type="script", path="/bin/true", keepalived={"user": "root"}), "never root"),
        ({"scripts": [{"name": "up", "command": "/bin/true", "user": "root"}]}, "scripts never run as root"),
        (web(quorum=3, hysteresis=1), "quorum 3 with hysteresis 1 is above 3"),
        (web(sorry_server={"address": "192.0.2.1", "port": 8080}), "differs from the service's"),
        (web(sorry_server={"address": "192.0.2.11"}), "one of its real servers"),
        (web(scheduler="wcl"), "scheduler"),
        (check(type="http"), "needs a path"),
        (check(type="http", path="/a\nb"), "a line break"),
        (check(type="http", path='/"'), "a double quote"),
        (check(type="http", path="/{"), "a brace"),
        (check(type="http", path="/", host="$www"), "a dollar sign"),
        (check(type="http", path="/", digest="1"), "genhash"),
        (check(type="http", path="/", status=["ok"]), "status code"),
        (check(type="script", path="look"), "absolute"),
        (check(type="udp", payload="6x"), "hexadecimal"),
        (marked(checks=[{"type": "tcp"}]), "needs a port"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_reason(changed: dict[str, t.Any], why: str) -> None:
    finding = refused(**changed)
    assert why in finding
    assert "auth_pass" not in changed or changed["auth_pass"] not in finding


@pytest.mark.parametrize("path", ["/#top", "/a!b", "/a b"])
def test_what_would_begin_a_comment_is_quoted(path: str) -> None:
    assert f'path "{path}"' in config(**check(type="http", path=path))


def test_all_findings_come_at_once() -> None:
    with pytest.raises(OptionError) as caught:
        files({**SETTINGS, **instance(priority=255), **web(quorum=4), "auth_pass": ""})
    assert len(caught.value.findings) == 3


def test_a_held_server_stays_out_unless_it_is_known() -> None:
    held = {"virtual_servers": [{**WEB, "real_servers": [{**one, "hold": True} for one in WEB["real_servers"]]}]}
    before = config(virtual_servers=[{**WEB, "real_servers": WEB["real_servers"][:1]}])
    assert known_in_config(before, REAL_SERVER) == {"tcp 192.0.2.10:80": {("192.0.2.11", 80)}}
    made = files({**SETTINGS, **held, "found": before})
    assert made["held"] == ["rs2"] and "192.0.2.12" not in made["config"] and "192.0.2.11" in made["config"]
    table = [{"service": "tcp 192.0.2.10:80", "real_servers": [{"address": "192.0.2.12", "port": 80}]}]
    assert files({**SETTINGS, **held, "table": table})["held"] == ["rs1"]
