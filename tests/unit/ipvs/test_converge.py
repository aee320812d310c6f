# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read, plan, apply, and again when somebody else was faster."""

from __future__ import annotations

import errno

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import ATTEMPTS, converge
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import TableChanged
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import plan
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table
from hypothesis import given
from hypothesis import strategies as st

from .tables import FakeKernel, pairs

KEY = ServiceKey.addressed("tcp", "192.0.2.10", 80)
WANT = Table.of([(Service(KEY), [RealServer("198.51.100.1", 80)])])


def to(want):
    return lambda have: plan(have, want, purge=True, purge_real_servers=True)


@given(pairs(), st.booleans())
def test_check_mode_tells_what_the_run_does(pair, check_mode):
    have, want = pair
    kernel, other = FakeKernel(have), FakeKernel(have)
    checked = converge(kernel, to(want), check_mode=True)
    assert kernel.read() == have and kernel.done == []
    done = converge(other, to(want), check_mode=False)
    assert done == checked and done.diff == checked.diff and done.changes == checked.changes
    assert other.read() == want == done.after


@given(pairs(), pairs())
def test_somebody_else_may_change_the_table_to_anything(pair, other_pair):
    have, want = pair
    meddled = other_pair[0]
    kernel = FakeKernel(have)
    calls = []

    def make_plan(found):
        steps = to(want)(found)
        if not calls:
            calls.append(1)
            kernel.__init__(meddled)
        return steps

    try:
        converge(kernel, make_plan, check_mode=False)
    except KernelError as exc:
        pytest.fail(str(exc))
    # A plan that happens to fit the new table is applied as it is; the next run sees the rest.
    converge(kernel, to(want), check_mode=False)
    assert kernel.read() == want


def test_the_diff_shows_the_services_that_change():
    other = Service(ServiceKey.marked(9, "ipv4"))
    have = Table.of([(Service(KEY, "rr"), [RealServer("198.51.100.1", 80, upper_threshold=4)]), (other, ())])
    outcome = converge(FakeKernel(have), lambda found: plan(found, WANT), check_mode=True)
    assert outcome.diff == {
        "before": "-A -t 192.0.2.10:80 -s rr\n-a -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 1 -x 4\n",
        "after": "-A -t 192.0.2.10:80 -s wlc\n-a -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 1\n",
    }


def test_what_was_done_before_a_race_counts_as_done():
    once = iter([errno.ESRCH])
    kernel = FakeKernel(refuse=lambda step: next(once, 0) if step.server else 0)
    outcome = converge(kernel, to(WANT), check_mode=False)
    assert outcome.changes == [
        "-A -t 192.0.2.10:80 -s wlc",
        "-a -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 1",
    ]
    assert outcome.before == Table() and outcome.after == WANT == kernel.read()


def test_somebody_who_never_stops_ends_the_run():
    kernel = FakeKernel(refuse=lambda step: errno.ESRCH if step.server else 0)
    reads = []
    kernel.read, read = lambda: reads.append(1) or read(), kernel.read
    with pytest.raises(TableChanged) as caught:
        converge(kernel, to(WANT), check_mode=False)
    assert len(reads) == ATTEMPTS
    assert caught.value.details["applied"] == ["-A -t 192.0.2.10:80 -s wlc"]


def test_what_was_done_before_a_race_is_told_when_the_run_fails_later():
    answers = iter([errno.ESRCH, errno.EINVAL])
    kernel = FakeKernel(refuse=lambda step: next(answers) if step.server else 0)
    with pytest.raises(KernelError) as caught:
        converge(kernel, to(WANT), check_mode=False)
    assert caught.value.details["applied"] == ["-A -t 192.0.2.10:80 -s wlc"]


def test_another_refusal_ends_the_run_at_once():
    kernel = FakeKernel(refuse=lambda step: errno.ENOENT)
    with pytest.raises(KernelError) as caught:
        converge(kernel, to(WANT), check_mode=False)
    assert not isinstance(caught.value, TableChanged)


def test_a_kernel_without_ipvs_ends_the_run():
    kernel = FakeKernel()

    def apply(steps):
        raise KernelError("no IPVS here", errno.ENOENT)

    kernel.apply = apply
    with pytest.raises(KernelError, match="no IPVS here") as caught:
        converge(kernel, to(WANT), check_mode=False)
    assert caught.value.details["applied"] == []


@pytest.mark.parametrize(
    ("old", "new", "reminded"),
    [("nat", "dr", 1), ("tun", "dr", 1), ("dr", "nat", 0), ("nat", "tun", 0), ("dr", "dr", 0)],
)
def test_the_kernel_is_made_to_forget_a_route_that_direct_routing_cannot_use(old, new, reminded):
    def servers(forward, weight):
        return [RealServer("198.51.100.1", 80, forward, weight), RealServer("198.51.100.2", 80, "dr")]

    kernel = FakeKernel(Table.of([(Service(KEY), servers(old, 1))]))
    want = Table.of([(Service(KEY), servers(new, 2))])
    converge(kernel, to(want), check_mode=True)
    assert kernel.reminded == []
    converge(kernel, to(want), check_mode=False)
    assert [str(step) for step in kernel.reminded] == ["-e -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 2"] * reminded
