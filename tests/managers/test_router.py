# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Static entries for the VIPs on a router whose interfaces belong to systemd-networkd outlive all that this does.

Without its file they are lost: that is looked at first.
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "lab"))
import topology
from managers import MANAGERS, take
from playing import lab, on
from test_managers import HOSTS, STATE, STAYS, VIPS, Site

ROUTED = ("--extra-vars", json.dumps({"lvs_service_defaults": {"routers": ["router"]}}))
NETWORK = "/etc/systemd/network/10-lan.network"
DROP_IN = f"{NETWORK}.d/openlvs-router.conf"
LAN = "eth2"
RELOAD = f"networkctl reload; networkctl reconfigure {LAN}"
NETWORKD = MANAGERS["networkd"]
ACTS = {
    "restart": NETWORKD.restart,
    "reload": RELOAD,
    "interface down and up": f"ip link set {LAN} down; sleep 1; ip link set {LAN} up",
}


def entries(site: Site) -> dict[str, str]:
    """The MAC that each VIP has on the router for good."""
    shown = json.loads(on("router", f"ip -json neighbour show nud permanent dev {LAN}") or "[]")
    return {one["dst"]: one["lladdr"] for one in shown if one["dst"] in VIPS}


def look(site: Site) -> set[str]:
    """All of the router that the collection could change."""
    return {line for line in on("router", "sh", STATE.read_text()).splitlines() if not STAYS.match(line)}


@pytest.fixture(name="site", scope="module")
def fixture_site() -> Site:
    """A router of networkd, and a cluster behind it."""
    site = Site(NETWORKD, {})
    lab("reset", "client", "router", *HOSTS)
    on("router", "sh", take(NETWORKD, t.cast(topology.Host, topology.find("router"))))
    reboot()
    site.before["router"] = look(site)
    return site


def reboot() -> None:
    lab("reboot", "router")


@pytest.fixture(name="wanted", scope="module")
def fixture_wanted() -> dict[str, str]:
    director = t.cast(topology.Host, topology.find("lvs1"))
    return dict.fromkeys(VIPS, director.mac(1))


def test_networkd_takes_away_what_its_files_do_not_have(site: Site, wanted: dict[str, str]) -> None:
    site.well("site", *ROUTED)
    assert entries(site) == wanted and "Neighbor" in on("router", f"cat {DROP_IN}")
    on("router", f"mv {DROP_IN} /root/; {NETWORKD.restart}; {RELOAD}; sleep 3")
    assert entries(site) == {}
    code, output = site.play("verify", *ROUTED)
    assert code != 0 and "it has no static entry for it" in output, output
    on("router", f"mv /root/{DROP_IN.rpartition('/')[2]} {DROP_IN}")
    site.well("site", *ROUTED)


@pytest.mark.parametrize("what", [*ACTS, "reboot"])
def test_networkd_keeps_them(site: Site, wanted: dict[str, str], what: str) -> None:
    reboot() if what == "reboot" else on("router", f"{ACTS[what]}; sleep 3")
    assert entries(site) == wanted
    site.well("verify", *ROUTED)


def test_networkd_forgets_them(site: Site) -> None:
    """What it has read of our file before must not bring an entry back that has gone."""
    site.well("teardown", *ROUTED)
    for act in ACTS.values():
        assert entries(site) == {}
        on("router", f"{act}; sleep 3")
    assert sorted(look(site) ^ site.before["router"]) == [] and entries(site) == {}
