# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers that nobody has seen ready do not enter a table."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openlvs.lvs.plugins.filter.hold_unready import FilterModule, hold_unready

SERVICE = {
    "vip": "192.0.2.77",
    "real_servers": [{"name": "rs1", "address": "192.0.2.11"}, {"address": "192.0.2.50"}],
}


def held(ready, **changes):
    service = {**SERVICE, "real_servers": [{**server, **changes} for server in SERVICE["real_servers"]]}
    (found,) = hold_unready([service], ready)
    return [server.get("hold", False) for server in found["real_servers"]]


def test_a_host_that_is_ready():
    assert held({"rs1": ["192.0.2.77"]}) == [False, False]


@pytest.mark.parametrize("ready", [{}, {"rs1": []}, {"rs1": ["192.0.2.78"]}, {"rs2": ["192.0.2.77"]}])
def test_a_host_that_is_not_ready(ready):
    assert held(ready) == [True, False]


def test_other_ways_than_direct_routing_need_no_silence():
    assert held({}, forward="nat") == [False, False]


def test_the_description_itself_is_not_changed():
    hold_unready([SERVICE], {})
    assert "hold" not in SERVICE["real_servers"][0]


def test_it_says_what_it_takes():
    with pytest.raises(AnsibleFilterError, match="takes a list of services"):
        FilterModule().filters()["hold_unready"]("web", {})
