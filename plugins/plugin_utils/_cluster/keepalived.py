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
    return entry.address(key, "write the address alone")


# What instances may watch: how each word of it is read, those first that have to be there.
_WATCHED: t.Mapping[str, t.Mapping[str, Read]] = {
    "keepalived_scripts": {
        "name": Entry.text,
        "command": Entry.text,
        "interval": Entry.seconds,
        "timeout": Entry.seconds,
        "fall": _count,
        "rise": _count,
        "user": Entry.text,
        "weight": _weight,
    },
    "keepalived_processes": {"name": Entry.text, "process": Entry.text, "quorum": _count, "weight": _weight},
    "keepalived_files": {"name": Entry.text, "path": Entry.text, "init": _weight, "weight": _weight},
    "keepalived_bfds": {
        "name": Entry.text,
        "neighbour": _address,
        "source": _address,
        "interval": Entry.seconds,
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
        names: list[object] = []
        for number, item in entry.mappings(key, f"{{{example}}}"):
            _check_watched(Entry(findings, f"{host.name} {key}[{number}]", item, tuple(words)), words, names)
    entry.text("keepalived_script_user")
    _check_password(entry)
    mails = entry.words("keepalived_notification")
    Entry(
        findings, f"{host.name} keepalived_notification", mails, ("to", "from", "smtp_server", "smtp_timeout")
    ).strings("to")


def _check_watched(entry: Entry, words: t.Mapping[str, Read], names: list[object]) -> None:
    for word, read in words.items():
        if word in _NEEDED and not entry.has(word):
            entry.wrong(word, f"has no {word}")
        read(entry, word)
    if entry.get("name") in names:
        entry.wrong("name", f"name {entry.get('name')!r} is used more than once")
    names.append(entry.get("name"))


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
