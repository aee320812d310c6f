# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users may write, and what they are told when it cannot work."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import (
    canonical_mask,
    read_address,
    read_real_server,
    read_service,
    read_services,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import (
    describe_real_server,
    describe_service,
    identity_rules,
    identity_spec,
    real_server_spec,
    service_spec,
    services_spec,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey

WEB = {"vip": "192.0.2.10", "port": 80}
WEB6 = {"vip": "2001:db8::10", "port": 80}
MARK = {"mark": 3}
TUN = {"forward": "tun"}


def validated(services):
    result = ArgumentSpecValidator({"services": services_spec()}).validate({"services": list(services)})
    assert not result.error_messages, result.error_messages
    return result.validated_parameters["services"]


def read(*services):
    return read_services(validated(services))


def findings(*services):
    with pytest.raises(OptionError) as caught:
        read(*services)
    assert str(caught.value) == "\n".join(caught.value.findings)
    return caught.value.findings


def with_server(identity, **server):
    return {**identity, "real_servers": [{"address": "198.51.100.1", **server}]}


def test_defaults():
    description = read({**WEB, "real_servers": [{"address": "198.51.100.1"}]}, MARK, {"mark": 3, "family": "ipv6"})
    first = ServiceKey.addressed("tcp", "192.0.2.10", 80)
    assert list(description.table.services.values()) == [
        Service(first, "wlc"),
        Service(ServiceKey.marked(3, "ipv4")),
        Service(ServiceKey.marked(3, "ipv6")),
    ]
    assert list(description.table.servers(first).values()) == [RealServer("198.51.100.1", 80, "dr", 1)]
    assert description.held == frozenset() and description.names == {}


def test_everything_said():
    described = {
        "name": "web",
        "vip": "2001:DB8::10",
        "port": 443,
        "protocol": "sctp",
        "scheduler": "mh",
        "scheduler_flags": ["mh-port", "mh-fallback"],
        "persistent": 600,
        "netmask": "64",
        "real_servers": [
            {
                "name": "rs1",
                "address": "2001:db8:0::1",
                "port": 8443,
                "forward": "nat",
                "weight": 0,
                "upper_threshold": 9,
                "lower_threshold": 9,
                "hold": True,
            }
        ],
    }
    description = read(described)
    key = ServiceKey.addressed("sctp", "2001:db8::10", 443)
    server = RealServer("2001:db8::1", 8443, "nat", 0, 9, 9)
    assert description.table.services == {key: Service(key, "mh", ("mh-fallback", "mh-port"), 600, "64")}
    assert description.table.servers(key) == {server.key: server}
    assert description.held == {(key, server.key)} and description.names == {(key, server.key): "rs1"}


@pytest.mark.parametrize(
    ("netmask", "identity", "canonical"),
    [
        ("255.255.255.0", WEB, "255.255.255.0"),
        ("24", WEB, "255.255.255.0"),
        ("1", WEB, "128.0.0.0"),
        ("32", WEB, None),
        ("255.255.255.255", WEB, None),
        ("64", WEB6, "64"),
        ("128", WEB6, None),
        ("24", {"mark": 3}, "255.255.255.0"),
        ("24", {"mark": 3, "family": "ipv6"}, "24"),
    ],
)
def test_netmasks(netmask, identity, canonical):
    (service,) = read({**identity, "persistent": 60, "netmask": netmask}).table.services.values()
    assert service.netmask == canonical


def test_masks():
    assert [canonical_mask(length) for length in (0, 1, 20, 32)] == [
        "0.0.0.0",
        "128.0.0.0",
        "255.255.240.0",
        "255.255.255.255",
    ]


TCP, RS = "Service tcp 192.0.2.10:80", "Service tcp 192.0.2.10:80, real server 198.51.100.1:80"
NO_ADDRESS = "it is not an IPv4 or IPv6 address. Write it without a prefix length, a port or a name."
ALL = "rr, wrr, lc, wlc, fo, ovf, lblc, lblcr, dh, sh, mh, sed, nq, twos"


@pytest.mark.parametrize(
    ("described", "finding"),
    [
        ({**WEB, "vip": "192.0.2.10/24"}, f"services[0]: vip '192.0.2.10/24': {NO_ADDRESS}"),
        ({**WEB, "vip": "web", "name": "a"}, f"Service a: vip 'web': {NO_ADDRESS}"),
        (
            {**WEB, "vip": "239.0.0.1"},
            "Service tcp 239.0.0.1:80: vip 239.0.0.1: it is a multicast address, so no client can connect to it.",
        ),
        ({**WEB, "vip": "ff02::1"}, "Service tcp [ff02::1]:80: vip ff02::1: it is a multicast address"),
        ({**WEB, "vip": "0.0.0.0"}, "it is an address of 'this network' (0.0.0.0/8)"),
        ({**WEB, "vip": "255.255.255.255"}, "it is the broadcast address"),
        ({**WEB, "vip": "::"}, "it is the unspecified address"),
        ({**WEB, "port": 65536}, "services[0]: port 65536 is out of range. Use 1 to 65535, or 0 for all ports."),
        ({**WEB, "port": -1}, "port -1 is out of range"),
        ({"mark": 0}, "services[0]: mark 0 is out of range: no mark is 0. Use 1 to 4294967295."),
        ({"mark": 4294967296}, "mark 4294967296 is out of range"),
        ({**WEB, "scheduler": "best"}, f"{TCP}: scheduler 'best' is not known. Known are {ALL}."),
        (
            {**WEB, "scheduler_flags": ["sh-port"]},
            f"{TCP}: scheduler_flags 'sh-port' means nothing to scheduler wlc, though the kernel would take it. Only sh"
            " and mh have flags.",
        ),
        (
            {**WEB, "scheduler": "mh", "scheduler_flags": ["sh-port"]},
            f"{TCP}: scheduler_flags 'sh-port' means nothing to scheduler mh, though the kernel would take it. It knows"
            " mh-fallback and mh-port.",
        ),
        ({**WEB, "scheduler": "sh", "scheduler_flags": ["flag-3"]}, "scheduler_flags 'flag-3' means nothing"),
        (
            {**WEB, "persistent": 0},
            f"{TCP}: persistent 0 is out of range. Use 1 to 2678400 seconds, or leave it out for a service without"
            " persistence.",
        ),
        ({**WEB, "persistent": 2678401}, "persistent 2678401 is out of range"),
        (
            {**WEB, "port": 0},
            "Service tcp 192.0.2.10:0: port 0 stands for all ports and needs persistent: without it the kernel takes"
            " the service and schedules no connection.",
        ),
        (
            {**WEB, "ops": True},
            f"{TCP}: ops schedules every packet by itself, which breaks tcp connections. It is for udp.",
        ),
        ({**WEB, "protocol": "sctp", "ops": True}, "which breaks sctp connections"),
        (
            {**WEB, "netmask": "255.255.255.0"},
            f"{TCP}: netmask '255.255.255.0' says how persistence groups clients, and it needs persistent.",
        ),
        (
            {**WEB, "persistent": 60, "netmask": "255.0.255.0"},
            f"{TCP}: netmask '255.0.255.0' does not mark the first 1 to 32 bits of an IPv4 address, as '255.255.255.0'"
            " does.",
        ),
        ({**WEB, "persistent": 60, "netmask": "0.0.0.0"}, "netmask '0.0.0.0' does not mark"),
        ({**WEB, "persistent": 60, "netmask": "33"}, "netmask '33' does not mark"),
        ({**WEB6, "persistent": 60, "netmask": "129"}, "the first 1 to 128 bits of an IPv6 address, as '64' does."),
        ({**WEB6, "persistent": 60, "netmask": "255.255.255.0"}, "netmask '255.255.255.0' does not mark"),
        (with_server(WEB, address="rs1"), f"{TCP}, real server 'rs1': {NO_ADDRESS}"),
        ({**WEB, "port": True}, "port True is no number."),
        ({**WEB, "port": None}, "vip 192.0.2.10, port None: a service is known by its vip and port, or by its mark."),
        ({**WEB, "vip": None}, "vip None, port 80: a service is known by its vip and port, or by its mark."),
        (with_server(WEB, weight=True), f"{TCP}, real server 198.51.100.1: weight True is no number."),
        (with_server(WEB, address="239.255.255.255"), "it is a multicast address, which cannot be a real server."),
        (with_server(WEB, address="224.0.0.1"), "it is a multicast address, which cannot be a real server."),
        (with_server(WEB, address="0.0.0.0"), "it is an address of 'this network' (0.0.0.0/8), which cannot be"),
        (with_server(WEB, address="255.255.255.255"), "it is the broadcast address, which cannot be a real server."),
        (with_server(WEB6, address="ff02::1"), "it is a multicast address, which cannot be a real server."),
        (with_server(WEB6, address="fe80::1"), "it is a link-local address, which says nothing without an interface"),
        (
            with_server(WEB, address="192.0.2.10"),
            "Service tcp 192.0.2.10:80, real server 192.0.2.10:80: it has the address of the VIP, so the director would"
            " send the requests to itself.",
        ),
        (
            with_server(WEB, port=8080),
            "Service tcp 192.0.2.10:80, real server 198.51.100.1:8080: port 8080 differs from the service's, but with"
            " direct routing the packet reaches the real server unchanged. Use port 80, or forward: nat.",
        ),
        (with_server(WEB, port=8080, forward="tun"), "but with a tunnel the packet reaches the real server unchanged."),
        (
            with_server(MARK, port=80),
            "direct routing the packet reaches the real server unchanged. Leave the port out, or",
        ),
        (with_server(WEB, port=65536, forward="nat"), "port 65536 is out of range. Use 0 to 65535."),
        (
            with_server({**WEB, "port": 0, "persistent": 9}, port=80, forward="nat"),
            "port 80: a service of all ports (0) passes on the port that the client asked for. Leave it out.",
        ),
        (with_server(WEB, weight=-1), f"{RS}: weight -1 is out of range. Use 0 (no new connections) to 2147483647."),
        (with_server(WEB, weight=2**31), f"{RS}: weight 2147483648 is out of range."),
        (
            with_server(WEB, tunnel_type="gue", tunnel_port=6080, tunnel_checksum="csum"),
            f"{RS}: tunnel_type gue, tunnel_port 6080, tunnel_checksum csum: forward dr has no tunnel. Use"
            " forward: tun.",
        ),
        (with_server(WEB, forward="nat", tunnel_port=6080), f"{RS}: tunnel_port 6080: forward nat has no tunnel."),
        (
            with_server(WEB, **TUN, tunnel_type="gue"),
            f"{RS}: tunnel_type gue needs tunnel_port, the UDP port on which the real server takes packets out of their"
            " tunnel; 6080 is usual.",
        ),
        (with_server(WEB, **TUN, tunnel_type="gue", tunnel_port=0), "tunnel_port 0 is out of range. Use 1 to 65535."),
        (with_server(WEB, **TUN, tunnel_type="gue", tunnel_port=65536), "tunnel_port 65536 is out of range."),
        (
            with_server(WEB, **TUN, tunnel_type="gre", tunnel_port=6080),
            "tunnel_port 6080: a tunnel of type gre has no port. Leave it out, or use tunnel_type: gue.",
        ),
        (with_server(WEB, **TUN, tunnel_port=6080), "a tunnel of type ipip has no port."),
        (
            with_server(WEB, **TUN, tunnel_checksum="csum"),
            "tunnel_checksum csum: a tunnel of type ipip has none. Use tunnel_type: gue or gre, or nocsum.",
        ),
        (
            with_server(WEB, **TUN, tunnel_type="gre", tunnel_checksum="remcsum"),
            "tunnel_checksum remcsum: remote checksum offload is for tunnel_type: gue. A gre tunnel takes csum.",
        ),
        (
            {**WEB, "protocol": "udp", "pe": "sip"},
            "Service udp 192.0.2.10:80: pe sip says what a client is known by, and it needs persistent.",
        ),
        ({**MARK, "persistent": 9, "pe": "best"}, "pe 'best' is not known. Known is sip."),
        (
            {**WEB, "persistent": 9, "pe": "sip"},
            f"{TCP}: pe sip reads udp packets only, so the kernel would refuse every tcp client.",
        ),
        (
            with_server(WEB, upper_threshold=5, lower_threshold=6),
            f"{RS}: lower_threshold 6 is above upper_threshold 5: it would never take connections again.",
        ),
        (with_server(WEB, lower_threshold=6), f"{RS}: lower_threshold 6 is above upper_threshold 0"),
        (with_server(WEB, upper_threshold=2**31), "use 0 (no limit) to 2147483647."),
        (with_server(WEB, upper_threshold=-1), "upper_threshold -1, lower_threshold 0: use 0"),
        (
            with_server(WEB, address="2001:db8::1"),
            "Service tcp 192.0.2.10:80, real server [2001:db8::1]:80: it is not of the service's family IPv4; only"
            " forward: tun can bridge that.",
        ),
        (with_server(WEB6), "it is not of the service's family IPv6; only forward: tun can bridge that."),
        (with_server({**MARK, "family": "ipv6"}), "it is not of the service's family IPv6"),
        ({**WEB, "real_servers": [{"address": "198.51.100.1"}] * 2}, f"{RS}: it is listed twice."),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(described, finding):
    (found,) = findings(described)
    assert finding in found


def test_all_findings_come_at_once_and_name_the_service():
    found = findings(
        {**WEB, "name": "web", "scheduler": "best"},
        {**WEB, "vip": "192.0.2.010", "name": "again"},
        {"vip": "nothing", "port": 99999},
        with_server({**WEB, "port": 81}, weight=-1, port=1, upper_threshold=-1),
    )
    assert [line.partition(": ")[0] for line in found] == [
        "Service tcp 192.0.2.10:80 (web)",
        "Service again",
        "services[2]",
        "services[2]",
        *["Service tcp 192.0.2.10:81, real server 198.51.100.1:1"] * 3,
    ]


def test_a_service_is_described_once():
    assert findings({**WEB, "name": "a"}, {**WEB, "name": "b"}) == [
        "Service tcp 192.0.2.10:80 (b): it is described twice. Put all its real servers into one item."
    ]
    assert len(read(WEB, {**WEB, "protocol": "udp"}, MARK, {**MARK, "family": "ipv6"}).table.services) == 4


@pytest.mark.parametrize(
    "described",
    [
        with_server(WEB, port=8080, forward="nat"),
        with_server(WEB, address="2001:db8::1", forward="tun"),
        with_server(WEB, address="127.0.0.1"),
        with_server(MARK, port=80, forward="nat"),
        with_server({**WEB, "port": 0, "persistent": 9}),
        with_server(WEB, upper_threshold=5),
        {**WEB, "protocol": "udp", "ops": True},
        {**MARK, "ops": True},
        {**MARK, "persistent": 9, "pe": "sip"},
        {**WEB, "protocol": "udp", "persistent": 9, "pe": "sip"},
        with_server(WEB, weight=2**31 - 1),
        with_server(WEB6, **TUN, tunnel_type="gue", tunnel_port=65535, tunnel_checksum="remcsum"),
        with_server(WEB, address="2001:db8::1", **TUN, tunnel_type="gre", tunnel_checksum="csum"),
        {**WEB, "vip": "240.0.0.1"},
        {**WEB, "vip": "23.0.0.1"},
        {**WEB6, "vip": "ff::1"},
        with_server(WEB, address="23.1.2.3"),
        {**WEB6, "vip": "fe80::1"},
    ],
)
def test_what_works_is_taken(described):
    assert read(described).table.services


def module_params(spec, **params):
    result = ArgumentSpecValidator({**identity_spec(), **spec}, **identity_rules()).validate(params)
    assert not result.error_messages, result.error_messages
    return result.validated_parameters


def test_a_single_service_and_its_real_server():
    service = read_service(module_params(service_spec(), **WEB, scheduler="rr"))
    assert service == Service(ServiceKey.addressed("tcp", "192.0.2.10", 80), "rr")
    spec = {**real_server_spec(), "address": {}, "server_port": {"type": "int"}}
    params = module_params(spec, **WEB, address="198.51.100.1", weight=3)
    assert read_real_server(params, service.key) == RealServer("198.51.100.1", 80, "dr", 3)
    with pytest.raises(OptionError, match="port 81 differs from the service's"):
        read_real_server({**params, "server_port": 81}, service.key)
    with pytest.raises(OptionError, match="real server 'x': it is not"):
        read_real_server({**params, "address": "x"}, service.key)
    with pytest.raises(OptionError, match="scheduler 'x' is not known"):
        read_service(module_params(service_spec(), **WEB, scheduler="x"))
    with pytest.raises(OptionError, match="Service: vip 'x'"):
        read_service(module_params(service_spec(), vip="x", port=1))
    with pytest.raises(OptionError, match="address 'x': it is not"):
        read_address("x", "address")


def test_values_in_the_words_of_the_options_lead_back():
    described = {**WEB, "protocol": "udp", "scheduler": "sh", "scheduler_flags": ["sh-port"], "persistent": 5}
    described["pe"] = "sip"
    (service,) = read(described).table.services.values()
    words = describe_service(service)
    assert {name: words[name] for name in described} == described
    assert words["mark"] is None and words["family"] == "ipv4" and words["netmask"] is None and words["ops"] is False
    marked = describe_service(Service(ServiceKey.marked(3, "ipv6")))
    assert (marked["vip"], marked["port"], marked["protocol"]) == (None, None, None)
    assert (marked["mark"], marked["family"]) == (3, "ipv6")
    assert describe_real_server(RealServer("198.51.100.1", 80, "nat", 2, 5, 4)) == {
        "address": "198.51.100.1",
        "port": 80,
        "forward": "nat",
        "weight": 2,
        "upper_threshold": 5,
        "lower_threshold": 4,
        "tunnel_type": None,
        "tunnel_port": None,
        "tunnel_checksum": None,
    }
    tunnel = {"forward": "tun", "tunnel_type": "gue", "tunnel_port": 6080, "tunnel_checksum": "remcsum"}
    ((key, servers),) = read(with_server(WEB, **tunnel)).table.real_servers.items()
    words = describe_real_server(servers["198.51.100.1", key.port])
    assert {name: words[name] for name in tunnel} == tunnel
    ((key, servers),) = read(with_server(WEB, **tunnel, upper_threshold=9)).table.real_servers.items()
    assert servers["198.51.100.1", key.port] == RealServer("198.51.100.1", 80, "tun", 1, 9, 0, "gue", 6080, 2)
    assert describe_real_server(RealServer("198.51.100.1", 80, "tun", tunnel_flags=3))["tunnel_checksum"] == "3"
