# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every host is told at each boot, whatever it is made of."""

from __future__ import annotations

import topology
from topology import Host

MANAGED = "/etc/lab-managed"


def arguments(host: Host) -> list[str]:
    """What systemd and the units of the image look for on the command line of the kernel, or of a container's init."""
    words = ["lab", f"systemd.hostname={host.name}", "systemd.show_status=no"]
    return [*words, "lab.web"] if topology.serves_pages(host) else words


def script(host: Host, first: list[str]) -> str:
    """What the host does early in each boot, once `first` has given it eth0, eth1, ..."""
    lines = [
        "install -D -m 600 /run/lab/authorized_keys /root/.ssh/authorized_keys",
        f"echo {host.name} >/etc/hostname",
        f"names=$(sed '/^127.0.1.1/d; $ a 127.0.1.1 {host.name}' /etc/hosts)",
        'echo "$names" >/etc/hosts',  # in place: in a container it is a mount
        "ip link set lo up",
    ]
    for index, (_segment, addresses) in enumerate(host.interfaces):
        if index == 1:  # a network manager that a test puts there owns all but the way by which the host is reached
            lines.append(f"if [ ! -e {MANAGED} ]; then")
        lines.append(f"ip link set eth{index} up")
        lines += [f"ip address add {address} dev eth{index}{' nodad' * (':' in address)}" for address in addresses]
    lines += [f"ip {'-6 ' * (':' in gateway)}route add default via {gateway}" for gateway in host.gateways]
    lines += ["fi"] * bool(host.cables)
    if host.group == "routers":
        lines += [f"echo 1 >/proc/sys/net/{name}" for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding")]
    if topology.serves_pages(host):
        lines += ["mkdir -p /var/www/html", f"echo {host.name} >/var/www/html/index.html"]
    return "\n".join(["#!/bin/sh", *first, *lines, "exit 0", ""])
