# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sync daemons, timeouts and counters as bytes, held against pyroute2 with the family declared."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _control_codec as control
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink_codec as codec
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import SyncDaemon
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey
from ansible_collections.openlvs.lvs.plugins.module_utils._timeouts import Timeouts
from hypothesis import given
from hypothesis import strategies as st

from .reference import encode, infomsg, ipvsmsg

FAMILY, SEQUENCE = 29, 7
HEADER = FAMILY, 5, SEQUENCE
DUMP = FAMILY, 0x301, SEQUENCE

DAEMONS = st.builds(
    SyncDaemon,
    st.sampled_from(["master", "backup"]),
    st.sampled_from(["eth0", "lo", "fifteen-letters"]),
    st.integers(0, 255),
    st.sampled_from(["224.0.0.81", "239.255.255.255", "ff02::1", "ff05::51"]),
    st.integers(1, 65535),
    st.integers(1, 255),
    st.integers(1, 65507),
)
TIMEOUTS = st.builds(Timeouts, *[st.integers(0, 2678400)] * 3)


def daemon_attrs(daemon):
    group = "GROUP6" if ":" in daemon.group else "GROUP"
    values = {
        "STATE": ["master", "backup"].index(daemon.role) + 1,
        "MCAST_IFN": daemon.interface,
        "SYNC_ID": daemon.syncid,
        "SYNC_MAXLEN": daemon.maxlen,
        f"MCAST_{group}": daemon.group,
        "MCAST_PORT": daemon.port,
        "MCAST_TTL": daemon.ttl,
    }
    return [(f"IPVS_DAEMON_ATTR_{name}", value) for name, value in values.items()]


def said(command, *attrs, header=HEADER):
    return encode(ipvsmsg, header, command, list(attrs))


def answer(data):
    (message,) = codec.messages(data)
    return codec.genl_attributes(message.payload)


@given(DAEMONS)
def test_a_sync_daemon_starts_stops_and_is_read(daemon):
    started = said(9, ("IPVS_CMD_ATTR_DAEMON", {"attrs": daemon_attrs(daemon)}))
    assert control.start_request(daemon, FAMILY, SEQUENCE) == started
    assert control.daemon_of(answer(started)) == daemon
    stopped = said(10, ("IPVS_CMD_ATTR_DAEMON", {"attrs": daemon_attrs(daemon)[:1]}))
    assert control.stop_request(daemon.role, FAMILY, SEQUENCE) == stopped
    assert set(asdict(daemon)) == {"role", "interface", "syncid", "group", "port", "ttl", "maxlen"}


@given(TIMEOUTS)
def test_timeouts_are_set_and_read(timeouts):
    names = ("TCP", "TCP_FIN", "UDP")
    found = said(12, *((f"IPVS_CMD_ATTR_TIMEOUT_{name}", value) for name, value in zip(names, timeouts)))
    assert control.set_timeouts_request(timeouts, FAMILY, SEQUENCE) == found
    assert control.timeouts_of(answer(found)) == timeouts


def test_a_kernel_without_udp():
    assert control.timeouts_of({control.CMD_TIMEOUT_TCP: b"\1\0\0\0"}) == Timeouts(1, 0, 0)


def test_counters():
    assert control.zero_request(None, FAMILY, SEQUENCE) == said(16)
    one = [("IPVS_SVC_ATTR_AF", 2), ("IPVS_SVC_ATTR_FWMARK", 3)]
    zeroed = said(16, ("IPVS_CMD_ATTR_SERVICE", {"attrs": one}))
    assert control.zero_request(ServiceKey.marked(3, "ipv4"), FAMILY, SEQUENCE) == zeroed


def test_questions():
    assert control.daemons_request(FAMILY, SEQUENCE) == said(11, header=DUMP)
    assert control.timeouts_request(FAMILY, SEQUENCE) == said(13)
    assert control.info_request(FAMILY, SEQUENCE) == said(15)


@pytest.mark.parametrize(("version", "words"), [(0x010201, "1.2.1"), (0x0102FF, "1.2.255")])
def test_version_and_size(version, words):
    attrs = [("IPVS_INFO_ATTR_VERSION", version), ("IPVS_INFO_ATTR_CONN_TAB_SIZE", 4096)]
    found = answer(encode(infomsg, (FAMILY, 0, SEQUENCE), 14, attrs))
    assert control.info_of(found) == {"version": words, "connection_table_size": 4096}
