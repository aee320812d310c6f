# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules of nftables: values in, text out; whatever is no value of its kind never gets into a text."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _nft
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_purposes import chains_of

BOTH = ["192.0.2.10", "2001:db8::10"]
WEB: dict[str, t.Any] = {"mark": 3, "addresses": BOTH, "ports": [443, "80"], "protocol": "tcp"}


def rendered(*marks: dict[str, t.Any]) -> str:
    return _nft.render("director", chains_of("director", {"marks": marks}))


def findings(*marks: dict[str, t.Any], role: str = "director") -> list[str]:
    with pytest.raises(OptionError) as raised:
        chains_of(role, {"marks": marks})
    return raised.value.findings


def test_one_transaction_makes_the_table_anew() -> None:
    text = rendered(WEB, {**WEB, "addresses": ["192.0.2.11"], "ports": ["8000-8010", 80], "protocol": "udp"})
    assert text.splitlines() == [
        "# Written by Ansible, module openlvs.lvs.lvs_nft. Changes made here do not last.",
        "table inet openlvs_director",
        "delete table inet openlvs_director",
        "table inet openlvs_director {",
        "\tchain marks {",
        "\t\ttype filter hook prerouting priority mangle; policy accept;",
        "\t\tip daddr { 192.0.2.10 } tcp dport { 80, 443 } meta mark set 0x00000003",
        "\t\tip6 daddr { 2001:db8::10 } tcp dport { 80, 443 } meta mark set 0x00000003",
        "\t\tip daddr { 192.0.2.11 } udp dport { 80, 8000-8010 } meta mark set 0x00000003",
        "\t}",
        "}",
    ]


def test_no_rules_are_no_text() -> None:
    assert rendered() == ""


def test_the_order_of_values_makes_no_other_text() -> None:
    turned = {**WEB, "addresses": WEB["addresses"][::-1], "ports": WEB["ports"][::-1]}
    assert rendered(WEB) == rendered(turned)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("addresses", ["192.0.2.10 }; flush ruleset; #"]),
        ("addresses", ["192.0.2.0/24"]),
        ("addresses", ["fe80::1%eth0"]),
        ("addresses", ["www.example.org"]),
        ("addresses", []),
        ("ports", ["80 }"]),
        ("ports", ["http"]),
        ("ports", [0]),
        ("ports", ["8010-8000"]),
        ("ports", ["80-65536"]),
        ("ports", ["80\n81"]),
        ("ports", ["٨٠"]),
        ("ports", []),
        ("mark", 0),
        ("mark", 2**32),
    ],
)
def test_what_is_no_such_value_is_refused_and_named(key: str, value: t.Any) -> None:
    (finding,) = findings({**WEB, key: value})
    assert finding.startswith(f"marks[0]: {key} ")


def test_all_findings_come_at_once() -> None:
    assert len(findings({**WEB, "mark": 0}, {**WEB, "addresses": ["x"], "ports": ["y"]})) == 3


@pytest.mark.parametrize("ports", [["80"], ["70-80"], ["79-81"], ["443-500"]])
def test_a_port_is_marked_once(ports: list[str]) -> None:
    second = {**WEB, "mark": 4, "addresses": ["192.0.2.10"], "ports": ports}
    (finding,) = findings(WEB, second)
    assert finding == f"marks[1]: port {ports[0]} of tcp 192.0.2.10 is marked by marks[0] already"
    assert rendered(WEB, {**second, "protocol": "udp"}) and rendered(WEB, {**second, "addresses": ["192.0.2.11"]})


def test_marks_are_a_directors() -> None:
    assert "only director has" in findings(WEB, role="realserver")[0]


@pytest.mark.parametrize("name", ["eth0", "bond0.100", "vlan-7"])
def test_interfaces_are_quoted(name: str) -> None:
    assert _nft.quoted(name) == f'"{name}"'


@pytest.mark.parametrize("name", ['eth0" drop', "", "eth*", "a-name-that-is-too-long", "eth0\n"])
def test_what_no_interface_is_called_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        _nft.quoted(name)
