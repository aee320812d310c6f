# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Table, manifest and file together: what is recorded when, and what leaves with its owner."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import Description
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_services import Request, run
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table

from .tables import FakeKernel


def key(port: int) -> ServiceKey:
    return ServiceKey.addressed("tcp", "192.0.2.10", port)


def described(*ports: int, held: bool = False) -> Description:
    table = Table.of((Service(key(port), "sh"), [RealServer("198.51.100.1", port)]) for port in ports)
    names = {(key(port), ("198.51.100.1", port)): "rs1" for port in ports}
    return Description(table, frozenset(names) if held else frozenset(), names)


def table(*ports: int) -> Table:
    return described(*ports).table


@pytest.fixture
def request_for(tmp_path):
    """request_for(description, **options), with manifest, lock and file in a place of the test's own."""

    def make(description, **options):
        paths = {"manifest": str(tmp_path / "state" / "manifest.json"), "lock": str(tmp_path / "lock")}
        return Request(description, **paths, **options)

    return make


def services_of(request):
    return dict(_manifest.load(request.manifest).services)


def test_what_is_listed_is_recorded_and_leaves_with_its_owner(request_for):
    kernel = FakeKernel(table(9))
    one = request_for(described(80, 81), owner="one")
    report = run(one, kernel, check_mode=False)
    assert report.changes[-1] == "record 2 services of owner one"
    assert services_of(one) == {"one": ("tcp 192.0.2.10:80", "tcp 192.0.2.10:81")}
    assert run(one, kernel, check_mode=False).changes == []
    run(request_for(described(82), owner="two"), kernel, check_mode=False)
    assert set(kernel.services) == {key(port) for port in (9, 80, 81, 82)}
    report = run(replace(one, description=described(81)), kernel, check_mode=False)
    assert report.changes == ["-D -t 192.0.2.10:80", "record 1 service of owner one"]
    run(replace(one, description=described()), kernel, check_mode=False)
    assert set(kernel.services) == {key(9), key(82)}
    assert services_of(one) == {"two": ("tcp 192.0.2.10:82",)}


def test_what_another_owner_lists_too_stays(request_for):
    kernel = FakeKernel()
    one, two = request_for(described(80), owner="one"), request_for(described(80), owner="two")
    run(one, kernel, check_mode=False)
    run(two, kernel, check_mode=False)
    run(replace(one, description=described()), kernel, check_mode=False)
    assert set(kernel.services) == {key(80)} and services_of(two) == {"two": ("tcp 192.0.2.10:80",)}


def test_without_an_owner_nothing_is_recorded(request_for, tmp_path):
    run(request_for(described(80)), FakeKernel(), check_mode=False)
    assert [found.name for found in tmp_path.iterdir()] == ["lock"]


def test_check_mode_says_the_same_and_writes_nothing(request_for, tmp_path):
    kernel, other = FakeKernel(table(9)), FakeKernel(table(9))
    request = request_for(described(80), owner="one", purge=True, save_to=str(tmp_path / "rules"))
    checked = run(request, kernel, check_mode=True)
    assert kernel.done == [] and list(tmp_path.iterdir()) == []
    done = run(request, other, check_mode=False)
    assert checked == done and len(done.changes) == 5


@pytest.mark.parametrize("phase", ["add", "remove"])
def test_a_run_that_dies_leaves_nothing_that_the_next_one_does_not_know(request_for, phase):
    kernel = FakeKernel()
    first = request_for(described(80), owner="one")
    run(first, kernel, check_mode=False)
    second = replace(first, description=described(81))
    kernel.refuse = lambda step: errno.EINVAL if step.phase == phase else 0
    with pytest.raises(KernelError):
        run(second, kernel, check_mode=False)
    assert set(services_of(first)["one"]) == {"tcp 192.0.2.10:80", "tcp 192.0.2.10:81"}
    kernel.refuse = lambda step: 0
    run(second, kernel, check_mode=False)
    assert set(kernel.services) == {key(81)} and services_of(first) == {"one": ("tcp 192.0.2.10:81",)}


def test_held_back_real_servers_are_named_and_not_saved(request_for, tmp_path):
    saved = tmp_path / "rules"
    request = request_for(described(80, held=True), save_to=str(saved))
    report = run(request, FakeKernel(), check_mode=False)
    assert report.held == ["tcp 192.0.2.10:80, real server 198.51.100.1:80 (rs1)"]
    assert saved.read_text().splitlines()[1:] == ["-A -t 192.0.2.10:80 -s sh"]
    assert run(request, FakeKernel(table(80)), check_mode=False).held == []
    assert "198.51.100.1:80" in saved.read_text()


def test_a_real_server_that_is_not_listed_and_stays_is_saved_too(request_for, tmp_path):
    saved = tmp_path / "rules"
    others = [RealServer("198.51.100.9", 80), RealServer("198.51.100.8", 80, forward="local")]
    kernel = FakeKernel(Table.of([(Service(key(80), "sh"), [*others, RealServer("198.51.100.1", 80)])]))
    request = request_for(described(80), save_to=str(saved))
    run(request, kernel, check_mode=False)
    lines = [f"-a -t 192.0.2.10:80 -r 198.51.100.{number}:80 -g -w 1" for number in (9, 1)]
    assert saved.read_text().splitlines()[1:] == ["-A -t 192.0.2.10:80 -s sh", *lines]
    run(replace(request, purge_real_servers=True), kernel, check_mode=False)
    assert saved.read_text().splitlines()[1:] == ["-A -t 192.0.2.10:80 -s sh", lines[1]]


def test_a_broken_manifest_stops_the_run_before_the_kernel(request_for, tmp_path):
    request = request_for(described(80), owner="one")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "manifest.json").write_text("{")
    kernel = FakeKernel()
    with pytest.raises(LvsError, match="cannot use it"):
        run(request, kernel, check_mode=False)
    assert kernel.done == []


def test_a_name_that_is_none_in_the_manifest_stops_the_run_before_the_kernel(request_for):
    request = request_for(described(80), owner="one")
    _manifest.save(_manifest.Manifest(services={"one": ("web",)}), request.manifest)
    with pytest.raises(LvsError, match="'web' does not name a virtual service"):
        run(request, FakeKernel(), check_mode=False)


def test_another_order_is_warned_of(request_for):
    servers = [RealServer("198.51.100.1", 80), RealServer("198.51.100.2", 80)]
    have = Table.of([(Service(key(80), "sh"), servers)])
    want = Table.of([(Service(key(80), "sh"), servers[::-1])])
    report = run(request_for(Description(want, frozenset(), {})), FakeKernel(have), check_mode=False)
    assert report.changes == []
    (warning,) = report.warnings
    assert warning.startswith("Service tcp 192.0.2.10:80: its real servers stand in the table in another order")
