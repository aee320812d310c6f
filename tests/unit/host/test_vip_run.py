# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run while somebody else is at work on the same host. The kernel is a value here."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _host_run, _vip_run
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, LibraryMissing
from ansible_collections.openlvs.lvs.plugins.module_utils._host import AddRoute, Host, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import HostRoute
from hosts import host

PARAMS = {
    "vips": [{"address": "192.0.2.10", "interface": "lo", "label": None, "host_route": True}],
    "arp_interfaces": [],
    "writer": "auto",
    "state": "present",
    "purge": False,
}


class Lock:
    """The lock of the manifest, and whether it is held."""

    held = False

    def __enter__(self) -> None:
        self.held = True

    def __exit__(self, *_exception: object) -> None:
        self.held = False


class Kernel:
    """Does steps; refuses one as often as it is told to, after somebody else has done it."""

    def __init__(self, number: int, times: int) -> None:
        self.host: Host = host()
        self.number, self.times = number, times

    def read(self) -> Host:
        return self.host

    def apply(self, steps: t.Sequence[Step], _host: Host) -> None:
        done: list[str] = []
        for step in steps:
            if isinstance(step, AddRoute) and self.times:
                self.times -= 1
                if not self.times:
                    self.host = dataclasses.replace(self.host, routes=(HostRoute("192.0.2.10", "lo"),))
                raise KernelError("Route: cannot add it", self.number, applied=done)
            self.host = step.done(self.host)
            done.append(str(step))


def run(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> _host_run.Result:
    for module in (_vip_run, _host_run):
        monkeypatch.setattr(module, "_host_kernel", kernel)
    monkeypatch.setattr(_host_run._manifest, "exclusive", contextlib.nullcontext)
    return _vip_run.run(PARAMS, REAL_SERVER, check_mode=False)


def test_what_somebody_else_did_meanwhile_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(errno.EEXIST, 1)
    result = run(kernel, monkeypatch)
    assert result.values["changes"] == [
        "# record: 192.0.2.10 is ours, net.ipv4.conf.all.arp_ignore was 0, net.ipv4.conf.all.arp_announce was 0",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        "sysctl -w net.ipv4.conf.all.arp_announce=2",
        "ip address add 192.0.2.10/32 broadcast 192.0.2.10 dev lo label lo:0",
    ]
    assert result.diff["before"]["vips"] == [] and result.diff["after"]["vips"][0]["host_route"] is True
    assert run(kernel, monkeypatch).values["changed"] is False


@pytest.mark.parametrize(("number", "times"), [(errno.EEXIST, 9), (errno.EPERM, 1)])
def test_what_does_not_settle_fails_and_tells_what_was_done(
    monkeypatch: pytest.MonkeyPatch, number: int, times: int
) -> None:
    with pytest.raises(KernelError) as error:
        run(Kernel(number, times), monkeypatch)
    assert len(error.value.details["applied"]) == 4


def test_without_pyroute2_another_python_takes_over_after_the_lock_was_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Incapable(Kernel):
        def apply(self, steps: t.Sequence[Step], _host: Host) -> None:
            raise LibraryMissing("no pyroute2")

    class Gone(Exception):
        pass

    lock = Lock()

    def start_again_with(library: str) -> None:
        assert (library, lock.held) == ("pyroute2", False)
        raise Gone

    for module in (_vip_run, _host_run):
        monkeypatch.setattr(module, "_host_kernel", Incapable(0, 0))
    monkeypatch.setattr(_host_run._manifest, "exclusive", lambda: lock)
    monkeypatch.setattr(_host_run._interpreter, "start_again_with", start_again_with)
    with pytest.raises(Gone):
        _vip_run.run(PARAMS, REAL_SERVER, check_mode=False)
    _vip_run.run(PARAMS, REAL_SERVER, check_mode=True)  # does without
    monkeypatch.setattr(_host_run._interpreter, "start_again_with", lambda _library: None)  # no Python has it
    with pytest.raises(LibraryMissing):
        _vip_run.run(PARAMS, REAL_SERVER, check_mode=False)
