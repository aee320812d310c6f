# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services that ldirectord looks after: what the director is to do, and what cannot work."""

from __future__ import annotations

import typing as t

import pytest
from cluster_builders import Outcome, build, facts, web

HTTP = {"type": "http", "path": "/", "interval": 2}


def lone(**changes: t.Any) -> Outcome:
    return build(web(**{"checks": [HTTP], **changes}), engine="ldirectord")


def test_the_director_has_its_vip_from_us_and_its_table_from_ldirectord() -> None:
    outcome = lone(sorry_server={"port": 8080})
    assert not outcome.findings
    view = outcome.view("lvs1")
    assert view["director_vips"] == [{"address": "192.0.2.77", "prefix": 32, "interface": "eth1"}]
    assert view["director_services"] == [] and view["director_daemons"] == ["ldirectord"]
    (server,) = view["ldirectord_virtual_servers"]
    assert server["sorry_server"] == {"address": "192.0.2.5", "forward": "nat", "port": 8080}
    assert [one["name"] for one in server["real_servers"]] == ["rs1", "rs2"]
    assert "rise" not in server["checks"][0] and "retry_delay" not in server["checks"][0]
    assert [one["name"] for one in outcome.result["services"]] == ["web"]


def test_an_address_that_is_not_known_leaves_a_running_ldirectord_as_it_is() -> None:
    outcome = build(web(checks=[HTTP]), engine="ldirectord", hosts={"rs2": {"lvs_addresses": None}})
    assert outcome.view("lvs1")["ldirectord_complete"] is False


def test_a_host_that_has_a_file_of_ours_is_looked_at_when_it_has_left() -> None:
    held = {**facts(("192.0.2.9/24", "eth1")), "ldirectord": {"installed": True, "config": "# ours"}}
    outcome = build(web(), hosts={"old": {"lvs_host": held}})
    assert "old" in outcome.result["members"] and outcome.result["directors_leaving"] == ["old"]


MOVED = {"address": "192.0.2.77", "vrrp": "front"}
FRONT = {"name": "front", "id": 51, "directors": [{"host": "lvs1", "priority": 1}]}


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (lambda: build(web(checks=[HTTP], directors=["lvs1", "client"]), engine="ldirectord"),
         "has 2 directors, lvs1 and client: under lvs_engine 'ldirectord' it has exactly one"),
        (lambda: build(web(vip=None, vips=[MOVED]), engine="ldirectord", vrrp=[FRONT]),
         "vrrp 'front' needs lvs_engine 'keepalived', and it is 'ldirectord'"),
        (lambda: lone(quorum=2), "quorum 2: ldirectord counts no servers"),
        (lambda: lone(protocol="sctp"), "knows tcp and udp, not sctp"),
        (lambda: lone(checks=[{**HTTP, "retry_delay": 2}]), "retry_delay 2: ldirectord has no word for it"),
        (lambda: lone(checks=[{**HTTP, "window": 10, "failures": 4}]), "must be more than half"),
        (lambda: lone(sorry_server={"port": 8080, "forward": "dr"}), "differs from the service's"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_finding(outcome: t.Callable[[], Outcome], text: str) -> None:
    findings = outcome().findings
    assert len({finding.partition(": ")[2] for finding in findings}) == 1 and text in findings[0], findings
