# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""ldirectord.cf from typed data: what is written, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord import files

SERVERS: list[dict[str, t.Any]] = [
    {"name": "rs1", "address": "192.0.2.11", "weight": 2, "upper_threshold": 9, "lower_threshold": 5},
    {"name": "rs2", "address": "192.0.2.12"},
]
HTTP = {"type": "http", "port": 8081, "path": "/ok", "host": "www.example.org", "regex": "We[lr]come", "interval": 2}
WEB: dict[str, t.Any] = {
    "name": "web",
    "vip": "192.0.2.10",
    "port": 80,
    "scheduler": "sh",
    "scheduler_flags": ["sh-port"],
    "persistent": 60,
    "netmask": "255.255.255.0",
    "checks": [{**HTTP, "timeout": 1, "fall": 2}],
    "sorry_server": {"address": "192.0.2.1", "port": 8080, "forward": "nat"},
    "real_servers": SERVERS,
}
SIX: dict[str, t.Any] = {
    "mark": 5,
    "family": "ipv6",
    "checks": [{"type": "tcp", "port": 80, "interval": 2}],
    "inhibit_on_failure": True,
    "real_servers": [{"address": "2001:db8::11", "forward": "tun"}],
}
GLOBAL = """\
# Written by Ansible, role openlvs.lvs.ldirectord. Changes made here do not last.
checkinterval=2
autoreload=no
cleanstop=no
readdquiescent=yes
logfile="/var/log/ldirectord.log"
"""
WEB_TEXT = """
# service tcp 192.0.2.10:80
virtual=192.0.2.10:80
    protocol=tcp
    scheduler=sh
    schedflags=sh-port
    persistent=60
    netmask=255.255.255.0
    checktype=negotiate
    service=http
    request="/ok"
    receive="We[lr]come"
    virtualhost=www.example.org
    checkport=8081
    checktimeout=1
    negotiatetimeout=1
    failurecount=2
    quiescent=no
    fallback=192.0.2.1:8080 masq
    real=192.0.2.11:80 gate 2 l:5 u:9
    real=192.0.2.12:80 gate 1
"""
SIX_TEXT = """
# service mark 5 ipv6
virtual6=5
    protocol=fwm
    scheduler=wlc
    checktype=connect
    checkport=80
    checktimeout=3
    negotiatetimeout=3
    failurecount=3
    quiescent=yes
    real6=[2001:db8::11] ipip 1
"""


def config(*services: dict[str, t.Any], **settings: t.Any) -> str:
    return str(files({"virtual_servers": list(services), **settings})["config"])


def web(**changes: t.Any) -> dict[str, t.Any]:
    return {**WEB, **changes}


def checked(**changes: t.Any) -> dict[str, t.Any]:
    return web(checks=[{**HTTP, **changes}])


def test_a_whole_file() -> None:
    assert config(WEB, SIX) == GLOBAL + WEB_TEXT + SIX_TEXT


@pytest.mark.parametrize("check", [
    {"status": [200]}, {"digest": "0" * 32}, {"rise": 2}, {"window": 10}, {"type": "udp"}, {"type": "script"}
])  # fmt: skip
def test_what_ldirectord_cannot_look_at_goes_to_the_checker(check: dict[str, t.Any]) -> None:
    made = files({"virtual_servers": [checked(**check)]})
    assert "checktype=external\n    checkcommand=/usr/local/lib/openlvs/check-ldirectord\n" in made["config"]
    assert "failurecount=1\n" in made["config"]
    [(name, (told,))] = list(made["checks"].items())
    assert name == "192.0.2.10 80" and told.items() >= check.items() and told["fall"] == 3


def test_the_checker_never_runs_as_root() -> None:
    with pytest.raises(OptionError, match="never run as root"):
        files({"virtual_servers": [checked(rise=2)], "check_user": "root"})


def test_so_do_several_checks_and_pages_over_ipv6() -> None:
    made = files({"virtual_servers": [web(checks=[HTTP, {**HTTP, "type": "tcp"}])]})
    assert "checktype=external" in made["config"] and len(made["checks"]["192.0.2.10 80"]) == 2
    made = files({"virtual_servers": [{**SIX, "checks": [{**HTTP, "window": 10}]}]})
    assert made["checks"]["5 0"][0]["failures"] == 7


def test_what_ldirectord_can_it_does_itself() -> None:
    assert files({"virtual_servers": [WEB]})["checks"] == {}


def test_services_of_different_pace_get_a_process_each() -> None:
    text = config(WEB, web(port=81, checks=[{"type": "ping", "interval": 5}]))
    assert "\ncheckinterval=2\nfork=yes\n" in text
    assert "    checktype=ping\n" in text and "    checkinterval=5\n" in text


def test_nobody_looks_where_there_are_no_checks() -> None:
    assert "    checktype=on\n" in config(web(checks=[]))


def test_what_the_module_takes() -> None:
    made = files({"virtual_servers": [WEB, SIX]})
    web_said, six_said = made["services"]
    assert web_said["sorry_server"]["address"] == "192.0.2.1" and "quiescent" not in web_said
    assert six_said["quiescent"] is True


def test_nothing_to_do_is_an_empty_text() -> None:
    assert files({"virtual_servers": []})["config"] == ""


def test_a_held_server_stays_out_unless_it_is_known() -> None:
    held = [{**one, "hold": True} for one in SERVERS]
    before = config(web(real_servers=SERVERS[:1]))
    made = files({"virtual_servers": [web(real_servers=held)], "found": before})
    assert made["held"] == ["rs2"] and "192.0.2.12" not in made["config"] and "192.0.2.11" in made["config"]
    six = [{**SIX["real_servers"][0], "hold": True}]
    assert not files({"virtual_servers": [{**SIX, "real_servers": six}], "found": config(SIX)})["held"]


def test_mails() -> None:
    notification = {
        "to": ["a@b.example"],
        "from": "lvs@b.example",
        "smtp_server": "mail",
        "repeat": 60,
        "when": ["all"],
    }
    text = config(WEB, notification=notification)
    assert 'emailalert="a@b.example"\nemailalertfrom=lvs@b.example\nsmtp=mail\nemailalertfreq=60\n' in text
    assert "emailalertstatus=all\n" in text


@pytest.mark.parametrize(
    ("service", "text"),
    [
        (web(protocol="sctp"), "knows tcp and udp, not sctp"),
        (web(quorum=2), "quorum 2: ldirectord counts no servers"),
        (web(checks=[HTTP, {"type": "ping"}]), "there are 2 checks"),
        (web(checks=[HTTP, {**HTTP, "interval": 9}]), "different intervals"),
        (checked(window=10, failures=5), "must be more than half"),
        (checked(failures=5), "Say window, too"),
        (checked(type="smtp", host=None, rise=2), "has no check of type smtp"),
        (checked(type="script", path="true"), "absolute and on the director"),
        (checked(rise=2, retry_delay=2), "looks again after interval"),
        (checked(retry_delay=1), "retry_delay 1: ldirectord has no word for it"),
        (checked(path="index"), "begins with a slash"),
        (checked(path="/a\nreal=192.0.2.66 gate"), "has a line break in it"),
        (checked(regex='a"b'), "has a double quote in it"),
        (checked(host="a#b"), "which begins a comment"),
        (checked(type="smtp", host="me"), "with its own name"),
        (checked(type="dns", regex=None), "which address shall come back"),
        (checked(type="dns", record="MX"), "asks for A alone"),
        ({**SIX, "checks": [{"type": "tcp"}]}, "needs a port"),
        ({**SIX, "checks": [{"type": "ping"}]}, "over IPv4 alone"),
        ({**SIX, "real_servers": [{"address": "192.0.2.11", "forward": "tun"}]}, "is of another family"),
        (web(real_servers=[{**SERVERS[0], "forward": "tun", "tunnel_type": "gre"}]), "tunnels by ipip alone"),
    ],
)
def test_what_cannot_work_is_a_finding(service: dict[str, t.Any], text: str) -> None:
    with pytest.raises(OptionError) as caught:
        files({"virtual_servers": [service]})
    assert any(text in finding for finding in caught.value.findings), caught.value.findings
