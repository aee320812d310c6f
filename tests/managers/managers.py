# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network managers: how each gets a lab host's data interface for its own, and what is done to it afterwards."""

from __future__ import annotations

import json
import typing as t

from boot import MANAGED
from topology import Host

INTERFACE = "eth1"
SECRET = (".nmconnection", ".yaml")  # what their managers want nobody else to read
# Interfaces are the managers' from the next boot on. No manager may give them other MAC addresses than the lab's.
_TAKE = f"""
set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install udev {{packages}} >/dev/null 2>&1
systemctl -q unmask systemd-udevd.service systemd-udev-trigger.service networking.service
ln -sf /dev/null /etc/systemd/network/99-default.link
touch {MANAGED}
"""


class Manager(t.NamedTuple):
    """One manager.

    :attr packages: what has to be installed.
    :attr enable: what has it start at boot.
    :attr configure: its files for a host, by their paths.
    :attr restart: as an administrator would do it.
    :attr reload: what else makes it go over its interfaces.
    :attr reinstall: as an upgrade of its package would come.
    :attr writer: what the modules must find on eth1, and on lo.
    :attr asked: what rs2 asks for, on lo, beside what the others find.
    """

    packages: str
    enable: str
    configure: t.Callable[[Host], dict[str, str]]
    restart: str
    reload: str
    reinstall: str
    writer: tuple[str, str]
    asked: str


def take(manager: Manager, host: Host) -> str:
    """The script that gives a host's interface to the manager."""
    lines = [_TAKE.format(packages=manager.packages)]
    for path, text in manager.configure(host).items():
        mode = 600 if path.endswith(SECRET) else 644
        lines += [f"mkdir -p $(dirname {path})", f"cat >{path} <<'X'", text, "X", f"chmod {mode} {path}"]
    return "\n".join([*lines, manager.enable, ""])


def _addresses(host: Host) -> tuple[str, ...]:
    return host.cables[0][1]


def _networkd(host: Host) -> dict[str, str]:
    files = {}
    for number, (segment, addresses) in enumerate(host.cables, 1):
        lines = [f"Address={address}" for address in addresses]
        lines += [f"Gateway={gateway}" for gateway in host.gateways if number == 1]
        text = "\n".join(["[Match]", f"Name=eth{number}", "", "[Network]", "IPv6AcceptRA=no", *lines])
        files[f"/etc/systemd/network/10-{segment}.network"] = text
    return files


_NM_SETTINGS = "[main]\nno-auto-default=*\n\n[keyfile]\nunmanaged-devices=interface-name:eth0"


def _networkmanager(host: Host) -> dict[str, str]:
    def section(name: str, colon: bool) -> list[str]:
        mine = [address for address in _addresses(host) if (":" in address) is colon]
        gateway = [one for one in host.gateways if (":" in one) is colon]
        lines = [f"address{number}={address}" for number, address in enumerate(mine, 1)]
        return [f"[{name}]", "method=manual", *lines, *(f"gateway={one}" for one in gateway)]

    head = ["[connection]", "id=lan", "type=ethernet", f"interface-name={INTERFACE}"]
    return {
        "/etc/NetworkManager/conf.d/lab.conf": _NM_SETTINGS,
        "/etc/NetworkManager/system-connections/lan.nmconnection": "\n".join(
            [
                *head,
                "uuid=0f7e3d1c-5a51-4a43-8d5c-9d0b7a3c1e10",
                "",
                *section("ipv4", False),
                "",
                *section("ipv6", True),
            ]
        ),
    }


def _ifupdown(host: Host) -> dict[str, str]:
    first, *more, six = _addresses(host)
    four_gateway, six_gateway = host.gateways
    lines = ["source /etc/network/interfaces.d/*", "", "auto lo", "iface lo inet loopback", "", f"auto {INTERFACE}"]
    lines += [f"iface {INTERFACE} inet static", f"    address {first}", f"    gateway {four_gateway}"]
    lines += [f"    up ip address add {address} dev {INTERFACE}" for address in more]
    lines += ["", f"iface {INTERFACE} inet6 static", f"    address {six}", f"    gateway {six_gateway}"]
    return {"/etc/network/interfaces": "\n".join(lines)}


def _netplan(renderer: str) -> t.Callable[[Host], dict[str, str]]:
    def configure(host: Host) -> dict[str, str]:
        routes = [{"to": "::/0" if ":" in one else "0.0.0.0/0", "via": one} for one in host.gateways]
        lan = {"addresses": [*_addresses(host)], "routes": routes, "accept-ra": False}
        plan = {"network": {"version": 2, "renderer": renderer, "ethernets": {INTERFACE: lan}}}
        return {"/etc/netplan/10-lan.yaml": json.dumps(plan, indent=2)}

    return configure


_REINSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --reinstall {} >/dev/null 2>&1"

MANAGERS = {
    "networkd": Manager(
        packages="",
        enable="systemctl -q enable systemd-networkd.service",
        configure=_networkd,
        restart="systemctl restart systemd-networkd",
        reload=f"networkctl reload; networkctl reconfigure {INTERFACE}",
        reinstall="dpkg-reconfigure systemd",  # the package is not offered, its scripts are there
        writer=("networkd", "unit"),
        asked="networkd",
    ),
    "networkmanager": Manager(
        packages="network-manager",
        enable="systemctl -q enable NetworkManager.service",
        configure=_networkmanager,
        restart="systemctl restart NetworkManager; nmcli -w 30 connection up lan",
        reload=f"nmcli connection reload; nmcli device reapply {INTERFACE}",
        reinstall=_REINSTALL.format("network-manager"),
        writer=("networkmanager", "unit"),
        asked="networkmanager",
    ),
    "ifupdown": Manager(
        packages="ifupdown",
        enable="systemctl -q enable networking.service",
        configure=_ifupdown,
        restart="systemctl restart networking",
        reload=f"ifdown {INTERFACE}; ifup {INTERFACE}; ifdown --force lo; ifup --force lo",
        reinstall=_REINSTALL.format("ifupdown"),
        writer=("ifupdown", "ifupdown"),
        asked="auto",
    ),
    "netplan": Manager(
        packages="netplan.io",
        enable="systemctl -q enable systemd-networkd.service",
        configure=_netplan("networkd"),
        restart="systemctl restart systemd-networkd",
        reload="netplan apply",
        reinstall=_REINSTALL.format("netplan.io"),
        writer=("netplan", "unit"),
        asked="networkd",
    ),
    "netplan-networkmanager": Manager(
        packages="netplan.io network-manager",
        enable="systemctl -q enable NetworkManager.service",
        configure=lambda host: {
            "/etc/NetworkManager/conf.d/lab.conf": _NM_SETTINGS,
            **_netplan("NetworkManager")(host),
        },
        restart="systemctl restart NetworkManager; nmcli -w 30 connection up netplan-eth1",
        reload="netplan apply",
        reinstall=_REINSTALL.format("netplan.io network-manager"),
        writer=("networkmanager", "unit"),
        asked="auto",
    ),
}
