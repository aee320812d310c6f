# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values: names of services, addresses, order of listings."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServer,
    Service,
    ServiceKey,
    Table,
    canonical_address,
)
from hypothesis import given
from hypothesis import strategies as st

from .tables import keys


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (ServiceKey.addressed("tcp", "192.0.2.10", 80), "tcp 192.0.2.10:80"),
        (ServiceKey.addressed("udp", "2001:db8::10", 53), "udp [2001:db8::10]:53"),
        (ServiceKey.addressed("sctp", "192.0.2.10", 0), "sctp 192.0.2.10:0"),
        (ServiceKey.marked(3, "ipv4"), "mark 3 ipv4"),
        (ServiceKey.marked(4294967295, "ipv6"), "mark 4294967295 ipv6"),
    ],
)
def test_names(key, name):
    assert str(key) == name
    assert ServiceKey.parse(name) == key


@given(keys())
def test_every_name_leads_back_to_its_service(key):
    assert ServiceKey.parse(str(key)) == key


@given(st.text())
def test_other_texts_are_no_names(text):
    with pytest.raises(LvsError, match="does not name a virtual service"):
        ServiceKey.parse(text)


@pytest.mark.parametrize(
    "text", ["tcp 192.0.2.10", "tcp 192.0.2.300:80", "mark 3", "mark x ipv4", "tcp [192.0.2.1]:80 "]
)
def test_what_looks_like_a_name_is_refused(text):
    with pytest.raises(LvsError, match="does not name a virtual service"):
        ServiceKey.parse(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("192.0.2.01", None),
        ("192.0.2.1/24", None),
        ("192.0.2", None),
        ("2001:db8::1%eth0", None),
        ("web", None),
        ("", None),
        ("192.0.2.1\0", None),
    ],
)
def test_addresses(text, canonical):
    assert canonical_address(text) == canonical


def test_listings_are_sorted_by_number():
    keys_in_order = [
        ServiceKey.addressed("tcp", "192.0.2.9", 80),
        ServiceKey.addressed("tcp", "192.0.2.10", 80),
        ServiceKey.addressed("tcp", "192.0.2.10", 443),
        ServiceKey.addressed("udp", "192.0.2.10", 53),
        ServiceKey.addressed("tcp", "2001:db8::1", 80),
        ServiceKey.marked(9, "ipv4"),
        ServiceKey.marked(10, "ipv4"),
        ServiceKey.marked(1, "ipv6"),
    ]
    table = Table.of((Service(key), [RealServer("192.0.2.1", 1)]) for key in reversed(keys_in_order))
    assert [service.key for service, dummy in table.entries()] == keys_in_order
    assert list(table.only(keys_in_order[:1]).services) == keys_in_order[:1]
