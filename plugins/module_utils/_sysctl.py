# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Kernel settings of this network namespace, under /proc/sys.

A setting is named as sysctl.d(5) names it: dots between the parts, and a slash where a part itself has a dot, as in
``net.ipv4.conf.eth0/100.arp_ignore``.
"""

from __future__ import annotations

import contextlib
import errno
import os

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

_IPV4_CONF = "/proc/sys/net/ipv4/conf"
_IPVS, _TABLE_BITS = "/proc/sys/net/ipv4/vs", "/sys/module/ip_vs/parameters/conn_tab_bits"


def per_interface(interface: str, setting: str, version: int = 4) -> str:
    """The name of a setting of an interface, or of V(all), by default of IPv4."""
    return f"net.ipv{version}.conf.{interface.replace('.', '/')}.{setting}"


def interfaces() -> list[str]:
    """What has IPv4 settings of its own: V(all), V(default) and every interface."""
    return sorted(os.listdir(_IPV4_CONF))


def of_ipvs() -> dict[str, str]:
    """What net.ipv4.vs has, and the parameter of the kernel module; nothing while ip_vs is not loaded."""
    names = os.listdir(_IPVS) if os.path.isdir(_IPVS) else []
    found = {}
    for path in (_TABLE_BITS, *(os.path.join(_IPVS, name) for name in sorted(names))):
        with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as file:
            found[os.path.basename(path)] = file.read().strip()  # some are not for every namespace
    return found


def read(name: str) -> str | None:
    """The value; None where the kernel has no such setting, for example because the interface is gone."""
    try:
        with open(_path(name), encoding="ascii") as file:
            return file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def write(name: str, value: str) -> None:
    """Set it in the running kernel."""
    try:
        with open(_path(name), "w", encoding="ascii") as file:
            file.write(value)
    except OSError as exc:
        why = f"Setting {name}: cannot set it to {value}: {exc.strerror}."
        if exc.errno == errno.EROFS:
            why += " /proc/sys is read-only, as in many containers: set it on the machine that runs the container."
        raise LvsError(why) from exc


def _path(name: str) -> str:
    return os.path.join("/proc/sys", *(part.replace("/", ".") for part in name.split(".")))
