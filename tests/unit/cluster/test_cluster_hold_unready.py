# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers that nobody has seen ready do not enter a table."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openlvs.lvs.plugins.filter.hold_unready import FilterModule, hold_unready

SERVICE = {
    "vip": "192.0.2.77",
    "real_servers": [{"name": "rs1", "address": "192.0.2.11"}, {"address": "192.0.2.50"}],
}


def held(ready, **changes):
    service = {**SERVICE, "real_servers": [{**server, **changes} for server in SERVICE["real_servers"]]}
    (found,) = hold_unready([service], ready)
    return [server.get("hold", False) for server in found["real_servers"]]


def seen(*silent, **tunnel):
    """The facts of a host that holds these VIPs silently, and takes packets for one out of a tunnel."""
    plain = {"tunnel_type": "ipip", "tunnel_port": None, "tunnel_checksum": "nocsum", "address": "192.0.2.11"}
    tunnels = [{**plain, "receiving": ["192.0.2.77"], **tunnel}] if tunnel else []
    return {"silent": [*silent], "tunnels": tunnels}


def test_a_host_that_is_ready():
    assert held({"rs1": seen("192.0.2.77")}) == [False, False]


@pytest.mark.parametrize(
    "ready", [{}, {"rs1": None}, {"rs1": seen()}, {"rs1": seen("192.0.2.78")}, {"rs2": seen("192.0.2.77")}]
)
def test_a_host_that_is_not_ready(ready):
    assert held(ready) == [True, False]


def test_a_host_that_may_answer_has_to_hold_the_vip_all_the_same():
    ready = {"rs1": {"held": ["192.0.2.77"], "silent": []}}
    (waits,) = hold_unready([SERVICE], ready)
    (serves,) = hold_unready([SERVICE], ready, audible=["rs1"])
    (lacks,) = hold_unready([SERVICE], {"rs1": {"held": [], "silent": []}}, audible=["rs1"])
    assert [found["real_servers"][0].get("hold", False) for found in (waits, serves, lacks)] == [True, False, True]


BACK = {"address": "192.0.2.11", "protocol": "tcp", "port": 80, "gateway": "192.0.2.1"}


@pytest.mark.parametrize(
    ("ready", "waits"),
    [
        ({"rs1": {"answers": [BACK]}}, False),
        ({"rs1": {"answers": []}}, True),
        ({"rs1": {"answers": [{**BACK, "gateway": "192.0.2.2"}]}}, True),
        ({"rs1": None}, True),
        ({}, True),
    ],
)
def test_answers_to_masqueraded_requests_must_have_their_way_back(ready, waits):
    service = {**SERVICE, "real_servers": [{**server, "forward": "nat"} for server in SERVICE["real_servers"]]}
    (found,) = hold_unready([service], ready, answers={"rs1": [BACK]})
    assert [server.get("hold", False) for server in found["real_servers"]] == [waits, False]
    (found,) = hold_unready([service], ready, answers={"rs1": []})
    assert not any("hold" in server for server in found["real_servers"])


GUE = {"tunnel_type": "gue", "tunnel_port": 6080}


@pytest.mark.parametrize(
    ("facts", "wrapping", "waits"),
    [
        (seen("192.0.2.77", tunnel_type="ipip"), {}, False),
        (seen("192.0.2.77", **GUE), {**GUE, "tunnel_checksum": "nocsum"}, False),
        (seen("192.0.2.77"), {}, True),
        (seen(tunnel_type="ipip"), {}, True),
        (seen("192.0.2.77", tunnel_type="ipip"), GUE, True),
        (seen("192.0.2.77", **GUE), {**GUE, "tunnel_port": 6081}, True),
        (seen("192.0.2.77", **GUE), {**GUE, "tunnel_checksum": "csum"}, True),
        (seen("192.0.2.77", address="192.0.2.12"), {}, True),
        (seen("192.0.2.77", receiving=["192.0.2.78"]), {}, True),
    ],
)
def test_a_tunnel_must_be_the_very_one(facts, wrapping, waits):
    assert held({"rs1": facts}, forward="tun", **wrapping)[0] is waits


def test_other_ways_than_direct_routing_need_no_silence():
    assert held({}, forward="nat") == [False, False]


MARKS = [
    {"mark": 3, "addresses": ["192.0.2.77", "192.0.2.78", "2001:db8::77"]},
    {"mark": 4, "addresses": ["192.0.2.79"]},
]


@pytest.mark.parametrize(
    ("family", "silent", "waits"),
    [
        ("ipv4", ["192.0.2.77", "192.0.2.78"], False),
        ("ipv4", ["192.0.2.77"], True),
        ("ipv6", ["2001:db8::77"], False),
        ("ipv6", ["192.0.2.77", "192.0.2.78"], True),
    ],
)
def test_by_mark_all_vips_of_the_family_must_be_ready(family, silent, waits):
    service = {"mark": 3, "family": family, "real_servers": [{"name": "rs1", "address": "192.0.2.11"}]}
    (found,) = hold_unready([service], {"rs1": {"silent": silent}}, MARKS)
    assert found["real_servers"][0].get("hold", False) is waits


def test_the_description_itself_is_not_changed():
    hold_unready([SERVICE], {})
    assert "hold" not in SERVICE["real_servers"][0]


def test_it_says_what_it_takes():
    with pytest.raises(AnsibleFilterError, match="takes a list of services"):
        FilterModule().filters()["hold_unready"]("web", {})
