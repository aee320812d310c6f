# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks as whom, and when asking ends."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _connect, _neighbours
from ansible_collections.openlvs.lvs.plugins.module_utils._connect import Target
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from hosts import LINKS

ADDRESSES = (
    Address("198.51.100.1", 24, "eth0"),
    Address("192.0.2.10", 32, "eth0"),
    Address("192.0.2.1", 24, "eth0"),
    Address("192.0.2.2", 24, "eth1"),
    Address("fe80::1", 64, "eth0"),
    Address("2001:db8::1", 64, "eth0"),
)


@pytest.mark.parametrize(
    ("asked", "interface", "source"),
    [
        ("192.0.2.99", "eth0", "192.0.2.1"),
        ("192.0.2.99", "eth1", "192.0.2.2"),
        ("203.0.113.1", "eth0", "198.51.100.1"),
        ("2001:db8::99", "eth0", "2001:db8::1"),
        ("2001:db8:1::99", "eth0", "fe80::1"),
        ("2001:db8::99", "eth1", "::"),
        ("192.0.2.99", "dummy0", "0.0.0.0"),
    ],
)
def test_the_sender_is_the_interfaces_own(asked: str, interface: str, source: str) -> None:
    assert _neighbours._source(LINKS[interface], ADDRESSES, asked, frozenset([asked])) == source


def test_an_address_that_is_asked_for_is_never_the_sender() -> None:
    asked = frozenset(found.address for found in ADDRESSES)
    assert _neighbours._source(LINKS["eth0"], ADDRESSES, "192.0.2.1", asked) == "0.0.0.0"


def test_one_asks_on_ethernet_only() -> None:
    with pytest.raises(LvsError, match="Interface lo: cannot ask on it"):
        _neighbours.ask(LINKS["lo"], ADDRESSES, ["192.0.2.99"], 1, 1)


def outcome(*answers: str | None, count: int = 12) -> _connect.Outcome:
    left = list(answers)
    return _connect.connect(Target("192.0.2.10", 80, "tcp", count, 1), lambda _target: left.pop(0) if left else None)


def test_all_connections_are_counted() -> None:
    assert outcome() == _connect.Outcome(asked=12, answered=12)
    mixed = outcome("connection refused", None, "connection refused", None, count=4)
    assert (mixed.asked, mixed.answered, dict(mixed.errors)) == (4, 2, {"connection refused": 2})


def test_three_times_no_answer_is_enough() -> None:
    ended = outcome(None, *[_connect.TIMED_OUT] * 9)
    assert (ended.asked, ended.answered, dict(ended.errors)) == (4, 1, {"no answer in time": 3})
    assert outcome(*[_connect.TIMED_OUT, _connect.UNREACHABLE] * 5).asked == 3
    assert outcome(*[_connect.TIMED_OUT, _connect.TIMED_OUT, None] * 4).asked == 12
