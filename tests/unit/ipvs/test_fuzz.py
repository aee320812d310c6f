# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nonsense from users and from the kernel: one error that says so, never a traceback, never an endless wait."""

from __future__ import annotations

import contextlib
import errno
import struct

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openlvs.lvs.plugins.module_utils import _control_codec as control
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_family
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import (
    read_key,
    read_real_server,
    read_service,
    read_services,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import (
    identity_rules,
    identity_spec,
    real_server_spec,
    service_spec,
    services_spec,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, Step, plan
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import read_rules, write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import SyncDaemon
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import read as read_daemons
from ansible_collections.openlvs.lvs.plugins.module_utils._table import Service, Table
from ansible_collections.openlvs.lvs.plugins.module_utils._timeouts import read as read_timeouts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .tables import real_servers, services

FAMILY = 29
HEADER = 16
ZEROES = {codec.SVC_STATS64: b"".join(codec.attribute(kind, bytes(8)) for kind in range(1, len(codec.STATS) + 1))}
COUNTS = {kind: bytes(4) for kind in (codec.DEST_ACTIVE_CONNS, codec.DEST_INACT_CONNS, codec.DEST_PERSIST_CONNS)}


# ---- what the kernel may say


class Kernel:
    """Answers every question with these bodies, each of them a message, whatever it is."""

    def __init__(self, answers: dict[int, list[bytes]], mangle=lambda data: data) -> None:
        self.answers = answers
        self.mangle = mangle
        self.datagrams: list[bytes] = []

    def send(self, datagram: bytes) -> None:
        for asked in codec.messages(datagram):
            sequence = asked.sequence
            if asked.kind == codec.GENL_ID_CTRL:
                family = codec.attribute(codec.CTRL_ATTR_FAMILY_ID, struct.pack("=H", FAMILY))
                self.datagrams += [codec.message(codec.GENL_ID_CTRL, 1, family, 0, sequence), _end(sequence, 2)]
                continue
            bodies = self.answers.get(asked.payload[0], [])
            answer = b"".join(codec.message(FAMILY, 1, body, 0, sequence) for body in bodies)
            last = codec.NLMSG_ERROR if asked.flags & codec.NLM_F_ACK else codec.NLMSG_DONE
            self.datagrams += [self.mangle(answer + _end(sequence, last))]

    def recv(self, size: int) -> bytes:
        if not self.datagrams:
            raise BlockingIOError(errno.EAGAIN, "")
        return self.datagrams.pop(0)


def _end(sequence: int, kind: int) -> bytes:
    return struct.pack("=IHHIIi", HEADER + 4, kind, 0, sequence, 0, 0)


def inner(data: bytes, container: int) -> dict[int, bytes]:
    """The attributes of what a step says."""
    (message,) = codec.messages(data)
    return codec.attributes(codec.genl_attributes(message.payload)[container])


def body(container: int, attributes: list[tuple[int, bytes]]) -> bytes:
    return codec.attribute(container, b"".join(codec.attribute(kind, value) for kind, value in attributes))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """A table of one service and one real server, with the attributes that the kernel tells of them."""
    service, server = draw(services()), draw(real_servers())
    told = inner(codec.step_request(Step(ADD, service), FAMILY, 1), codec.CMD_SERVICE)
    server_told = inner(codec.step_request(Step(ADD, service, server), FAMILY, 1), codec.CMD_DEST)
    table = Table.of([(service, [server])])
    return table, list({**told, **ZEROES}.items()), list({**server_told, **COUNTS}.items())


UNKNOWN = st.lists(st.tuples(st.integers(100, 16000), st.binary(max_size=9)), max_size=4)


@contextlib.contextmanager
def kernel(answers, mangle=lambda data: data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_netlink_family, "open_socket", lambda: Kernel(answers, mangle))
        patch.setattr(_netlink_family, "PROC_TABLE", "/proc/self/status")
        yield


def answers_of(told, server_told):
    return {
        codec.GET_SERVICE: [body(codec.CMD_SERVICE, told)],
        codec.GET_DEST: [body(codec.CMD_DEST, server_told)],
    }


@given(tables(), UNKNOWN, st.randoms(use_true_random=False))
def test_order_and_unknown_attributes_mean_nothing(told, unknown, random):
    table = told[0]
    shuffled = [random.sample([*attributes, *unknown], len(attributes) + len(unknown)) for attributes in told[1:]]
    with kernel(answers_of(*shuffled)):
        assert Ipvs().read() == table


def mangled(draw: st.DrawFn, data: bytes) -> bytes:
    """Cut off, cut out, or with other bytes in it."""
    found = bytearray(data)
    for _dummy in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(found) - 1, 0)))
        kind = draw(st.sampled_from(["cut", "drop", "change", "insert"]))
        if kind == "cut":
            del found[place:]
        elif kind == "drop":
            del found[place : place + draw(st.integers(1, 9))]
        elif kind == "change" and found:
            found[place] = draw(st.integers(0, 255))
        else:
            found[place:place] = draw(st.binary(max_size=9))
    return bytes(found)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.data())
def test_a_mangled_answer_is_a_table_or_one_error(told, data):
    _table, service, server = told
    for look in (Ipvs().read, lambda: Ipvs().observe(lambda key: True)):
        with kernel(answers_of(service, server), lambda answer: mangled(data.draw, answer)), _told():
            look()


@settings(max_examples=200)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_attributes_are_understood_or_one_error(first, second):
    asked = (codec.GET_SERVICE, codec.GET_DEST, control.GET_DAEMON, control.GET_CONFIG, control.GET_INFO)
    answers = {command: [first, codec.attribute(control.CMD_DAEMON, second)] for command in asked}
    for look in (lambda: Ipvs().read(), lambda: Control().daemons(), lambda: Control().timeouts()):
        with kernel(answers), _told():
            look()


@given(st.data())
def test_a_mangled_sync_daemon_is_one_or_one_error(data):
    daemon = SyncDaemon("backup", "eth1", 7, "ff05::51", 8849, 2, 8900)
    told = inner(control.start_request(daemon, FAMILY, 1), control.CMD_DAEMON)
    answers = {control.GET_DAEMON: [body(control.CMD_DAEMON, list(told.items()))]}
    with kernel(answers):
        assert Control().daemons() == {"backup": daemon}
    with kernel(answers, lambda answer: mangled(data.draw, answer)), _told():
        Control().daemons()


@given(tables(), st.data())
def test_a_mangled_acknowledgement_is_one_or_one_error(told, data):
    steps = plan(Table(), told[0])
    with kernel({}):
        Ipvs().apply(steps)
    with kernel({}, lambda answer: mangled(data.draw, answer)), _told("The IPVS table: ", "Service "):
        Ipvs().apply(steps)


@contextlib.contextmanager
def _told(*heads):
    """Nothing is raised, or the one error."""
    try:
        yield
    except KernelError as exc:
        assert str(exc).startswith(heads or "The IPVS table: ") and "Traceback" not in str(exc)


# ---- what users may write

NUMBERS = st.one_of(st.integers(-2, 3), st.integers(-(2**40), 2**40), st.sampled_from([65535, 65536, 2**31, 2**32]))
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["192.0.2.10", "2001:db8::10", "0.0.0.0", "ff02::1", "fe80::1%lo", "255.255.255.0", "24", "129", "\udc80"]
    ),
)
WORDS = st.sampled_from(["rr", "sh", "mh", "sh-port", "mh-fallback", "flag-1", "sip"]) | TEXTS


def anything(option) -> st.SearchStrategy:
    """A value that the argument spec takes, sensible or not."""
    if "options" in option:
        inner_values = st.fixed_dictionaries({}, optional={k: anything(v) for k, v in option["options"].items()})
        return st.lists(inner_values, max_size=3)
    if "choices" in option:
        return st.sampled_from(option["choices"])
    kinds = {"int": NUMBERS, "bool": st.booleans(), "list": st.lists(WORDS, max_size=3), "str": WORDS}
    return kinds[option["type"]]


SERVER = {"address": "198.51.100.1"}
SERVICE = {"vip": "192.0.2.10", "port": 80}


def some_of(spec) -> st.SearchStrategy:
    """Some options of a module."""
    return st.fixed_dictionaries({}, optional={name: anything(option) for name, option in spec.items()})


@contextlib.contextmanager
def refused_in_words():
    """Nothing is raised, or findings of a line each."""
    try:
        yield
    except OptionError as exc:
        assert exc.findings and all("\n" not in finding.strip() for finding in exc.findings)


def as_a_module_gets_them(spec, params, **rules):
    """The options as Ansible hands them over; None when Ansible itself refuses them."""
    checked = ArgumentSpecValidator(spec, **rules).validate(params)
    return None if checked.error_messages else checked.validated_parameters


@settings(max_examples=300)
@given(some_of({**identity_spec(), **service_spec()}), some_of(real_server_spec()), st.booleans())
def test_one_service_and_one_real_server_can_be_sent_or_are_refused(service, server, usual):
    spec = {**identity_spec(), **service_spec(), "address": {"type": "str"}, "server_port": {"type": "int"}}
    params = {**(SERVICE if usual else {}), **service, "address": "198.51.100.1", **server}
    params = as_a_module_gets_them({**spec, **real_server_spec()}, params, **identity_rules())
    if params is None:
        return
    with refused_in_words():
        assert codec.step_request(Step(ADD, read_service(params)), FAMILY, 1)
    with refused_in_words():
        key = read_key(params)
        assert codec.step_request(Step(ADD, Service(key), read_real_server(params, key)), FAMILY, 1)


DAEMON = {"interface": "eth1", "syncid": 0, "group": "224.0.0.81", "port": 8848, "ttl": 1, "maxlen": None}
GROUPS = TEXTS | st.sampled_from(["224.0.0.81", "ff05::51"])


@given(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["master", "backup", "both"])},
        optional={name: GROUPS if isinstance(value, str) else NUMBERS for name, value in DAEMON.items()},
    ),
    st.none() | st.integers(0, 2**17),
)
def test_a_sync_daemon_can_be_started_or_is_refused(params, mtu):
    mtus = {"eth1": mtu}
    with refused_in_words():
        for daemon in read_daemons({"state": "present", **DAEMON, **params}, mtus.get).values():
            assert control.start_request(daemon, FAMILY, 1)


@pytest.mark.parametrize("word", ["tcp", "tcp_fin", "udp"])
def test_a_timeout_is_a_number(word):
    for value in (True, False):
        with pytest.raises(OptionError, match=f"Timeouts: {word} {value} is no number"):
            read_timeouts({"tcp": None, "tcp_fin": None, "udp": None, word: value})


@given(st.fixed_dictionaries({word: st.none() | NUMBERS for word in ("tcp", "tcp_fin", "udp")}))
def test_timeouts_can_be_set_or_are_refused(params):
    with refused_in_words():
        assert control.set_timeouts_request(read_timeouts(params), FAMILY, 1)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(anything(services_spec()), st.booleans())
def test_whatever_is_written_is_a_table_that_can_be_sent_or_refused(items, usual):
    if usual:  # mostly sensible, or everything is refused for want of an address
        items = [
            {
                **({} if "mark" in item else SERVICE),
                **item,
                "real_servers": [{**SERVER, **server} for server in item.get("real_servers", [])],
            }
            for item in items
        ]
    params = as_a_module_gets_them({"services": services_spec()}, {"services": items})
    if params is None:
        return
    with refused_in_words():
        table = read_services(params["services"]).table
        for step in plan(Table(), table):
            assert codec.step_request(step, FAMILY, 1)
        assert read_rules("\n".join(write_rules(table))) == table
