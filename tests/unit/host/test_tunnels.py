# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From any host to any tunnels, killed anywhere: received in the end, nothing else let in, and back to where it was."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _rp_filter, _tunnel, _tunnel_codec
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._nft import REALSERVER, render
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_purposes import chains_of
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Link
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import Listener, Tunnel, segment_size
from hosts import done, host
from hypothesis import given
from hypothesis import strategies as st

VIP, VIP6, OWN, OWN6 = "192.0.2.10", "2001:db8::10", "192.0.2.1", "2001:db8::1"
WRAPPINGS = [
    ("ipip", None, "nocsum"),
    ("gue", 6080, "csum"),
    ("gre", None, "nocsum"),
    ("gre", None, "csum"),
]


def found(everywhere: int = 0, eth0: int = 0, default: int = 0, **links: bool) -> Host:
    """A host with these values of rp_filter, and these devices of the kernel's modules, up or not."""
    kinds = {"tunl0": "ipip", "sit0": "sit", "gre0": "gre", "ip6gre0": "ip6gre"}
    plain = host()
    devices = {name: Link(20, name, "", up, noarp=True, kind=kinds[name]) for name, up in links.items()}
    values = {"all": everywhere, "default": default, "eth0": eth0, "lo": 0, **dict.fromkeys(links, default)}
    return dataclasses.replace(plain, links={**plain.links, **devices}, rp_filter=values)


tunnels = st.lists(
    st.builds(
        lambda wrapping, address, vips: Tunnel(wrapping[0], address, tuple(vips), wrapping[1], wrapping[2]),
        st.sampled_from(WRAPPINGS),
        st.sampled_from([OWN, OWN6]),
        st.lists(st.sampled_from([VIP, VIP6]), min_size=1, unique=True),
    ),
    unique_by=lambda tunnel: tunnel.place,
)
value = st.sampled_from([0, 1, 2])
hosts = st.builds(
    lambda values, links: found(*values, **links),
    st.tuples(value, value, value),
    st.dictionaries(st.sampled_from(["tunl0", "sit0", "gre0", "ip6gre0"]), st.booleans()),
)


def state(of: Host) -> tuple[t.Any, ...]:
    """All that a tunnel changes, but for devices that are down: the kernel keeps those of its modules."""
    up = {name for name, link in of.links.items() if link.up}
    return up, {name: of.rp_filter[name] for name in ("all", "default", "eth0", "lo")}, of.listeners, of.manifest


@given(hosts, tunnels, tunnels, st.integers(0, 12), st.booleans())
def test_received_in_the_end_and_back_to_where_it_was(
    before: Host, first: list[Tunnel], second: list[Tunnel], killed: int, purge: bool
) -> None:
    after = done(before, _tunnel.present(before, first).steps[:killed])
    after = _tunnel.present(after, second, purge).after
    for tunnel in second:
        assert _tunnel.receiving(after, tunnel) == list(tunnel.vips)
    again = _tunnel.present(after, second, purge)
    assert again.steps == ()
    for name in ("eth0", "lo"):  # as strict as before
        assert max(after.rp_filter["all"], after.rp_filter[name]) >= max(
            before.rp_filter["all"], before.rp_filter[name]
        )
    back = _tunnel.present(after, [], purge=True).after
    assert state(back) == state(before)


def test_a_device_is_up_only_when_its_packets_pass() -> None:
    steps = [str(step) for step in _tunnel.present(found(everywhere=1), [Tunnel("ipip", OWN, (VIP,))]).steps]
    assert steps == [
        "# record: ipip to 192.0.2.1 is ours, tunl0 was absent, net.ipv4.conf.default.rp_filter was 0,"
        " net.ipv4.conf.eth0.rp_filter was 0, net.ipv4.conf.lo.rp_filter was 0, net.ipv4.conf.all.rp_filter was 1",
        "ip link add name tunl0 type ipip",
        "sysctl -w net.ipv4.conf.default.rp_filter=1",
        "sysctl -w net.ipv4.conf.eth0.rp_filter=1",
        "sysctl -w net.ipv4.conf.lo.rp_filter=1",
        "sysctl -w net.ipv4.conf.all.rp_filter=0",
        "ip link set dev tunl0 up",
        "ip -6 address flush dev tunl0",
    ]


@pytest.mark.parametrize(("all_", "device", "addressed"), [(0, 0, False), (0, 2, True), (2, 0, True), (2, 1, True)])
def test_what_the_kernel_lets_pass_is_left_alone(all_: int, device: int, addressed: bool) -> None:
    assert _rp_filter.needed({"all": all_, "tunl0": device}, {"tunl0": addressed}) == {}


@pytest.mark.parametrize(("all_", "device", "addressed"), [(0, 2, False), (2, 0, False), (0, 1, True), (1, 0, True)])
def test_what_the_kernel_drops_is_mended(all_: int, device: int, addressed: bool) -> None:
    values = {"all": all_, "tunl0": device}
    wanted = _rp_filter.needed(values, {"tunl0": addressed})
    for name, value in wanted.items():
        values[name.split(".")[3]] = int(value)
    assert not _rp_filter.passes({"all": all_, "tunl0": device}, "tunl0", addressed)
    assert _rp_filter.passes(values, "tunl0", addressed)


@pytest.mark.parametrize(
    ("wrapping", "address", "vip", "size"),
    [
        (("ipip", None, "nocsum"), OWN, VIP, 1440),
        (("gre", None, "nocsum"), OWN, VIP, 1436),
        (("gre", None, "csum"), OWN, VIP, 1432),
        (("gue", 6080, "csum"), OWN, VIP, 1428),
        (("gue", 6080, "remcsum"), OWN, VIP, 1420),
        (("ipip", None, "nocsum"), OWN6, VIP, 1420),
        (("ipip", None, "nocsum"), OWN, VIP6, 1420),
        (("ipip", None, "nocsum"), OWN6, VIP6, 1400),
    ],
)
def test_a_segment_fits_into_the_packet_around_it(
    wrapping: tuple[str, int | None, str], address: str, vip: str, size: int
) -> None:
    assert segment_size(Tunnel(wrapping[0], address, (vip,), *wrapping[1:]), vip, 1500) == size


def test_ports_of_both_families_are_two() -> None:
    wanted = [Tunnel("gue", OWN, (VIP,), 6080), Tunnel("gue", OWN6, (VIP,), 6080)]
    after = _tunnel.present(found(), wanted).after
    assert set(after.listeners) == {Listener(6080, False), Listener(6080, True)}


@pytest.mark.parametrize("kind", _tunnel_codec.KINDS)
def test_what_is_asked_of_a_device_is_what_it_is_known_by(kind: str) -> None:
    words = {
        "gre": "local 192.0.2.1 icsum",
        "ip6gre": "local 2001:db8::1 icsum",
        "ip6tnl": "mode any local 2001:db8::1",
    }.get(kind, "")
    message = _tunnel_codec.made("lvs-0", kind, words)
    told = _attributes(message[16:])
    info = _attributes(told[18])
    assert (told[3], info[1]) == (b"lvs-0\0", kind.encode() + b"\0")
    assert _tunnel_codec.options(kind, _attributes(info.get(2, b""))) == words


def _attributes(data: bytes) -> dict[int, bytes]:
    attributes = {}
    while data:
        length, kind = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:4], "little")
        attributes[kind] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return attributes


def rules(*entries: dict[str, t.Any]) -> list[str]:
    """The lines of the rules for these tunnels."""
    plain = {"tunnel_type": "ipip", "tunnel_port": None, "tunnel_checksum": "nocsum", "mtu": 1500, "vips": [VIP]}
    params = {"tunnels": [{**plain, "address": OWN, "sources": ["192.0.2.2"], **entry} for entry in entries]}
    text = render(REALSERVER, chains_of(REALSERVER, params))
    return [line.strip() for line in text.splitlines() if line.startswith("\t\t") and "policy" not in line]


def test_packets_are_taken_from_the_directors_of_all_tunnels_of_a_kind() -> None:
    assert rules(
        {"sources": ["192.0.2.3", "2001:db8::3"]},
        {"vips": [VIP6], "tunnel_type": "gue", "tunnel_port": 6080},
        {"vips": [VIP6], "address": OWN6, "sources": ["2001:db8::2"], "tunnel_type": "gre", "mtu": 1400},
    ) == [
        "meta l4proto 4 ip saddr != { 192.0.2.3 } drop",
        "meta l4proto 41 ip saddr != { 192.0.2.2 } drop",
        "udp dport 6080 ip saddr != { 192.0.2.2 } drop",
        "meta l4proto 47 ip6 saddr != { 2001:db8::2 } drop",
        "ip saddr 192.0.2.10 tcp flags & (syn | rst) == syn tcp option maxseg size set 1440",
        "ip6 saddr 2001:db8::10 tcp flags & (syn | rst) == syn tcp option maxseg size set 1296",
    ]
