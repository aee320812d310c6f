# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Virtual servers and their real servers, in the words of ldirectord.cf."""

from __future__ import annotations

import re

from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, ServiceKey, Table
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord.checks import write_check
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord.writer import Writer
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.known import MARK
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.servers import Watched

# A line of a real server, by which one that was written is known.
REAL_SERVER = re.compile(r" +real6?=\[?(?P<address>[^\]\s]+?)\]?(:(?P<port>\d+))? .+")
_FORWARDS = {"dr": "gate", "nat": "masq", "tun": "ipip"}
_LACKING = ("quorum", "hysteresis")


def write_virtual(writer: Writer, watched: Watched, table: Table, own_interval: bool) -> None:
    """:arg own_interval: each virtual server is looked after by a process of its own, at its own pace."""
    key, options, where = watched.key, watched.options, watched.where
    service = table.services[key]
    six = "6" if key.family == "ipv6" else ""
    _refuse(writer, watched, table)
    writer.line("")
    writer.line(f"{MARK} {key}")
    writer.line(f"virtual{six}={_place(key)}")
    writer.option("protocol", "fwm" if key.protocol == "mark" else key.protocol)
    writer.option("scheduler", service.scheduler)
    if service.scheduler_flags:
        writer.option("schedflags", ",".join(service.scheduler_flags))
    if service.ops:
        writer.option("ops", "yes")
    if service.persistent is not None:
        writer.option("persistent", service.persistent)
        if service.netmask is not None:
            writer.option("netmask", service.netmask)
    write_check(writer, where, watched, own_interval)
    writer.option("quiescent", "yes" if options.get("inhibit_on_failure") else "no")
    if watched.sorry:
        writer.option(f"fallback{six}", f"{_endpoint(watched.sorry)} {_FORWARDS[watched.sorry.forward]}")
    for server in table.servers(key).values():
        words = [_endpoint(server), _FORWARDS[server.forward], str(server.weight)]
        words += [f"l:{server.lower_threshold}"] if server.lower_threshold else []
        words += [f"u:{server.upper_threshold}"] if server.upper_threshold else []
        writer.option(f"real{six}", " ".join(words))


def _refuse(writer: Writer, watched: Watched, table: Table) -> None:
    key, where = watched.key, watched.where
    if key.protocol == "sctp":
        writer.wrong(where, "ldirectord knows tcp and udp, not sctp")
    if table.services[key].pe:
        writer.wrong(where, "ldirectord has no word for pe, a persistence engine. Leave it out")
    for name in _LACKING:
        if watched.options.get(name):
            text = (
                f"{name} {watched.options[name]}: ldirectord counts no servers, and the sorry server answers when all"
            )
            writer.wrong(where, f"{text} are out. Leave {name} out, or use lvs_engine 'keepalived'")
    if any(server.get("checks") for server in watched.options.get("real_servers", ())):
        writer.wrong(where, "ldirectord looks at all real servers of a service in one way: put checks into the service")
    for server in table.servers(key).values():
        if server.forward == "tun" and server.tunnel_type != "ipip":
            writer.wrong(where, f"tunnel_type {server.tunnel_type}: ldirectord has tunnels by ipip alone")
        if (":" in server.address) != (key.family == "ipv6"):
            text = f"real server {server.address} is of another family than its service, and ldirectord cannot"
            writer.wrong(where, f"{text} write that")


def _place(key: ServiceKey) -> str:
    if key.protocol == "mark":
        return str(key.mark)
    return f"[{key.address}]:{key.port}" if key.family == "ipv6" else f"{key.address}:{key.port}"


def _endpoint(server: RealServer) -> str:
    """Without a port where it is the one that the client asked for."""
    address = f"[{server.address}]" if ":" in server.address else server.address
    return f"{address}:{server.port}" if server.port else address
