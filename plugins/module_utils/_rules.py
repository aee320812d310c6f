# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The table as text: lines of ``ipvsadm -S -n`` completed by ``-x`` and ``-y``, which ipvsadm reads but does not write.

``ipvsadm -R`` takes every line written here. Everything here is pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    TUNNEL_CHECKSUMS,
    RealServer,
    Service,
    ServiceKey,
    Table,
    canonical_address,
    endpoint,
    flag_names,
)

_SERVICE_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}
# ipvsadm knows no other protocol, but the kernel does: a service of protocol 47 reads and writes as ``--protocol-47``.
_OTHER_PROTOCOL = "--protocol-"
_OTHER_TUNNEL_FLAGS = "--tun-flags-"
_FORWARD_OPTIONS = {"dr": "-g", "nat": "-m", "tun": "-i", "local": "--local", "bypass": "--bypass"}
_CHECKSUM_OPTIONS = {flags: f"--tun-{name}" for flags, name in enumerate(TUNNEL_CHECKSUMS)}
_PROTOCOL_OF = {
    **{option: name for name, option in _SERVICE_OPTIONS.items()},
    "--tcp-service": "tcp",
    "--udp-service": "udp",
}
_FORWARD_OF = {
    **{option: name for name, option in _FORWARD_OPTIONS.items()},
    "--gatewaying": "dr",
    "--masquerading": "nat",
    "--ipip": "tun",
}
_CHECKSUM_OF = {option: flags for flags, option in _CHECKSUM_OPTIONS.items()}
_DEFAULT_PERSISTENCE = 360
_MAX_PORT = 65535


def key_words(key: ServiceKey) -> str:
    """The options that name a service: ``-t 192.0.2.10:80`` or ``-f 3 -6``."""
    if key.protocol == "mark":
        return f"-f {key.mark} -6" if key.family == "ipv6" else f"-f {key.mark}"
    option = _SERVICE_OPTIONS.get(key.protocol) or _OTHER_PROTOCOL + key.protocol
    return f"{option} {endpoint(key.address, key.port)}"


def service_words(service: Service) -> str:
    """A service's options without the command: ``-t 192.0.2.10:80 -s wlc``."""
    words = f"{key_words(service.key)} -s {service.scheduler}"
    if service.persistent is not None:
        words += f" -p {service.persistent}"
        if service.netmask is not None:
            words += f" -M {service.netmask}"
    if service.pe:
        words += f" --pe {service.pe}"
    if service.ops:
        words += " -o"
    if service.scheduler_flags:
        words += f" -b {','.join(service.scheduler_flags)}"
    return words


def real_server_words(key: ServiceKey, server: RealServer) -> str:
    """A real server's options without the command: ``-t 192.0.2.10:80 -r 198.51.100.1:80 -g -w 1``."""
    words = (
        f"{key_words(key)} -r {endpoint(server.address, server.port)}"
        f" {_FORWARD_OPTIONS[server.forward]} -w {server.weight}"
    )
    if server.upper_threshold:
        words += f" -x {server.upper_threshold}"
    if server.lower_threshold:
        words += f" -y {server.lower_threshold}"
    if server.forward == "tun" and server.tunnel_type != "ipip":
        words += f" --tun-type {server.tunnel_type}"
        if server.tunnel_port:
            words += f" --tun-port {server.tunnel_port}"
        words += f" {_CHECKSUM_OPTIONS.get(server.tunnel_flags) or _OTHER_TUNNEL_FLAGS + str(server.tunnel_flags)}"
    return words


def write_rules(table: Table) -> list[str]:
    """The table, a line for each object: services in the order of listings, real servers in that of the table."""
    lines = []
    for service, servers in table.entries():
        lines.append(f"-A {service_words(service)}")
        lines.extend(f"-a {real_server_words(service.key, server)}" for server in servers.values())
    return lines


def read_rules(text: str) -> Table:
    """The table that ``ipvsadm -S -n`` or `write_rules` wrote; empty lines and comments are passed over.

    :raises LvsError: naming the line that is not such a line.
    """
    services: list[Service] = []
    servers: dict[ServiceKey, list[RealServer]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if words[0] in ("-A", "--add-service"):
                service = _read_service(_Words(words[1:]))
                services.append(service)
                servers.setdefault(service.key, [])
            elif words[0] in ("-a", "--add-server"):
                key, server = _read_real_server(_Words(words[1:]))
                servers[key].append(server)
            else:
                raise ValueError(f"{words[0]} is neither -A nor -a")
        except KeyError as exc:
            raise LvsError(f"Line {number}, {line!r}: {exc.args[0]} is not known here.") from exc
        except ValueError as exc:
            raise LvsError(f"Line {number}, {line!r}: {exc}.") from exc
    return Table.of((service, servers[service.key]) for service in services)


class _Words:
    """The words of one line, taken off from the left."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def __bool__(self) -> bool:
        return bool(self._words)

    def take(self) -> str:
        if not self._words:
            raise ValueError("the line ends where a value should follow")
        return self._words.pop(0)

    def take_number(self, limit: int = 2**32 - 1) -> int:
        word = self.take()
        if not word.isascii() or not word.isdigit() or int(word) > limit:
            raise ValueError(f"{word!r} is not a number from 0 to {limit}")
        return int(word)

    def _take_mark(self) -> int:
        """A mark from 2147483648 on is a negative number to ipvsadm when it writes."""
        if self._words and self._words[0].startswith("-"):
            self._words[0] = self._words[0][1:]
            return 2**32 - self.take_number(2**31)
        return self.take_number()

    def take_if_number(self, default: int) -> int:
        return self.take_number() if self._words and self._words[0].isdigit() else default

    def take_endpoint(self) -> tuple[str, int]:
        word = self.take()
        host, colon, port = word.rpartition(":")
        if not colon or (host.count(":") and not host.startswith("[")):
            host, port = word, "0"
        address = canonical_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
        if address is None or not port.isascii() or not port.isdigit() or int(port) > _MAX_PORT:
            raise ValueError(f"{word!r} is not an address with a port")
        return address, int(port)

    def take_key(self) -> ServiceKey:
        option = self.take()
        if option in ("-f", "--fwmark-service"):
            mark = self._take_mark()
            family = "ipv4"
            if self._words and self._words[0] in ("-6", "--ipv6"):
                self.take()
                family = "ipv6"
            return ServiceKey.marked(mark, family)
        if option.startswith(_OTHER_PROTOCOL):
            protocol = str(int(option[len(_OTHER_PROTOCOL) :]))
        else:
            protocol = _PROTOCOL_OF[option]
        return ServiceKey.addressed(protocol, *self.take_endpoint())


def _read_service(words: _Words) -> Service:
    key = words.take_key()
    values: dict[str, t.Any] = {}
    while words:
        option = words.take()
        if option in ("-s", "--scheduler"):
            values["scheduler"] = words.take()
        elif option in ("-p", "--persistent"):
            values["persistent"] = words.take_if_number(_DEFAULT_PERSISTENCE)
        elif option in ("-M", "--netmask"):
            values["netmask"] = words.take()
        elif option == "--pe":
            values["pe"] = words.take()
        elif option in ("-b", "--sched-flags"):
            values["scheduler_flags"] = words.take().split(",")
        elif option in ("-o", "--ops"):
            values["ops"] = True
        else:
            raise KeyError(option)
    scheduler = values.get("scheduler", "wlc")
    values["scheduler_flags"] = _ordered_flags(scheduler, values.get("scheduler_flags", []))
    return Service(key, **values)


def _ordered_flags(scheduler: str, flags: list[str]) -> tuple[str, ...]:
    names = flag_names(scheduler)
    unknown = set(flags).difference(names)
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is not a flag of scheduler {scheduler}")
    return tuple(name for name in names if name in flags)


def _read_real_server(words: _Words) -> tuple[ServiceKey, RealServer]:
    key = words.take_key()
    if words.take() not in ("-r", "--real-server"):
        raise ValueError("-r should follow the service")
    address, port = words.take_endpoint()
    values: dict[str, t.Any] = {}
    while words:
        option = words.take()
        if option in _FORWARD_OF:
            values["forward"] = _FORWARD_OF[option]
        elif option in ("-w", "--weight"):
            values["weight"] = words.take_number()
        elif option in ("-x", "--u-threshold"):
            values["upper_threshold"] = words.take_number()
        elif option in ("-y", "--l-threshold"):
            values["lower_threshold"] = words.take_number()
        elif option == "--tun-type":
            values["tunnel_type"] = words.take()
        elif option == "--tun-port":
            values["tunnel_port"] = words.take_number(_MAX_PORT)
        elif option.startswith(_OTHER_TUNNEL_FLAGS):
            values["tunnel_flags"] = int(option[len(_OTHER_TUNNEL_FLAGS) :])
        else:
            values["tunnel_flags"] = _CHECKSUM_OF[option]
    return key, RealServer(address, port, **values)
