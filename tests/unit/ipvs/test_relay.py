# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a director sends to the one that it takes over from, and what it sends to the real servers again."""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils import _relay
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import plan
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import read_rules, write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._table import Table

OTHER, OWN = {"ipv4": "198.51.100.2"}, ["198.51.100.1"]
WEB = """\
-A -t 192.0.2.10:80 -s wlc
-a -t 192.0.2.10:80 -r 198.51.100.11:80 -g -w 3
-a -t 192.0.2.10:80 -r 198.51.100.12:80 -g -w 0
"""


def begun(table: Table) -> _relay.Relay:
    return _relay.begin(table, table.services, OTHER, OWN, {"sloppy_tcp": "0"})


def lines(table: Table) -> list[str]:
    return list(write_rules(table))


def test_everything_goes_to_the_other_director_then_nothing_new_then_nothing():
    table = read_rules(WEB)
    relay = begun(table)
    sending = _relay.sending(table, relay)
    assert lines(sending)[1:] == [
        "-a -t 192.0.2.10:80 -r 198.51.100.11:80 -g -w 0",
        "-a -t 192.0.2.10:80 -r 198.51.100.12:80 -g -w 0",
        "-a -t 192.0.2.10:80 -r 198.51.100.2:80 -g -w 1",
    ]
    assert [str(step)[:2] for step in plan(table, sending)] == ["-a", "-e"]  # never without anybody
    ending = _relay.ending(sending, relay)
    assert lines(ending)[1:] == [*WEB.splitlines()[1:], "-a -t 192.0.2.10:80 -r 198.51.100.2:80 -g -w 0"]
    assert [str(step)[-4:] for step in plan(sending, ending)] == ["-w 3", "-w 0"]
    assert lines(_relay.ended(ending, relay)) == WEB.splitlines()


def test_doing_it_again_changes_nothing():
    table = read_rules(WEB)
    relay = begun(table)
    for state in (_relay.sending, _relay.ending, _relay.ended):
        table = state(table, relay)
        assert state(table, relay) == table


def test_what_a_health_check_does_in_between_stays():
    table = read_rules(WEB)
    relay = begun(table)
    there = _relay.sending(table, relay)
    checked = read_rules("\n".join([*lines(there), "-a -t 192.0.2.10:80 -r 198.51.100.13:80 -g -w 5"]))
    assert "-a -t 192.0.2.10:80 -r 198.51.100.13:80 -g -w 5" in lines(_relay.ending(checked, relay))


def test_services_whose_vip_is_here_already_stay_as_they_are():
    marked = "-A -f 77 -s rr\n-a -f 77 -r 198.51.100.11:0 -g -w 1\n"
    other = "-A -t 192.0.2.20:80 -s rr\n-a -t 192.0.2.20:80 -r 198.51.100.11:80 -g -w 1\n"
    table = read_rules(WEB + other + marked)
    assert [str(key) for key in _relay.elsewhere(table.services, ["192.0.2.20"])] == ["tcp 192.0.2.10:80"]
    assert len(_relay.elsewhere(table.services, [])) == 3


def test_services_that_cannot_be_passed_on_stay_as_they_are():
    masqueraded = "-A -t 192.0.2.10:81 -s wlc\n-a -t 192.0.2.10:81 -r 198.51.100.11:81 -m -w 1\n"
    itself = "-A -t 192.0.2.10:82 -s wlc\n-a -t 192.0.2.10:82 -r 198.51.100.2:82 -g -w 1\n"
    other_family = "-A -t [2001:db8::10]:80 -s wlc\n-a -t [2001:db8::10]:80 -r [2001:db8:1::11]:80 -g -w 1\n"
    empty = "-A -t 192.0.2.10:83 -s wlc\n"
    here = "-A -f 77 -s rr\n-a -f 77 -r 198.51.100.1:0 -g -w 1\n"
    relay = begun(read_rules(WEB + masqueraded + itself + other_family + empty + here))
    assert relay.relays == {"tcp 192.0.2.10:80": "198.51.100.2"}


def test_a_service_of_somebody_else_is_not_touched():
    table = read_rules(WEB + "-A -u 192.0.2.10:53 -s rr\n-a -u 192.0.2.10:53 -r 198.51.100.11:53 -g -w 1\n")
    relay = _relay.begin(table, [key for key in table.services if key.protocol == "tcp"], OTHER, OWN, {})
    for state in (_relay.sending, _relay.ending, _relay.ended):
        assert all(step.key.protocol == "tcp" for step in plan(table, state(table, relay), purge_real_servers=True))
