# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The kernel's IPVS table of this network namespace: read it, and apply steps to it."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import time
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._kernel_needs import no_engine, no_scheduler
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_family import Family, loaded, reason, understood
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_layout import RealServerReader
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table

# How many messages travel in one datagram. Their acknowledgements must fit in the socket's buffer, of which each takes
# about a kilobyte, even where the buffer may not be enlarged.
BATCH = 128
# How often, and how many seconds apart, the kernel is made to forget a route: as long as most old connections last.
REMINDERS, PAUSE = 8, 0.2

_NOTHING = Table()

_T = t.TypeVar("_T")


class TableChanged(KernelError):
    """Somebody else changed the table after it was read: what to add is there, or what to edit or remove is not.

    :attr done: the steps that were applied all the same.
    """

    def __init__(self, message: str, number: int, done: list[Step]) -> None:
        super().__init__(message, number, applied=[str(step) for step in done])
        self.done = done


class Observed(t.NamedTuple):
    """A service as the kernel counts it."""

    service: Service
    stats: dict[str, int]
    servers: list[tuple[RealServer, dict[str, int], dict[str, int]]]
    """Each with its connections and its statistics, in the order in which they were added."""


class Ipvs:
    """The table of the network namespace that the process is in.

    :arg wanted: what it may be already. That is recognized sooner than another is read, each service by itself.
    """

    def __init__(self, wanted: Table = _NOTHING) -> None:
        self._family = Family()
        self._wanted = wanted

    @understood()
    def read(self) -> Table:
        """The table; empty while ip_vs is not loaded, and then it stays unloaded."""
        if not loaded():
            return Table()
        reader, wanted = RealServerReader(), self._wanted
        services = {service.key: service for service in map(codec.service_of, self._dump_services())}
        real_servers = {
            key: reader.read_all(self._dump_real_servers(key), key.family, wanted.servers(key)) for key in services
        }
        return Table(services, real_servers)

    @understood()
    def observe(self, wanted: t.Callable[[ServiceKey], bool]) -> list[Observed]:
        """The services that are asked for, with what the kernel counts; none while ip_vs is not loaded."""
        if not loaded():
            return []
        result = []
        for found in self._dump_services():
            service = codec.service_of(found)
            if not wanted(service.key):
                continue
            told = self._dump_real_servers(service.key)
            servers = [
                (
                    codec.real_server_of(dest, service.key.family),
                    codec.connections_of(dest),
                    codec.stats_of(dest, codec.DEST_STATS64, codec.DEST_STATS),
                )
                for dest in (codec.dest_of(message) for block in told for message in codec.cut(block))
            ]
            stats = codec.stats_of(found, codec.SVC_STATS64, codec.SVC_STATS)
            result.append(Observed(service, stats, servers[::-1]))
        return sorted(result, key=lambda observed: observed.service.key.sort_key)

    def daemons(self) -> t.Collection[str]:
        """The roles of the sync daemons that run."""
        return Control().daemons()

    def apply(self, steps: t.Sequence[Step]) -> None:
        """Apply the steps in their order.

        The kernel goes on after a message that it refused, so a datagram never holds more than one phase, all its
        acknowledgements are read before the next is sent, and nothing is sent after a refusal. What the same datagram
        brought behind a refused step is done, and told as done.

        :raises TableChanged: when the table is not the one that the steps were made for.
        :raises KernelError: when the kernel refuses a step for another reason.
        """
        done: list[Step] = []
        for _dummy, phase in itertools.groupby(steps, key=lambda step: step.phase):
            for batch in _batches(phase, BATCH):
                errors = self._family.command([functools.partial(codec.step_request, step) for step in batch])
                done.extend(step for step, number in zip(batch, errors) if not number)
                for step, number in zip(batch, errors):
                    if number:
                        raise _refusal(step, number, done)

    def remind(self, steps: t.Sequence[Step]) -> None:
        """Have routes looked up anew for a while.

        The kernel keeps one route to each real server, and looks it up when the next packet comes, as that packet's
        connection needs it (__ip_vs_get_out_rt() in net/netfilter/ipvs/ip_vs_xmit.c). A packet of a connection that is
        still masqueraded or tunneled leaves one that ends at its own destination; by direct routing that is the VIP, so
        the director asks its neighbours for the VIP, and clients hear that the host is unreachable. Each edit makes the
        kernel forget it; connections of most clients are over soon.
        """
        for _time in range(REMINDERS if steps else 0):
            time.sleep(PAUSE)
            with contextlib.suppress(TableChanged):  # somebody else has it now
                self.apply(steps)

    def _dump_services(self) -> list[codec.Attributes]:
        answer = self._family.ask(codec.services_request)
        return [codec.attributes(codec.genl_attributes(told)[codec.CMD_SERVICE]) for told in answer]

    def _dump_real_servers(self, key: ServiceKey) -> list[bytes]:
        """The newest first, in blocks."""
        return self._family.ask_much(functools.partial(codec.real_servers_request, key))


def _batches(items: t.Iterable[_T], size: int) -> t.Iterator[list[_T]]:
    rest = iter(items)
    while True:
        batch = list(itertools.islice(rest, size))
        if not batch:
            return
        yield batch


def _refusal(step: Step, number: int, done: list[Step]) -> KernelError:
    act = "add" if step.phase == ADD else "remove" if step.phase == REMOVE else "change"
    head = f"{step.subject}: cannot {act} it: "
    missing_server = number == errno.ENOENT and step.server is not None
    if number in (errno.EEXIST, errno.ESRCH) or missing_server:
        found = "it is already there" if number == errno.EEXIST else "it is gone"
        return TableChanged(f"{head}{found}. Somebody else changes the table at the same time.", number, done)
    return KernelError(head + _why(step, number) + ".", number, applied=[str(step) for step in done])


def _why(step: Step, number: int) -> str:
    if number == errno.ENOENT:
        scheduler, engine = step.service.scheduler, step.service.pe
        # The kernel looks for the scheduler first, and loads it.
        if engine and os.path.exists(f"/sys/module/ip_vs_{scheduler}"):
            return no_engine(engine)
        return no_scheduler(scheduler) + (f"; or {no_engine(engine)}" if engine else "")
    if number == errno.EINVAL and step.server is not None:
        return (
            f"the kernel does not take {step.server.address} as a real server here: it must be a unicast address, and"
            " of the VIP's family unless it is reached by a tunnel and no sync daemon runs"
        )
    if number == errno.EAFNOSUPPORT:
        return "IPv6 is switched off in this kernel"
    return reason(number)
