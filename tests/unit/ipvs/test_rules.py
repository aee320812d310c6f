# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table as ipvsadm's text, there and back."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import read_rules, write_rules
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey, Table
from hypothesis import given
from hypothesis import strategies as st

from .tables import tables

# What ipvsadm 1.31 wrote of a table that was made by hand, but for the thresholds, which it does not write.
SAVED = """\
-A -t 192.0.2.10:80 -s sh -b sh-fallback,sh-port
-a -t 192.0.2.10:80 -r 10.0.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 192.0.2.10:80 -r 10.0.0.2:80 -i -w 1 --tun-type gre --tun-csum
-a -t 192.0.2.10:80 -r 10.0.0.3:8080 -m -w 1
-a -t 192.0.2.10:80 -r 10.0.0.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.0.2.10:80 -r 10.0.0.9:80 -g -w 5 -x 100 -y 10
-A -t 192.0.2.12:0 -s rr -p 77
-a -t 192.0.2.12:0 -r 127.0.0.1:0 -g -w 1
-A -u 192.0.2.10:53 -s rr -o
-A -u 192.0.2.11:53 -s rr -o -b flag-1,flag-3
-A -u 192.0.2.11:5060 -s rr -p 60 -M 255.255.255.0 --pe sip -o -b flag-3
-A --sctp-service 192.0.2.11:53 -s rr -p 10 -M 255.255.255.0
-A -t [2001:db8::1]:80 -s mh -p 300 -M 64 -b mh-fallback
-a -t [2001:db8::1]:80 -r [2001:db8::7]:80 -g -w 1
-A -f 3 -s wlc
-a -f 3 -r 10.0.0.2:80 -m -w 1
-A -f 3 -6 -s wlc
-a -f 3 -6 -r [2001:db8::6]:0 -i -w 1
"""


def test_what_ipvsadm_writes_is_read_and_written_again():
    table = read_rules(SAVED)
    assert sorted(write_rules(table)) == sorted(SAVED.splitlines())
    first = table.servers(ServiceKey.addressed("tcp", "192.0.2.10", 80))
    assert list(first) == [(f"10.0.0.{n}", port) for n, port in ((1, 80), (2, 80), (3, 8080), (4, 80), (9, 80))]
    assert first["10.0.0.1", 80] == RealServer("10.0.0.1", 80, "tun", tunnel_type="gue", tunnel_port=6080)
    assert first["10.0.0.9", 80] == RealServer("10.0.0.9", 80, "dr", 5, 100, 10)


@given(tables())
def test_every_table_comes_back(table):
    again = read_rules("\n".join(write_rules(table)))
    assert again == table
    assert [list(again.servers(key)) for key in table.services] == [list(table.servers(key)) for key in table.services]


def test_comments_and_empty_lines_are_passed_over():
    key = ServiceKey.marked(1, "ipv4")
    assert read_rules("# a comment\n\n  # another\n-A -f 1\n") == Table.of([(Service(key), ())])


def test_long_options_and_what_may_be_left_out():
    text = """\
--add-service --tcp-service 192.0.2.1:80 --scheduler rr --persistent --sched-flags flag-2 --ops
--add-server --tcp-service 192.0.2.1:80 --real-server 198.51.100.1 --masquerading --weight 3 --u-threshold 2
--add-server --tcp-service 192.0.2.1:80 --real-server 2001:db8::1 --ipip --tun-type ipip
-A --fwmark-service 2 --ipv6 -p -M 64
-A -f -1
"""
    first, second = ServiceKey.addressed("tcp", "192.0.2.1", 80), ServiceKey.marked(2, "ipv6")
    servers = [RealServer("198.51.100.1", 0, "nat", 3, 2), RealServer("2001:db8::1", 0, "tun")]
    assert read_rules(text) == Table.of(
        [
            (Service(first, "rr", ("flag-2",), 360, None, True), servers),
            (Service(second, persistent=360, netmask="64"), ()),
            (Service(ServiceKey.marked(4294967295, "ipv4")), ()),
        ]
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-C", "-C is neither -A nor -a"),
        ("-A", "the line ends where a value should follow"),
        ("-A -x 192.0.2.1:80", "-x is not known here"),
        ("-A -t web:http", "'web:http' is not an address with a port"),
        ("-A -t 192.0.2.1:65536", "'192.0.2.1:65536' is not an address with a port"),
        ("-A -t 192.0.2.1:80 -s", "the line ends"),
        ("-A -t 192.0.2.1:80 --wrong", "--wrong is not known here"),
        ("-A -t 192.0.2.1:80 -s sh -b mh-port", "'mh-port' is not a flag of scheduler sh"),
        ("-A -f x", "'x' is not a number"),
        ("-a -t 192.0.2.1:80 -r 198.51.100.1:80", "tcp 192.0.2.1:80 is not known here"),
        ("-A -f 1\n-a -f 1 -g", "-r should follow the service"),
        ("-A -f 1\n-a -f 1 -r 198.51.100.1 -w -1", "'-1' is not a number"),
        ("-A -f 1\n-a -f 1 -r 198.51.100.1 --tun-port 70000", "not a number from 0 to 65535"),
    ],
)
def test_what_cannot_be_read_is_named(line, reason):
    with pytest.raises(LvsError) as caught:
        read_rules(line)
    assert reason in str(caught.value) and str(caught.value).startswith(f"Line {line.count(chr(10)) + 1}, ")


WORDS = st.sampled_from(
    [*SAVED.split(), "-f", "-1", "-p", "--pe", "-A", "-a", "\n", "", ":", "[", "]:80", "99999999999"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(WORDS, st.text(max_size=5))).map(" ".join)))
def test_any_text_is_a_table_or_a_refusal(text):
    try:
        table = read_rules(text)
    except LvsError:
        return
    assert read_rules("\n".join(write_rules(table))) == table
