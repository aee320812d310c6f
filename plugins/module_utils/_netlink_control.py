# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What IPVS has beside its table, in the kernel of this network namespace: sync daemons, timeouts, counters."""

from __future__ import annotations

import errno
import fcntl
import functools
import socket
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _control_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_codec import genl_attributes
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_family import Family, loaded, reason, understood
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import SyncDaemon
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey
from ansible_collections.openlvs.lvs.plugins.module_utils._timeouts import DEFAULTS, Timeouts

_SIOCGIFMTU = 0x8921  # linux/sockios.h

_START_REFUSED = {
    errno.EEXIST: "one is already there; somebody else starts sync daemons at the same time",
    errno.ENODEV: "the interface is gone, or does not take part in the group's family",
    errno.ENETUNREACH: "the interface has no way to the group; it must be up and have an address of the group's family",
    errno.EADDRNOTAVAIL: "the interface has no address of the group's family",
    errno.EINVAL: (
        "the kernel does not take it. Does a service have real servers of the other family? No sync daemon runs beside"
        " those"
    ),
    errno.EAFNOSUPPORT: "IPv6 is switched off in this kernel",
}


class Control:
    """Of the network namespace that the process is in. While ip_vs is not loaded, looking leaves it unloaded."""

    def __init__(self) -> None:
        self._family = Family()

    @understood()
    def daemons(self) -> dict[str, SyncDaemon]:
        """The sync daemons that run, by their role."""
        if not loaded():
            return {}
        found = [codec.daemon_of(genl_attributes(told)) for told in self._family.ask(codec.daemons_request)]
        return {daemon.role: daemon for daemon in found}

    def start(self, daemon: SyncDaemon) -> None:
        """Start a sync daemon.

        :raises KernelError: when the kernel refuses.
        """
        number = self._do(functools.partial(codec.start_request, daemon))
        if number:
            why = _START_REFUSED.get(number) or reason(number)
            raise KernelError(f"Sync daemon {daemon.role}: cannot start it on {daemon.interface}: {why}.", number)

    def stop(self, role: str) -> None:
        """Stop a sync daemon, unless somebody else has just done so.

        :raises KernelError: when the kernel refuses.
        """
        number = self._do(functools.partial(codec.stop_request, role))
        if number not in (0, errno.ESRCH):
            raise KernelError(f"Sync daemon {role}: cannot stop it: {reason(number)}.", number)

    @understood()
    def timeouts(self) -> Timeouts:
        """The timeouts; while ip_vs is not loaded, those with which it starts."""
        if not loaded():
            return DEFAULTS
        return codec.timeouts_of(genl_attributes(self._family.ask(codec.timeouts_request)[0]))

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Set the timeouts that are not 0.

        :raises KernelError: when the kernel refuses.
        """
        number = self._do(functools.partial(codec.set_timeouts_request, timeouts))
        if number:
            long = "one of them is too long for this kernel, which counts up to 2147483647 ticks of its clock"
            why = long if number == errno.EINVAL else reason(number)
            raise KernelError(f"Timeouts: cannot set them: {why}.", number)

    def zero(self, key: ServiceKey | None) -> None:
        """Set the counters of a service to zero, or those of all services and of the whole.

        :raises KernelError: when the kernel refuses.
        """
        number = self._do(functools.partial(codec.zero_request, key))
        if number:
            subject = "All services" if key is None else f"Service {key}"
            why = "it is gone. Somebody else changes the table" if number == errno.ESRCH else reason(number)
            raise KernelError(f"{subject}: cannot set the counters to zero: {why}.", number)

    @understood()
    def info(self) -> dict[str, t.Any]:
        """Version of IPVS and size of its connection table; none while ip_vs is not loaded."""
        if not loaded():
            return {"version": None, "connection_table_size": None}
        return codec.info_of(genl_attributes(self._family.ask(codec.info_request)[0]))

    def _do(self, request: t.Callable[[int, int], bytes]) -> int:
        return self._family.command([request])[0]


def mtu(interface: str) -> int | None:
    """The largest packet that an interface takes; None where there is no such interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        try:
            asked = struct.pack("=16si20x", interface.encode(), 0)
            return int(struct.unpack("=16xi20x", fcntl.ioctl(opened, _SIOCGIFMTU, asked))[0])
        except OSError:
            return None
