# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The machines behind a service: real servers, how they are checked, who answers when none is left."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import MAX_PORT, MAX_THRESHOLD
from ansible_collections.openlvs.lvs.plugins.module_utils._table import TUNNEL_CHECKSUMS, TUNNEL_TYPES
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import Entry
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import did_you_mean
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Check, RealServer, SorryServer, Wrapping
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.tracked import BFD_INTERVAL

TUNNEL_KEYS = ("tunnel_type", "tunnel_port", "tunnel_checksum")
COMMON_KEYS = ("port", "weight", "forward", *TUNNEL_KEYS, "upper_threshold", "lower_threshold", "checks", "keepalived")
SERVER_KEYS = ("group", "host", "address", "unmanaged", *COMMON_KEYS)
CHECK_KEYS = (
    "type",
    "port",
    "path",
    "host",
    "status",
    "digest",
    "regex",
    "record",
    "payload",
    "reply",
    "interval",
    "timeout",
    "retry_delay",
    "fall",
    "rise",
    "window",
    "failures",
    "keepalived",
)
_ASKING = tuple(kind for kind in words.CHECK_TYPES if kind not in words.TOLD)
_OF_KINDS = {
    "port": _ASKING,
    "interval": (*_ASKING, "bfd"),
    "timeout": _ASKING,
    "retry_delay": _ASKING,
    "fall": (*_ASKING, "bfd"),
    "rise": _ASKING,
    "window": _ASKING,
    "failures": _ASKING,
    "path": ("http", "https", "script", "file"),
    "host": ("http", "https", "smtp", "dns"),
    "status": ("http", "https"),
    "digest": ("http", "https"),
    "regex": ("http", "https", "dns"),
    "record": ("dns",),
    "payload": ("udp",),
    "reply": ("udp",),
}
_SORRY_FORWARDS = ("dr", "nat")
SORRY_KEYS = ("address", "port", "forward")
_EXAMPLE = "{host: rs1}, {group: web_servers} or {address: 192.0.2.20, unmanaged: true}"

Groups = t.Mapping[str, t.Sequence[str]]


def read_real_servers(service: Entry, forward: str, groups: Groups) -> tuple[RealServer, ...]:
    """In the order of the description, groups opened in the order of the inventory: hashing schedulers depend on it."""
    hosts = frozenset(groups.get("all", ()))
    tunnel = _read_wrapping(service, Wrapping())
    found: list[RealServer] = []
    for number, item in service.mappings("real_servers", _EXAMPLE):
        entry = Entry(service.findings, f"{service.at('real_servers')} real_servers[{number}]", item, SERVER_KEYS)
        found += _read_real_server(entry, forward, tunnel, groups, hosts)
    _check_tunnel(service, [forward, *(server.forward for server in found)])
    if service.get("real_servers") in (None, []):
        text = "has no real servers: the kernel refuses every client; name hosts, a group or unmanaged machines"
        service.wrong("real_servers", text)
    return tuple(found)


def _read_wrapping(entry: Entry, other: Wrapping) -> Wrapping:
    """:arg other: what holds where the entry says nothing; of another type of tunnel nothing does."""
    kind = entry.choice("tunnel_type", TUNNEL_TYPES) or other.type
    rest = other if kind == other.type else Wrapping(kind)
    port = entry.number("tunnel_port", 1, MAX_PORT)
    checksum = entry.choice("tunnel_checksum", TUNNEL_CHECKSUMS)
    return Wrapping(kind, rest.port if port is None else port, checksum or rest.checksum)


def _check_tunnel(entry: Entry, forwards: t.Sequence[str]) -> None:
    said = [key for key in TUNNEL_KEYS if entry.has(key)]
    if said and "tun" not in forwards:
        text = f"{', '.join(f'{key} {entry.get(key)}' for key in said)}: forward {forwards[0]} has no tunnel"
        entry.wrong(said[0], f"{text}. Say forward: tun, or leave it out")


def _read_real_server(
    entry: Entry, forward: str, tunnel: Wrapping, groups: Groups, hosts: frozenset[str]
) -> list[RealServer]:
    group, host, unmanaged = entry.text("group"), entry.text("host"), entry.flag("unmanaged")
    address = entry.address("address", "write the address alone")
    weight = entry.number("weight", 0, words.MAX_WEIGHT)
    names: t.Sequence[str | None] = ()
    if entry.has("group") == entry.has("host") and (entry.has("group") or not entry.has("address")):
        entry.wrong("host", f"needs one of host, group and address: {_EXAMPLE}")
    elif group is not None:
        names = _group(entry, group, groups)
        if address is not None:
            text = f"has an address beside group '{group}': the addresses of its hosts are their lvs_addresses"
            entry.wrong("address", text)
    elif host is not None:
        names = (host,) if host in hosts else ()
        if not names:
            entry.wrong("host", f"host '{host}' is not in the inventory{did_you_mean(host, hosts)}")
    elif unmanaged:
        names = (None,)
    elif address is not None:
        text = f"address {address} has no host: say host: NAME, or unmanaged: true when nobody shall look after it"
        entry.wrong("address", text)
    if unmanaged and (group or host):
        entry.wrong("unmanaged", "unmanaged is for an address alone: hosts of the inventory are looked after")
    checks = read_checks(entry)
    chosen = entry.choice("forward", words.FORWARDS) or forward
    _check_tunnel(entry, [chosen])
    return [
        RealServer(
            where=entry.where,
            host=name,
            address=None if group else address,
            port=entry.number("port", 1, MAX_PORT),
            forward=chosen,
            weight=None if group else weight,
            group_weight=weight if group else None,
            upper_threshold=entry.number("upper_threshold", 0, MAX_THRESHOLD) or 0,
            lower_threshold=entry.number("lower_threshold", 0, MAX_THRESHOLD) or 0,
            keepalived=entry.words("keepalived"),
            checks=checks,
            wrapping=_read_wrapping(entry, tunnel) if chosen == "tun" else None,
        )
        for name in names
    ]


def _group(entry: Entry, group: str, groups: Groups) -> t.Sequence[str]:
    if group not in groups:
        entry.wrong("group", f"group '{group}' is not in the inventory{did_you_mean(group, groups)}")
        return ()
    if not groups[group]:
        entry.wrong("group", f"group '{group}' has no hosts")
    return groups[group]


def read_checks(outer: Entry) -> tuple[Check, ...]:
    """Of a service, or of one real server."""
    found = []
    for number, item in outer.mappings("checks", "{type: http, path: /}"):
        entry = Entry(outer.findings, f"{outer.at('checks')} checks[{number}]", item, CHECK_KEYS)
        if not entry.has("type"):
            entry.wrong("type", f"has no type: one of {', '.join(words.CHECK_TYPES)}")
        _check_words(entry)
        found.append(
            Check(
                type=entry.choice("type", words.CHECK_TYPES) or "tcp",
                port=entry.number("port", 1, MAX_PORT),
                path=entry.text("path"),
                host=entry.text("host"),
                status=entry.numbers("status", 100, 599),
                digest=entry.text("digest"),
                regex=entry.text("regex"),
                record=entry.text("record"),
                payload=entry.text("payload"),
                reply=entry.text("reply"),
                interval=_read_interval(entry),
                timeout=entry.number("timeout", 1, 86400) or 3,
                retry_delay=entry.number("retry_delay", 1, 86400),
                fall=entry.number("fall", 1, 100) or 3,
                rise=entry.number("rise", 1, 100) or 1,
                window=entry.number("window", 2, 1000),
                failures=entry.number("failures", 1, 1000),
                keepalived=entry.words("keepalived"),
            )
        )
    return tuple(found)


def _read_interval(entry: Entry) -> float:
    """BFD is there to be fast."""
    if entry.get("type") == "bfd":
        return entry.seconds("interval") or BFD_INTERVAL
    return entry.number("interval", 1, 86400) or 6


def _check_words(entry: Entry) -> None:
    """What is for another kind of check would be left out in silence."""
    kind = entry.get("type")
    if entry.has("window") and (entry.has("fall") or entry.has("rise")):
        entry.wrong("window", "window counts by itself: leave out fall and rise, or window")
    for word, kinds in _OF_KINDS.items():
        if entry.has(word) and kind in words.CHECK_TYPES and kind not in kinds:
            entry.wrong(word, f"{word} is for checks of type {', '.join(kinds)}, not {kind}. Leave it out")


def read_sorry_server(service: Entry) -> SorryServer | None:
    value = service.get("sorry_server")
    if value is None:
        return None
    if not isinstance(value, dict):
        service.wrong("sorry_server", "sorry_server must be a dictionary such as {port: 8080}")
        return None
    entry = Entry(service.findings, f"{service.at('sorry_server')} sorry_server", value, SORRY_KEYS)
    address = entry.address("address", "write the address alone")
    port = entry.number("port", 1, MAX_PORT)
    forward = entry.choice("forward", _SORRY_FORWARDS) or "nat"
    return SorryServer(address, port, forward) if address or not entry.has("address") else None
