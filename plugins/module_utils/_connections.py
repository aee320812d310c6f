# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The connections that IPVS remembers, from /proc/net/ip_vs_conn. There may be millions: they are read one by one."""

from __future__ import annotations

import socket
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

PATH = "/proc/net/ip_vs_conn"

_PERSISTENCE = "NONE"
_BY_MARK = "IP"
_FIELDS = 9
_V4_DIGITS = 8


class Connection(t.NamedTuple):
    """A connection, or a template: the promise that a client's next connections go to the same real server."""

    protocol: str
    """tcp, udp, sctp, or ``mark`` for a template of a service by mark."""
    client: str
    client_port: int
    vip: str | None
    """None for a template of a service by mark."""
    port: int | None
    mark: int | None
    """Only known of templates; the connections themselves do not show it."""
    family: str
    address: str
    server_port: int
    state: str
    expires: int
    """Seconds."""
    template: bool
    pe: str | None
    pe_data: str | None


def parse(line: str) -> Connection:
    """The connection that a line describes.

    :raises ValueError: when it describes none.
    """
    words = line.split(None, _FIELDS + 1)
    protocol, client, client_port, vip, port, address, server_port, state, expires = words[:_FIELDS]
    template = state == _PERSISTENCE and client_port == "0000"
    marked = template and protocol == _BY_MARK
    return Connection(
        protocol="mark" if marked else protocol.lower(),
        client=_address(client),
        client_port=int(client_port, 16),
        vip=None if marked else _address(vip),
        port=None if marked else int(port, 16),
        mark=int(vip.replace(":", "")[:_V4_DIGITS], 16) if marked else None,
        family="ipv6" if ":" in client else "ipv4",
        address=_address(address),
        server_port=int(server_port, 16),
        state=state,
        expires=int(expires),
        template=template,
        pe=words[_FIELDS] if len(words) > _FIELDS else None,
        pe_data=words[_FIELDS + 1].strip() if len(words) > _FIELDS + 1 else None,
    )


def select(lines: t.Iterable[str], wanted: t.Callable[[Connection], bool], limit: int) -> tuple[list[Connection], int]:
    """Those that are wanted, the first ``limit`` of them, and how many there are.

    :raises LvsError: when a line cannot be read.
    """
    found: list[Connection] = []
    count = 0
    for line in lines:
        try:
            connection = parse(line)
        except ValueError as exc:
            why = f"this release of the collection does not understand the line {line.strip()!r}"
            raise LvsError(f"{PATH}: {why}.") from exc
        if wanted(connection):
            count += 1
            if count <= limit:
                found.append(connection)
    return found, count


def read(wanted: t.Callable[[Connection], bool], limit: int) -> tuple[list[Connection], int]:
    """As `select`, from the kernel; none while ip_vs is not loaded."""
    try:
        with open(PATH, encoding="ascii", errors="replace") as file:
            next(file, None)  # the headings
            return select(file, wanted, limit)
    except FileNotFoundError:
        return [], 0
    except OSError as exc:
        raise LvsError(f"{PATH}: cannot read it: {exc.strerror}.") from exc


def _address(text: str) -> str:
    if ":" in text:
        try:
            return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
        except OSError as exc:
            raise ValueError(text) from exc
    if len(text) != _V4_DIGITS:
        raise ValueError(text)
    return socket.inet_ntoa(bytes.fromhex(text))
