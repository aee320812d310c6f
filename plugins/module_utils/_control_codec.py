# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The bytes of what the netlink family IPVS has beside its table: sync daemons, timeouts, counters. Pure."""

from __future__ import annotations

import socket
import struct
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_codec import (
    CMD_SERVICE,
    NLM_F_ACK,
    NLM_F_DUMP,
    Attributes,
    attribute,
    attributes,
    message,
    number,
    service_name,
    text,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._sync_daemon import ROLES, SyncDaemon
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey
from ansible_collections.openlvs.lvs.plugins.module_utils._timeouts import Timeouts

# linux/ip_vs.h
NEW_DAEMON, DEL_DAEMON, GET_DAEMON = 9, 10, 11
SET_CONFIG, GET_CONFIG, GET_INFO, ZERO = 12, 13, 15, 16
CMD_DAEMON, CMD_TIMEOUT_TCP, CMD_TIMEOUT_TCP_FIN, CMD_TIMEOUT_UDP = 3, 4, 5, 6
DAEMON_STATE, DAEMON_INTERFACE, DAEMON_SYNCID, DAEMON_MAXLEN = 1, 2, 3, 4
DAEMON_GROUP, DAEMON_GROUP6, DAEMON_PORT, DAEMON_TTL = 5, 6, 7, 8
INFO_VERSION, INFO_TABLE_SIZE = 1, 2
_STATE = {role: state for state, role in enumerate(ROLES, 1)}


def daemons_request(family: int, sequence: int) -> bytes:
    """Ask for the sync daemons."""
    return message(family, GET_DAEMON, b"", NLM_F_DUMP, sequence)


def start_request(daemon: SyncDaemon, family: int, sequence: int) -> bytes:
    """Start a sync daemon."""
    body = attribute(DAEMON_STATE, struct.pack("=I", _STATE[daemon.role]))
    body += attribute(DAEMON_INTERFACE, daemon.interface.encode() + b"\0")
    body += attribute(DAEMON_SYNCID, struct.pack("=I", daemon.syncid))
    body += attribute(DAEMON_MAXLEN, struct.pack("=H", daemon.maxlen))
    if ":" in daemon.group:
        body += attribute(DAEMON_GROUP6, socket.inet_pton(socket.AF_INET6, daemon.group))
    else:
        body += attribute(DAEMON_GROUP, socket.inet_aton(daemon.group))
    body += attribute(DAEMON_PORT, struct.pack("=H", daemon.port))
    body += attribute(DAEMON_TTL, struct.pack("=B", daemon.ttl))
    return message(family, NEW_DAEMON, attribute(CMD_DAEMON, body), NLM_F_ACK, sequence)


def stop_request(role: str, family: int, sequence: int) -> bytes:
    """Stop a sync daemon."""
    body = attribute(DAEMON_STATE, struct.pack("=I", _STATE[role]))
    return message(family, DEL_DAEMON, attribute(CMD_DAEMON, body), NLM_F_ACK, sequence)


def daemon_of(found: Attributes) -> SyncDaemon:
    """The sync daemon that these attributes describe."""
    inner = attributes(found[CMD_DAEMON])
    if DAEMON_GROUP6 in inner:
        group = socket.inet_ntop(socket.AF_INET6, inner[DAEMON_GROUP6])
    else:
        group = socket.inet_ntoa(inner[DAEMON_GROUP])
    return SyncDaemon(
        role=ROLES[number(inner[DAEMON_STATE]) - 1],
        interface=text(inner[DAEMON_INTERFACE]),
        syncid=number(inner[DAEMON_SYNCID]),
        group=group,
        port=number(inner[DAEMON_PORT]),
        ttl=number(inner[DAEMON_TTL]),
        maxlen=number(inner[DAEMON_MAXLEN]),
    )


def timeouts_request(family: int, sequence: int) -> bytes:
    """Ask for the timeouts."""
    return message(family, GET_CONFIG, b"", NLM_F_ACK, sequence)


def set_timeouts_request(timeouts: Timeouts, family: int, sequence: int) -> bytes:
    """Set the timeouts; the kernel keeps those that are 0."""
    body = attribute(CMD_TIMEOUT_TCP, struct.pack("=I", timeouts.tcp))
    body += attribute(CMD_TIMEOUT_TCP_FIN, struct.pack("=I", timeouts.tcp_fin))
    body += attribute(CMD_TIMEOUT_UDP, struct.pack("=I", timeouts.udp))
    return message(family, SET_CONFIG, body, NLM_F_ACK, sequence)


def timeouts_of(found: Attributes) -> Timeouts:
    """The timeouts; 0 for a protocol that the kernel was built without."""
    kinds = (CMD_TIMEOUT_TCP, CMD_TIMEOUT_TCP_FIN, CMD_TIMEOUT_UDP)
    return Timeouts(*(number(found.get(kind, b"")) for kind in kinds))


def zero_request(key: ServiceKey | None, family: int, sequence: int) -> bytes:
    """Set the counters of a service to zero, or those of all."""
    body = b"" if key is None else attribute(CMD_SERVICE, service_name(key))
    return message(family, ZERO, body, NLM_F_ACK, sequence)


def info_request(family: int, sequence: int) -> bytes:
    """Ask for version and size."""
    return message(family, GET_INFO, b"", NLM_F_ACK, sequence)


def info_of(found: Attributes) -> dict[str, t.Any]:
    """The version of IPVS, and for how many connections its table has a place of their own."""
    version = number(found[INFO_VERSION])
    words = ".".join(str(version >> shift & 255) for shift in (16, 8, 0))
    return {"version": words, "connection_table_size": number(found[INFO_TABLE_SIZE])}
