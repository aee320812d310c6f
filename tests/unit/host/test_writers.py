# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for network managers, to the letter, and what each of them cannot do."""

from __future__ import annotations

import configparser
import fnmatch
import re
import typing as t

import pytest
import yaml
from ansible_collections.openlvs.lvs.plugins.module_utils import _writers
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import Managed
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._writers import WRITERS, choose
from ansible_collections.openlvs.lvs.plugins.module_utils._written import HEADER, Held, Place

LAN = "/etc/systemd/network/10-lan.network"
GENERATED = "/run/systemd/network/10-netplan-lan.network"
OWNERS = {
    "networkd": Managed("networkd", LAN, network=LAN),
    "networkmanager": Managed("networkmanager", "/etc/NetworkManager/system-connections/lan.nmconnection"),
    "netplan": Managed("netplan", "lan", kind="ethernets", network=GENERATED),
    "ifupdown": Managed("ifupdown", "/etc/network/interfaces"),
    "ifcfg": Managed("ifcfg", "/etc/sysconfig/network-scripts/ifcfg-eth0"),
}


def held(interface: str, deprecated: bool) -> tuple[Held, ...]:
    four = Address("192.168.4.100", 32, interface, label=f"{interface}:0", broadcast="192.168.4.100")
    wide = Address("192.168.4.101", 24, interface, label=f"{interface}:1", broadcast="192.168.4.255")
    six = Address("2001:db8::100", 128, interface, deprecated=deprecated)
    return (Held(four, True), *([Held(wide, False)] if deprecated else []), Held(six, False))


def director(manager: str, **changes: t.Any) -> Place:
    given = {"side": "director", "interface": "eth0", "held": held("eth0", True), "managed": OWNERS.get(manager)}
    return Place(**{**given, **changes})


def real_server(**changes: t.Any) -> Place:
    return Place(**{"side": "realserver", "interface": "lo", "held": held("lo", False), "silent": True, **changes})


def texts(name: str, place: Place) -> dict[str, str]:
    """The files without their first comment, which each must have."""
    found = {}
    for path, (text, _mode) in WRITERS[name].files(place).items():
        assert f"# {HEADER}\n" in text and text.endswith("\n")
        found[path] = text.replace(f"# {HEADER}\n", "", 1)
    return found


def test_networkd_on_an_interface_of_somebodys_file() -> None:
    assert texts("networkd", director("networkd")) == {
        "/etc/systemd/network/10-lan.network.d/openlvs-director.conf": """\
[Network]
KeepConfiguration=static

[Address]
Address=192.168.4.100/32
Label=eth0:0

[Route]
Destination=192.168.4.100/32
Scope=link

[Address]
Address=192.168.4.101/24
Broadcast=192.168.4.255
Label=eth0:1

[Address]
Address=2001:db8::100/128
DuplicateAddressDetection=none
PreferredLifetime=0
"""
    }


def test_networkd_leaves_to_others_what_they_have_said_about_keeping() -> None:
    guarded = Managed("networkd", LAN, network=LAN, guarded=True)
    assert "KeepConfiguration" not in "".join(texts("networkd", director("networkd", managed=guarded)).values())


def test_networkd_on_lo() -> None:
    ((path, text),) = [*texts("networkd", real_server()).items()]
    assert path == "/etc/systemd/network/50-openlvs-realserver-lo.network"
    assert text.startswith("[Match]\nName=lo\n") and "Label=lo:0\n" in text and "PreferredLifetime" not in text


def test_networkmanager_on_a_device_with_somebodys_profile() -> None:
    ((path, (text, mode)),) = WRITERS["networkmanager"].files(director("networkmanager")).items()
    assert (path, mode) == ("/etc/NetworkManager/dispatcher.d/50-openlvs-director-eth0", 0o755)
    assert text.splitlines()[0] == "#!/bin/sh"
    assert text.splitlines()[-4:] == [
        "/sbin/ip address replace 192.168.4.100/32 broadcast 192.168.4.100 dev eth0 label eth0:0",
        "/sbin/ip route replace 192.168.4.100/32 dev eth0",
        "/sbin/ip address replace 192.168.4.101/24 broadcast 192.168.4.255 dev eth0 label eth0:1",
        "/sbin/ip address replace 2001:db8::100/128 dev eth0 nodad preferred_lft 0",
    ]


@pytest.mark.parametrize(("interface", "kind"), [("lo", "loopback"), ("dummy0", "dummy")])
def test_networkmanager_on_a_device_without_a_profile(interface: str, kind: str) -> None:
    place = real_server(interface=interface, held=held(interface, False), managed=Managed("networkmanager"))
    ((path, (text, mode)),) = WRITERS["networkmanager"].files(place).items()
    assert (path, mode) == (
        f"/etc/NetworkManager/system-connections/openlvs-realserver-{interface}.nmconnection",
        0o600,
    )
    profile = configparser.ConfigParser()
    profile.read_string(text)
    assert (profile["connection"]["type"], profile["connection"]["interface-name"]) == (kind, interface)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", profile["connection"]["uuid"])
    assert dict(profile["ipv4"]) == {
        "method": "manual",
        "address1": "192.168.4.100/32",
        "route1": "192.168.4.100/32",
    }
    assert dict(profile["ipv6"]) == {"method": "manual", "address1": "2001:db8::100/128"}


def test_netplan() -> None:
    files = WRITERS["netplan"].files(director("netplan"))
    assert list(files) == [
        "/etc/netplan/zz-openlvs-director-eth0.yaml",
        "/etc/systemd/network/10-netplan-lan.network.d/openlvs-director.conf",
    ]
    (text, mode), (guard, _mode) = files.values()
    assert mode == 0o600 and guard == _writers.retired(list(files)[1])
    assert yaml.safe_load(text)["network"] == {
        "version": 2,
        "ethernets": {
            "lan": {
                "addresses": [
                    {"192.168.4.100/32": {"label": "eth0:0"}},
                    {"192.168.4.101/24": {"label": "eth0:1"}},
                    {"2001:db8::100/128": {"lifetime": 0}},
                ],
                "routes": [{"to": "192.168.4.100/32", "scope": "link"}],
            }
        },
    }


def test_ifupdown() -> None:
    assert texts("ifupdown", director("ifupdown")) == {
        "/etc/network/interfaces.d/openlvs-director-eth0": """\
iface eth0 inet manual
    up /sbin/ip address replace 192.168.4.100/32 broadcast 192.168.4.100 dev eth0 label eth0:0
    up /sbin/ip route replace 192.168.4.100/32 dev eth0
    up /sbin/ip address replace 192.168.4.101/24 broadcast 192.168.4.255 dev eth0 label eth0:1
    up /sbin/ip address replace 2001:db8::100/128 dev eth0 nodad preferred_lft 0
"""
    }
    ((path, text),) = [*texts("ifupdown", director("ifupdown", interface="eth0.100")).items()]
    assert path.endswith("/openlvs-director-eth0-100")  # it passes over names with dots
    assert "iface eth0.100 inet manual" in text


def test_ifcfg_of_a_director_as_people_write_it() -> None:
    wide = (
        director("ifcfg")
        .held[1]
        ._replace(address=Address("192.168.4.100", 24, "eth0", label="eth0:0", broadcast="192.168.4.255"))
    )
    assert texts("ifcfg", director("ifcfg", held=(wide,))) == {
        "/etc/sysconfig/network-scripts/ifcfg-eth0:0": """\
TYPE=Ethernet
BOOTPROTO=none
NAME=eth0:0
DEVICE=eth0:0
ONBOOT=yes
IPADDR=192.168.4.100
PREFIX=24
"""
    }


def test_ifcfg_of_a_real_server_as_people_write_it() -> None:
    lo = Managed("ifcfg", "/etc/sysconfig/network-scripts/ifcfg-lo")
    assert texts("ifcfg", real_server(managed=lo)) == {
        "/etc/sysconfig/network-scripts/ifcfg-lo:0": """\
DEVICE=lo:0
IPADDR=192.168.4.100
NETMASK=255.255.255.255
NETWORK=192.168.4.100
BROADCAST=192.168.4.100
ONBOOT=yes
NAME=lo:0
"""
    }


@pytest.mark.parametrize("name", WRITERS)
def test_a_network_card_that_another_looks_after_is_not_taken(name: str) -> None:
    assert WRITERS[name].cannot(director(name)) == ""
    assert "eth0" in WRITERS[name].cannot(director("none"))
    assert "lvs_vip_writer" in WRITERS[name].cannot(director("none"))


def test_what_else_cannot_be() -> None:
    assert "from 1.42 on" in WRITERS["networkmanager"].cannot(real_server())
    assert WRITERS["networkmanager"].cannot(real_server(managed=Managed("networkmanager"))) == ""
    assert WRITERS["networkmanager"].cannot(real_server(interface="dummy0")) == ""
    assert "Add the line" in WRITERS["ifupdown"].cannot(director("ifupdown", sourced=False))


@pytest.mark.parametrize(
    ("managed", "chosen"),
    [
        (None, "unit"),
        (Managed("networkmanager"), "unit"),  # it only watches
        (Managed("networkd", "/etc/systemd/network/50-openlvs-realserver-lo.network"), "unit"),  # by our own file
        *((owner, name) for name, owner in OWNERS.items()),
    ],
)
def test_the_writer_follows_what_looks_after_the_interface(managed: Managed | None, chosen: str) -> None:
    assert choose("auto", managed) == chosen
    assert choose("ifupdown", managed) == "ifupdown"


def test_every_file_of_ours_is_looked_for() -> None:
    found = [path for name in WRITERS for place in (director(name), real_server(managed=OWNERS[name]))
             for path in WRITERS[name].files(place)]  # fmt: skip
    assert [path for path in found if not any(fnmatch.fnmatch(path, pattern) for pattern in _writers.PLACES)] == []
