# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The services of a daemon as its module takes them: those of ``ipvs_services``, and how it looks after them."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, ServiceKey, Table

_BESIDE = ("sorry_server", "quiescent")

Services = t.Sequence[t.Mapping[str, t.Any]]


def described(services: Services) -> Table:
    """The table when all servers are well."""
    return read_services(_alone(one) for one in services).table


def sorry_servers(services: Services) -> dict[ServiceKey, RealServer]:
    """Who answers for a service when too few are well."""
    found = {}
    for one in services:
        if one.get("sorry_server"):
            table = read_services([{**_alone(one), "real_servers": [one["sorry_server"]]}]).table
            for key in table.services:
                for server in table.servers(key).values():
                    found[key] = server
    return found


def quiescent(services: Services) -> frozenset[ServiceKey]:
    """Those whose failed servers stay in the table, with weight 0."""
    return frozenset(described([one for one in services if one.get("quiescent")]).services)


def _alone(service: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {key: value for key, value in service.items() if key not in _BESIDE}
