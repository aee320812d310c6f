# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""How the real servers of a virtual server are looked at: ldirectord knows one way for all of them."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_files import ENGINE
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord.writer import Writer
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.checker import KINDS, judge, judge_regex, remembers
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.servers import Watched

Check = t.Mapping[str, t.Any]

_TO_START = 5  # seconds that a busy director may take to start a program
_ELSEWHERE = "lvs_engine 'keepalived' does"
# What a kind of check knows in keepalived, and ldirectord has no word for.
_LACKING = ("address", "digest", "payload", "reply", "record", "retry_delay", "status")


def interval_of(watched: Watched) -> int | None:
    """Seconds between two looks; None where nobody looks."""
    checks = next(iter(watched.checks.values()), ())
    return _seconds(checks[0].get("interval", 6)) if checks else None


def _seconds(value: object) -> int:
    """ldirectord counts whole seconds."""
    return max(1, round(float(str(value))))


def remembered_by(watched: Watched) -> tuple[Check, ...]:
    """The checks of a service if its servers are looked at by the collection's own checker."""
    checks = tuple(next(iter(watched.checks.values()), ()))
    return checks if _is_for_checker(checks, watched.key) else ()


def _is_for_checker(checks: t.Sequence[Check], key: ServiceKey) -> bool:
    """Whether ldirectord cannot count like that, or look so, and the checker can."""
    if not all(check["type"] in KINDS for check in checks):
        return any(remembers(check) for check in checks)
    return len(checks) > 1 or any(_is_beyond(check, key) for check in checks)


def _is_beyond(check: Check, key: ServiceKey) -> bool:
    kind = check["type"]
    # Its own look by https refuses a certificate that no authority of the director's has signed.
    alone = kind in ("https", "udp", "script") or (kind == "tcp" and key.protocol == "udp")
    over_ipv6 = kind == "http" and key.family == "ipv6"
    return remembers(check) or alone or over_ipv6 or bool(check.get("status") or check.get("digest"))


def write_check(writer: Writer, where: str, watched: Watched, own_interval: bool) -> None:
    key, checks = watched.key, next(iter(watched.checks.values()), ())
    if not checks:
        writer.option("checktype", "on")
        return
    if _is_for_checker(checks, key):
        fall, timeout = 1, _write_remembering(writer, where, key, checks)
    else:
        _write_own(writer, f"{where}, checks[0]", key, checks)
        fall, timeout = int(checks[0].get("fall", 3)), _seconds(checks[0].get("timeout", 3))
    writer.option("checktimeout", timeout)
    writer.option("negotiatetimeout", timeout)
    writer.option("failurecount", fall)
    if own_interval:
        writer.option("checkinterval", _seconds(checks[0].get("interval", 6)))


def _write_remembering(writer: Writer, where: str, key: ServiceKey, checks: t.Sequence[Check]) -> int:
    """Have the collection's own checker look; how long that may take."""
    for number, check in enumerate(checks):
        place = f"{where}, checks[{number}]"
        judge(check, key.port, functools.partial(writer.wrong, place))
        if check.get("retry_delay"):
            writer.wrong(place, "retry_delay: ldirectord looks again after interval. Leave it out")
    if len({_seconds(check.get("interval", 6)) for check in checks}) > 1:
        writer.wrong(where, "its checks have different intervals, and ldirectord makes all of them at once: say one")
    writer.option("checktype", "external")
    writer.option("checkcommand", ENGINE.checker.program)
    return sum(_seconds(check.get("timeout", 3)) for check in checks) + _TO_START


def _write_own(writer: Writer, where: str, key: ServiceKey, checks: t.Sequence[Check]) -> None:
    check = checks[0]
    if len(checks) > 1:
        text = f"ldirectord looks at a server in one way, and there are {len(checks)} checks"
        writer.wrong(where, f"{text}. Choose the one that tells most; {_ELSEWHERE} all of them")
        return
    kind = str(check["type"])
    for name in _LACKING:
        if check.get(name) and not (name == "record" and kind == "dns"):
            writer.wrong(where, f"{name} {_shown(check[name])}: ldirectord has no word for it; {_ELSEWHERE}")
    judge_regex(check, functools.partial(writer.wrong, where))
    _KINDS[kind](writer, where, key, check)
    if kind != "ping":
        _write_port(writer, where, key, check)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _write_port(writer: Writer, where: str, key: ServiceKey, check: Check) -> None:
    if check.get("port"):
        writer.option("checkport", int(check["port"]))
    elif not key.port:
        writer.wrong(where, f"a {check['type']} check needs a port: this virtual server has none of its own")


def _write_ping(writer: Writer, where: str, key: ServiceKey, _check: Check) -> None:
    writer.option("checktype", "ping")
    if key.family == "ipv6":
        writer.wrong(where, f"ldirectord pings over IPv4 alone; {_ELSEWHERE} over IPv6, too")


def _write_tcp(writer: Writer, _where: str, _key: ServiceKey, _check: Check) -> None:
    writer.option("checktype", "connect")


def _write_http(writer: Writer, where: str, _key: ServiceKey, check: Check) -> None:
    path = str(check.get("path") or "")
    if not path.startswith("/"):
        writer.wrong(where, "a check of type http needs a path that begins with a slash, such as /")
    writer.option("checktype", "negotiate")
    writer.option("service", "http")
    writer.option("request", f'"{writer.text(where, "path", path or "/")}"')
    if check.get("regex"):
        writer.option("receive", f'"{writer.text(where, "regex", check["regex"])}"')
    if check.get("host"):
        writer.option("virtualhost", writer.text(where, "host", check["host"]))


def _write_smtp(writer: Writer, where: str, _key: ServiceKey, check: Check) -> None:
    if check.get("host"):
        writer.wrong(where, "ldirectord greets an SMTP server with its own name. Leave host out")
    writer.option("checktype", "negotiate")
    writer.option("service", "smtp")


def _write_dns(writer: Writer, where: str, _key: ServiceKey, check: Check) -> None:
    if check.get("record") not in (None, "A"):
        writer.wrong(where, f"record {check['record']}: ldirectord asks for A alone; {_ELSEWHERE}")
    if not check.get("host") or not check.get("regex"):
        text = "ldirectord looks at the answer of a DNS server: say by host what to ask for, and by regex which"
        writer.wrong(where, f"{text} address shall come back")
        return
    writer.option("checktype", "negotiate")
    writer.option("service", "dns")
    writer.option("request", f'"{writer.text(where, "host", check["host"])}"')
    writer.option("receive", f'"{writer.text(where, "regex", check["regex"])}"')


_KINDS: dict[str, t.Callable[[Writer, str, ServiceKey, Check], None]] = {
    "ping": _write_ping,
    "tcp": _write_tcp,
    "http": _write_http,
    "smtp": _write_smtp,
    "dns": _write_dns,
}
