# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's list of connections, line by line."""

from __future__ import annotations

import tracemalloc

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _connections
from ansible_collections.openlvs.lvs.plugins.module_utils._connections import Connection, parse, read, select
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from hypothesis import given
from hypothesis import strategies as st

HEADINGS = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
# As Linux 7.2 and 6.1 write them.
TCP = "TCP C0000209 E990 C000020A 0050 C633640B 1F90 ESTABLISHED     899\n"
TCP6 = (
    "TCP 2001:0db8:0000:0000:0000:0000:0000:0010 E990 2001:0db8:0000:0000:0000:0000:0000:0010 0050"
    " 2001:0db8:0000:0000:0000:0000:0000:0099 0050 SYN_RECV         58\n"
)
MIXED = "UDP C0000209 A194 C000020A 0035 2001:0db8:0000:0000:0000:0000:0000:0099 0035 UDP             299\n"
TEMPLATE = "TCP C0000200 0000 C000020A 0050 C633640B 0050 NONE             58\n"
MARK = "IP  C0000201 0000 00000003 0000 C633640B 0000 NONE             59\n"
MARK6 = (
    "IP  2001:0db8:0000:0000:0000:0000:0000:0010 0000 8000:0003:0000:0000:0000:0000:0000:0000 0000"
    " 2001:0db8:0000:0000:0000:0000:0000:0099 0000 NONE             59\n"
)
SIP = "UDP C0000201 0000 C000020A 13C4 C633640B 13C4 NONE             59 sip abc123@host\n"
ALL = [TCP, TCP6, MIXED, TEMPLATE, MARK, MARK6, SIP]


def everything(connection):
    return True


def test_a_connection():
    assert parse(TCP) == Connection(
        protocol="tcp",
        client="192.0.2.9",
        client_port=59792,
        vip="192.0.2.10",
        port=80,
        mark=None,
        family="ipv4",
        address="198.51.100.11",
        server_port=8080,
        state="ESTABLISHED",
        expires=899,
        template=False,
        pe=None,
        pe_data=None,
    )


def test_ipv6_and_mixed_families():
    six = parse(TCP6)
    assert (six.client, six.vip, six.address, six.family) == ("2001:db8::10", "2001:db8::10", "2001:db8::99", "ipv6")
    mixed = parse(MIXED)
    assert (mixed.client, mixed.address, mixed.family) == ("192.0.2.9", "2001:db8::99", "ipv4")


def test_templates():
    plain = parse(TEMPLATE)
    assert plain.template and (plain.client, plain.client_port, plain.port) == ("192.0.2.0", 0, 80)
    marked = parse(MARK)
    assert (marked.protocol, marked.mark, marked.vip, marked.port, marked.template) == ("mark", 3, None, None, True)
    marked = parse(MARK6)
    assert (marked.protocol, marked.mark, marked.family) == ("mark", 0x80000003, "ipv6")
    sip = parse(SIP)
    assert sip.template and (sip.pe, sip.pe_data) == ("sip", "abc123@host")


def test_no_more_are_kept_than_wanted_and_all_are_counted():
    found, count = select(iter(ALL), everything, 2)
    assert found == [parse(TCP), parse(TCP6)] and count == len(ALL)
    assert select(iter(ALL), lambda one: one.template, 9) == ([parse(line) for line in ALL[3:]], 4)
    assert select(iter(ALL), everything, 0) == ([], len(ALL))


def test_the_kernels_list(tmp_path, monkeypatch):
    monkeypatch.setattr(_connections, "PATH", str(tmp_path / "ip_vs_conn"))
    assert read(everything, 9) == ([], 0)
    (tmp_path / "ip_vs_conn").write_text(HEADINGS + TCP)
    assert read(everything, 9) == ([parse(TCP)], 1)


def test_a_long_list_takes_no_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(_connections, "PATH", str(tmp_path / "ip_vs_conn"))
    (tmp_path / "ip_vs_conn").write_text(HEADINGS + TCP * 50_000)
    tracemalloc.start()
    try:
        assert read(everything, 10) == ([parse(TCP)] * 10, 50_000)
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


@given(st.text() | st.lists(st.sampled_from([*" ".join(ALL).split(), "", "::", "XYZ"]), max_size=13).map(" ".join))
def test_any_line_is_a_connection_or_refused(line):
    try:
        ((found,), count) = select([line], everything, 1)
    except LvsError as exc:
        assert "does not understand the line" in str(exc)
    else:
        assert count == 1 and found.expires >= 0


@pytest.mark.parametrize("cut", [1, 20, 45])
def test_what_was_cut_short_is_refused(cut):
    with pytest.raises(LvsError, match="does not understand the line 'TCP"):
        select([TCP[:-cut] if cut != 1 else TCP.replace("899", "89x")], everything, 1)
