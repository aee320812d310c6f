# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep real servers out of a table that nobody has seen ready; documented in the file of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

Service = t.Mapping[str, t.Any]


def hold_unready(services: t.Sequence[Service], ready: t.Mapping[str, t.Sequence[str]]) -> list[dict[str, t.Any]]:
    """The services, with ``hold`` on every real server that must have its VIP silently and does not."""
    if not isinstance(services, (list, tuple)) or not isinstance(ready, t.Mapping):
        raise AnsibleFilterError("hold_unready takes a list of services, and a dictionary: host, its silent VIPs")
    silent = {str(host): frozenset(str(vip) for vip in vips) for host, vips in ready.items()}
    return [{**service, "real_servers": _marked(service, silent)} for service in services]


def _marked(service: Service, silent: t.Mapping[str, frozenset[str]]) -> list[dict[str, t.Any]]:
    vip = str(service.get("vip"))
    marked = []
    for server in service.get("real_servers", []):
        name = server.get("name")
        waits = name is not None and server.get("forward", "dr") == "dr" and vip not in silent.get(str(name), ())
        marked.append({**server, "hold": True} if waits else dict(server))
    return marked


class FilterModule:
    """What Ansible asks a filter plugin for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"hold_unready": hold_unready}
