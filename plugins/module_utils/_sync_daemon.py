# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The sync daemons, which tell other directors of the connections: what they are, and how to get to what is described.

The kernel has at most one for each role. It cannot change one that runs: it is stopped and started again. Pure, but for
the access that is handed in.
"""

from __future__ import annotations

import ipaddress
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import MAX_PORT, words_for_numbers
from ansible_collections.openlvs.lvs.plugins.module_utils._table import canonical_address

MASTER, BACKUP = ROLES = ("master", "backup")
GROUP, PORT, TTL, SYNCID = "224.0.0.81", 8848, 1, 0
_MAX_INTERFACE = 15
# The UDP payload. The kernel takes less for a backup and makes it this.
_MIN_MAXLEN = {MASTER: 1, BACKUP: 1024}
_ETHERNET = 1500
_MAX_PACKET = 65535


@dataclass(frozen=True)
class SyncDaemon:
    """A sync daemon that runs or shall run."""

    role: str
    interface: str
    syncid: int
    group: str
    port: int
    ttl: int
    maxlen: int

    def __str__(self) -> str:
        """The ipvsadm(8) command line that starts it."""
        return (
            f"--start-daemon {self.role} --mcast-interface {self.interface} --syncid {self.syncid}"
            f" --mcast-group {self.group} --mcast-port {self.port} --mcast-ttl {self.ttl} --sync-maxlen {self.maxlen}"
        )


Daemons = t.Mapping[str, SyncDaemon]
Wanted = t.Mapping[str, t.Optional[SyncDaemon]]


class Access(t.Protocol):
    """Where sync daemons run: in the kernel, or in a test."""

    def daemons(self) -> dict[str, SyncDaemon]:
        """Those that run, by their role."""

    def start(self, daemon: SyncDaemon) -> None:
        """Start one."""

    def stop(self, role: str) -> None:
        """Stop one."""


class Outcome(t.NamedTuple):
    """What was done, or in check mode would be."""

    before: Daemons
    after: Daemons
    changes: list[str]

    @property
    def diff(self) -> dict[str, str]:
        """The sync daemons, before and after."""
        return {"before": _lines(self.before), "after": _lines(self.after)}


def read(params: t.Mapping[str, t.Any], mtu: t.Callable[[str], int | None]) -> Wanted:
    """For each role that the options name, what shall run.

    :arg mtu: of an interface; None where there is no such interface.
    :raises OptionError: with everything that cannot work.
    """
    roles = ROLES if params["role"] == "both" else (params["role"],)
    if params["state"] == "absent":
        return dict.fromkeys(roles)
    where = f"Sync daemon {params['role']}"
    findings: list[str] = []
    group = _read_group(params["group"], where, findings)
    numbers = {name: params[name] for name in ("syncid", "port", "ttl", "maxlen")}
    findings += [f"{where}: {text}" for text in words_for_numbers(numbers)]
    for name, low, high in (("syncid", 0, 255), ("port", 1, MAX_PORT), ("ttl", 1, 255)):
        if not low <= params[name] <= high:
            findings.append(f"{where}: {name} {params[name]} is out of range. Use {low} to {high}.")
    interface = params["interface"]
    size = mtu(interface) if 0 < len(os.fsencode(interface)) <= _MAX_INTERFACE else None
    if size is None:
        findings.append(
            f"{where}: interface {interface!r} is not there. It is the one on which the other directors are."
        )
    headers = 48 if ":" in group else 28
    lengths = _lengths(roles, params["maxlen"], headers, size or 0)
    for role, length in lengths.items():
        low, high = _MIN_MAXLEN[role], _MAX_PACKET - headers
        if not low <= length <= high:
            findings.append(f"{where}: maxlen {length} is out of range for a {role}. Use {low} to {high}.")
    if findings:
        raise OptionError(findings)
    return {
        role: SyncDaemon(role, interface, params["syncid"], group, params["port"], params["ttl"], lengths[role])
        for role in roles
    }


def _read_group(text: str, where: str, findings: list[str]) -> str:
    group = canonical_address(text)
    if group is None or not ipaddress.ip_address(group).is_multicast:
        findings.append(
            f"{where}: group {text!r} is not a multicast address: 224.0.0.0 to 239.255.255.255, or one of ff00::/8."
        )
        return GROUP
    return group


def _lengths(roles: t.Iterable[str], maxlen: int | None, headers: int, mtu: int) -> dict[str, int]:
    """The longest message of each role: a backup takes whatever fits in a packet, a master sends what fits in all."""
    sizes = {MASTER: _ETHERNET, BACKUP: min(max(mtu, _ETHERNET), _MAX_PACKET)}
    return {role: sizes[role] - headers if maxlen is None else maxlen for role in roles}


def converge(access: Access, wanted: Wanted, check_mode: bool) -> Outcome:
    """Bring the named roles to what is wanted; what runs as described goes on, and so do other roles.

    :raises KernelError: when the kernel refuses.
    """
    before = access.daemons()
    after = dict(before)
    changes: list[str] = []
    for role, daemon in wanted.items():
        found = before.get(role)
        if found == daemon:
            continue
        if found is not None:
            if not check_mode:
                access.stop(role)
            del after[role]
            changes.append(f"--stop-daemon {role}")
        if daemon is not None:
            if not check_mode:
                _start(access, daemon, found, changes)
            after[role] = daemon
            changes.append(str(daemon))
    return Outcome(before, after, changes)


def _start(access: Access, daemon: SyncDaemon, found: SyncDaemon | None, changes: list[str]) -> None:
    """Start it; when the kernel refuses, the one that had to give way for it comes back."""
    try:
        access.start(daemon)
    except KernelError as exc:
        fate = ""
        if found is not None:
            try:
                access.start(found)
                fate = " The one that ran before runs again."
                changes.append(str(found))
            except KernelError:
                fate = " The one that ran before cannot be started again either, so none runs."
        raise KernelError(f"{exc}{fate}", exc.errno, applied=changes) from exc


def _lines(daemons: Daemons) -> str:
    return "".join(f"{daemons[role]}\n" for role in ROLES if role in daemons)
