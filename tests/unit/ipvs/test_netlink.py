# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How steps go to the kernel: one phase a datagram, every answer heard first, nothing after a refusal."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_family
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import BATCH, Ipvs, TableChanged
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, EDIT, REMOVE, Step, plan
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .tables import pairs

FAMILY = 29
KEY = ServiceKey.addressed("tcp", "192.0.2.10", 80)
PHASE_OF = {codec.NEW_SERVICE: ADD, codec.NEW_DEST: ADD, codec.SET_SERVICE: EDIT, codec.SET_DEST: EDIT}


class FakeSocket:
    """Answers as the kernel does: every message of a datagram is done or refused by itself."""

    def __init__(self, refuse: Callable[[int], int] = lambda number: 0, family: int = FAMILY) -> None:
        self.datagrams: list[list[codec.Message]] = []
        self.answers: list[bytes] = []
        self.refuse = refuse
        self.family = family
        self.count = 0

    def send(self, datagram: bytes) -> None:
        assert not self.answers, "something was sent before all answers were read"
        messages = list(codec.messages(datagram))
        if messages[0].kind == codec.GENL_ID_CTRL:
            if self.family:
                found = codec.attribute(codec.CTRL_ATTR_FAMILY_ID, struct.pack("=H", self.family))
                self.answers.append(codec.message(codec.GENL_ID_CTRL, 1, found, 0, messages[0].sequence))
            self.acknowledge(messages[0], 0 if self.family else errno.ENOENT)
            return
        self.datagrams.append(messages)
        for message in messages:
            number = self.refuse(self.count)
            if number or message.flags & codec.NLM_F_ACK:
                self.acknowledge(message, number)
            self.count += 1

    def acknowledge(self, message: codec.Message, number: int) -> None:
        payload = struct.pack("=iIHHII", -number, 16, message.kind, message.flags, message.sequence, 0)
        self.answers.append(struct.pack("=IHHII", 36, codec.NLMSG_ERROR, 0, message.sequence, 0) + payload)

    def recv(self, size: int) -> bytes:
        return self.answers.pop(0)


@pytest.fixture
def kernel(monkeypatch):
    """kernel(**options) -> a socket that an Ipvs() opens."""

    def make(**options):
        fake = FakeSocket(**options)
        monkeypatch.setattr(_netlink_family, "open_socket", lambda: fake)
        return fake

    return make


def command(message: codec.Message) -> int:
    return message.payload[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs())
def test_a_datagram_holds_one_phase_and_the_order_is_kept(kernel, pair):
    fake = kernel()
    steps = plan(*pair, purge=True, purge_real_servers=True)
    Ipvs().apply(steps)
    phases = [{PHASE_OF.get(command(message), REMOVE) for message in datagram} for datagram in fake.datagrams]
    assert all(len(phase) == 1 for phase in phases)
    sent = [message.payload for datagram in fake.datagrams for message in datagram]
    assert sent == [codec.step_request(step, FAMILY, 0)[16:] for step in steps]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs(), st.data())
def test_after_a_refusal_no_removal_is_sent(kernel, pair, data):
    steps = plan(*pair, purge=True, purge_real_servers=True)
    changing = [step for step in steps if step.phase != REMOVE]
    if not changing:
        return
    bad = data.draw(st.integers(0, len(changing) - 1))
    fake = kernel(refuse=lambda number: errno.EINVAL if number == bad else 0)
    with pytest.raises(KernelError) as caught:
        Ipvs().apply(steps)
    assert str(caught.value).startswith(steps[bad].subject)
    sent = [command(message) for datagram in fake.datagrams for message in datagram]
    assert all(PHASE_OF.get(number) for number in sent)
    assert len(caught.value.details["applied"]) == len(sent) - 1
    assert (ADD, EDIT, REMOVE).index(PHASE_OF[sent[-1]]) == (ADD, EDIT, REMOVE).index(steps[bad].phase)


def many(count: int) -> list[Step]:
    return [Step(ADD, Service(KEY), RealServer(f"198.51.{n // 250}.{n % 250}", 80)) for n in range(count)]


def test_large_phases_go_in_full_datagrams(kernel):
    fake = kernel()
    Ipvs().apply([*many(BATCH * 2 + 1), Step(REMOVE, Service(KEY))])
    assert [len(datagram) for datagram in fake.datagrams] == [BATCH, BATCH, 1, 1]
    assert max(sum(len(message.payload) + 16 for message in datagram) for datagram in fake.datagrams) < 65536


def test_after_a_refusal_no_other_datagram_is_sent(kernel):
    fake = kernel(refuse=lambda number: errno.ENOMEM if number == 3 else 0)
    with pytest.raises(KernelError, match=r"cannot add it: Cannot allocate memory \(ENOMEM\)"):
        Ipvs().apply(many(BATCH + 1))
    assert [len(datagram) for datagram in fake.datagrams] == [BATCH]


@pytest.mark.parametrize(
    ("step", "number", "kind", "words"),
    [
        (Step(ADD, Service(KEY, "best")), errno.ENOENT, KernelError, "no scheduler 'best' (module ip_vs_best)"),
        (Step(EDIT, Service(KEY, pe="x")), errno.ENOENT, KernelError, "; or the kernel has no persistence engine 'x'"),
        (Step(EDIT, Service(KEY)), errno.ESRCH, TableChanged, "cannot change it: it is gone. Somebody else"),
        (Step(ADD, Service(KEY)), errno.EEXIST, TableChanged, "cannot add it: it is already there. Somebody else"),
        (many(1)[0], errno.ESRCH, TableChanged, "it is gone"),
        (many(1)[0], errno.EINVAL, KernelError, "does not take 198.51.0.0 as a real server here"),
        (Step(ADD, Service(KEY)), errno.EAFNOSUPPORT, KernelError, "IPv6 is switched off"),
        (Step(REMOVE, Service(KEY)), errno.EPERM, KernelError, "cannot remove it: the kernel wants root"),
        (Step(ADD, Service(KEY)), 12345, KernelError, "Unknown error 12345 (12345)"),
    ],
)
def test_every_refusal_has_its_words(kernel, step, number, kind, words):
    kernel(refuse=lambda place: number)
    with pytest.raises(KernelError) as caught:
        Ipvs().apply([step])
    assert caught.value.__class__ is kind and words in str(caught.value)
    assert caught.value.errno == number and str(caught.value).startswith(step.subject + ": cannot ")


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("5.10.0-30-amd64", "(module ip_vs_twos): it came with Linux 5.12, and this is 5.10.0-30-amd64."),
        ("5.14.0-1.el9", "(module ip_vs_twos): it is not installed for kernel 5.14.0-1.el9, or 'modprobe ip_vs_twos'"),
    ],
)
def test_a_missing_scheduler_is_told_by_the_kernels_age(kernel, monkeypatch, release, words):
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "host", release, "#1", "x86_64")))
    kernel(refuse=lambda place: errno.ENOENT)
    with pytest.raises(KernelError) as caught:
        Ipvs().apply([Step(ADD, Service(KEY, "twos"))])
    assert f"the kernel has no scheduler 'twos' {words}" in str(caught.value)


def test_a_missing_engine_is_named_alone_when_its_scheduler_is_there(kernel, monkeypatch):
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/sys/module/ip_vs_rr")
    kernel(refuse=lambda place: errno.ENOENT)
    with pytest.raises(KernelError, match=r"it: the kernel has no persistence engine 'sip' \(module ip_vs_pe_sip\)"):
        Ipvs().apply([Step(ADD, Service(KEY, "rr", persistent=60, pe="sip"))])


def test_a_kernel_without_ipvs_is_named(kernel):
    kernel(family=0)
    with pytest.raises(KernelError, match=r"kernel .* has no IPVS and could not load the module ip_vs"):
        Ipvs().apply(many(1))


def test_nothing_to_do_opens_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(_netlink_family, "open_socket", None)
    monkeypatch.setattr(_netlink_family, "PROC_TABLE", str(tmp_path / "missing"))
    Ipvs().apply([])
    assert Ipvs().read() == Table() and Ipvs().observe(lambda key: True) == []
    assert not _netlink_family.loaded()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BlockingIOError(errno.EAGAIN, ""), "the kernel gave no answer for 60 s"),
        (OSError(errno.ENOBUFS, ""), r"cannot hear the kernel's answer: No buffer space available \(ENOBUFS\)"),
    ],
)
def test_a_kernel_that_does_not_answer(kernel, error, words):
    fake = kernel()

    def recv(size):
        raise error

    fake.recv = recv
    with pytest.raises(KernelError, match=words):
        Ipvs().apply(many(1))
