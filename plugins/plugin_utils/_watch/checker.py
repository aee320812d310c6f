# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Which checks go through the checker of the collection, and what it is told of them."""

from __future__ import annotations

import re
import typing as t
import warnings

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey

Check = t.Mapping[str, t.Any]
_BYTES = re.compile("([0-9a-fA-F]{2} ?)*")
Wrong = t.Callable[[str], None]

KINDS = ("tcp", "udp", "http", "https", "script")
DEFAULTS = {"interval": 6, "timeout": 3, "fall": 3, "rise": 1}
_SAID = ("port", "path", "host", "status", "digest", "regex", "payload", "reply", "window", "failures")
# What Python says of regular expressions that are wrong for Perl and PCRE, too, which know more than it does.
_WRONG_EVERYWHERE = (
    "missing )",
    "unterminated character set",
    "unbalanced parenthesis",
    "nothing to repeat",
    "bad character range",
    "bad escape (end of pattern)",
)
_SHARE = 0.7  # of a window's results, where nobody says how many


def remembers(check: Check) -> bool:
    """Whether it counts otherwise than keepalived and ldirectord do."""
    return bool(check.get("window") or check.get("failures")) or int(check.get("rise") or 1) > 1


def name_of(key: ServiceKey) -> str:
    """How the checker knows a service: by what ldirectord tells it."""
    return f"{key.mark} 0" if key.protocol == "mark" else f"{key.address} {key.port}"


def definition(check: Check) -> dict[str, t.Any]:
    """What the checker reads."""
    found: dict[str, t.Any] = {"type": check["type"]}
    found.update({key: check[key] for key in _SAID if check.get(key)})
    found.update({key: check.get(key) or default for key, default in DEFAULTS.items()})
    if found.get("window"):
        found.setdefault("failures", failures_of(int(found["window"])))
    return found


def failures_of(window: int) -> int:
    """How many failures take a server out: 7 of 10, and in any case more than half."""
    return max(round(window * _SHARE), window // 2 + 1)


def told(found: t.Iterable[tuple[str, ServiceKey, t.Sequence[Check]]]) -> dict[str, list[dict[str, t.Any]]]:
    """What the modules take as C(checks).

    :arg found: how messages name a service, the service, and what the checker looks at for it.
    :raises OptionError: for two services that it could not tell apart.
    """
    checks: dict[str, list[dict[str, t.Any]]] = {}
    for where, key, mine in found:
        definitions = [definition(check) for check in mine]
        if definitions and checks.setdefault(name_of(key), definitions) != definitions:
            text = f"another service at {name_of(key)} is looked at in another way by the collection's own checker,"
            raise OptionError([f"{where}: {text} which knows no protocols. Say the same checks for both"])
    return checks


def judge_regex(check: Check, wrong: Wrong) -> None:
    """Keepalived's checks die of a wrong one, again and again, and its test of the file does not look."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # [[:alpha:]] is none of Python's
            re.compile(str(check.get("regex") or ""))
    except re.error as exc:
        if exc.msg.startswith(_WRONG_EVERYWHERE):
            wrong(f"regex {check.get('regex')!r} is no regular expression: {exc}")


def judge(check: Check, port: int, wrong: Wrong) -> None:
    """What the checker cannot do.

    :arg port: of the real server; 0 where it has none.
    """
    kind = str(check["type"])
    window = int(check.get("window") or 0)
    failures = int(check.get("failures") or (failures_of(window) if window else 0))
    if kind not in KINDS:
        wrong(f"the collection's own checker, which counts so, has no check of type {kind}: {', '.join(KINDS)}")
    if failures and not window:
        wrong(f"failures {failures} are out of so many results as window says. Say window, too")
    elif window and not window / 2 < failures <= window:
        text = f"failures {failures} of a window of {window}: it must be more than half, or a server that fails every"
        wrong(f"{text} other time would come and go, and at most all of them")
    if kind in ("http", "https") and not str(check.get("path") or "").startswith("/"):
        wrong(f"a check of type {kind} needs a path that begins with a slash, such as /")
    if kind == "script" and not str(check.get("path") or "").startswith("/"):
        wrong(f"a check of type script needs a path, absolute and on the director, not {check.get('path')!r}")
    try:
        re.compile(str(check.get("regex") or ""))
    except re.error as exc:
        wrong(f"regex {check.get('regex')!r} is no regular expression: {exc}")
    for word in ("payload", "reply"):
        if not _BYTES.fullmatch(str(check.get(word) or "")):
            wrong(f"{word} {check.get(word)!r} must be bytes as hexadecimal digits, two for each, such as '6869'")
    if kind != "script" and not check.get("port") and not port:
        wrong(f"a {kind} check needs a port: this virtual server has none of its own")
    if check.get("address"):
        wrong(f"address {check['address']}: the collection's own checker asks the real server alone. Leave it out")
