# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The settings of IPVS that are worth having: net.ipv4.vs of sysctl, and conn_tab_bits of the module ip_vs. Pure."""

from __future__ import annotations

import difflib
import re
import typing as t

PREFIX = "net.ipv4.vs."
TABLE_BITS = "conn_tab_bits"

_MOST = 2**31 - 1
_FLAG, _DEFENSE, _COUNT = (0, 1), (0, 3), (0, _MOST)
# net/netfilter/ipvs/ip_vs_ctl.c: the lowest and the highest value.
_RANGES: t.Mapping[str, tuple[int, int]] = {
    "am_droprate": (1, _MOST),
    "amemthresh": _COUNT,
    "backup_only": _FLAG,
    "cache_bypass": _FLAG,
    "conn_lfactor": (-8, 8),
    "conn_max": _COUNT,
    "conn_reuse_mode": (0, 3),
    "conntrack": _FLAG,
    "drop_entry": _DEFENSE,
    "drop_packet": _DEFENSE,
    "est_nice": (-20, 19),
    "expire_nodest_conn": _FLAG,
    "expire_quiescent_template": _FLAG,
    "ignore_tunneled": _FLAG,
    "nat_icmp_send": _FLAG,
    "pmtu_disc": _FLAG,
    "run_estimation": _FLAG,
    "schedule_icmp": _FLAG,
    "secure_tcp": _DEFENSE,
    "sloppy_sctp": _FLAG,
    "sloppy_tcp": _FLAG,
    "snat_reroute": _FLAG,
    "svc_lfactor": (-8, 8),
    "sync_persist_mode": _FLAG,
    "sync_ports": (1, 64),
    "sync_qlen_max": _COUNT,
    "sync_refresh_period": _COUNT,
    "sync_retries": (0, 3),
    "sync_sock_size": _COUNT,
    "sync_version": _FLAG,
    TABLE_BITS: (8, 27),
}
_CPUS, _PAIR = "est_cpulist", "sync_threshold"
KNOWN = tuple(sorted((*_RANGES, _CPUS, _PAIR)))
# What is not in every kernel since 4.3.
_SINCE = {
    "run_estimation": "5.15",
    "est_cpulist": "6.2",
    "est_nice": "6.2",
    "conn_lfactor": "7.1",
    "svc_lfactor": "7.1",
    "conn_max": "7.2",
}
_FEW_BITS, _MORE_BITS = 20, "6.5"
_BY_ITSELF = ("1", "2")  # in these modes of defense the kernel goes from one to the other


def findings(asked: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with names and values, whatever the kernel."""
    return [f"{name}: {wrong}." for name, value in asked.items() for wrong in _wrong(str(name), normal(value))]


def lacking(asked: t.Mapping[str, str], found: t.Container[str], loaded: bool, release: str) -> list[str]:
    """What the running kernel lacks.

    :arg found: the names that it has.
    :arg loaded: whether ip_vs is; else only the kernel's version tells.
    """
    reasons = []
    for name, value in asked.items():
        since = _SINCE.get(name, "")
        if name == TABLE_BITS:
            if int(value) > _FEW_BITS and _version(release) < _version(_MORE_BITS):
                reasons.append(f"{name}: more than {_FEW_BITS} need Linux {_MORE_BITS}, and this is {release}.")
        elif name not in found if loaded else _version(release) < _version(since):
            came = f"; it came with Linux {since}" if since else ""
            reasons.append(f"{name}: this kernel, {release}, has no such setting{came}.")
    return reasons


def not_yet(asked: t.Mapping[str, str], found: t.Mapping[str, str]) -> list[str]:
    """What is asked for and waits until ip_vs is loaded again."""
    wanted, now = asked.get(TABLE_BITS), found.get(TABLE_BITS)
    if wanted is None or now in (None, wanted):
        return []
    return [f"{TABLE_BITS} is {now}: {wanted} takes effect when ip_vs is loaded again, as a reboot does it."]


_NUMBER = re.compile(r"-?[0-9]+")


def normal(value: t.Any) -> str:
    """As the kernel's own text but for spaces; booleans are 0 and 1. To the kernel a leading zero says octal."""
    if isinstance(value, bool):
        return str(int(value))
    return " ".join(str(int(word)) if _NUMBER.fullmatch(word) else word for word in str(value).split())


def same(name: str, found: str | None, wanted: str) -> bool:
    """Whether the kernel does as wanted already."""
    if found is None:
        return False
    by_itself = name.rpartition(".")[2] in ("drop_entry", "drop_packet", "secure_tcp")
    return normal(found) == wanted or (by_itself and {normal(found), wanted} <= {*_BY_ITSELF})


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"([0-9]+)\.([0-9]+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _wrong(name: str, value: str) -> t.Iterator[str]:
    if name not in KNOWN:
        near = difflib.get_close_matches(name.rpartition(".")[2], KNOWN, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else f": one of {', '.join(KNOWN)}"
        yield f"no such setting is known{hint}"
    elif name == _PAIR:
        pair = re.fullmatch(r"([0-9]{1,9}) ([0-9]{1,9})", value)
        if not pair or (int(pair[2]) and int(pair[1]) >= int(pair[2])):
            yield f"{value!r} is not two numbers, the first of them the smaller one, such as '3 50'"
    elif name == _CPUS:
        if not re.fullmatch(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", value):
            yield f"{value!r} is not a list of CPUs, such as '0-3,6'"
        for first, last in re.findall(r"([0-9]+)-([0-9]+)", value):
            if int(first) > int(last):
                yield f"{value!r}: the range {first}-{last} runs backwards, and the kernel takes none such"
    else:
        low, high = _RANGES[name]
        number = int(value) if re.fullmatch(r"-?[0-9]{1,12}", value) else None
        if number is None or not low <= number <= high:
            yield f"{value!r} is not a whole number from {low} to {high}"
        elif name == "sync_ports" and number & (number - 1):
            yield f"{number} is not a power of two"
