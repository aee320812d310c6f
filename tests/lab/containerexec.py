# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that is a container of the lab: starts it, plugs its cables, starts it again at each reboot from inside.

TASK: {"container": its name, "engine": command words, "within": what runs a command in the lab's network,
       "cables": list of [bridge, the cable's name, the interface's MAC address]}
"""

from __future__ import annotations

import json
import subprocess
import sys

REBOOTED = 128 + 1  # the kernel ends a container's init by SIGHUP for reboot(2)

task = json.loads(sys.argv[1])
container, ip = task["container"], [*task["within"], "ip"]


def ask(*words: str) -> str:
    return subprocess.run([*task["engine"], *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


status = REBOOTED
while status == REBOOTED:
    ask("start", container)
    init = ask("inspect", "--format", "{{.State.Pid}}", container)
    for index, (bridge, cable, mac) in enumerate(task["cables"]):
        subprocess.run([*ip, "link", "delete", cable], check=False, stderr=subprocess.DEVNULL)
        lines = f"link add {cable} type veth peer name eth{index} address {mac} netns {init}\n"
        lines += f"link set {cable} master {bridge} up\n"
        subprocess.run([*ip, "-batch", "-"], input=lines, check=True, text=True)
    status = int(ask("wait", container))
print(ask("logs", "--tail", "20", container), f"\nended with status {status}", flush=True)
sys.exit(status)
