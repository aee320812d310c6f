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

KEEPALIVED_VARIABLES = (
    "keepalived_auth_pass",
    "keepalived_scripts",
    "keepalived_processes",
    "keepalived_script_user",
    "keepalived_notification",
)
_MAX_WEIGHT = 253


def check_host(host: Host, findings: Findings) -> None:
    entry = Entry(findings, host.name, host.keepalived, KEEPALIVED_VARIABLES)
    for key, what, example in (("scripts", "command", "/bin/true"), ("processes", "process", "nginx")):
        known = (
            "name",
            what,
            "weight",
            *(("interval", "timeout", "fall", "rise", "user") if what == "command" else ("quorum",)),
        )
        names: list[object] = []
        for number, item in entry.mappings(f"keepalived_{key}", f"{{name: web, {what}: {example}}}"):
            _check_watched(Entry(findings, f"{host.name} keepalived_{key}[{number}]", item, known), what, names)
    entry.text("keepalived_script_user")
    _check_password(entry)
    mails = entry.words("keepalived_notification")
    Entry(
        findings, f"{host.name} keepalived_notification", mails, ("to", "from", "smtp_server", "smtp_timeout")
    ).strings("to")


def _check_watched(entry: Entry, what: str, names: list[object]) -> None:
    for word in ("name", what):
        if not entry.has(word):
            entry.wrong(word, f"has no {word}")
        entry.text(word)
    if entry.get("name") in names:
        entry.wrong("name", f"name {entry.get('name')!r} is used more than once")
    names.append(entry.get("name"))
    for word in ("interval", "timeout"):
        entry.seconds(word)
    for word in ("fall", "rise", "quorum"):
        entry.number(word, 1, 65535)
    entry.number("weight", -_MAX_WEIGHT, _MAX_WEIGHT)


def _check_password(entry: Entry) -> None:
    """Shown nowhere."""
    value = entry.get("keepalived_auth_pass")
    if value is None:
        return
    if not isinstance(value, str):
        entry.wrong("keepalived_auth_pass", f"keepalived_auth_pass must be a string, not {kind_of(value)}")
    elif password_problem(value):
        entry.wrong("keepalived_auth_pass", f"keepalived_auth_pass {str(password_problem(value)).rstrip('.')}")


def settings_of(host: Host) -> dict[str, t.Any]:
    """As the role has them, without their prefix."""
    return {key.partition("_")[2]: value for key, value in host.keepalived.items() if value is not None}
