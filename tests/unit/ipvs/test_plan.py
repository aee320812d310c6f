# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any table to any table, without a moment that refuses clients who need not be refused."""

from __future__ import annotations

import errno

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import (
    ADD,
    EDIT,
    REMOVE,
    Step,
    after,
    in_table_order,
    keep_weights,
    out_of_order,
    plan,
    plan_no_real_server,
    plan_real_server,
    settle,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table
from hypothesis import given
from hypothesis import strategies as st

from .tables import FakeKernel, pairs

KEY = ServiceKey.addressed("tcp", "192.0.2.10", 80)
OTHER = ServiceKey.addressed("tcp", "192.0.2.10", 81)
SERVICE = Service(KEY)
PAIRS = pairs()


def server(number: int, **options: object) -> RealServer:
    return RealServer(f"198.51.100.{number}", 80, **options)  # type: ignore[arg-type]


def one(*servers: RealServer, service: Service = SERVICE) -> Table:
    return Table.of([(service, servers)])


def lines(steps: tuple[Step, ...]) -> list[str]:
    return [str(step) for step in steps]


@given(PAIRS)
def test_the_result_is_the_target(pair):
    have, want = pair
    kernel = FakeKernel(have)
    steps = plan(have, want, purge=True, purge_real_servers=True)
    kernel.apply(steps)
    assert kernel.read() == want == after(have, steps)
    assert plan(kernel.read(), want, purge=True, purge_real_servers=True) == ()


@given(PAIRS, st.booleans(), st.booleans())
def test_what_is_wanted_is_there_whatever_may_be_removed(pair, purge, purge_real_servers):
    have, want = pair
    kernel = FakeKernel(have)
    steps = plan(have, want, purge, purge_real_servers)
    kernel.apply(steps)
    result = kernel.read()
    assert result == after(have, steps)
    assert plan(result, want, purge, purge_real_servers) == ()
    for key, service in want.services.items():
        assert result.services[key] == service
        assert all(result.servers(key)[name] == found for name, found in want.servers(key).items())
    if not purge:
        assert set(result.services) == {*have.services, *want.services}
        assert all(result.services[key] == have.services[key] for key in have.services if key not in want.services)
    if not purge_real_servers:
        for key in want.services:
            assert set(result.servers(key)) == {*have.servers(key), *want.servers(key)}


@given(PAIRS)
def test_kept_weights_are_those_of_the_table(pair):
    have, want = pair
    kept = keep_weights(have, want)
    assert kept.services == want.services
    for key in want.services:
        assert list(kept.servers(key)) == list(want.servers(key))
        for name, found in kept.servers(key).items():
            present = have.servers(key).get(name)
            assert found.weight == (want.servers(key)[name] if present is None else present).weight
            assert found._replace(weight=0) == want.servers(key)[name]._replace(weight=0)


@given(PAIRS)
def test_no_step_leaves_a_populated_service_empty(pair):
    have, want = pair
    kernel = FakeKernel(have)
    populated = {key for key in have.services if have.servers(key)}

    def watch(step):
        for key in populated:
            stays, goes = key in want.services and want.servers(key), key not in want.services
            if stays or (goes and key in kernel.services):
                assert kernel.servers[key], step

    kernel.watch = watch
    kernel.apply(plan(have, want, purge=True, purge_real_servers=True))


@given(PAIRS)
def test_no_step_leaves_a_service_without_weight_that_has_some_before_and_after(pair):
    have, want = pair
    kernel = FakeKernel(have)

    def open_ones(servers):
        return [found for found in servers.values() if found.weight]

    watched = [key for key in want.services if open_ones(have.servers(key)) and open_ones(want.servers(key))]

    def watch(step):
        for key in watched:
            assert open_ones(kernel.servers[key]), step

    kernel.watch = watch
    kernel.apply(plan(have, want, purge=True, purge_real_servers=True))


@given(PAIRS)
def test_phases_come_in_order_and_nothing_is_done_twice(pair):
    have, want = pair
    steps = plan(have, want, purge=True, purge_real_servers=True)
    order = [(ADD, EDIT, REMOVE).index(step.phase) for step in steps]
    assert order == sorted(order)
    objects = [(step.key, step.server and step.server.key) for step in steps]
    assert len(objects) == len(set(objects))


@given(PAIRS)
def test_what_is_in_both_tables_is_never_removed_or_added_again(pair):
    have, want = pair
    for step in plan(have, want, purge=True, purge_real_servers=True):
        if step.phase == EDIT:
            continue
        if step.server is None:
            assert (step.key in have.services) is not (step.key in want.services)
        else:
            assert (step.server.key in have.servers(step.key)) is not (step.server.key in want.servers(step.key))


@given(PAIRS, st.data())
def test_a_refused_step_is_followed_by_no_removal(pair, data):
    have, want = pair
    steps = plan(have, want, purge=True, purge_real_servers=True)
    candidates = [step for step in steps if step.phase != REMOVE]
    if not candidates:
        return
    bad = data.draw(st.sampled_from(candidates))
    kernel = FakeKernel(have, refuse=lambda step: errno.EINVAL if step == bad else 0)
    with pytest.raises(KernelError):
        kernel.apply(steps)
    assert not [step for step in kernel.done if step.phase == REMOVE]


@given(PAIRS)
def test_real_servers_keep_the_order_of_the_table_and_of_the_description(pair):
    have, want = pair
    kernel = FakeKernel(have)
    kernel.apply(plan(have, want, purge=True, purge_real_servers=True))
    expected = in_table_order(have, want)
    for key in want.services:
        present, wanted = list(have.servers(key)), list(want.servers(key))
        found = list(kernel.servers[key])
        assert found == list(expected.servers(key))
        assert [name for name in found if name in present] == [name for name in present if name in wanted]
        assert [name for name in found if name not in present] == [name for name in wanted if name not in present]


@given(PAIRS, st.data())
def test_owned_services_go_without_purge_and_others_stay(pair, data):
    have, want = pair
    owned = {key for key in have.services if data.draw(st.booleans())}
    result = after(have, plan(have, want, owned=owned))
    for key in have.services:
        assert (key in result.services) is (key in want.services or key not in owned)


def test_the_order_of_a_large_change():
    have = Table.of([(SERVICE, [server(1), server(2, weight=0), server(3)]), (Service(OTHER), [server(9)])])
    new = Service(ServiceKey.marked(3, "ipv4"), "rr")
    want = Table.of([(Service(KEY, "sh"), [server(1, weight=0), server(2), server(4)]), (new, [server(5), server(6)])])
    assert lines(plan(have, want, purge=True, purge_real_servers=True)) == [
        "-a -t 192.0.2.10:80 -r 198.51.100.4:80 -g -w 1",
        "-A -f 3 -s rr",
        "-a -f 3 -r 198.51.100.5:80 -g -w 1",
        "-a -f 3 -r 198.51.100.6:80 -g -w 1",
        "-E -t 192.0.2.10:80 -s sh",
        "-e -t 192.0.2.10:80 -r 198.51.100.2:80 -g -w 1",
        "-e -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 0",
        "-d -t 192.0.2.10:80 -r 198.51.100.3:80",
        "-D -t 192.0.2.10:81",
    ]


def test_emptying_a_service_on_purpose_is_possible():
    assert lines(plan(one(server(1)), one(), purge_real_servers=True)) == [
        "-d -t 192.0.2.10:80 -r 198.51.100.1:80",
    ]
    assert plan(one(server(1)), one()) == ()


def test_held_back_real_servers_enter_only_where_they_are():
    want = one(server(1, weight=5), server(2), server(3))
    held = frozenset({(KEY, server(1).key), (KEY, server(2).key)})
    settled, left_out = settle(one(server(1)), want, held)
    assert left_out == [(KEY, server(2))]
    assert list(settled.servers(KEY)) == [server(1).key, server(3).key]
    assert lines(plan(one(server(1)), settled, purge_real_servers=True)) == [
        "-a -t 192.0.2.10:80 -r 198.51.100.3:80 -g -w 1",
        "-e -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 5",
    ]
    assert settle(Table(), want, frozenset()) == (want, [])


def test_a_service_whose_new_real_servers_are_all_held_back_keeps_the_old_ones():
    old = one(server(1), server(2))
    settled, left_out = settle(old, one(server(3)), frozenset({(KEY, server(3).key)}))
    assert left_out == [(KEY, server(3))]
    assert plan(old, settled, purge_real_servers=True) == ()


def test_another_order_matters_to_sh_alone():
    have = one(server(2), server(1))
    assert out_of_order(have, one(server(1), server(2), service=Service(KEY, "sh"))) == [KEY]
    assert out_of_order(have, one(server(2), server(1), service=Service(KEY, "sh"))) == []
    assert out_of_order(have, one(server(2), server(3), service=Service(KEY, "sh"))) == []
    assert out_of_order(have, one(server(1), server(2), service=Service(KEY, "mh"))) == []


def test_one_real_server():
    assert lines(plan_real_server(one(), KEY, server(1))) == ["-a -t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 1"]
    assert plan_real_server(one(server(1)), KEY, server(1)) == ()
    (edit,) = plan_real_server(one(server(1)), KEY, server(1, forward="tun"))
    assert str(edit) == "-e -t 192.0.2.10:80 -r 198.51.100.1:80 -i -w 1"
    (removal,) = plan_no_real_server(one(server(1)), KEY, server(1).key)
    assert str(removal) == "-d -t 192.0.2.10:80 -r 198.51.100.1:80"
    assert plan_no_real_server(one(), KEY, server(1).key) == plan_no_real_server(Table(), KEY, server(1).key) == ()


def test_subjects_of_messages():
    assert Step(ADD, SERVICE).subject == "Service tcp 192.0.2.10:80"
    assert Step(ADD, SERVICE, server(1)).subject == "Service tcp 192.0.2.10:80, real server 198.51.100.1:80"
