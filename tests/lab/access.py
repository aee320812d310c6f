# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the hosts are reached: ssh configuration and inventory. What is lax about them (host keys, root) stays here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

import namespace
from common import LAB, RUN, SHARE, Trouble, python_script, run
from topology import Host

KEY = LAB / "ssh" / "id"
SSH_CONFIG = LAB / "ssh_config"
INVENTORY = LAB / "inventory.json"
CONTROL_PATH_LIMIT = 60  # of LAB: sockets below it have 108 bytes for their whole path


def ensure_key() -> None:
    if len(str(LAB)) > CONTROL_PATH_LIMIT:
        raise Trouble(f"{LAB} is too long a path for sockets. Set OPENLVS_LAB_DIR to one under {CONTROL_PATH_LIMIT} characters.")
    if not KEY.exists():
        KEY.parent.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "openlvs-lab", "-f", KEY)
    KEY.chmod(0o600)
    SHARE.mkdir(parents=True, exist_ok=True)
    (SHARE / "authorized_keys").write_text(KEY.with_suffix(".pub").read_text())


def write(hosts: Iterable[Host]) -> None:
    """Write ssh_config and inventory for these hosts."""
    hosts = sorted(hosts, key=lambda host: host.number)
    python_script(RUN / "connect", "connect.py")
    lines = [f"Host {host.name}\n  HostName {host.management}" for host in hosts]
    lines.append(f"""Host {" ".join(host.name for host in hosts)}
  User root
  IdentityFile {KEY}
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  GSSAPIAuthentication no
  LogLevel ERROR
  ProxyCommand {RUN}/connect {namespace.NAME} %h %p
  ProxyUseFdpass yes
  ControlMaster auto
  ControlPersist 30m
  ControlPath {RUN}/cm-%n
""")
    SSH_CONFIG.write_text("\n".join(lines))
    INVENTORY.write_text(json.dumps(_inventory(hosts), indent=2) + "\n")


def _inventory(hosts: Iterable[Host]) -> dict[str, object]:
    """Connection settings and groups; JSON is YAML too."""
    members = [host for host in hosts if host.cables]
    groups: dict[str, dict[str, dict[str, object]]] = {}
    for host in members:
        groups.setdefault(host.group, {"hosts": {}})["hosts"][host.name] = {}
    settings = {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_pipelining": True,
        "ansible_ssh_common_args": f"-F {SSH_CONFIG}",
        "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=30m",
        "ansible_control_path": f"{RUN}/cm-%%n",
    }
    variables = {host.name: {"lvs_interface": "eth1"} if host.cables[0][0] == "lan" else {} for host in members}
    return {"all": {"vars": settings, "hosts": variables, "children": groups}}


def ssh(host: Host, command: str, *options: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ssh", "-F", SSH_CONFIG, *options, host.name, command], check=False, **kwargs)  # type: ignore[call-overload,no-any-return]


def shell(host: Host) -> None:
    sys.stdout.flush()
    os.execvp("ssh", ["ssh", "-F", str(SSH_CONFIG), host.name])


def forget(host: Host) -> None:
    """Close the persistent connection: the host it leads to is about to end."""
    if (RUN / f"cm-{host.name}").exists():
        subprocess.run(["ssh", "-F", SSH_CONFIG, "-O", "exit", host.name], capture_output=True, check=False)
        (RUN / f"cm-{host.name}").unlink(missing_ok=True)
