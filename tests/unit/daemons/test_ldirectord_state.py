# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ldirectord has made of its servers, by its log and the table."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import due
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_state import is_built, last_words, states
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table

WEB = ServiceKey.addressed("tcp", "192.0.2.10", 80)
SIX = ServiceKey.marked(5, "ipv6")
RS1, RS2, RS6 = RealServer("192.0.2.11", 80), RealServer("192.0.2.12", 80), RealServer("2001:db8::11", 0)
SORRY = RealServer("192.0.2.1", 8080, forward="nat")
DESCRIBED = Table.of([(Service(WEB), [RS1, RS2]), (Service(SIX), [RS6])])


def log(*texts: str) -> str:
    return "".join(f"[Sat Nov 21 02:57:50 2026|ldirectord|2533] {text}\n" for text in texts)


START = "Starting Linux Director v1.186-ha as daemon"
ADDED = [f"Added real server: {one} ({two}) (Weight set to 1)" for one, two in (
    ("192.0.2.11:80", "192.0.2.10:80"), ("192.0.2.12:80", "192.0.2.10:80"), ("[2001:db8::11]:0", "5"))]  # fmt: skip
GONE = "Deleted real server: 192.0.2.12:80 (192.0.2.10:80)"


def wanted(text: str, table: Table, quiescent: tuple[ServiceKey, ...] = ()) -> Table:
    return due(DESCRIBED, {WEB: SORRY}, states(last_words(text), DESCRIBED, table, quiescent))


def test_what_others_took_away_is_due_and_a_failed_server_is_not() -> None:
    table = wanted(log(START, *ADDED, GONE), Table())
    assert list(table.servers(WEB).values()) == [RS1] and list(table.servers(SIX).values()) == [RS6]


def test_a_server_that_is_well_again_is_due() -> None:
    restored = "Restored real server: 192.0.2.12:80 (192.0.2.10:80) (Weight set to 1)"
    for back in (ADDED[1], restored):
        assert wanted(log(START, *ADDED, GONE, back), Table()) == DESCRIBED


def test_the_sorry_server_answers_when_all_are_out() -> None:
    gone = [GONE, GONE.replace(".12:80", ".11:80 mapped from 192.0.2.11:81")]
    assert list(wanted(log(START, *ADDED, *gone), DESCRIBED).servers(WEB).values()) == [SORRY]


def test_of_whom_the_log_says_nothing_the_table_does() -> None:
    left = Table.of([(Service(WEB), [RS1]), (Service(SIX), [RS6])])
    for text in ("", log(*ADDED, START), "no line of a log\n"):
        assert wanted(text, left) == left


def test_a_failed_server_that_stays_has_weight_0() -> None:
    gone = GONE.replace("Deleted", "Quiescent") + " (Weight set to 0)"
    table = wanted(log(START, *ADDED, gone), DESCRIBED, quiescent=(WEB,))
    assert [one.weight for one in table.servers(WEB).values()] == [1, 0]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_of_two_protocols_the_log_tells_nothing_apart(protocol: str) -> None:
    both = Table.of([(Service(ServiceKey.addressed(one, "192.0.2.10", 80)), [RS2]) for one in ("tcp", "udp")])
    found = states(last_words(log(START, GONE)), both, both, ())
    assert found[ServiceKey.addressed(protocol, "192.0.2.10", 80)].up


def test_built_is_a_table_with_every_server() -> None:
    assert is_built(DESCRIBED, DESCRIBED) and not is_built(DESCRIBED, Table.of([(Service(WEB), [RS1])]))
