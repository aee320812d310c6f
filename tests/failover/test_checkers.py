# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of check under each daemon: a real server is in the table while it is well, else out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from cluster import run_playbook, until
from playing import LAB, on

VIP = "192.168.0.77"
POSTMAN = "10.99.1.3"  # the client
SCRIPT = "/usr/local/bin/lab-check"
SWITCH = "/run/lab-switch"
TOLD = ("file", "bfd")  # keepalived asks nobody
SPEAKER = "bfd_instance lvs1 {\n  neighbor_ip 192.168.0.75\n  source_ip 192.168.0.45\n  min_tx 300\n  min_rx 300\n}\n"
# By what ldirectord pings; in this version it takes no answer that has data, and ldirectord sends some.
PING, DEAF = "perl -MNet::Ping -e 'print Net::Ping->VERSION'", "2.72"
# Words of keepalived's own, which it has to take.
CONNECTING = {"alpha": True, "bindto": "192.168.0.75", "fwmark": 9, "log_all_failures": True, "warmup": 0.2}
PAGE = {**CONNECTING, "fast_recovery": True, "http_protocol": "1.0", "regex_options": ["caseless"]}
LENGTHS = {"min_reply_length": 2, "max_reply_length": 200}
SERVICE = {"alpha": True, "omega": True, "snmp_name": "web", "smtp_alert": False, "virtualhost": "www.example.org"}
SERVER = {"alpha": True, "snmp_name": "rs1", "smtp_alert": True, "inhibit_on_failure": False}
ALWAYS: dict[str, tuple[int, str, dict[str, object]]] = {
    "https": (443, "tcp", {"path": "/", "host": "www.example.org"}),
    "ping": (9003, "tcp", {}),
    "script": (9004, "tcp", {"path": f"{SCRIPT} well"}),
}
# Port, protocol, and what the check says beside its kind.
CHECKS: dict[str, dict[str, tuple[int, str, dict[str, object]]]] = {
    "keepalived": {
        **ALWAYS,
        "tcp": (9001, "tcp", {"keepalived": {**CONNECTING, "bind_if": "eth1"}}),
        "http": (80, "tcp", {"path": "/", "status": [200], "regex": "RS1", "keepalived": PAGE}),
        "smtp": (25, "tcp", {"host": "lvs1.example.org"}),
        "udp": (9002, "udp", {"payload": "6869", "reply": "686f", "keepalived": {**CONNECTING, **LENGTHS}}),
        "dns": (53, "udp", {"record": "A", "host": "www.example.org"}),
        "file": (9005, "tcp", {"path": SWITCH}),
        "bfd": (9006, "tcp", {"keepalived": {"idle_tx": 1000}}),
    },
    "ldirectord": {
        **ALWAYS,
        "tcp": (9001, "tcp", {}),
        "http": (80, "tcp", {"path": "/", "regex": "rs1"}),
        "smtp": (25, "tcp", {}),
        "udp": (9002, "udp", {"payload": "6869", "reply": "686f"}),
        "dns": (53, "udp", {"host": "www.example.org", "regex": "192.0.2.1"}),
    },
}


def description(engine: str) -> dict[str, object]:
    """A director alone, with a service for each kind of check."""
    soon = {"interval": 1, "timeout": 1, "fall": 2}
    own = engine == "keepalived"
    services = [
        {
            "name": kind,
            "vip": VIP,
            "port": port,
            "protocol": protocol,
            **({"keepalived": SERVICE} if own else {}),
            "real_servers": [{"host": "rs1", **({"keepalived": SERVER} if own else {})}],
            "checks": [{"type": kind, **({} if kind in TOLD else soon), **words}],
        }
        for kind, (port, protocol, words) in CHECKS[engine].items()
    ]
    hosts = {"lvs1": {"lvs_addresses": ["192.168.0.75/24"]}, "rs1": {"lvs_addresses": ["192.168.0.45/24"]}}
    mails = {"to": ["root@example.org"], "from": "lvs1@example.org", "smtp_server": POSTMAN}
    variables = {"lvs_engine": engine, "lvs_services": services, f"{engine}_notification": mails}
    return {"all": {"vars": variables, "hosts": hosts}}


def well(engine: str) -> set[str]:
    """The checks whose real server is in the table."""
    rules = re.findall(rf"^-a -[tu] {VIP}:(\d+)", on("lvs1", "ipvsadm --save --numeric"), re.MULTILINE)
    return {kind for kind, (port, _protocol, _words) in CHECKS[engine].items() if str(port) in rules}


def put(host: str, path: str, text: str) -> None:
    subprocess.run([LAB, "exec", host, f"cat >{path}"], check=True, input=text, text=True)


def certificate(folder: Path) -> str:
    """One for a day, with its key."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=www.example.org"]
    command = ["openssl", "req", "-x509", *words, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return key.read_text() + cert.read_text()


@pytest.fixture(scope="module", name="start")
def fixture_start(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fresh hosts, something that answers on rs1, and somebody who takes mails; how the first is started."""
    subprocess.run([LAB, "reset", "client", "router", "lvs1", "rs1"], check=True)
    on("lvs1", "apt-get install --yes ipvsadm")
    put("lvs1", SCRIPT, '#!/bin/sh\n[ "$(id -un)" = nobody ] && [ -e "/run/$1" ]\n')
    on("lvs1", f"chmod 755 {SCRIPT}")
    start = "systemd-run --unit=pretend python3 /srv/pretend.py"
    on("rs1", "apt-get install --yes keepalived")
    put("rs1", "/etc/keepalived/keepalived.conf", SPEAKER)
    on("rs1", "systemctl restart keepalived")
    both = certificate(tmp_path_factory.mktemp("certificate"))
    for name in ("client", "rs1"):
        put(name, "/srv/pretend.pem", both)
        put(name, "/srv/pretend.py", Path(__file__).with_name("pretend.py").read_text())
        on(name, start)
    return start


@pytest.mark.parametrize("engine", CHECKS)
def test_each_kind_of_check(engine: str, start: str, tmp_path: Path) -> None:
    """The script runs under a name without rights, with its argument; and what happens is told by mail."""
    everything = set(CHECKS[engine])
    on("lvs1", "touch /run/well")
    on("client", "rm -f /srv/mails")
    run_playbook("site", description(engine), tmp_path)
    if engine == "ldirectord" and on("lvs1", PING) == DEAF:
        everything.remove("ping")
    until(lambda: well(engine) == everything, "all are well")
    on("rs1", "systemctl stop pretend nginx keepalived; echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all")
    on("lvs1", f"rm /run/well; echo 1 >{SWITCH}")
    until(lambda: not well(engine), "all are out")
    until(lambda: "192.168.0.45" in on("client", "cat /srv/mails || true"), "a mail has told of rs1")
    on("rs1", f"{start}; systemctl start nginx keepalived; echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_all")
    on("lvs1", f"touch /run/well; echo 0 >{SWITCH}")
    until(lambda: well(engine) == everything, "all are back")
    run_playbook("teardown", description(engine), tmp_path)
    assert on("lvs1", f"systemctl is-active {engine} || true") == "inactive"
