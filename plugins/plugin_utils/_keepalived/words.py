# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Words of keepalived.conf(5) that a description may use as they are, in its dictionaries ``keepalived``.

What all engines have, or what changes what a cluster is, the description has words of its own for. Everything else
that keepalived knows of a virtual server, a real server, a check or an instance stands here: with the values that it
takes, and the version that brought it if 2.2.7 has it not (keepalived's own source, ``check_parser.c``,
``check_api.c``, ``check_http.c``, ``vrrp_parser.c``).
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.writer import Writer, seconds

Data = t.Mapping[str, t.Any]
# What stands behind the keyword; None writes no line. A ValueError tells what would be allowed.
Kind = t.Callable[[t.Any], t.Optional[t.Sequence[str]]]


def _flag(value: t.Any) -> list[str] | None:
    return [] if _boolean(value) == ["true"] else None


def _boolean(value: t.Any) -> list[str]:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return ["true" if value else "false"]


def _number(low: int, high: int) -> Kind:
    def kind(value: t.Any) -> list[str]:
        if isinstance(value, bool) or not re.fullmatch("[0-9]{1,30}", str(value)) or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return [str(value)]

    return kind


def _time(value: t.Any) -> list[str]:
    try:
        if not 0 <= float(str(value)) <= _LONGEST:
            raise ValueError
    except ValueError:
        raise ValueError(f"seconds from 0 to {_LONGEST}") from None
    return [seconds(value)]


def _text(value: t.Any) -> list[str]:
    if not isinstance(value, str):
        raise ValueError("a string")
    return [value]


def _script(value: t.Any) -> list[str]:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("an absolute path, with its arguments behind it")
    return [value]


def _user(value: t.Any) -> list[str]:
    names = value.split() if isinstance(value, str) else []
    if not 1 <= len(names) <= 2 or names[0] == "root":
        raise ValueError("a user without rights, never root, and perhaps a group")
    return names


def _address(value: t.Any) -> list[str]:
    try:
        if not isinstance(value, str):
            raise ValueError
        return [str(ipaddress.ip_address(value))]
    except ValueError:
        raise ValueError("an address") from None


def _one_of(*allowed: str) -> Kind:
    def kind(value: t.Any) -> list[str]:
        if str(value) not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return [str(value)]

    return kind


def _some_of(*allowed: str) -> Kind:
    def kind(value: t.Any) -> list[str]:
        if not isinstance(value, list) or not all(one in allowed for one in value):
            raise ValueError(f"a list of some of {', '.join(allowed)}")
        return [str(one) for one in value]

    return kind


def _sizes(value: t.Any) -> list[str]:
    sizes = [str(one) for one in value] if isinstance(value, list) else []
    if len(sizes) != 2 or not all(re.fullmatch("[0-9]+", size) for size in sizes):
        raise ValueError("two numbers of bytes, such as [32768, 524288]")
    return sizes


def _weight(value: t.Any) -> list[str]:
    if isinstance(value, bool) or not re.fullmatch("-?[0-9]{1,10}( reverse)?", str(value)):
        raise ValueError("a whole number, such as 2, or 2 reverse")
    return str(value).split()


_LONGEST = 86400
_COUNT = _number(0, 255)

INSTANCE: t.Mapping[str, Kind] = {
    "notify": _script,
    "notify_backup": _script,
    "notify_deleted": _script,
    "notify_fault": _script,
    "notify_master": _script,
    "notify_master_rx_lower_pri": _script,
    "notify_stop": _script,
    "smtp_alert": _boolean,
    "garp_lower_prio_delay": _COUNT,
    "garp_lower_prio_repeat": _COUNT,
    "garp_master_delay": _COUNT,
    "garp_master_refresh": _COUNT,
    "garp_master_refresh_repeat": _COUNT,
    "garp_master_repeat": _COUNT,
    "down_timer_adverts": _number(1, 100),
    "higher_prio_send_advert": _boolean,
    "lower_prio_no_advert": _boolean,
    "kernel_rx_buf_size": _number(1, 2**31 - 1),
    "owner_ignore_adverts": _boolean,
    "timer_expired_backup": _boolean,
    "unicast_ttl": _COUNT,
}
VIRTUAL_SERVER: t.Mapping[str, Kind] = {
    "alpha": _flag,
    "ha_suspend": _flag,
    "omega": _flag,
    "quorum_down": _script,
    "quorum_up": _script,
    "smtp_alert": _boolean,
    "snmp_name": _text,
    "sorry_server_inhibit": _flag,
    "virtualhost": _text,
}
REAL_SERVER: t.Mapping[str, Kind] = {
    "alpha": _boolean,
    "inhibit_on_failure": _boolean,
    "notify_down": _script,
    "notify_up": _script,
    "smtp_alert": _boolean,
    "snmp_name": _text,
    "virtualhost": _text,
}
_ANY_CHECK: t.Mapping[str, Kind] = {"alpha": _boolean, "warmup": _time}
_CONNECTING: t.Mapping[str, Kind] = {
    **_ANY_CHECK,
    "bind_if": _text,
    "bind_port": _number(1, 65535),
    "bindto": _address,
    "fwmark": _number(1, 2**32 - 1),
    "log_all_failures": _boolean,
}
_HTTP: t.Mapping[str, Kind] = {
    **_CONNECTING,
    "fast_recovery": _boolean,
    "http_protocol": _one_of("1.0", "1.0C", "1.1"),
}
CHECKS: t.Mapping[str, t.Mapping[str, Kind]] = {
    "dns": _CONNECTING,
    "http": _HTTP,
    "https": {**_HTTP, "tls_compliant": _boolean},
    "ping": _CONNECTING,
    "script": {**_ANY_CHECK, "misc_dynamic": _flag, "user": _user},
    "smtp": _CONNECTING,
    "tcp": _CONNECTING,
    "bfd": {"alpha": _boolean},
    "file": {"weight": _weight},
    "udp": {
        **_CONNECTING,
        "max_reply_length": _number(0, 65535),
        "min_reply_length": _number(0, 65535),
        "require_reply": _flag,
    },
}
REMEMBERED = _ANY_CHECK
PAGE: t.Mapping[str, Kind] = {
    "regex_max_offset": _number(0, 2**31 - 1),
    "regex_min_offset": _number(0, 2**31 - 1),
    "regex_no_match": _flag,
    "regex_options": _some_of(
        *("allow_empty_class", "alt_bsux", "auto_callout", "caseless", "dollar_endonly", "dotall", "dupnames"),
        *("extended", "firstline", "match_unset_backref", "multiline", "never_ucp", "never_utf", "no_auto_capture"),
        *("no_auto_possess", "no_dotstar_anchor", "no_start_optimize", "ucp", "ungreedy", "utf", "never_backslash_c"),
        *("alt_circumflex", "alt_verbnames", "use_offset_limit"),
    ),
    "regex_stack": _sizes,
}
BFD: t.Mapping[str, Kind] = {
    "hoplimit": _number(1, 255),
    "idle_tx": _number(1000, 10000),
    "max_hops": _number(0, 255),
    "multihop": _boolean,
    "passive": _flag,
    "ttl": _number(1, 255),
}
# Words of a check that stand in a block of their own, within it or elsewhere.
BLOCKS = {"bfd": BFD, "http": PAGE, "https": PAGE}
SINCE = {
    "multihop": "2.2.8",
    "owner_ignore_adverts": "2.3.3",
    "timer_expired_backup": "2.2.8",
    "tls_compliant": "2.2.8",
}
# What the description says in words of its own.
_OURS = {
    "connect_port": "port",
    "connect_timeout": "timeout",
    "delay_before_retry": "retry_delay",
    "delay_loop": "interval",
    "helo_name": "host",
    "lthreshold": "lower_threshold",
    "lvs_method": "forward",
    "lvs_sched": "scheduler",
    "min_rx": "interval",
    "min_tx": "interval",
    "multiplier": "fall",
    "persistence_granularity": "netmask",
    "persistence_timeout": "persistent",
    "retry": "fall",
    "status_code": "status",
    "uthreshold": "upper_threshold",
}


_SCRIPTS = {
    word for words in (INSTANCE, VIRTUAL_SERVER, REAL_SERVER) for word, kind in words.items() if kind is _script
}


def write_words(writer: Writer, where: str, given: t.Any, known: t.Mapping[str, Kind]) -> None:
    """A line for each word of ``known`` that is said; what keepalived would not take there is a finding.

    :arg given: the dictionary ``keepalived`` of an item, judged by :func:`judge_words`.
    """
    said = given if isinstance(given, t.Mapping) else {}
    for word, kind in known.items():
        if said.get(word) is None:
            continue
        try:
            values = kind(said[word])
        except ValueError as exc:
            writer.wrong(where, f"keepalived: {word} must be {exc}, not {said[word]!r}")
            continue
        if word in SINCE:
            writer.since(SINCE[word], where, f"keepalived: {word}")
        if values is not None:
            writer.line(word, *(writer.string(where, word, value) for value in values))


def judge_words(writer: Writer, where: str, given: t.Any, *known: t.Mapping[str, Kind]) -> None:
    """A finding for each word that is in none of ``known``."""
    if given is not None and not isinstance(given, t.Mapping):
        writer.wrong(where, f"keepalived must be a dictionary of words of keepalived.conf, not {given!r}")
        return
    allowed = sorted(word for words in known for word in words)
    for word in given or ():
        if word not in allowed:
            ours = _OURS.get(word)
            remedy = f"Say {ours} instead" if ours else f"Use one of {', '.join(allowed)}"
            writer.wrong(where, f"keepalived: '{word}' is no word for this. {remedy}")


def runs_scripts(items: t.Iterable[Data]) -> bool:
    """Whether keepalived runs a program for any of them."""
    return any(word in _SCRIPTS for one in items for word in one.get("keepalived") or ())
