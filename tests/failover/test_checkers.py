# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each kind of check: a real server is in the table while it is well, out while it is not, and back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from clients import LAB, on, run_playbook
from cluster import until

VIP = "192.168.0.77"
SCRIPT = "/usr/local/bin/lab-check"
# Port, protocol, and what the check says beside its kind.
CHECKS = {
    "tcp": (9001, "tcp", {}),
    "http": (80, "tcp", {"path": "/", "status": [200], "regex": "rs1"}),
    "https": (443, "tcp", {"path": "/", "host": "www.example.org"}),
    "smtp": (25, "tcp", {"host": "lvs1.example.org"}),
    "udp": (9002, "udp", {"payload": "6869", "reply": "686f"}),
    "dns": (53, "udp", {"record": "A", "host": "www.example.org"}),
    "ping": (9003, "tcp", {}),
    "script": (9004, "tcp", {"path": f"{SCRIPT} well"}),
}


def description() -> dict[str, object]:
    """A director alone, with a service for each kind of check."""
    soon = {"interval": 1, "timeout": 1, "fall": 2}
    services = [
        {
            "name": kind,
            "vip": VIP,
            "port": port,
            "protocol": protocol,
            "real_servers": [{"host": "rs1"}],
            "checks": [{"type": kind, **soon, **words}],
        }
        for kind, (port, protocol, words) in CHECKS.items()
    ]
    hosts = {"lvs1": {"lvs_addresses": ["192.168.0.75/24"]}, "rs1": {"lvs_addresses": ["192.168.0.45/24"]}}
    variables = {"lvs_engine": "keepalived", "lvs_services": services}
    return {"all": {"vars": variables, "hosts": hosts}}


def well() -> set[str]:
    """The checks whose real server is in the table."""
    rules = re.findall(rf"^-a -[tu] {VIP}:(\d+)", on("lvs1", "ipvsadm --save --numeric"), re.MULTILINE)
    return {kind for kind, (port, _protocol, _words) in CHECKS.items() if str(port) in rules}


def put(host: str, path: str, text: str) -> None:
    subprocess.run([LAB, "exec", host, f"cat >{path}"], check=True, input=text, text=True)


def certificate(folder: Path) -> str:
    """One for a day, with its key."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    words = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=www.example.org"]
    command = ["openssl", "req", "-x509", *words, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return key.read_text() + cert.read_text()


def test_each_kind_of_check(tmp_path: Path) -> None:
    """The script runs under a name without rights, with its argument."""
    subprocess.run([LAB, "reset", "client", "router", "lvs1", "rs1"], check=True)
    on("lvs1", "apt-get install --yes ipvsadm && touch /run/well")
    put("lvs1", SCRIPT, '#!/bin/sh\n[ "$(id -un)" = nobody ] && [ -e "/run/$1" ]\n')
    on("lvs1", f"chmod 755 {SCRIPT}")
    put("rs1", "/srv/pretend.pem", certificate(tmp_path))
    put("rs1", "/srv/pretend.py", Path(__file__).with_name("pretend.py").read_text())
    start = "systemd-run --unit=pretend python3 /srv/pretend.py"
    on("rs1", start)
    run_playbook("site", description(), tmp_path)
    until(lambda: well() == set(CHECKS), "all are well")
    on("rs1", "systemctl stop pretend nginx; echo 1 >/proc/sys/net/ipv4/icmp_echo_ignore_all")
    on("lvs1", "rm /run/well")
    until(lambda: not well(), "all are out")
    on("rs1", f"{start}; systemctl start nginx; echo 0 >/proc/sys/net/ipv4/icmp_echo_ignore_all")
    on("lvs1", "touch /run/well")
    until(lambda: well() == set(CHECKS), "all are back")
    run_playbook("teardown", description(), tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        on("lvs1", "systemctl is-active keepalived")
