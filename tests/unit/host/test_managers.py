# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who looks after an interface, from what managers leave under /run and /etc. The files are real, elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _managers
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import Managed

PLACES = {
    "_LINKS": "links",
    "_LEASES": "leases",
    "_DEVICES": "devices",
    "_MADE_BY_IT": "made",
    "_PROFILES": "profiles",
    "_IFSTATE": "ifstate",
    "NETWORK_SCRIPTS": "scripts",
    "INTERFACES": "interfaces",
}


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, place in PLACES.items():
        monkeypatch.setattr(_managers, name, str(tmp_path / place))
    monkeypatch.setattr(_managers, "_NETPLAN_FILES", (str(tmp_path / "netplan/*.yaml"),))
    return tmp_path


def write(root: Path, path: str, *lines: str) -> str:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, ""]))
    return str(file)


def eth0(_root: Path) -> Managed | None:
    return _managers.read({"eth0": 2}).get("eth0")


def test_nobody(root: Path) -> None:
    write(root, "links/2", "ADMIN_STATE=unmanaged")
    write(root, "devices/2", "[device]", "managed=false")
    assert _managers.read({"lo": 1, "eth0": 2}) == {}


def test_networkd(root: Path) -> None:
    network = write(root, "10-lan.network", "[Match]", "Name=eth0")
    write(root, "links/2", "ADMIN_STATE=configured", f"NETWORK_FILE={network}")
    assert eth0(root) == Managed("networkd", network, network=network)
    write(root, "leases/2")
    write(root, "10-lan.network", "[Network]", "KeepConfiguration=yes")
    assert eth0(root) == Managed("networkd", network, network=network, guarded=True, leased=True)


def test_netplan_below_which_networkd_works(root: Path) -> None:
    network = write(root, "10-netplan-lan.network", "[Match]", "Name=eth0")
    write(root, "links/2", "ADMIN_STATE=configured", f"NETWORK_FILE={network}")
    write(root, "netplan/10.yaml", "network:", "  version: 2", "  bonds:", "    lan: {interfaces: [a, b]}")
    assert eth0(root) == Managed("netplan", "lan", kind="bonds", network=network)


def test_networkmanager_and_what_it_only_watches(root: Path) -> None:
    write(root, "devices/2", "[device]", "managed=true", "connection-uuid=one")
    profile = write(root, "profiles/lan.nmconnection", "[connection]", "uuid=one")
    assert eth0(root) == Managed("networkmanager", profile)
    write(root, "made/eth0.nmconnection", "[connection]", "uuid=one", "[.nmmeta]", "external=true")
    watched = eth0(root)
    assert watched == Managed("networkmanager") and not watched.by_others


def test_ifupdown(root: Path) -> None:
    write(root, "ifstate", "lo=lo", "eth0=eth0")
    assert eth0(root) == Managed("ifupdown", str(root / "interfaces"))


def test_ifcfg_comes_before_the_manager_that_reads_it(root: Path) -> None:
    write(root, "devices/2", "[device]", "managed=true", "connection-uuid=one")
    path = write(root, "scripts/ifcfg-eth0", "DEVICE=eth0")
    assert eth0(root) == Managed("ifcfg", path)


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("source /etc/network/interfaces.d/*", True),
        ("source-directory interfaces.d", True),
        ("# source /etc/network/interfaces.d/*", False),
        ("auto lo", False),
    ],
)
def test_whether_ifupdown_reads_more_than_one_file(root: Path, line: str, read: bool) -> None:
    write(root, "interfaces", line)
    assert _managers.sources_interfaces_d() is read
