# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster on hosts with a firewall of somebody else: named, opened, back after all that happens to it, closed again.

The firewall's own rules are the same at each step but for those of ours, and in the end without any.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from firewalls import FIREWALLS, Firewall
from playing import attempt, lab, on

HERE = Path(__file__).resolve().parent
HOSTS = ("lvs1", "rs1")
OPEN = ("--extra-vars", "lvs_firewall=open")
# The others remember our rules, whoever has them load their own.
BY_HAND = [name for name, firewall in FIREWALLS.items() if firewall.by_hand]
# The others leave rules of somebody else alone, or a unit of ours hears of it.
FLUSHING = [name for name, firewall in FIREWALLS.items() if firewall.flushes]
ASKED = ("192.168.0.77:80", "192.168.0.77:8080", "192.168.4.210:80")


class Site(t.NamedTuple):
    """The hosts under one firewall, and its rules as they were."""

    firewall: Firewall
    before: dict[str, list[str]]

    def play(self, playbook: str, *options: str) -> tuple[int, str]:
        """Run a playbook; its exit code and output."""
        marks = ("--extra-vars", f"lvs_marks_by={self.firewall.marks_by}")
        return attempt(f"playbooks/{playbook}.yml", HERE / "cluster.yml", *marks, *options)

    def well(self, playbook: str, *options: str) -> str:
        """Run a playbook that has to succeed; its output."""
        code, output = self.play(playbook, *options)
        assert code == 0, output
        return output

    def rules(self, host: str) -> list[str]:
        """The firewall's rules without ours."""
        return [line for line in self.all_rules(host) if not re.search(self.firewall.ours, line)]

    def all_rules(self, host: str) -> list[str]:
        """The firewall's rules, and ours among them."""
        return [line.rstrip() for line in on(host, self.firewall.rules).splitlines()]

    def answers(self) -> list[str]:
        """Who answers the client, at each place where it can ask."""
        ask = "; ".join(f"curl -s -m 2 http://{place}/ || echo nobody" for place in ASKED)
        return on("client", ask).split()

    def left_open(self) -> str:
        """Connections of the client whose end nobody has heard of."""
        return on("client", "sleep 1; ss -Htn state last-ack state fin-wait-1 state closing")

    def works(self) -> None:
        """Everybody is answered, connections end as they should, and nothing of the firewall's own has changed."""
        assert self.answers() == ["rs1"] * len(ASKED)
        assert not self.left_open()
        assert {host: self.rules(host) for host in HOSTS} == self.before


@pytest.fixture(scope="module", params=FIREWALLS)
def site(request: pytest.FixtureRequest) -> Site:
    """A director, a real server and a client beyond a router; rs2 is in their groups, and serves nothing."""
    firewall = FIREWALLS[request.param]
    site = Site(firewall, {})
    lab("reset", "client", "router", "rs2", *HOSTS)
    for host in HOSTS:
        files = [f"cat >{path} <<'X'\n{text}X\n" for path, text in firewall.files.items()]
        on(host, "sh", "".join(files) + f"{firewall.start}\n")
        site.before[host] = site.all_rules(host)
    return site


def test_it_is_named(site: Site) -> None:
    output = site.well("site")
    warned = re.sub(r"\s+", " ", output)
    requests = f"requests for web, tcp to 192.168.0.77 port 80, 8080: {site.firewall.named}"
    assert f"The firewall drops {requests}" in warned, output
    assert "The firewall drops answers of masked, tcp from 192.168.4.3 port 80: " in warned, output
    assert site.answers() == ["nobody"] * len(ASKED)
    code, output = site.play("verify")
    assert code != 0
    for line in (
        rf"lvs1: its firewall lets through requests for web, .* -- dropped by {re.escape(site.firewall.named)}.*",
        r"lvs1: its firewall lets through answers of masked, .* -- .*dropped by .*",
        r"rs1: its firewall lets through requests for web, .* -- .*dropped by .*",
    ):
        assert re.search(rf"FAILS +{line}Remedy: ", output), output
    assert {host: site.rules(host) for host in HOSTS} == site.before


def test_it_is_opened(site: Site) -> None:
    checked = site.well("site", "--check", *OPEN)
    assert site.answers() == ["nobody"] * len(ASKED) and "changed=" in checked
    site.well("site", *OPEN)
    site.works()
    output = site.well("verify", *OPEN)
    assert re.search(r"holds +lvs1: its firewall lets through requests for web", output), output


def test_another_run_changes_nothing(site: Site) -> None:
    assert not re.search(r"changed=[1-9]|failed=[1-9]", site.well("site", *OPEN))


@pytest.mark.parametrize("what", ["reload", "reboot"])
def test_it_stays_open(site: Site, what: str) -> None:
    if what == "reboot":
        lab("reboot", *HOSTS)
    for host in HOSTS if what == "reload" else ():
        on(host, f"{site.firewall.again}; sleep 1")
    site.works()
    site.well("verify", *OPEN)


@pytest.mark.parametrize("site", BY_HAND, indirect=True, scope="module")
def test_what_somebody_takes_along_is_named_and_put_back(site: Site) -> None:
    for host in HOSTS:
        on(host, site.firewall.by_hand)
    assert site.answers() == ["nobody"] * len(ASKED)
    code, output = site.play("verify", *OPEN)
    assert code != 0
    assert re.search(r"FAILS +lvs1: packets to tcp 80, 8080 of 192.168.0.77 get the mark 3 -- ", output), output
    assert re.search(r"FAILS +rs1: its firewall lets through requests for web, .* -- .*dropped by .*", output), output
    site.well("site", *OPEN)
    site.works()
    assert not re.search(r"changed=[1-9]|failed=[1-9]", site.well("site", *OPEN))


@pytest.mark.parametrize("site", FLUSHING, indirect=True, scope="module")
def test_marks_that_would_not_stay_are_refused(site: Site) -> None:
    code, output = site.play("site", *OPEN, "--extra-vars", "lvs_marks_by=iptables")
    assert code != 0 and "marks: firewalld runs on this host, and flushes all rules of iptables" in output, output
    site.works()


def test_what_leaves_is_closed(site: Site) -> None:
    without = (
        '{"lvs_services": [{"name": "masked", "vip": "192.168.4.210", "port": 80, "forward": "nat", "scheduler": "rr", '
    )
    without += '"real_servers": [{"host": "rs1", "address": "192.168.4.3"}]}]}'
    site.well("site", *OPEN, "--extra-vars", without)
    assert site.answers() == ["nobody", "nobody", "rs1"]
    assert "192.168.0.77" not in on("lvs1", "nft list ruleset; iptables-legacy-save; iptables-nft-save")


def test_in_the_end_all_is_as_it_was(site: Site) -> None:
    site.well("teardown")
    assert {host: site.all_rules(host) for host in HOSTS} == site.before
    for host in HOSTS:
        left = "nft list ruleset; iptables-legacy-save; iptables-nft-save; find /etc /var/lib -name '*openlvs*'"
        assert "openlvs" not in on(host, f"{left}; {site.firewall.rules}").lower()
