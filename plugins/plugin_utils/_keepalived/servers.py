# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Virtual servers and their real servers, in the words of keepalived.conf(5)."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    TUNNEL_CHECKSUMS,
    RealServer,
    Service,
    ServiceKey,
    Table,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.checkers import write_check
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.words import judge_words, write_words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.writer import Writer
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.checker import name_of, remembers
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.known import MARK
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.servers import Watched

# A line of a real server, by which one that was written is known.
REAL_SERVER = re.compile(r" +real_server (?P<address>\S+)( (?P<port>\d+))? \{")


def remembered_by(watched: Watched) -> list[t.Mapping[str, t.Any]]:
    """The checks that keepalived cannot count, each once."""
    found: list[t.Mapping[str, t.Any]] = []
    for checks in watched.checks.values():
        found += [check for check in checks if remembers(check) and check not in found]
    return found


def write_virtual_server(writer: Writer, watched: Watched, table: Table) -> None:
    key, options = watched.key, watched.options
    service = table.services[key]
    writer.gap()
    writer.line(MARK, key)
    with writer.block("virtual_server", *_head(key)):
        writer.line("lvs_sched", service.scheduler)
        for flag in service.scheduler_flags:
            writer.line(flag)
        if key.protocol == "mark":
            writer.line("ip_family", "inet6" if key.family == "ipv6" else "inet")
        else:
            writer.line("protocol", key.protocol.upper())
        _write_persistence(writer, service)
        if service.ops:
            writer.line("ops")
        for keyword in ("quorum", "hysteresis"):
            if options.get(keyword):
                writer.line(keyword, int(options[keyword]))
        if options.get("inhibit_on_failure"):
            writer.line("inhibit_on_failure")
        judge_words(writer, watched.where, options.get("keepalived"), words.VIRTUAL_SERVER)
        write_words(writer, watched.where, options.get("keepalived"), words.VIRTUAL_SERVER)
        if watched.sorry:
            writer.line("sorry_server", *_place(watched.sorry))
            writer.line("sorry_server_lvs_method", _method(watched.sorry))
        for place, server in table.servers(key).items():
            _write_real_server(writer, watched, place, server)


def _head(key: ServiceKey) -> tuple[object, ...]:
    if key.protocol == "mark":
        return ("fwmark", key.mark)
    return (key.address, key.port) if key.port else (key.address,)


def _place(server: RealServer) -> tuple[object, ...]:
    return (server.address, server.port) if server.port else (server.address,)


def _write_persistence(writer: Writer, service: Service) -> None:
    if service.persistent is None:
        return
    writer.line("persistence_timeout", service.persistent)
    if service.netmask is not None:
        writer.line("persistence_granularity", service.netmask)
    if service.pe:
        writer.line("persistence_engine", service.pe)


def _method(server: RealServer) -> str:
    if server.forward != "tun":
        return server.forward.upper()
    method = ["TUN", "type", server.tunnel_type]
    if server.tunnel_port:
        method += ["port", str(server.tunnel_port)]
    if server.tunnel_flags:
        method.append(TUNNEL_CHECKSUMS[server.tunnel_flags])
    return " ".join(method)


def _write_real_server(writer: Writer, watched: Watched, place: tuple[str, int], server: RealServer) -> None:
    name, remembered = name_of(watched.key), remembered_by(watched)
    with writer.block("real_server", *_place(server)):
        writer.line("weight", server.weight)
        writer.line("lvs_method", _method(server))
        if server.upper_threshold:
            writer.line("uthreshold", server.upper_threshold)
        if server.lower_threshold:
            writer.line("lthreshold", server.lower_threshold)
        subject = f"{watched.where}, real server {server.address}"
        judge_words(writer, subject, watched.words[place], words.REAL_SERVER)
        write_words(writer, subject, watched.words[place], words.REAL_SERVER)
        for number, check in enumerate(watched.checks[place]):
            where = watched.called(server.address, number)
            which = remembered.index(check) if check in remembered else None
            write_check(writer, where, check, place, f"{name} {server.address} {server.port} {which}")
