# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Rules and tables of policy routing: those of ours in this network namespace, read and changed.

By messages of this file alone: ports in rules came to pyroute2 later than the oldest version that hosts may have.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _rtnl
from ansible_collections.openlvs.lvs.plugins.module_utils._answers import (
    PREFERENCE,
    PROTOCOLS,
    TABLES,
    Route,
    Rule,
    State,
    Step,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

# include/uapi/linux/fib_rules.h, rtnetlink.h, netlink.h
_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_RTM_NEWRULE, _RTM_DELRULE, _RTM_GETRULE = 32, 33, 34
_FRA_SRC, _FRA_PRIORITY, _FRA_TABLE, _FRA_IP_PROTO, _FRA_SPORT_RANGE = 2, 6, 15, 22, 23
_FR_ACT_TO_TBL = 1
_RTA_GATEWAY, _RTA_TABLE = 5, 15
_RT_TABLE_UNSPEC, _RTPROT_BOOT, _RT_SCOPE_UNIVERSE, _RTN_UNICAST = 0, 3, 0, 1
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_EXCL, _NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_NAMES = {number: name for name, number in PROTOCOLS.items()}


def read() -> State:
    """What is ours. Needs the standard library only."""
    rules: set[Rule] = set()
    routes: set[Route] = set()
    for family in _FAMILIES.values():
        for payload in _rtnl.dump(_RTM_GETRULE, struct.pack("=BBBBBBBBI", family, *[0] * 8)):
            rule = _rule(_rtnl.attributes_of(payload, 12))
            if rule is not None:
                rules.add(rule)
        for payload in _rtnl.dump(_RTM_GETROUTE, struct.pack("=BBBBBBBBI", family, *[0] * 8)):
            found = _rtnl.attributes_of(payload, 12)
            table = _number(found.get(_RTA_TABLE))
            if table in TABLES and _RTA_GATEWAY in found:
                routes.add(Route(table, _address(found[_RTA_GATEWAY])))
    return State(frozenset(rules), frozenset(routes))


def _rule(found: t.Mapping[int, bytes]) -> Rule | None:
    table, protocol = _number(found.get(_FRA_TABLE)), found.get(_FRA_IP_PROTO, b"\0")[0]
    if table not in TABLES or _FRA_SRC not in found or _FRA_SPORT_RANGE not in found or protocol not in _NAMES:
        return None
    port, _last = struct.unpack("=HH", found[_FRA_SPORT_RANGE])
    return Rule(_address(found[_FRA_SRC]), _NAMES[protocol], port, table)


def apply(steps: t.Sequence[Step]) -> None:
    """Do the steps in order; the first that is refused ends the work."""
    done: list[str] = []
    for step in steps:
        try:
            _rtnl.command(*_message(step), f"'{step}'")
        except LvsError as exc:
            exc.details["applied"] = done
            raise
        done.append(str(step))


def _message(step: Step) -> tuple[int, int, bytes]:
    """Kind, flags and what follows the header."""
    flags = _NLM_F_REQUEST | _NLM_F_ACK | (_NLM_F_CREATE | _NLM_F_EXCL if step.add else 0)
    family = _FAMILIES[step.what.version]
    if isinstance(step.what, Route):
        header = struct.pack(
            "=BBBBBBBBI", family, 0, 0, 0, _RT_TABLE_UNSPEC, _RTPROT_BOOT, _RT_SCOPE_UNIVERSE, _RTN_UNICAST, 0
        )
        parts = [(_RTA_TABLE, struct.pack("=I", step.what.table)), (_RTA_GATEWAY, _packed(step.what.gateway))]
        return (_RTM_NEWROUTE if step.add else _RTM_DELROUTE), flags, header + _joined(parts)
    source = _packed(step.what.address)
    header = struct.pack("=BBBBBBBBI", family, 0, len(source) * 8, 0, _RT_TABLE_UNSPEC, 0, 0, _FR_ACT_TO_TBL, 0)
    parts = [
        (_FRA_SRC, source),
        (_FRA_PRIORITY, struct.pack("=I", PREFERENCE)),
        (_FRA_TABLE, struct.pack("=I", step.what.table)),
        (_FRA_IP_PROTO, bytes([PROTOCOLS[step.what.protocol]])),
        (_FRA_SPORT_RANGE, struct.pack("=HH", step.what.port, step.what.port)),
    ]
    return (_RTM_NEWRULE if step.add else _RTM_DELRULE), flags, header + _joined(parts)


def _joined(parts: t.Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4) for kind, value in parts)


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _address(value: bytes) -> str:
    return str(ipaddress.ip_address(value))


def _number(value: bytes | None) -> int:
    return int(struct.unpack("=I", value)[0]) if value else 0
