# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Variables of the role keepalived that stand with a director beside the description: judged before it is touched."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import Entry, kind_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import Host
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.password import password_problem

_MAX_WEIGHT = 253
Read = t.Callable[[Entry, str], object]


def _count(entry: Entry, key: str) -> object:
    return entry.number(key, 1, 65535)


def _weight(entry: Entry, key: str) -> object:
    return entry.number(key, -_MAX_WEIGHT, _MAX_WEIGHT)


def _address(entry: Entry, key: str) -> object:
    address = entry.address(key, "write the address alone")
    if address is not None and (address.is_unspecified or address.is_loopback or address.is_multicast):
        entry.wrong(key, f"{key} {address} is no address of another host")
    return address


def _seconds(entry: Entry, key: str) -> object:
    seconds = entry.seconds(key)
    if seconds == 0:
        entry.wrong(key, f"{key} must be more than 0 seconds")
    return seconds


def _path(entry: Entry, key: str) -> object:
    path = entry.text(key)
    if path is not None and path.endswith("/"):
        entry.wrong(key, f"{key} {path!r} is a folder: name a file in it")
    return path


# What instances may watch: how each word of it is read, those first that have to be there.
_WATCHED: t.Mapping[str, t.Mapping[str, Read]] = {
    "keepalived_scripts": {
        "name": Entry.text,
        "command": Entry.text,
        "interval": _seconds,
        "timeout": _seconds,
        "fall": _count,
        "rise": _count,
        "user": Entry.text,
        "weight": _weight,
    },
    "keepalived_processes": {"name": Entry.text, "process": Entry.text, "quorum": _count, "weight": _weight},
    "keepalived_files": {"name": Entry.text, "path": _path, "init": _weight, "weight": _weight},
    "keepalived_bfds": {
        "name": Entry.text,
        "neighbour": _address,
        "source": _address,
        "interval": _seconds,
        "fall": lambda entry, key: entry.number(key, 1, 255),
        "weight": _weight,
        "keepalived": Entry.words,
    },
}
_NEEDED = {"name": "web", "command": "/bin/true", "process": "nginx", "path": "/etc/web", "neighbour": "192.0.2.1"}
KEEPALIVED_VARIABLES = (
    "keepalived_auth_pass",
    *_WATCHED,
    "keepalived_script_user",
    "keepalived_notification",
)


def check_host(host: Host, findings: Findings) -> None:
    entry = Entry(findings, host.name, host.keepalived, KEEPALIVED_VARIABLES)
    for key, words in _WATCHED.items():
        example = ", ".join(f"{word}: {_NEEDED[word]}" for word in words if word in _NEEDED)
        seen: list[tuple[str, object]] = []
        for number, item in entry.mappings(key, f"{{{example}}}"):
            _check_watched(Entry(findings, f"{host.name} {key}[{number}]", item, tuple(words)), words, seen)
    entry.text("keepalived_script_user")
    _check_password(entry)
    mails = entry.words("keepalived_notification")
    Entry(
        findings, f"{host.name} keepalived_notification", mails, ("to", "from", "smtp_server", "smtp_timeout")
    ).strings("to")


def _check_watched(entry: Entry, words: t.Mapping[str, Read], seen: list[tuple[str, object]]) -> None:
    for word, read in words.items():
        if word in _NEEDED and not entry.has(word):
            entry.wrong(word, f"has no {word}")
        read(entry, word)
    for word in ("name", "neighbour"):  # there is one session of BFD between two hosts
        if entry.has(word) and (word, entry.get(word)) in seen:
            entry.wrong(word, f"{word} {entry.get(word)!r} is used more than once")
        seen.append((word, entry.get(word)))


def _check_password(entry: Entry) -> None:
    """Shown nowhere."""
    value = entry.get("keepalived_auth_pass")
    if value is None:
        return
    if not isinstance(value, str):
        entry.wrong("keepalived_auth_pass", f"keepalived_auth_pass must be a string, not {kind_of(value)}")
    elif password_problem(value):
        entry.wrong("keepalived_auth_pass", f"keepalived_auth_pass {str(password_problem(value)).rstrip('.')}")


def bfds_of(host: Host) -> list[dict[str, t.Any]]:
    """Its sessions of BFD that have names, as far as they can be read."""
    found = host.keepalived.get("keepalived_bfds")
    return [one for one in found if isinstance(one, dict) and one.get("neighbour")] if isinstance(found, list) else []


def settings_of(host: Host) -> dict[str, t.Any]:
    """As the role has them, without their prefix."""
    return {key.partition("_")[2]: value for key, value in host.keepalived.items() if value is not None}
