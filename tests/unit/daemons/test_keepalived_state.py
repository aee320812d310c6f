# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keepalived reports of its servers, and the table that follows from it."""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import due
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_state import knows, parse
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table

# Of keepalived 2.2.7, without the lines that nobody reads. The quorum of the first service is lost; its second server
# has failed and is inhibited.
REPORT = """\
------< LVS Topology >------
 System is compiled with LVS v1.2.1
 ------< Virtual server >------
 VS VIP = 192.0.2.10, VPORT = 80
   Address family = inet
   lvs_sched = sh
   sh-port = enabled
   sh-fallback = disabled
   protocol = TCP
   Inhibit on failure is OFF
   quorum = 3, hysteresis = 0
   forwarding method =  0x7
   sorry server = [192.0.2.99]:tcp:80
     forwarding method = DR
     Inhibit on failure is OFF
   alive = 1
   quorum_state_up = 0
   ------< Real server >------
   RIP = 192.0.2.11, RPORT = 80, WEIGHT = 2 EFF WEIGHT = 2
   forwarding method = DR
   Inhibit on failure is OFF
   initial weight = 2
   effective weight = 2
   alive = 1
   RS set = 0
   ------< Real server >------
   RIP = 192.0.2.12, RPORT = 80, WEIGHT = 2 EFF WEIGHT = 2
   forwarding method = DR
   Inhibit on failure is ON
   initial weight = 2
   effective weight = 2
   alive = 0
   RS set = 1
 ------< Virtual server >------
 VS FWMARK = 5
   Address family = inet6
   lvs_sched = wlc
   protocol = none
   Inhibit on failure is OFF
   quorum = 1, hysteresis = 0
   forwarding method =  0x7
   alive = 1
   quorum_state_up = 1
   ------< Real server >------
   RIP = 2001:db8::11, RPORT = 0, WEIGHT = 1 EFF WEIGHT = 1
   forwarding method = TUN, type = GUE, port = 6080, no checksum
   Inhibit on failure is OFF
   initial weight = 1
   effective weight = 1
   alive = 1
   RS set = 1
------< Health checkers >------
 [192.0.2.10]:tcp:80 -> [192.0.2.12]:tcp:80
   Enabled = yes
   alive = 1
"""

WEB = ServiceKey.addressed("tcp", "192.0.2.10", 80)
MARKED = ServiceKey.marked(5, "ipv6")
FIRST, SECOND = RealServer("192.0.2.11", 80, weight=2), RealServer("192.0.2.12", 80, weight=2)
TUNNELLED = RealServer("2001:db8::11", 0, "tun", tunnel_type="gue", tunnel_port=6080)
SORRY = RealServer("192.0.2.99", 80)
DESCRIBED = Table.of([(Service(WEB, "sh"), [FIRST, SECOND]), (Service(MARKED), [TUNNELLED])])


def lines(table: Table) -> list[str]:
    return [line for line in write_rules(table) if line.startswith("-a")]


def test_every_service_and_server_of_a_report_is_understood() -> None:
    states = parse(REPORT)
    assert set(states) == {WEB, MARKED} and knows(states, DESCRIBED)
    assert (states[WEB].up, states[MARKED].up) == (False, True)
    assert [(one.alive, one.set) for one in states[WEB].servers.values()] == [(True, False), (False, True)]


def test_without_a_quorum_the_sorry_server_answers_and_an_inhibited_one_gets_nothing_new() -> None:
    assert lines(due(DESCRIBED, {WEB: SORRY}, parse(REPORT)))[:2] == [
        "-a -t 192.0.2.10:80 -r 192.0.2.12:80 -g -w 0",
        "-a -t 192.0.2.10:80 -r 192.0.2.99:80 -g -w 1",
    ]


def test_with_a_quorum_those_that_are_set_have_the_weight_of_their_checks_and_no_other_server_is_there() -> None:
    up = REPORT.replace("quorum_state_up = 0", "quorum_state_up = 1").replace("RS set = 0", "RS set = 1")
    dynamic = up.replace("RPORT = 80, WEIGHT = 2", "RPORT = 80, WEIGHT = 7", 1)
    assert lines(due(DESCRIBED, {WEB: SORRY}, parse(dynamic)))[:2] == [
        "-a -t 192.0.2.10:80 -r 192.0.2.11:80 -g -w 7",
        "-a -t 192.0.2.10:80 -r 192.0.2.12:80 -g -w 0",
    ]


def test_newer_reports_tell_of_the_sorry_server_too() -> None:
    newer = REPORT.replace("   alive = 1\n   quorum", "     set = 0\n     alive = 0\n   VS alive = 1\n   quorum")
    assert parse(newer) == parse(REPORT)


def test_a_suspended_service_is_not_due() -> None:
    suspended = REPORT.replace("   alive = 1\n   quorum_state_up = 0", "   alive = 0\n   quorum_state_up = 0")
    assert set(due(DESCRIBED, {}, parse(suspended)).services) == {MARKED}


def test_another_weight_or_server_is_a_description_that_keepalived_does_not_know_yet() -> None:
    states = parse(REPORT)
    heavier = Table.of([(Service(WEB), [FIRST._replace(weight=3), SECOND]), (Service(MARKED), [TUNNELLED])])
    assert not knows(states, heavier)
    assert not knows(states, Table.of([(Service(WEB), [FIRST]), (Service(MARKED), [TUNNELLED])]))
    assert not knows(states, DESCRIBED.only({WEB}))
