# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles choose by the distribution and by what a host lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent


def host(family: str, missing: list[str], table: str, packages: list[str], **variables: t.Any) -> dict[str, t.Any]:
    """A host that looks like that, and what is to be made of it."""
    look = {"distribution": {"name": "", "family": family}, "missing": missing, "rules": []}
    nothing = {
        "director_marks": [],
        "director_marks_by": "nftables",
        "director_handed_on": [],
        "director_masquerade": [],
        "director_forward": {"ipv4": [], "ipv6": []},
    }
    return {"look": look, "table": table, "packages": packages, **nothing, **variables}


HOSTS = {
    "debian": host("Debian", ["ipvsadm", "nft"], "/etc/ipvsadm.rules", ["ipvsadm"]),
    "marking": host("Debian", ["nft"], "/etc/ipvsadm.rules", ["nftables"], director_marks=[{"mark": 3}]),
    "marking by iptables": host(
        "Debian",
        ["iptables", "nft"],
        "/etc/ipvsadm.rules",
        ["iptables"],
        director_marks=[{"mark": 3}],
        director_marks_by="iptables",
    ),
    "rhel": host("RedHat", ["pyroute2", "ipvsadm"], "/etc/sysconfig/ipvsadm", ["python3-pyroute2", "ipvsadm"]),
    "elsewhere": host("RedHat", [], "/srv/table", [], director_table_file="/srv/table"),
}


def test_each_family_has_its_own_table_file_and_only_what_is_missing_is_installed(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": HOSTS}}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "variables.yml"]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=HERE, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
