# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the IPVS tests share: any table at all, and a kernel made of a dictionary that knows ip_vs_ctl.c's errors."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import TableChanged
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, EDIT, REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServer,
    RealServerKey,
    Service,
    ServiceKey,
    Table,
    flag_names,
)
from hypothesis import strategies as st

ADDRESSES = {
    "ipv4": ["192.0.2.1", "192.0.2.10", "198.51.100.1", "198.51.100.20", "203.0.113.255"],
    "ipv6": ["2001:db8::1", "2001:db8::10", "2001:db8:1::", "2001:db8::ffff:1"],
}
MASKS = {"ipv4": [None, "255.255.255.0", "255.128.0.0"], "ipv6": [None, "64", "1"]}


def keys(protocols: Sequence[str] = ("tcp", "udp", "sctp", "47")) -> st.SearchStrategy[ServiceKey]:
    addresses = st.sampled_from(ADDRESSES["ipv4"] + ADDRESSES["ipv6"])
    return st.one_of(
        st.builds(ServiceKey.addressed, st.sampled_from(protocols), addresses, st.integers(0, 65535)),
        st.builds(ServiceKey.marked, st.integers(1, 2**32 - 1), st.sampled_from(["ipv4", "ipv6"])),
    )


@st.composite
def services(draw: st.DrawFn, key: ServiceKey | None = None) -> Service:
    key = key or draw(keys())
    scheduler = draw(st.sampled_from(["wlc", "rr", "sh", "mh", "none", "twos"]))
    persistent = draw(st.none() | st.integers(0, 2678400))
    return Service(
        key,
        scheduler,
        tuple(name for name in flag_names(scheduler) if draw(st.booleans())),
        persistent,
        None if persistent is None else draw(st.sampled_from(MASKS[key.family])),
        draw(st.booleans()),
        draw(st.sampled_from(["", "", "sip"])),
    )


@st.composite
def real_servers(draw: st.DrawFn) -> RealServer:
    forward = draw(st.sampled_from(["dr", "nat", "tun", "local", "bypass"]))
    tunnel = {}
    if forward == "tun":
        kind = draw(st.sampled_from(["ipip", "gue", "gre"]))
        port = draw(st.integers(1, 65535)) if kind == "gue" else 0
        tunnel = {"tunnel_type": kind, "tunnel_port": port}
        tunnel["tunnel_flags"] = 0 if kind == "ipip" else draw(st.integers(0, 3))
    upper = draw(st.sampled_from([0, 0, 1, 100, 2**31 - 1]))
    return RealServer(
        draw(st.sampled_from(ADDRESSES["ipv4"] + ADDRESSES["ipv6"])),
        draw(st.sampled_from([0, 80, 65535])),
        forward,
        draw(st.sampled_from([0, 1, 2, 65535])),
        upper,
        draw(st.integers(0, upper)),
        **tunnel,
    )


def tables(max_services: int = 5) -> st.SearchStrategy[Table]:
    servers = st.lists(real_servers(), max_size=5, unique_by=lambda server: server.key)
    entries = st.lists(st.tuples(services(), servers), max_size=max_services, unique_by=lambda entry: entry[0].key)
    return entries.map(Table.of)


# So few that two tables have much in common: what stays, what is edited, what comes and goes.
_KEYS = [
    ServiceKey.addressed("tcp", "192.0.2.10", 80),
    ServiceKey.addressed("udp", "192.0.2.10", 80),
    ServiceKey.addressed("tcp", "2001:db8::10", 80),
    ServiceKey.marked(3, "ipv4"),
    ServiceKey.marked(3, "ipv6"),
]
_SERVICES = [
    Service(key, scheduler, (), seconds) for key in _KEYS for scheduler in ("rr", "sh") for seconds in (None, 9)
]
_SERVERS = [
    RealServer(f"198.51.100.{host}", port, forward, weight)
    for host in (1, 2, 3)
    for port in (80, 81)
    for forward in ("dr", "nat")
    for weight in (0, 1, 2)
]


def pairs() -> st.SearchStrategy[tuple[Table, Table]]:
    """Two tables that have much in common, which two of any kind seldom have."""
    servers = st.lists(st.sampled_from(_SERVERS), max_size=5, unique_by=lambda server: server.key)
    entry = st.tuples(st.sampled_from(_SERVICES), servers)
    table = st.lists(entry, max_size=4, unique_by=lambda entry: entry[0].key).map(Table.of)
    return st.tuples(table, table)


class FakeKernel:
    """A table behind the same methods. ``refuse`` gives a step's error number, or 0."""

    def __init__(self, table: Table | None = None, refuse: Callable[[Step], int] = lambda step: 0) -> None:
        table = table or Table()
        self.services: dict[ServiceKey, Service] = dict(table.services)
        self.servers: dict[ServiceKey, dict[RealServerKey, RealServer]] = {
            key: dict(table.servers(key)) for key in table.services
        }
        self.refuse = refuse
        self.done: list[Step] = []
        self.reminded: list[Step] = []
        self.watch: Callable[[Step], None] = lambda step: None

    def read(self) -> Table:
        return Table(dict(self.services), {key: dict(servers) for key, servers in self.servers.items()})

    def daemons(self) -> Sequence[str]:
        return ()

    def remind(self, steps: Sequence[Step]) -> None:
        self.reminded += steps

    def apply(self, steps: Sequence[Step]) -> None:
        """One step after the other; the phase of a refused one is finished, as a datagram is, but no other begins."""
        done: list[Step] = []
        failed: tuple[Step, int] | None = None
        for step in steps:
            if failed and step.phase != failed[0].phase:
                break
            number = self.refuse(step) or self.do(step)
            if number:
                failed = failed or (step, number)
            else:
                done.append(step)
        if failed:
            step, number = failed
            raced = number in (errno.EEXIST, errno.ESRCH) or (number == errno.ENOENT and step.server is not None)
            if raced:
                raise TableChanged(f"{step.subject}: changed", number, done)
            raise KernelError(f"{step.subject}: refused", number, applied=[str(one) for one in done])

    def do(self, step: Step) -> int:
        key, server = step.key, step.server
        if step.phase == ADD and server is None:
            if key in self.services:
                return errno.EEXIST
            self.services[key], self.servers[key] = step.service, {}
        elif key not in self.services:
            return errno.ESRCH
        elif server is None:
            if step.phase == EDIT:
                self.services[key] = step.service
            else:
                del self.services[key], self.servers[key]
        else:
            there = server.key in self.servers[key]
            if there is (step.phase == ADD):
                return errno.EEXIST if there else errno.ENOENT
            if step.phase == REMOVE:
                del self.servers[key][server.key]
            else:
                self.servers[key][server.key] = server
        self.done.append(step)
        self.watch(step)
        return 0
