# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codec says byte for byte what pyroute2 says with the family declared, and reads what the kernel writes."""

from __future__ import annotations

import socket
import struct

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_layout import RealServerReader
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, EDIT, REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, flag_names
from hypothesis import given
from hypothesis import strategies as st

from .reference import ctrlmsg, decode, encode, ipvsmsg
from .tables import keys, real_servers, services

FAMILY, SEQUENCE = 29, 7
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "47": 47}


def packed(address: str) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address).ljust(16, b"\0")


def name_attrs(key: ServiceKey) -> list[tuple[str, object]]:
    af = ("IPVS_SVC_ATTR_AF", 10 if key.family == "ipv6" else 2)
    if key.protocol == "mark":
        return [af, ("IPVS_SVC_ATTR_FWMARK", key.mark)]
    return [
        af,
        ("IPVS_SVC_ATTR_PROTOCOL", PROTOCOLS[key.protocol]),
        ("IPVS_SVC_ATTR_ADDR", packed(key.address)),
        ("IPVS_SVC_ATTR_PORT", key.port),
    ]


def service_attrs(service: Service) -> list[tuple[str, object]]:
    flags = 1 if service.persistent is not None else 0
    flags += 4 if service.ops else 0
    flags += sum(8 << bit for bit, name in enumerate(flag_names(service.scheduler)) if name in service.scheduler_flags)
    if service.key.family == "ipv6":
        netmask = struct.pack("=I", int(service.netmask or 128))
    else:
        netmask = socket.inet_aton(service.netmask or "255.255.255.255")
    return [
        ("IPVS_SVC_ATTR_SCHED_NAME", service.scheduler),
        ("IPVS_SVC_ATTR_FLAGS", {"flags": flags, "mask": 0xFFFFFFFF}),
        ("IPVS_SVC_ATTR_TIMEOUT", service.persistent or 0),
        ("IPVS_SVC_ATTR_NETMASK", netmask),
        *([("IPVS_SVC_ATTR_PE_NAME", service.pe)] if service.pe else []),
    ]


def server_name_attrs(server: RealServer) -> list[tuple[str, object]]:
    return [
        ("IPVS_DEST_ATTR_ADDR", packed(server.address)),
        ("IPVS_DEST_ATTR_PORT", server.port),
        ("IPVS_DEST_ATTR_ADDR_FAMILY", 10 if ":" in server.address else 2),
    ]


def server_attrs(server: RealServer) -> list[tuple[str, object]]:
    return [
        ("IPVS_DEST_ATTR_FWD_METHOD", ["nat", "local", "tun", "dr", "bypass"].index(server.forward)),
        ("IPVS_DEST_ATTR_WEIGHT", server.weight),
        ("IPVS_DEST_ATTR_U_THRESH", server.upper_threshold),
        ("IPVS_DEST_ATTR_L_THRESH", server.lower_threshold),
        ("IPVS_DEST_ATTR_TUN_TYPE", ["ipip", "gue", "gre"].index(server.tunnel_type)),
        ("IPVS_DEST_ATTR_TUN_PORT", server.tunnel_port),
        ("IPVS_DEST_ATTR_TUN_FLAGS", server.tunnel_flags),
    ]


def request(command: int, *attrs: tuple[str, object], flags: int = 5) -> bytes:
    return encode(ipvsmsg, (FAMILY, flags, SEQUENCE), command, [(name, {"attrs": found}) for name, found in attrs])


@given(services())
def test_service_commands_are_what_pyroute2_says(service):
    name = name_attrs(service.key)
    full = [*name, *service_attrs(service)]
    for phase, command, attrs in ((ADD, 1, full), (EDIT, 2, full), (REMOVE, 3, name)):
        ours = codec.step_request(Step(phase, service), FAMILY, SEQUENCE)
        assert ours == request(command, ("IPVS_CMD_ATTR_SERVICE", attrs))


@given(services(), real_servers())
def test_real_server_commands_are_what_pyroute2_says(service, server):
    name = server_name_attrs(server)
    full = [*name, *server_attrs(server)]
    for phase, command, attrs in ((ADD, 5, full), (EDIT, 6, full), (REMOVE, 7, name)):
        ours = codec.step_request(Step(phase, service, server), FAMILY, SEQUENCE)
        parts = ("IPVS_CMD_ATTR_SERVICE", name_attrs(service.key)), ("IPVS_CMD_ATTR_DEST", attrs)
        assert ours == request(command, *parts)


@given(keys())
def test_questions_are_what_pyroute2_asks(key):
    dump = 0x301
    assert codec.services_request(FAMILY, SEQUENCE) == encode(ipvsmsg, (FAMILY, dump, SEQUENCE), 4, [])
    question = request(8, ("IPVS_CMD_ATTR_SERVICE", name_attrs(key)), flags=dump)
    assert codec.real_servers_request(key, FAMILY, SEQUENCE) == question
    family = encode(ctrlmsg, (16, 5, SEQUENCE), 3, [("CTRL_ATTR_FAMILY_NAME", "IPVS")])
    assert codec.family_request(SEQUENCE) == family


def test_the_family_number_is_read():
    answer = encode(ctrlmsg, (16, 0, SEQUENCE), 1, [("CTRL_ATTR_FAMILY_NAME", "IPVS"), ("CTRL_ATTR_FAMILY_ID", 29)])
    (message,) = codec.messages(answer)
    assert codec.family_number(codec.genl_attributes(message.payload)) == 29


COUNTS = {name: value for value, name in enumerate(codec.STATS, 2**33)}
NARROW = {name: value for value, name in enumerate(codec.STATS, 100)}


def stats_attrs(values: dict[str, int]) -> dict[str, object]:
    return {"attrs": [(f"IPVS_STATS_ATTR_{name.upper()}", value) for name, value in values.items()]}


@given(services())
def test_services_are_read_as_the_kernel_writes_them(service):
    attrs = [
        *name_attrs(service.key),
        *service_attrs(service),
        ("IPVS_SVC_ATTR_STATS", stats_attrs(NARROW)),
        ("IPVS_SVC_ATTR_STATS64", stats_attrs(COUNTS)),
    ]
    found = only(request(1, ("IPVS_CMD_ATTR_SERVICE", attrs)), codec.CMD_SERVICE)
    assert codec.service_of(found) == service
    assert codec.stats_of(found, codec.SVC_STATS64, codec.SVC_STATS) == COUNTS
    del found[codec.SVC_STATS64]
    assert codec.stats_of(found, codec.SVC_STATS64, codec.SVC_STATS) == NARROW


@given(real_servers())
def test_real_servers_are_read_as_the_kernel_writes_them(server):
    attrs = [
        *server_attrs(server),
        *server_name_attrs(server),
        ("IPVS_DEST_ATTR_ACTIVE_CONNS", 1),
        ("IPVS_DEST_ATTR_INACT_CONNS", 2),
        ("IPVS_DEST_ATTR_PERSIST_CONNS", 3),
        ("IPVS_DEST_ATTR_STATS64", stats_attrs(COUNTS)),
    ]
    found = only(request(5, ("IPVS_CMD_ATTR_DEST", attrs)), codec.CMD_DEST)
    assert codec.real_server_of(found, "ipv4") == server
    assert codec.connections_of(found) == {
        "active_connections": 1,
        "inactive_connections": 2,
        "persistent_connections": 3,
    }
    assert codec.stats_of(found, codec.DEST_STATS64, codec.DEST_STATS) == COUNTS


ALIKE = [("IPVS_DEST_ATTR_ACTIVE_CONNS", 1), ("IPVS_DEST_ATTR_STATS64", stats_attrs(COUNTS))]


@given(st.lists(st.tuples(real_servers(), st.booleans()), max_size=6), st.sampled_from(["ipv4", "ipv6"]))
def test_a_reader_of_many_reads_each_as_one_alone_is_read(many, family):
    """Also when they take turns in what they look like: other attributes, another order, other sizes."""
    reader = RealServerReader()
    for server, backwards in [*many, *many]:
        attrs = [*server_attrs(server), *server_name_attrs(server), *ALIKE]
        told = request(5, ("IPVS_CMD_ATTR_DEST", attrs[::-1] if backwards else attrs))
        (message,) = codec.messages(told)
        assert reader.read(message.data, family) == server


@given(real_servers(), real_servers(), st.data())
def test_what_only_looks_alike_is_not_taken_for_it(first, second, data):
    """A byte of a type or a size that differs is noticed, and never read as a value."""
    told = [
        next(codec.messages(request(5, ("IPVS_CMD_ATTR_DEST", [*server_name_attrs(one), *server_attrs(one), *ALIKE]))))
        for one in (first, second)
    ]
    changed = bytearray(told[1].data)
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    fresh, reader = RealServerReader(), RealServerReader()
    reader.read(told[0].data, "ipv4")
    outcomes = []
    for one in (fresh, reader):
        try:
            outcomes.append(one.read(bytes(changed), "ipv4"))
        except (ValueError, LookupError, struct.error):
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]


def as_told(many: list[RealServer], backwards: bool = False, sequence: int = SEQUENCE) -> list[bytes]:
    """The datagrams in which the kernel tells of these real servers, the newest first, two in each."""
    told = [[*server_name_attrs(server), *server_attrs(server), *ALIKE] for server in reversed(many)]
    attrs = [found[::-1] if backwards else found for found in told]
    data = [request(5, ("IPVS_CMD_ATTR_DEST", found)) for found in attrs]
    return [b"".join(data[start : start + 2]) for start in range(0, len(data), 2)]


def blocks_of(datagrams: list[bytes]) -> list[bytes]:
    return [block.data for datagram in datagrams for block in codec.blocks(datagram)]


def by_key(many: list[RealServer]) -> dict[tuple[str, int], RealServer]:
    return {server.key: server for server in many}


MANY = st.lists(real_servers(), max_size=5, unique_by=lambda server: server.key)


@given(MANY, MANY, st.sampled_from(["ipv4", "ipv6"]), st.booleans())
def test_real_servers_are_read_whatever_was_wanted(many, others, family, backwards):
    """And what was wanted comes back itself when it is what the kernel tells, in this order."""
    reader = RealServerReader()
    blocks = blocks_of(as_told(many, backwards))
    reader.read_all(blocks_of(as_told([RealServer("192.0.2.1", 80)], backwards)), family, {})
    for wanted in (by_key(others), {}, by_key(many[::-1]), by_key(many)):
        found = reader.read_all(blocks, family, wanted)
        assert list(found.items()) == list(by_key(many).items())
    if many and all((":" in server.address) == (family == "ipv6") for server in many):
        assert found is wanted


@given(MANY.filter(bool), st.data())
def test_what_only_looks_like_what_is_wanted_is_not_taken_for_it(many, data):
    """A byte that differs is a counter's, or makes another real server or none of it."""
    (told,) = blocks_of([b"".join(as_told(many))])
    changed = bytearray(told)
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    outcomes = []
    for wanted in ({}, by_key(many)):
        reader = RealServerReader()
        reader.read_all(blocks_of(as_told(many[:1])), "ipv4", {})
        try:
            outcomes.append(reader.read_all([bytes(changed)], "ipv4", wanted))
        except (ValueError, LookupError, struct.error):
            outcomes.append(None)
    assert outcomes[0] == outcomes[1]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), max_size=4), st.integers(0, 3))
def test_blocks_are_the_messages_that_are_alike(sizes, flag):
    """A datagram in one block cuts into the messages that it is made of; others come one by one."""
    all_alike = len({size for size, _count in sizes}) == 1
    told = [codec.message(FAMILY, 5, bytes(4 * size), 0, SEQUENCE) for size, count in sizes for _each in range(count)]
    found = [*codec.blocks(b"".join(told))]
    assert [message for block in found for message in codec.cut(block.data)] == told
    assert len(found) == (1 if all_alike else len(told))
    if all_alike and len(told) > 1:
        other = codec.message(FAMILY, 5, bytes(len(told[0]) - 20), flag, SEQUENCE + (not flag))
        assert len([*codec.blocks(b"".join([*told, other]))]) == (len(told) + 1 if flag != 1 else 1)


def only(data: bytes, container: int) -> dict[int, bytes]:
    (message,) = codec.messages(data)
    return codec.attributes(codec.genl_attributes(message.payload)[container])


def test_a_kernel_that_knows_neither_tunnel_types_nor_mixed_families():
    server = RealServer("192.0.2.1", 80, "tun", 3)
    attrs = [*server_name_attrs(server)[:2], *server_attrs(server)[:4]]
    told = request(5, ("IPVS_CMD_ATTR_DEST", attrs))
    assert codec.real_server_of(only(told, codec.CMD_DEST), "ipv4") == server
    reader = RealServerReader()
    for wanted in (server, server._replace(tunnel_type="gue", tunnel_port=6080), server):
        assert reader.read_all([told], "ipv4", by_key([wanted])) == by_key([server])
    assert reader.read_all([told], "ipv4", wanted := by_key([server])) is wanted


def test_what_is_set_without_effect_is_not_seen():
    key = ServiceKey.addressed("tcp", "192.0.2.1", 80)
    attrs = [
        *name_attrs(key),
        ("IPVS_SVC_ATTR_SCHED_NAME", "rr"),
        ("IPVS_SVC_ATTR_FLAGS", {"flags": 0x2, "mask": 0xFFFFFFFF}),
        ("IPVS_SVC_ATTR_TIMEOUT", 77),
        ("IPVS_SVC_ATTR_NETMASK", socket.inet_aton("255.255.0.0")),
    ]
    assert codec.service_of(only(request(1, ("IPVS_CMD_ATTR_SERVICE", attrs)), codec.CMD_SERVICE)) == Service(key, "rr")


def test_pyroute2_reads_what_we_say():
    key = ServiceKey.addressed("sctp", "2001:db8::1", 80)
    step = Step(ADD, Service(key, "mh", ("mh-port",), 60, "64"), RealServer("192.0.2.1", 81, "tun", 5, 9, 3))
    message = decode(codec.step_request(step, FAMILY, SEQUENCE))
    dest = message.get_attr("IPVS_CMD_ATTR_DEST")
    assert message["header"]["sequence_number"] == SEQUENCE and message["cmd"] == codec.NEW_DEST
    assert dest.get_attr("IPVS_DEST_ATTR_PORT") == 81 and dest.get_attr("IPVS_DEST_ATTR_ADDR_FAMILY") == 2
    assert dest.get_attr("IPVS_DEST_ATTR_U_THRESH") == 9 and dest.get_attr("IPVS_DEST_ATTR_L_THRESH") == 3


def test_errors_and_acknowledgements():
    assert codec.error_of(struct.pack("=i", 0)) == 0
    assert codec.error_of(struct.pack("=i", -17) + bytes(20)) == 17


@pytest.mark.parametrize("cut", [1, 4, 17, len(codec.services_request(FAMILY, SEQUENCE)) - 1])
def test_what_was_cut_short_is_noticed(cut):
    data = codec.services_request(FAMILY, SEQUENCE)
    with pytest.raises(ValueError, match="cut short"):
        list(codec.messages(data + data[:-cut]))


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_or_refused(data):
    try:
        for message in codec.messages(data):
            codec.genl_attributes(message.payload)
    except ValueError:
        pass
