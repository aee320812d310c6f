# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _vip, _vip_checks
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._vip import Vip
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from hosts import host


def option(address: str, **more: t.Any) -> dict[str, t.Any]:
    return {"address": address, "interface": "lo", "label": None, "host_route": True, **more}


def parse_findings(*options: dict[str, t.Any], side: str = REAL_SERVER) -> list[str]:
    with pytest.raises(OptionError) as error:
        _vip_checks.parse(options, side)
    return error.value.findings


def host_findings(found: Host, *vips: Vip, side: str = REAL_SERVER, listed: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(OptionError) as error:
        _vip_checks.check(found, vips, side, Asked(interfaces=tuple(listed)))
    return error.value.findings


# ---- what a user wrote


def test_what_is_well_written_is_taken() -> None:
    options = [option("192.0.2.10", label="lo:web"), option("2001:DB8:0:0::10", prefix=None)]
    assert _vip_checks.parse(options, REAL_SERVER) == [
        Vip("192.0.2.10", "lo", 32, "lo:web"),
        Vip("2001:db8::10", "lo", 128),
    ]


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        (
            option("192.0.2.10/24"),
            "vips[0] '192.0.2.10/24': the address comes without a prefix. On a real server a VIP always stands alone, "
            "as /32 or /128: with a shorter prefix on a loopback device the host takes the whole network for its own, "
            "answers ARP for every address in it and cannot reach its neighbours.",
        ),
        (
            option("www"),
            "vips[0] 'www': it is neither an IPv4 nor an IPv6 address. Names are not looked up; write the address.",
        ),
        (
            option("224.0.0.18"),
            "vips[0] '224.0.0.18': it is not the address of a single host on a network. Use a unicast address that "
            "clients can reach.",
        ),
        (
            option("fe80::1%eth0"),
            "vips[0] 'fe80::1%eth0': it is a link-local address, which routers do not pass on. Use an address that "
            "clients can reach.",
        ),
        (
            option("192.0.2.10", label="web"),
            "vips[0] '192.0.2.10': label 'web': it must be the interface's name, or begin with it and a colon, as in "
            "'lo:0'; ifconfig and others find the interface by it.",
        ),
        (
            option("192.0.2.10", label="lo:a-long-label-0"),
            "vips[0] '192.0.2.10': label 'lo:a-long-label-0': it has 17 characters, and the kernel takes 15.",
        ),
        (
            option("2001:db8::10", label="lo:0"),
            "vips[0] '2001:db8::10': label 'lo:0': IPv6 addresses have no label. Remove it.",
        ),
        (option("192.0.2.10", prefix=33), "vips[0] '192.0.2.10': prefix 33 is not within 1..32."),
    ],
)
def test_what_is_badly_written_is_named(written: dict[str, t.Any], finding: str) -> None:
    assert parse_findings(written) == [finding]


@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"])
def test_what_is_no_hosts_address_is_refused(address: str) -> None:
    assert "single host" in parse_findings(option(address))[0]


def test_the_directors_prefix_has_an_option_of_its_own() -> None:
    [finding] = parse_findings(option("192.0.2.10/24"), side=DIRECTOR)
    assert finding.endswith("Use the suboption prefix.")


def test_one_address_written_in_two_ways_is_listed_twice() -> None:
    [finding] = parse_findings(option("2001:db8::10"), option("2001:DB8::0:10"))
    assert finding == (
        "vips[1] '2001:DB8::0:10': it is listed twice. One address stands on a host once; remove one of the two."
    )


def test_all_findings_come_at_once() -> None:
    assert len(parse_findings(option("www"), option("192.0.2.10"), option("192.0.2.10", label="x"))) == 3


# ---- what is on the host


def test_an_interface_has_to_be_there_up_and_silent() -> None:
    wanted = [Vip("192.0.2.10", "lo9", 32), Vip("192.0.2.11", "dummy1", 32), Vip("192.0.2.12", "eth0", 32)]
    assert host_findings(host(), *wanted, listed=("eth9",)) == [
        "arp_interfaces 'eth9': there is no such interface on this host; there are lo, eth0, eth1, dummy0, dummy1.",
        "VIP 192.0.2.10: there is no interface 'lo9' on this host; there are lo, eth0, eth1, dummy0, dummy1.",
        "VIP 192.0.2.11: interface dummy1 is down, and the kernel takes no packets for an address on it. "
        "Bring it up: ip link set dummy1 up",
        "VIP 192.0.2.12: interface eth0 is a network card, on which this real server would answer ARP for the VIP; "
        "arp_ignore=1 is silent about addresses of other interfaces only. Use lo or a dummy interface.",
    ]


@pytest.mark.parametrize(
    ("side", "wanted"),
    [
        (REAL_SERVER, Vip("192.0.2.1", "lo", 32)),
        (DIRECTOR, Vip("192.0.2.1", "eth0", 32)),
        (DIRECTOR, Vip("192.0.2.1", "eth0", 24)),
    ],
)
def test_a_hosts_own_address_is_no_vip(side: str, wanted: Vip) -> None:
    assert host_findings(host(), wanted, side=side) == [
        "VIP 192.0.2.1: it is this host's own address: 192.0.2.1/24 on eth0, not put there by this collection. A VIP "
        "is an address beside those of the hosts; choose another one, or remove that one first."
    ]


def test_a_wide_address_that_is_not_ours_is_refused_and_one_of_ours_is_not() -> None:
    wide = Address("192.0.2.10", 24, "lo", label="lo:0")
    [finding] = host_findings(host(wide), Vip("192.0.2.10", "lo", 32))
    assert "192.0.2.10/24 on lo is there already" in finding
    ours = _vip.present(host(), [Vip("192.0.2.10", "lo", 32)], REAL_SERVER, Asked()).after.manifest
    _vip_checks.check(host(wide, manifest=ours), [Vip("192.0.2.10", "lo", 32)], REAL_SERVER)


@pytest.mark.parametrize(
    ("found", "wanted", "adopted"),
    [
        (Address("192.0.2.10", 32, "eth0", label="eth0"), Vip("192.0.2.10", "eth0", 32), True),
        (Address("192.0.2.10", 24, "eth0", label="eth0:0"), Vip("192.0.2.10", "eth0", 24), True),
        (Address("192.0.2.10", 24, "eth0", label="eth0"), Vip("192.0.2.10", "eth0", 24), False),
        (Address("192.0.2.10", 24, "eth0", label="eth0:0"), Vip("192.0.2.10", "eth0", 32), False),
        (Address("192.0.2.10", 32, "eth1", label="eth1:0"), Vip("192.0.2.10", "eth0", 32), False),
        (Address("2001:db8::10", 128, "eth0"), Vip("2001:db8::10", "eth0", 128), True),
        (Address("2001:db8::10", 64, "eth0"), Vip("2001:db8::10", "eth0", 64), False),
    ],
)
def test_only_what_stands_as_a_vip_does_becomes_ours(found: Address, wanted: Vip, adopted: bool) -> None:
    if adopted:
        _vip_checks.check(host(found), [wanted], DIRECTOR)
    else:
        assert host_findings(host(found), wanted, side=DIRECTOR)


def test_a_vip_serves_one_side() -> None:
    ours = _vip.present(host(), [Vip("192.0.2.10", "eth0", 32)], DIRECTOR, Asked()).after
    [finding] = host_findings(ours, Vip("192.0.2.10", "lo", 32))
    assert finding == (
        "VIP 192.0.2.10: the manifest records it here as that of a director, and on one host it cannot be that of a "
        "real server as well. Take it off that side first."
    )


def test_an_interface_may_have_ipv6_turned_off() -> None:
    assert host_findings(host(), Vip("2001:db8::10", "eth1", 128), side=DIRECTOR) == [
        "VIP 2001:db8::10: IPv6 is turned off on interface eth1. Turn it on: "
        "sysctl -w net.ipv6.conf.eth1.disable_ipv6=0"
    ]
    _vip_checks.check(host(), [Vip("192.0.2.10", "eth1", 32)], DIRECTOR)


def test_a_route_in_the_way_is_named() -> None:
    found = host(routes=(HostRoute("192.0.2.10", "eth0", gateway="192.0.2.254"),))
    [finding] = host_findings(found, Vip("192.0.2.10", "lo", 32))
    assert finding == (
        "VIP 192.0.2.10: a route to it is in the way: 192.0.2.10 via 192.0.2.254 dev eth0. Remove it, or set "
        "host_route to false."
    )
    _vip_checks.check(found, [Vip("192.0.2.10", "lo", 32, host_route=False)], REAL_SERVER)


def test_a_primary_address_is_not_removed_with_others_depending_on_it() -> None:
    wanted = Vip("198.51.100.10", "eth0", 24)
    ours = _vip.present(host(), [wanted], DIRECTOR, Asked()).after
    other = Address("198.51.100.99", 24, "eth0", label="eth0", secondary=True)
    crowded = dataclasses.replace(ours, addresses=(*ours.addresses, other))
    with pytest.raises(OptionError) as error:
        _vip_checks.check_leaving(crowded, ["198.51.100.10"], DIRECTOR)
    assert str(error.value) == (
        "VIP 198.51.100.10/24 on eth0 cannot be removed alone: the kernel would remove 198.51.100.99/24 on eth0 with "
        "it. First set net.ipv4.conf.eth0.promote_secondaries to 1."
    )
    promoting = dataclasses.replace(crowded, promoting=frozenset(["eth0"]))
    _vip_checks.check_leaving(promoting, ["198.51.100.10"], DIRECTOR)
