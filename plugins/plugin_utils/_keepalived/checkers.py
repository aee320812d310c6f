# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""How a real server is looked at: a checker of keepalived.conf(5) for each kind of check."""

from __future__ import annotations

import functools
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import ENGINE
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import tracked, words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.words import judge_words, write_words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.writer import Writer, seconds
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.checker import judge, judge_regex, remembers

Check = t.Mapping[str, t.Any]

KEYWORDS = {
    "ping": "PING_CHECK",
    "tcp": "TCP_CHECK",
    "udp": "UDP_CHECK",
    "http": "HTTP_GET",
    "https": "SSL_GET",
    "smtp": "SMTP_CHECK",
    "dns": "DNS_CHECK",
    "script": "MISC_CHECK",
    "file": "FILE_CHECK",
    "bfd": "BFD_CHECK",
}
_TOLD = ("file", "bfd")  # keepalived asks nobody
_DIGEST = re.compile("[0-9a-f]{32}")
_STATUS = re.compile("[1-5][0-9][0-9](-[1-5][0-9][0-9])?")
_HEX = {"payload": re.compile("[0-9a-fA-F ]+"), "reply": re.compile("[0-9a-fA-FxX ]+")}
_TO_START = 5  # seconds that a busy director may take to start a program
_RECORDS = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")


def write_check(writer: Writer, where: str, check: Check, place: tuple[str, int], asked: str) -> None:
    """:arg place: of the real server; with port 0 where it has none, so that the check must say one.
    :arg asked: what the collection's own checker is told, where that has to count."""
    address, default_port = place
    if remembers(check):
        _write_remembering(writer, where, check, default_port, asked)
        return
    kind = str(check["type"])
    with writer.block(KEYWORDS[kind]):
        if kind in _TOLD:
            tracked.write_check(writer, where, check, address)
            return
        if kind not in ("script", "ping"):
            _write_place(writer, where, check, default_port)
        _PARTS.get(kind, _write_nothing)(writer, where, check)
        if kind != "script":
            writer.line("connect_timeout", seconds(check.get("timeout", 3)))
        writer.line("delay_loop", seconds(check.get("interval", 6)))
        # Keepalived counts the tries after the first one.
        writer.line("retry", int(check.get("fall", 3)) - 1)
        writer.line("delay_before_retry", seconds(check.get("retry_delay", 1)))
        judge_words(writer, where, check.get("keepalived"), words.CHECKS[kind], words.BLOCKS.get(kind, {}))
        write_words(writer, where, check.get("keepalived"), words.CHECKS[kind])


def _write_remembering(writer: Writer, where: str, check: Check, default_port: int, asked: str) -> None:
    judge(check, default_port, functools.partial(writer.wrong, where))
    with writer.block(KEYWORDS["script"]):
        writer.line("misc_path", f'"{ENGINE.checker.program} {asked}"')
        writer.line("misc_timeout", int(check.get("timeout") or 3) + _TO_START)
        writer.line("delay_loop", seconds(check.get("interval", 6)))
        writer.line("retry", 0)  # what it says is the last word
        judge_words(writer, where, check.get("keepalived"), words.REMEMBERED)
        write_words(writer, where, check.get("keepalived"), words.REMEMBERED)


def _write_place(writer: Writer, where: str, check: Check, default_port: int) -> None:
    if check.get("address"):
        writer.line("connect_ip", check["address"])
    if check.get("port"):
        writer.line("connect_port", int(check["port"]))
    elif not default_port:
        writer.wrong(where, f"a {check['type']} check needs a port: this virtual server has none of its own")


def _write_nothing(writer: Writer, where: str, check: Check) -> None:
    """The kind has nothing of its own to say."""


def _write_http(writer: Writer, where: str, check: Check) -> None:
    if not check.get("path"):
        writer.wrong(where, f"a check of type {check['type']} needs a path, such as /")
        return
    if not str(check["path"]).startswith("/"):
        writer.wrong(where, f"path {check['path']!r} must begin with a slash")
    if "http_protocol" not in (check.get("keepalived") or ()):
        writer.line("http_protocol", "1.1")  # many servers answer 1.0 without a host's name by another page
    if check["type"] == "https":
        writer.line("enable_sni")
    with writer.block("url"):
        writer.line("path", writer.string(where, "path", check["path"]))
        if check.get("host"):
            writer.line("virtualhost", writer.string(where, "host", check["host"]))
        statuses = [str(status) for status in check.get("status") or ()]
        for status in statuses:
            if not _STATUS.fullmatch(status):
                writer.wrong(where, f"status {status!r} must be a status code such as 200, or a range such as 200-299")
        if statuses:
            writer.line("status_code", *statuses)
        if check.get("digest"):
            if not _DIGEST.fullmatch(str(check["digest"])):
                writer.wrong(where, f"digest {check['digest']!r} must be the 32 digits that genhash(1) prints")
            writer.line("digest", check["digest"])
        if check.get("regex"):
            judge_regex(check, functools.partial(writer.wrong, where))
            writer.line("regex", writer.string(where, "regex", check["regex"]))
        write_words(writer, where, check.get("keepalived"), words.PAGE)


def _write_smtp(writer: Writer, where: str, check: Check) -> None:
    if check.get("host"):
        writer.line("helo_name", writer.string(where, "host", check["host"]))


def _write_dns(writer: Writer, where: str, check: Check) -> None:
    if check.get("record"):
        if check["record"] not in _RECORDS:
            writer.wrong(where, f"record {check['record']!r} is unknown: one of {', '.join(_RECORDS)}")
        writer.line("type", check["record"])
    if check.get("host"):
        writer.line("name", writer.string(where, "host", check["host"]))


def _write_udp(writer: Writer, where: str, check: Check) -> None:
    for key, keyword in (("payload", "payload"), ("reply", "require_reply")):
        if check.get(key):
            if not _HEX[key].fullmatch(str(check[key])):
                writer.wrong(where, f"{key} {check[key]!r} must be bytes as hexadecimal digits, such as '6869'")
            writer.line(keyword, check[key])


def _write_script(writer: Writer, where: str, check: Check) -> None:
    command = str(check.get("path") or "")
    if not command.startswith("/"):
        writer.wrong(where, f"a check of type script needs a path, absolute and on the director, not {command!r}")
        return
    writer.line("misc_path", writer.string(where, "path", command))
    writer.line("misc_timeout", int(check.get("timeout", 3)))


_PARTS: dict[str, t.Callable[[Writer, str, Check], None]] = {
    "http": _write_http,
    "https": _write_http,
    "smtp": _write_smtp,
    "dns": _write_dns,
    "udp": _write_udp,
    "script": _write_script,
}
