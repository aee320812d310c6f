# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build 200 services with 50 real servers each on one director by site.yml; print the time and the controller's memory.

The lab's director is real, the real servers are addresses of machines that nobody manages.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LAB = CHECKOUT / "tests" / "lab" / "lab"
SERVICES, REAL_SERVERS = 200, 50

DESCRIPTION = {
    "all": {
        "vars": {
            "lvs_services": [
                {
                    "name": f"service{service}",
                    "vip": f"192.168.0.{201 + service // 5}",
                    "port": 8000 + service % 5,
                    "real_servers": [
                        {"address": f"192.168.0.{101 + server}", "unmanaged": True, "weight": 1 + server % 3}
                        for server in range(REAL_SERVERS)
                    ],
                }
                for service in range(SERVICES)
            ]
        },
        "hosts": {"lvs1": {"lvs_addresses": ["192.168.0.75/24"]}},
    }
}


def run(*command: str) -> str:
    """Run a command, return what it prints, and stop with that when it fails."""
    pipe, merged = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(command, cwd=CHECKOUT, text=True, stdout=pipe, stderr=merged, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


def play(inventory: Path, playbook: str) -> tuple[float, str]:
    """Run a playbook; return its seconds and its output."""
    start = time.monotonic()
    lab = run(str(LAB), "inventory").strip()
    output = run("ansible-playbook", "-i", lab, "-i", str(inventory), "--limit", "lvs1", f"playbooks/{playbook}.yml")
    return time.monotonic() - start, output


def main() -> None:
    """Load, load again, take away."""
    os.environ.update(ANSIBLE_HOME=str(CHECKOUT / ".ansible"), ANSIBLE_PIPELINING="1")
    with tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder) / "inventory.json"
        inventory.write_text(json.dumps(DESCRIPTION))
        first, _output = play(inventory, "site")
        rules = run(str(LAB), "exec", "lvs1", "ipvsadm --save --numeric").splitlines()
        second, output = play(inventory, "site")
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        teardown, _output = play(inventory, "teardown")

    services = sum(rule.startswith("-A") for rule in rules)
    servers = sum(rule.startswith("-a") for rule in rules)
    print(f"{services} services and {servers} real servers in the director's table, as ipvsadm reads it")
    print(f"first site.yml {first:.1f} s, second {second:.1f} s, teardown.yml {teardown:.1f} s")
    print(f"largest process of the controller: {memory} MiB")
    if (services, servers) != (SERVICES, SERVICES * REAL_SERVERS):
        sys.exit("The table is not as described.")
    if not re.search(r"lvs1 .*changed=0 .*failed=0", output):
        sys.exit(f"The second run changed something:\n{output}")


if __name__ == "__main__":
    main()
