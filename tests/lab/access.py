# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the hosts are reached: ssh configuration and inventory. What is lax about them (host keys, root) stays here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence

import namespace
from common import LAB, RUN, SHARE, Trouble, python_script, run
from topology import Host

KEY = LAB / "ssh" / "id"
SSH_CONFIG = LAB / "ssh_config"
INVENTORY = LAB / "inventory.json"
LONGEST = 60  # sockets below LAB have 108 bytes for their whole path


def ensure_key() -> None:
    if len(str(LAB)) > LONGEST:
        raise Trouble(f"{LAB} is too long for sockets: set OPENLVS_LAB_DIR to a path of at most {LONGEST} characters.")
    if not KEY.exists():
        KEY.parent.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "openlvs-lab", "-f", KEY)
    KEY.chmod(0o600)
    SHARE.mkdir(parents=True, exist_ok=True)
    (SHARE / "authorized_keys").write_text(KEY.with_suffix(".pub").read_text())


def write(hosts: Sequence[Host]) -> None:
    """Write ssh_config and inventory for these hosts."""
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


def _inventory(hosts: Sequence[Host]) -> dict[str, object]:
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


def ssh(host: Host, *command: str) -> int:
    """Run a command on the host, or a shell, with our own input and output; its exit code."""
    return subprocess.run(["ssh", "-F", SSH_CONFIG, host.name, *command], check=False).returncode


def ask(hosts: Iterable[Host], command: str) -> dict[Host, str]:
    """What the hosts print, all asked at once; nothing from one that cannot be reached."""
    asked = {
        host: subprocess.Popen(
            ["ssh", "-F", SSH_CONFIG, host.name, command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for host in hosts
    }  # fmt: skip
    return {host: process.communicate()[0].strip() for host, process in asked.items()}


def forget(host: Host) -> None:
    """Close the persistent connection: the host it leads to is about to end."""
    if (RUN / f"cm-{host.name}").exists():
        subprocess.run(["ssh", "-F", SSH_CONFIG, "-O", "exit", host.name], capture_output=True, check=False)
        (RUN / f"cm-{host.name}").unlink(missing_ok=True)
