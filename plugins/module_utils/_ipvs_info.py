# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the module ipvs_info does: everything that the kernel tells, in the words of the options. Loads nothing."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _connections, _sysctl
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_address
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import describe_real_server, describe_service
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs, Observed
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_family import loaded
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import ROLES
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey, address_key

_FILTERS = ("vip", "port", "protocol", "mark", "family")


def _describe(observed: Observed, sort: str) -> dict[str, t.Any]:
    servers = observed.servers
    if sort == "address":
        servers = sorted(servers, key=lambda found: (address_key(found[0].address), found[0].port))
    return {
        "service": str(observed.service.key),
        **describe_service(observed.service),
        "stats": observed.stats,
        "real_servers": [
            {**describe_real_server(server), **connections, "stats": stats} for server, connections, stats in servers
        ],
    }


def _matcher(params: t.Mapping[str, t.Any]) -> t.Callable[[t.Any], bool]:
    """Says of a connection whether it is asked for, and of a service.

    :raises OptionError: when the options name nothing that can be there.
    """
    said = {name: params[name] for name in _FILTERS if params[name] is not None}
    if "vip" in said:
        said["vip"] = read_address(said["vip"], "vip")
    if params["connections_limit"] < 0:
        raise OptionError([f"connections_limit {params['connections_limit']}: use 0 or more."])
    return lambda found: all(getattr(found, name) == value for name, value in said.items())


class _Named(t.NamedTuple):
    """What names a service, with nothing where it has no such thing."""

    vip: str | None
    port: int | None
    protocol: str | None
    mark: int | None
    family: str

    @staticmethod
    def of(key: ServiceKey) -> _Named:
        if key.protocol == "mark":
            return _Named(None, None, None, key.mark, key.family)
        return _Named(key.address, key.port, key.protocol, None, key.family)


def look(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the module returns.

    :raises LvsError: when an option cannot be, or the kernel does not say.
    """
    wanted = _matcher(params)
    control = Control()
    available = loaded()
    daemons = control.daemons()
    result = {
        "available": available,
        **control.info(),
        "timeouts": control.timeouts()._asdict(),
        "daemons": [dataclasses.asdict(daemons[role]) for role in ROLES if role in daemons],
        "settings": _sysctl.of_ipvs(),
        "services": [
            _describe(observed, params["sort"]) for observed in Ipvs().observe(lambda key: wanted(_Named.of(key)))
        ],
    }
    if params["connections"]:
        found, count = _connections.read(wanted, params["connections_limit"])
        result.update(connections=[one._asdict() for one in found], connections_total=count)
    return result
