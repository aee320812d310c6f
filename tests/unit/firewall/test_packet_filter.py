# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a packet, and when nobody may be sure of it. The rules are those that nft and iptables-save wrote."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _filter_iptables, _filter_nft
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import Table
from ansible_collections.openlvs.lvs.plugins.module_utils._passage import HALF, Look, Passage, look

WEB = Passage("requests", "input", "tcp", ("192.0.2.77",), ports=("80",), interface="eth1")


def chain(*rules: str, policy: str = "DROP", more: str = "") -> list[Table]:
    """The chain INPUT of iptables with these rules."""
    lines = ["*filter", f":INPUT {policy} [0:0]", ":FORWARD ACCEPT [0:0]", *more.split()[:0]]
    names = sorted({rule.split()[1] for rule in rules} - {"INPUT", "FORWARD"})
    lines += [f":{name} - [0:0]" for name in names]
    return _filter_iptables.parse("\n".join([*lines, *rules, "COMMIT"]), 4)


def verdict(tables: t.Sequence[Table], passage: Passage = WEB) -> str:
    return look(tables, passage).verdict


def where(found: Look) -> list[tuple[str, str]]:
    return [(one.chain, one.rule.text if one.rule else "policy") for one in found.places]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT", "passes"),
        ("-A INPUT -d 192.0.2.0/24 -p tcp -m multiport --dports 22,80:81 -j ACCEPT", "passes"),
        ("-A INPUT ! -d 192.0.2.78/32 -j ACCEPT", "passes"),
        ("-A INPUT -i eth+ -j ACCEPT", "passes"),
        ("-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT", "passes"),
        ("-A INPUT -i lo -j ACCEPT", "drops"),
        ("-A INPUT -p tcp -m tcp --dport 81 -j ACCEPT", "drops"),
        ("-A INPUT -p udp -m udp --dport 80 -j ACCEPT", "drops"),
        ("-A INPUT -d 192.0.2.78/32 -j ACCEPT", "drops"),
        ("-A INPUT ! -i eth1 -j ACCEPT", "drops"),
        ("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "drops"),
        ("-A INPUT -m limit --limit 3/min -j LOG", "drops"),
        # what nobody may be sure of
        ("-A INPUT -s 198.51.100.0/24 -j ACCEPT", "depends"),
        ("-A INPUT -p tcp -m tcp --dport 80 -m limit --limit 3/min -j ACCEPT", "depends"),
        ("-A INPUT -m set --match-set clients src -j ACCEPT", "depends"),
        ("-A INPUT -p tcp -m tcp --sport 2000:3000 -j ACCEPT", "depends"),
        ("-A INPUT -p tcp -m tcp --dport 80 -j NFQUEUE --queue-num 1", "depends"),
        ("-A INPUT -m nobody --knows this -j ACCEPT", "depends"),
    ],
)
def test_a_rule_before_a_policy_that_drops(rule: str, expected: str) -> None:
    assert verdict(chain(rule)) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (["-A INPUT -j one", "-A one -p tcp -j RETURN", "-A one -j ACCEPT"], "drops"),
        (["-A INPUT -j one", "-A one -s 10.0.0.0/8 -j RETURN", "-A one -j ACCEPT"], "depends"),
        (["-A INPUT -g one", "-A INPUT -j ACCEPT", "-A one -p udp -j ACCEPT"], "drops"),
        (["-A INPUT -p udp -j one", "-A INPUT -j ACCEPT", "-A one -j DROP"], "passes"),
        (["-A INPUT -s 10.0.0.0/8 -j one", "-A INPUT -j ACCEPT", "-A one -j DROP"], "depends"),
        (["-A INPUT -s 10.0.0.0/8 -j one", "-A INPUT -j ACCEPT", "-A one -j LOG"], "passes"),
        (["-A INPUT -j one", "-A one -j two", "-A two -j one"], "depends"),
        (["-A INPUT -m mark --mark 0x8000/0x8000 -j DROP", "-A INPUT -j ACCEPT"], "passes"),
        (["-A INPUT -j MARK --set-xmark 1", "-A INPUT -m mark --mark 1 -j ACCEPT"], "drops"),
    ],
)
def test_chains_that_lead_to_others(rules: list[str], expected: str) -> None:
    assert verdict(chain(*rules)) == expected


def test_it_says_which_rule_drops() -> None:
    drop = "-A later -p tcp -j REJECT"
    found = look(chain("-A INPUT -s 10.0.0.1/32 -j DROP", "-A INPUT -j later", drop), WEB)
    assert (found.verdict, where(found)) == ("drops", [("later", drop)])
    assert where(look(chain(), WEB)) == [("INPUT", "policy")]


def test_connection_tracking_that_sees_one_way_alone_finds_the_end_of_a_connection_invalid() -> None:
    invalid, web = "-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT"
    half = Passage("requests", "input", "tcp", ("192.0.2.77",), ports=("80",), interface="eth1", tracked=HALF)
    found = look(chain(invalid, web), half)
    assert (found.verdict, found.which, where(found)) == ("drops", "last packets (FIN)", [("INPUT", invalid)])
    assert verdict(chain(web, invalid), half) == "passes"
    assert verdict(chain(invalid, web)) == "passes"


def test_a_passage_is_all_of_its_addresses_and_ports() -> None:
    rules = chain("-A INPUT -d 192.0.2.77/32 -p tcp -m multiport --dports 80,8000:8005 -j ACCEPT")
    assert verdict(rules, Passage("requests", "input", "tcp", ("192.0.2.77",), ports=("80", "8001-8003"))) == "passes"
    assert verdict(rules, Passage("requests", "input", "tcp", ("192.0.2.77",), ports=("80", "81"))) == "drops"
    assert verdict(rules, Passage("requests", "input", "tcp", ("192.0.2.77",), ports=("8000-8010",))) == "depends"
    assert verdict(rules, Passage("requests", "input", "tcp", ("192.0.2.77", "192.0.2.78"), ports=("80",))) == "drops"
    assert verdict(rules, Passage("requests", "input", "tcp", ("2001:db8::1",), ports=("80",))) == "passes"


def nft(*expressions: list[t.Any], sets: t.Sequence[t.Any] = (), **more: t.Any) -> list[Table]:
    """A base chain of nftables that drops what no rule takes."""
    base = {"family": "inet", "table": "theirs", "name": "input", "hook": "input", "prio": 0, "policy": "drop", **more}
    rules = [
        {"rule": {"family": "inet", "table": "theirs", "chain": "input", "handle": number, "expr": one}}
        for number, one in enumerate(expressions, 1)
    ]
    table = {"table": {"family": "inet", "name": "theirs", "handle": 1}}
    return _filter_nft.parse({"nftables": [{"metainfo": {}}, table, *sets, {"chain": base}, *rules]})


def match(left: t.Any, right: t.Any, op: str = "==") -> dict[str, t.Any]:
    return {"match": {"op": op, "left": left, "right": right}}


DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
DADDR = {"payload": {"protocol": "ip", "field": "daddr"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
YES = {"accept": None}
PREFIX = {"prefix": {"addr": "192.0.2.0", "len": 24}}
SET = {"set": {"family": "inet", "table": "theirs", "name": "known", "type": "ipv4_addr", "elem": [PREFIX]}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ([match(DPORT, 80), YES], "passes"),
        ([match(DPORT, {"set": [22, {"range": [79, 81]}]}), {"counter": {}}, YES], "passes"),
        ([match({"meta": {"key": "iifname"}}, "eth*"), YES], "passes"),
        ([match(DADDR, "@known"), YES], "passes"),
        ([match({"ct": {"key": "state"}}, ["new", "established"], "in"), YES], "passes"),
        ([{"vmap": {"key": DPORT, "data": {"set": [[22, {"drop": None}], [80, YES]]}}}], "passes"),
        ([match({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, False), {"drop": None}], "drops"),
        ([match(DPORT, 80, "!="), YES], "drops"),
        ([match(DPORT, 80, ">"), YES], "drops"),
        ([match({"payload": {"protocol": "ip6", "field": "daddr"}}, "2001:db8::1", "!="), YES], "drops"),
        ([match({"payload": {"protocol": "udp", "field": "dport"}}, 80), YES], "drops"),
        ([match({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "rst"]]}, "fin"), YES], "drops"),
        # what nobody may be sure of
        ([match(SADDR, "@known"), YES], "depends"),
        ([match(SADDR, "@unheard"), YES], "depends"),
        ([match({"concat": [SADDR, DPORT]}, "@known"), YES], "depends"),
        ([{"limit": {"rate": 1, "per": "second"}}, YES], "depends"),
        ([{"xt": None}, YES], "depends"),
        ([{"queue": {"num": 1}}], "depends"),
        ([{"vmap": {"key": SADDR, "data": "@unheard"}}], "depends"),
    ],
)
def test_a_rule_of_nftables_before_a_policy_that_drops(expression: list[t.Any], expected: str) -> None:
    assert verdict(nft(expression, sets=[SET])) == expected


def test_chains_behind_ipvs_do_not_count_and_those_of_other_cards_neither() -> None:
    taken = Passage("requests", "input", "tcp", ("192.0.2.77",), ports=("80",), interface="eth1", balanced=True)
    assert verdict(nft(prio=97), taken) == "drops"
    assert verdict(nft(prio=98), taken) == "passes" and verdict(nft(prio=98)) == "drops"
    assert verdict(nft(hook="ingress", dev="eth0")) == "passes" and verdict(nft(hook="ingress", dev="eth1")) == "drops"


def test_a_packet_has_to_pass_everybody() -> None:
    assert verdict([*nft([YES]), *chain("-A INPUT -p udp -j ACCEPT")]) == "drops"
    assert verdict([*nft([YES]), *chain("-A INPUT -j ACCEPT")]) == "passes"
