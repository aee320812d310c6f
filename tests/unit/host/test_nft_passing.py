# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of nftables of a director that masquerades: whose source is hidden, and what may be passed on."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_purposes import chains_of

VIPS, SERVERS = ["192.0.2.10", "2001:db8::10"], ["198.51.100.12", "198.51.100.11", "2001:db8:1::11"]
HIDDEN: dict[str, t.Any] = {"addresses": VIPS, "ports": [80, "8000-8010"], "protocol": "tcp", "servers": SERVERS}
PASSED: dict[str, t.Any] = {"addresses": SERVERS, "ports": ["8080"], "protocol": "tcp"}


def rules(role: str = "forwarding", **purposes: t.Any) -> list[str]:
    return [rule for chain in chains_of(role, purposes) for rule in chain.rules]


def test_a_source_is_hidden_by_what_was_asked_for_and_where_it_goes() -> None:
    assert rules(masquerade=[HIDDEN]) == [
        "meta l4proto tcp ct original ip daddr { 192.0.2.10 } ct original proto-dst { 80, 8000-8010 }"
        " ip daddr { 198.51.100.11, 198.51.100.12 } masquerade",
        "meta l4proto tcp ct original ip6 daddr { 2001:db8::10 } ct original proto-dst { 80, 8000-8010 }"
        " ip6 daddr { 2001:db8:1::11 } masquerade",
    ]


def test_a_family_without_real_servers_hides_nothing() -> None:
    (rule,) = rules(masquerade=[{**HIDDEN, "servers": SERVERS[:1]}])
    assert "ip6" not in rule


def test_answers_and_their_errors_pass_and_nothing_else_of_their_family_does() -> None:
    assert rules(forward=[{**PASSED, "addresses": SERVERS[:2]}, {**PASSED, "protocol": "sctp", "ports": [9]}]) == [
        "ip saddr { 198.51.100.11, 198.51.100.12 } tcp sport { 8080 } accept",
        "ip saddr { 198.51.100.11, 198.51.100.12 } sctp sport { 9 } accept",
        "ip6 saddr { 2001:db8:1::11 } sctp sport { 9 } accept",
        "ip saddr { 198.51.100.11, 198.51.100.12 } icmp type"
        " { destination-unreachable, time-exceeded, parameter-problem } accept",
        "ip6 saddr { 2001:db8:1::11 } icmpv6 type"
        " { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
        "meta nfproto ipv4 drop",
        "meta nfproto ipv6 drop",
    ]


def test_the_other_family_is_not_limited() -> None:
    assert not any(
        "6" in rule.partition(" ")[0] or "ipv6" in rule
        for rule in rules(forward=[{**PASSED, "addresses": SERVERS[:2]}])
    )


@pytest.mark.parametrize(
    ("purpose", "entry", "key", "value"),
    [
        ("masquerade", HIDDEN, "addresses", ["192.0.2.0/24"]),
        ("masquerade", HIDDEN, "servers", ["rs1"]),
        ("masquerade", HIDDEN, "servers", []),
        ("masquerade", HIDDEN, "ports", ["80; flush ruleset"]),
        ("forward", PASSED, "addresses", ["198.51.100.11 accept #"]),
        ("forward", PASSED, "ports", [65536]),
        ("forward", PASSED, "ports", []),
    ],
)
def test_what_is_no_such_value_is_refused_and_named(
    purpose: str, entry: dict[str, t.Any], key: str, value: t.Any
) -> None:
    with pytest.raises(OptionError) as raised:
        rules(**{purpose: [{**entry, key: value}]})
    (finding,) = raised.value.findings
    assert finding.startswith(f"{purpose}[0]: {key} ")


@pytest.mark.parametrize(("purpose", "entry"), [("masquerade", HIDDEN), ("forward", PASSED)])
def test_they_have_a_table_of_their_own(purpose: str, entry: dict[str, t.Any]) -> None:
    with pytest.raises(OptionError) as raised:
        rules("director", **{purpose: [entry]})
    assert "only forwarding has" in raised.value.findings[0]
