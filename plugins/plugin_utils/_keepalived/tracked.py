# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What keepalived is told of, or runs, beside its checks: scripts, processes, files and sessions of BFD (RFC 5880).

Instances of VRRP watch them by their names. Files and sessions that checks of real servers ask for have no names there:
each is made once, however many checks ask for it.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.words import judge_words, write_words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.writer import Writer, is_bare, seconds
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.servers import Watched

Data = t.Mapping[str, t.Any]

# What an instance calls them, where they are described, and what one of them is.
TRACKED = {
    "track_scripts": ("scripts", "script"),
    "track_processes": ("processes", "process"),
    "track_files": ("files", "file"),
    "track_bfds": ("bfds", "bfd"),
}
BFD_INTERVAL = 0.3  # seconds; keepalived's own hundredth is less than a busy machine sleeps
_BFD_INTERVALS = 0.001, 10
_BFD_FALL = 3
_BFD_NAME = 31
BFD_PORTS = 3784, 4784  # to a neighbour; over several hops


def write_tracked(writer: Writer, settings: Data) -> None:
    """Those with names."""
    for one in _described(settings, "processes"):
        _write_process(writer, one)
    for one in _described(settings, "scripts"):
        _write_script(writer, one)
    for one in _described(settings, "files"):
        where = f"keepalived_files {one['name']}"
        text = writer.string(where, "path", _absolute(writer, where, one["path"]))
        _write_file(writer, writer.name(where, "name", one["name"]), text, one.get("weight"), one.get("init"))
    for one in _described(settings, "bfds"):
        _write_named_session(writer, one)


def _described(settings: Data, key: str) -> list[Data]:
    """Without words that are there, and empty."""
    return [{word: value for word, value in one.items() if value is not None} for one in settings.get(key) or ()]


def write_for_checks(writer: Writer, services: t.Sequence[Watched], bfds: t.Sequence[Data]) -> None:
    """Those that checks ask for.

    :arg bfds: the sessions with names.
    """
    paths = [_path_of(writer, where, check) for where, _address, check in _asked(services, "file")]
    for path in dict.fromkeys(paths):
        _write_file(writer, path, path)
    named = {_address_of(writer, f"keepalived_bfds {one['name']}", one["neighbour"]): one["name"] for one in bfds}
    sessions: dict[str, tuple[str, Data]] = {}
    for where, address, check in _asked(services, "bfd"):
        neighbour = _address_of(writer, where, check.get("address") or address)
        if neighbour in named:
            text = f"keepalived_bfds has a session with {neighbour} already, '{named[neighbour]}', and there can be one"
            writer.wrong(where, f"{text}. Leave out one of them")
        elif neighbour not in sessions:
            sessions[neighbour] = where, check
            _write_session(writer, where, _name_of(neighbour), {**check, "neighbour": neighbour})
        elif _session(check) != _session(sessions[neighbour][1]):
            text = f"its session of BFD with {neighbour} is not that of {sessions[neighbour][0]}"
            writer.wrong(where, f"{text}: there is one for both. Say the same in both")


def _asked(services: t.Iterable[Watched], kind: str) -> t.Iterator[tuple[str, str, Data]]:
    """Each check of a kind, how messages name it, and the address of its real server."""
    for service in services:
        for (address, _port), checks in service.checks.items():
            for number, check in enumerate(checks):
                if check["type"] == kind:
                    yield service.called(address, number), address, check


def write_check(writer: Writer, where: str, check: Data, address: str) -> None:
    """What stands in a real server."""
    kind = str(check["type"])
    if kind == "file":
        writer.line("track_file", check.get("path"))
    else:
        writer.line("name", _name_of(_address_of(writer, where, check.get("address") or address)))
    judge_words(writer, where, check.get("keepalived"), words.CHECKS[kind], words.BLOCKS.get(kind, {}))
    write_words(writer, where, check.get("keepalived"), words.CHECKS[kind])


def _absolute(writer: Writer, where: str, path: object) -> str:
    if not str(path or "").startswith("/"):
        writer.wrong(where, f"it needs the path of a file on the director, absolute, not {path!r}")
    return str(path)


def _address_of(writer: Writer, where: str, value: object) -> str:
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError:
        writer.wrong(where, f"{value!r} is no address")
        return "::"


def _path_of(writer: Writer, where: str, check: Data) -> str:
    path = _absolute(writer, where, check.get("path"))
    if not is_bare(path):
        writer.wrong(where, f"path {path!r} of a check must be letters, digits and ./_-: it is the file's name, too")
    return path


def _name_of(neighbour: str) -> str:
    """Its address, unless keepalived would cut that off."""
    return neighbour if len(neighbour) <= _BFD_NAME else ipaddress.ip_address(neighbour).exploded.replace(":", "")[1:]


def _session(check: Data) -> Data:
    said = {word: value for word, value in (check.get("keepalived") or {}).items() if word in words.BFD}
    return {**{key: check.get(key) for key in ("source", "interval", "fall")}, **said}


def _write_process(writer: Writer, one: Data) -> None:
    where = f"keepalived_processes {one['name']}"
    writer.gap()
    with writer.block("vrrp_track_process", writer.name(where, "name", one["name"])):
        writer.line("process", writer.string(where, "process", one["process"]))
        for key in ("quorum", "weight"):
            if one.get(key) is not None:
                writer.line(key, int(one[key]))


def _write_script(writer: Writer, one: Data) -> None:
    where = f"keepalived_scripts {one['name']}"
    if not str(one["command"]).startswith("/"):
        writer.wrong(where, f"command {one['command']!r} must be an absolute path, with its arguments behind it")
    writer.gap()
    with writer.block("vrrp_script", writer.name(where, "name", one["name"])):
        writer.line("script", _quoted(writer.string(where, "command", one["command"])))
        writer.line("interval", seconds(one.get("interval", 1)))
        writer.line("timeout", seconds(one.get("timeout", 3)))
        writer.line("fall", int(one.get("fall", 3)))
        writer.line("rise", int(one.get("rise", 1)))
        if one.get("weight"):
            writer.line("weight", int(one["weight"]))
        if one.get("user"):
            if one["user"] == "root":
                writer.wrong(where, "user root: scripts never run as root. Name a user without rights")
            writer.line("user", writer.name(where, "user", one["user"]))


def _quoted(text: str) -> str:
    return text if text.startswith('"') else f'"{text}"'


def _write_file(writer: Writer, name: str, path: str, weight: object = None, init: object = None) -> None:
    writer.gap()
    with writer.block("track_file", name):
        writer.line("file", path)
        writer.line("weight", int(str(weight or 0)))
        if init is not None:
            writer.line("init_file", int(str(init)))


def _write_named_session(writer: Writer, one: Data) -> None:
    where = f"keepalived_bfds {one['name']}"
    name = writer.name(where, "name", one["name"])
    if len(name) > _BFD_NAME:
        writer.wrong(where, f"name {name!r} has {len(name)} characters: keepalived takes {_BFD_NAME}")
    judge_words(writer, where, one.get("keepalived"), words.BFD)
    _write_session(writer, where, name, one)


def _write_session(writer: Writer, where: str, name: str, one: Data) -> None:
    neighbour = _address_of(writer, where, one["neighbour"])
    interval = float(str(one.get("interval") or BFD_INTERVAL))
    low, high = _BFD_INTERVALS
    if not low <= interval <= high:
        writer.wrong(where, f"interval {interval:g} is out of range for BFD: {low} to {high} seconds")
    source = one.get("source")
    if source and (":" in _address_of(writer, where, source)) != (":" in neighbour):
        writer.wrong(where, f"source {source} is of another family than {neighbour}")
    writer.gap()
    with writer.block("bfd_instance", name):
        writer.line("neighbor_ip", neighbour)
        if source:
            writer.line("source_ip", source)
        for keyword in ("min_rx", "min_tx"):
            writer.line(keyword, seconds(interval * 1000))
        writer.line("multiplier", int(one.get("fall") or _BFD_FALL))
        if one.get("weight"):
            writer.line("weight", int(one["weight"]))
        write_words(writer, where, one.get("keepalived"), words.BFD)
        writer.line("vrrp" if one.get("name") else "checker")  # which part of keepalived hears of it
