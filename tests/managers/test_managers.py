# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""VIPs on interfaces that belong to a network manager outlive all that happens to it: docs/networks.md says which.

Without its file the VIP is lost: that is looked at first, so that what follows proves something.
"""

from __future__ import annotations

import json
import re
import sys
import typing as t
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "lab"))
import topology
from managers import MANAGERS, Manager, take
from playing import CHECKOUT, attempt, lab, on

HERE = Path(__file__).resolve().parent
STATE = CHECKOUT / "molecule" / "default" / "states" / "state.sh"
HOSTS = ("lvs1", "rs1", "rs2")
VIPS = ("192.168.0.77", "fd99:2::77")
# What packages that stay brought along, the kernel's modules, and what managers note about the present.
STAYS = re.compile(
    r"package |module |table |thresholds |unit ipvsadm\.service generated"
    r"|(file|link) /etc/(default/ipvsadm|init\.d/ipvsadm|rc..d/...ipvsadm|libnl-3/[a-z]+) "
    r"|(file|mode) /etc/ipvsadm\.rules "
)


class Site(t.NamedTuple):
    """The hosts under one manager."""

    manager: Manager
    before: dict[str, set[str]]

    def do(self, command: str) -> None:
        """A command on every host of the cluster, as long as it takes until its network is there again."""
        for host in HOSTS:
            on(host, f"{command}; sleep 3")

    def play(self, playbook: str, *options: str) -> tuple[int, str]:
        """Run a playbook; its exit code and output."""
        return attempt(f"playbooks/{playbook}.yml", HERE / "cluster.yml", *options)

    def well(self, playbook: str, *options: str) -> str:
        """Run a playbook that has to succeed; its output."""
        code, output = self.play(playbook, *options)
        assert code == 0, output
        return output

    def standing(self, host: str) -> dict[str, list[str]]:
        """The VIPs of a host, by interface."""
        found: dict[str, list[str]] = {}
        for link in json.loads(on(host, "ip -json address show")):
            mine = [one["local"] for one in link["addr_info"] if one["local"] in VIPS]
            found |= {link["ifname"]: sorted(mine)} if mine else {}
        return found

    def look(self) -> dict[str, set[str]]:
        """All of each host that the collection could change."""
        said = {host: on(host, "sh", STATE.read_text()).splitlines() for host in HOSTS}
        # NetworkManager, once it has looked after lo, leaves that word on ::1 until the next boot.
        bare = {host: [line.removesuffix(" noprefixroute") for line in lines] for host, lines in said.items()}
        return {host: {line for line in lines if not STAYS.match(line)} for host, lines in bare.items()}


@pytest.fixture(scope="module", params=MANAGERS)
def site(request: pytest.FixtureRequest) -> Site:
    """A director and two real servers whose data interface belongs to the manager, and a client beyond a router."""
    site = Site(MANAGERS[request.param], {})
    lab("reset", "client", "router", *HOSTS)
    for host in HOSTS:
        on(host, "sh", take(site.manager, t.cast(topology.Host, topology.find(host))))
    reboot()
    site.before.update(site.look())
    return site


def reboot() -> None:
    lab("reboot", *HOSTS)


def asked(site: Site) -> tuple[str, str]:
    """What rs2 asks for."""
    writer = f"{{{{ '{site.manager.asked}' if inventory_hostname == 'rs2' else 'auto' }}}}"
    return "--extra-vars", json.dumps({"lvs_vip_writer": writer})


def test_without_a_file_of_the_managers_the_vip_is_lost(site: Site) -> None:
    site.well("site", "--extra-vars", "lvs_vip_writer=unit")
    assert site.standing("lvs1") == {"eth1": [*VIPS]}
    on("lvs1", f"{site.manager.restart}; {site.manager.reload}; sleep 3")
    assert site.standing("lvs1") != {"eth1": [*VIPS]}
    code, output = site.play("verify", "--extra-vars", "lvs_vip_writer=unit")
    assert code != 0 and re.search(r"only lvs1 .* answers .* -- ", output), output


def test_the_manager_is_found_and_gets_a_file(site: Site) -> None:
    site.well("site", *asked(site))
    output = site.well("verify", *asked(site))
    name, on_lo = site.manager.writer
    assert re.search(rf"holds +lvs1: {name} knows the VIPs on eth1, so they outlive its restart: /etc/", output), output
    assert bool(re.search(rf"holds +rs1: {on_lo} knows the VIPs on lo", output)) is (on_lo != "unit")


@pytest.mark.parametrize("what", ["restart", "reload", "reboot", "reinstall"])
def test_the_vips_outlive(site: Site, what: str) -> None:
    reboot() if what == "reboot" else site.do(getattr(site.manager, what))
    assert [site.standing(host) for host in HOSTS] == [{"eth1": [*VIPS]}, {"lo": [*VIPS]}, {"lo": [*VIPS]}]
    site.well("verify", *asked(site))


def test_another_run_changes_nothing(site: Site) -> None:
    assert not re.search(r"changed=[1-9]|failed=[1-9]", site.well("site", *asked(site)))


def test_in_the_end_all_is_as_it_was(site: Site) -> None:
    site.well("teardown")
    assert [site.standing(host) for host in HOSTS] == [{}, {}, {}]
    site.do(site.manager.restart)
    after = site.look()
    assert [sorted(after[host] ^ site.before[host]) for host in HOSTS] == [[], [], []]
    assert [site.standing(host) for host in HOSTS] == [{}, {}, {}]
