# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways of answers: what is wanted, in which order it comes and goes, and what cannot be."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _answers
from ansible_collections.openlvs.lvs.plugins.module_utils._answers import State


def answer(address: str = "192.0.2.1", port: int = 80, gateway: str = "192.0.2.2", protocol: str = "tcp") -> t.Any:
    return {"address": address, "protocol": protocol, "port": port, "gateway": gateway}


def steps(have: State, *wanted: t.Any, purge: bool = True) -> list[str]:
    return [str(step) for step in _answers.plan(have, _answers.wanted(wanted), purge)]


TABLE, TABLE6 = _answers.table_of("192.0.2.2"), _answers.table_of("2001:db8::2")


def test_a_table_has_its_route_before_a_rule_leads_there_and_loses_it_after():
    assert TABLE in _answers.TABLES and TABLE6 in _answers.TABLES
    both = answer(), answer("2001:db8::1", 443, "2001:db8::2")
    assert sorted(steps(State(), *both)[:2]) == [
        f"ip -6 route add default via 2001:db8::2 table {TABLE6}",
        f"ip route add default via 192.0.2.2 table {TABLE}",
    ]
    assert steps(State(), *both)[2:] == [
        f"ip rule add pref 19456 from 192.0.2.1/32 ipproto tcp sport 80 lookup {TABLE}",
        f"ip -6 rule add pref 19456 from 2001:db8::1/128 ipproto tcp sport 443 lookup {TABLE6}",
    ]
    assert steps(_answers.wanted(both), *both) == []
    assert [step.split()[-8 if "rule" in step else 2] for step in steps(_answers.wanted([answer()]))] == ["from", "del"]
    assert steps(_answers.wanted(both), both[0], purge=False) == []


def test_what_stands_is_told_as_it_was_asked_for():
    asked = [answer(), answer(port=53, protocol="udp")]
    assert _answers.wanted(asked).answers() == asked


def test_udp_servers_without_an_address_are_seen_to():
    found = steps(State(), answer(port=53, protocol="udp"))
    assert f"ip rule add pref 19456 from 0.0.0.0/32 ipproto udp sport 53 lookup {TABLE}" in found


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([answer("web")], "answers[0] 'web': 'web' does not appear to be an IPv4 or IPv6 address."),
        ([answer(gateway="2001:db8::2")], "answers[0] '192.0.2.1': gateway 2001:db8::2 is of another family."),
        ([answer(port=0)], "answers[0] '192.0.2.1': port 0 is not within 1..65535."),
        ([answer(), answer(gateway="192.0.2.3")], "answers[1] '192.0.2.1': tcp 80 goes by 192.0.2.2 already;"),
    ],
)
def test_what_cannot_be(answers, text):
    [found] = _answers.findings(answers)
    assert found.startswith(text)
