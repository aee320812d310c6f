# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Real servers that nobody has seen ready: kept out, unless the daemon or the kernel knows them already."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey, canonical_address

Data = t.Mapping[str, t.Any]
Known = t.Mapping[str, t.AbstractSet[tuple[str, int]]]

# By what a comment before each virtual server of a file begins.
MARK = "# service"
_SERVICE = re.compile(f"{MARK} (?P<key>.+)")


def sorted_out(
    servers: t.Sequence[Data], settings: Data, line: re.Pattern[str]
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """The virtual servers without the real servers that are held back and that nobody knows yet, and who those are.

    :arg settings: ``found``, the text of the host's file, and ``table``, the kernel's as ``ipvs_info`` returns it.
    :arg line: how a real server stands in such a file.
    """
    known = [known_in_config(settings.get("found") or "", line), known_in_table(settings.get("table") or ())]
    ready = without_unknown(servers, known)
    held = [
        str(server.get("name") or server["address"])
        for before, after in zip(servers, ready)
        for server in before.get("real_servers", ())
        if not any(server["address"] == other["address"] for other in after["real_servers"])
    ]
    return ready, list(dict.fromkeys(held))


def known_in_config(text: str, pattern: re.Pattern[str]) -> dict[str, set[tuple[str, int]]]:
    """The real servers of each service in a file that was written here."""
    found: dict[str, set[tuple[str, int]]] = {}
    servers: set[tuple[str, int]] = set()
    for line in text.splitlines():
        service, server = _SERVICE.fullmatch(line), pattern.fullmatch(line)
        if service:
            servers = found.setdefault(service["key"], set())
        elif server:
            servers.add((server["address"], int(server["port"] or 0)))
    return found


def known_in_table(services: t.Iterable[Data]) -> dict[str, set[tuple[str, int]]]:
    """:arg services: as ``ipvs_info`` returns them."""
    return {one["service"]: {(server["address"], server["port"]) for server in one["real_servers"]} for one in services}


def without_unknown(servers: t.Sequence[Data], known: t.Sequence[Known]) -> list[dict[str, t.Any]]:
    """The virtual servers without the real servers that are held back and that nobody knows yet."""
    return [{**one, "real_servers": list(_ready(one, known))} for one in servers]


def _ready(one: Data, known: t.Sequence[Known]) -> t.Iterator[dict[str, t.Any]]:
    key = _key(one)
    for server in one.get("real_servers", ()):
        place = (canonical_address(str(server["address"])) or "", int(server.get("port") or one.get("port") or 0))
        if not server.get("hold") or any(place in found.get(str(key), ()) for found in known):
            yield {name: value for name, value in server.items() if name != "hold"}


def _key(one: Data) -> ServiceKey:
    if one.get("mark"):
        return ServiceKey.marked(int(one["mark"]), str(one.get("family") or "ipv4"))
    address = canonical_address(str(one["vip"])) or ""
    return ServiceKey.addressed(str(one.get("protocol") or "tcp"), address, int(one["port"]))
