# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""From what users write to the table's values, with the refusals.

The kernel takes many things silently that cannot work. They are refused here, all at once and before anything is sent.
Everything here is pure.
"""

from __future__ import annotations

import collections
import functools
import itertools
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import services_spec
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    PERSISTENCE_ENGINES,
    SCHEDULERS,
    TUNNEL_CHECKSUMS,
    RealServer,
    RealServerKey,
    Service,
    ServiceKey,
    Table,
    canonical_address,
    endpoint,
    family_of,
    flag_names,
)

MAX_PORT = 65535
MAX_WEIGHT = 2**31 - 1
MAX_MARK = 2**32 - 1
MAX_THRESHOLD = 2**31 - 1
MAX_PERSISTENT = 31 * 24 * 60 * 60
_BITS = {"ipv4": 32, "ipv6": 128}
# In these two the real server gets the packet as the client sent it.
_PORT_STAYS = {"dr": "direct routing", "tun": "a tunnel"}

Params = t.Mapping[str, t.Any]


class Description(t.NamedTuple):
    """What the user wrote, as values."""

    table: Table
    held: frozenset[tuple[ServiceKey, RealServerKey]]
    """Real servers that do not enter the table in this run."""
    names: t.Mapping[tuple[ServiceKey, RealServerKey], str]
    """What users call the real servers that they named."""


def _defaults(options: Params) -> dict[str, t.Any]:
    return {name: option.get("default") for name, option in options.items()}


_SERVICE_OPTIONS = services_spec()["options"]
_SERVICE_DEFAULTS = _defaults(_SERVICE_OPTIONS)
_SERVER_OPTIONS = _SERVICE_OPTIONS["real_servers"]["options"]
_SERVER_DEFAULTS = _defaults(_SERVER_OPTIONS)


def read_services(items: t.Iterable[Params]) -> Description:
    """The services that O(services) describes; what is left out has its default.

    :raises OptionError: with everything that cannot work, in all of them.
    """
    findings: list[str] = []
    services: dict[ServiceKey, Service] = {}
    real_servers: dict[ServiceKey, dict[RealServerKey, RealServer]] = {}
    held: set[tuple[ServiceKey, RealServerKey]] = set()
    names: dict[tuple[ServiceKey, RealServerKey], str] = {}
    for number, given in enumerate(items):
        params = {**_SERVICE_DEFAULTS, **given}
        called = params["name"] and (params["name"] if params["name"].isprintable() else repr(params["name"]))
        item = f"Service {called}" if called else f"services[{number}]"
        key = _read_key(params, item, findings)
        if key is None:
            continue
        where = f"Service {key} ({called})" if called else f"Service {key}"
        if key in services:
            findings.append(f"{where}: it is described twice. Put all its real servers into one item.")
        services[key] = _read_service(params, key, where, findings)
        columns = _columns(params["real_servers"])
        servers = _read_real_servers(columns, key, where, findings)
        real_servers[key] = {server[:2]: server for server in servers}
        held.update((key, server[:2]) for server in itertools.compress(servers, columns.get("hold", ())))
        names.update(((key, server[:2]), name) for server, name in zip(servers, columns.get("name", ())) if name)
    if findings:
        raise OptionError(findings)
    return Description(Table(services, real_servers), frozenset(held), names)


def read_service(params: Params) -> Service:
    """The service that a module's own options describe.

    :raises OptionError: with everything that cannot work.
    """
    findings: list[str] = []
    key = _read_key(params, "Service", findings)
    service = _read_service(params, key, f"Service {key}", findings) if key else None
    if service is None or findings:
        raise OptionError(findings)
    return service


def read_key(params: Params) -> ServiceKey:
    """The service that a module's own options name.

    :raises OptionError: when they name none.
    """
    findings: list[str] = []
    key = _read_key(params, "Service", findings)
    if key is None or findings:
        raise OptionError(findings)
    return key


def read_real_server(params: Params, key: ServiceKey) -> RealServer:
    """The real server that a module's own options describe.

    :raises OptionError: with everything that cannot work.
    """
    findings: list[str] = []
    columns = _columns([{**params, "port": params["server_port"]}])
    servers = _read_real_servers(columns, key, f"Service {key}", findings)
    if findings:
        raise OptionError(findings)
    return servers[0]


def read_real_server_key(params: Params, key: ServiceKey) -> RealServerKey:
    """The real server that a module's own options name.

    :raises OptionError: when they name none.
    """
    port = params["server_port"]
    return read_address(params["address"], "address"), key.port if port is None else port


def read_address(text: str, what: str) -> str:
    """An address, as the kernel writes it.

    :raises OptionError: when it is none.
    """
    address = canonical_address(text)
    if address is None:
        raise OptionError([f"{what} {text!r}: {_NO_ADDRESS}"])
    return address


_NO_ADDRESS = "it is not an IPv4 or IPv6 address. Write it without a prefix length, a port or a name."


def words_for_numbers(said: t.Mapping[str, t.Any]) -> list[str]:
    """Options that are true or false, which Ansible takes for 1 and 0."""
    return [f"{name} {value} is no number." for name, value in said.items() if isinstance(value, bool)]


def _read_key(params: Params, where: str, findings: list[str]) -> ServiceKey | None:
    words = words_for_numbers({name: params.get(name) for name in ("mark", "port", "persistent")})
    findings.extend(f"{where}: {word}" for word in words)
    mark = params["mark"]
    if mark is not None:
        if not 1 <= mark <= MAX_MARK:
            findings.append(f"{where}: mark {mark} is out of range: no mark is 0. Use 1 to {MAX_MARK}.")
            return None
        return ServiceKey.marked(mark, params["family"])
    vip, port = params["vip"], params["port"]
    if vip is None or port is None:
        findings.append(f"{where}: vip {vip}, port {port}: a service is known by its vip and port, or by its mark.")
        return None
    address = canonical_address(vip)
    if address is None:
        findings.append(f"{where}: vip {vip!r}: {_NO_ADDRESS}")
    if not 0 <= port <= MAX_PORT:
        findings.append(f"{where}: port {port} is out of range. Use 1 to {MAX_PORT}, or 0 for all ports.")
    elif address is not None:
        return ServiceKey.addressed(params["protocol"], address, port)
    return None


def _read_service(params: Params, key: ServiceKey, where: str, findings: list[str]) -> Service:
    scheduler, persistent, ops = params["scheduler"], params["persistent"], params["ops"]
    if _not_a_host(key.address):
        findings.append(f"{where}: vip {key.address}: {_not_a_host(key.address)}, so no client can connect to it.")
    if scheduler not in SCHEDULERS:
        findings.append(f"{where}: scheduler {scheduler!r} is not known. Known are {', '.join(SCHEDULERS)}.")
    if persistent is not None and not 1 <= persistent <= MAX_PERSISTENT:
        findings.append(
            f"{where}: persistent {persistent} is out of range. Use 1 to {MAX_PERSISTENT} seconds, or leave it out for"
            " a service without persistence."
        )
    if key.port == 0 and key.protocol != "mark" and persistent is None:
        findings.append(
            f"{where}: port 0 stands for all ports and needs persistent: without it the kernel takes the service and"
            " schedules no connection."
        )
    if ops and key.protocol in ("tcp", "sctp"):
        findings.append(
            f"{where}: ops schedules every packet by itself, which breaks {key.protocol} connections. It is for udp."
        )
    return Service(
        key,
        scheduler,
        _read_flags(params["scheduler_flags"], scheduler, where, findings),
        persistent,
        _read_netmask(params["netmask"], key.family, persistent, where, findings),
        ops,
        _read_engine(params["pe"], key, persistent, where, findings),
    )


def _read_flags(flags: t.Sequence[str], scheduler: str, where: str, findings: list[str]) -> tuple[str, ...]:
    known = flag_names(scheduler)[:2] if scheduler in ("sh", "mh") else ()
    for flag in flags:
        if flag not in known and scheduler in SCHEDULERS:
            findings.append(
                f"{where}: scheduler_flags {flag!r} means nothing to scheduler {scheduler}, though the kernel would"
                f" take it. {f'It knows {known[0]} and {known[1]}' if known else 'Only sh and mh have flags'}."
            )
    return tuple(flag for flag in known if flag in flags)


def _read_engine(engine: str | None, key: ServiceKey, persistent: int | None, where: str, findings: list[str]) -> str:
    if engine is None:
        return ""
    if engine not in PERSISTENCE_ENGINES:
        findings.append(f"{where}: pe {engine!r} is not known. Known is {', '.join(PERSISTENCE_ENGINES)}.")
        return ""
    if persistent is None:
        findings.append(f"{where}: pe {engine} says what a client is known by, and it needs persistent.")
    if key.protocol in ("tcp", "sctp"):
        findings.append(
            f"{where}: pe {engine} reads udp packets only, so the kernel would refuse every {key.protocol} client."
        )
    return engine


def _read_netmask(text: str | None, family: str, persistent: int | None, where: str, findings: list[str]) -> str | None:
    if text is None:
        return None
    if persistent is None:
        findings.append(f"{where}: netmask {text!r} says how persistence groups clients, and it needs persistent.")
    bits = _BITS[family]
    length = _prefix_length(text, family)
    if length is None or not 1 <= length <= bits:
        example = "255.255.255.0" if family == "ipv4" else "64"
        findings.append(
            f"{where}: netmask {text!r} does not mark the first 1 to {bits} bits of an {_WORD[family]} address, as"
            f" {example!r} does."
        )
        return None
    if length == bits:
        return None
    return canonical_mask(length) if family == "ipv4" else str(length)


_WORD = {"ipv4": "IPv4", "ipv6": "IPv6"}


def canonical_mask(length: int) -> str:
    """The IPv4 mask of a prefix length."""
    mask = (2**32 - 1) << (32 - length) & (2**32 - 1)
    return ".".join(str(mask >> shift & 255) for shift in (24, 16, 8, 0))


def _prefix_length(text: str, family: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)
    if family == "ipv4":
        return next((length for length in range(33) if canonical_mask(length) == text), None)
    return None


# What is said of a real server beside its address, in the order of _Said.
_REST = ("port", *(name for name in _SERVER_OPTIONS if name not in ("name", "address", "port", "hold")))
_Said = tuple[t.Optional[int], str, int, int, int, str, t.Optional[int], str]
_NUMBERS = tuple(name for name in _REST if _SERVER_OPTIONS[name]["type"] == "int")
_Columns = t.Mapping[str, t.Sequence[t.Any]]


def _columns(servers: t.Sequence[Params]) -> _Columns:
    """What real servers say, option by option. A large table has ten thousands, and they say it all in the same way."""
    if len({*map(tuple, servers)}) > 1:
        servers = [{**_SERVER_DEFAULTS, **server} for server in servers]
    return dict(zip(servers[0], zip(*(server.values() for server in servers)))) if servers else {"address": ()}


def _read_real_servers(columns: _Columns, key: ServiceKey, where: str, findings: list[str]) -> list[RealServer]:
    """The real servers of one service; what cannot work is a finding. Most differ in nothing but their address."""
    looks = [*map(_look_at, columns["address"])]
    rest = (columns.get(name, (_SERVER_DEFAULTS[name],) * len(looks)) for name in _REST)
    saids: list[_Said] = [*zip(*rest)]
    known = {said: _read_rest(said, key) for said in {*saids}}
    servers = [RealServer(look[0], *known[said][0]) for look, said in zip(looks, saids) if look[0] is not None]
    usual = {look for look in {*looks} if look[1:] == (key.family, "") and look[0] != key.address}
    words = any(bool in map(type, columns.get(name, ())) for name in _NUMBERS)
    if words or len(usual) < len({*looks}) or any(problems for _values, problems in known.values()):
        findings.extend(_problems(columns["address"], saids, key, where))
    if len({server[:2] for server in servers}) < len(servers):
        counts = collections.Counter(server[:2] for server in servers)
        twice = [name for name, count in counts.items() if count > 1]
        findings.extend(f"{where}, real server {endpoint(*name)}: it is listed twice." for name in twice)
    return servers


def _problems(texts: t.Iterable[str], saids: t.Iterable[_Said], key: ServiceKey, where: str) -> t.Iterator[str]:
    """What cannot work of real servers with these addresses, one after another."""
    for text, said in zip(texts, saids):
        address, _family, not_usable = _look_at(text)
        if address is None:
            yield f"{where}, real server {text!r}: {_NO_ADDRESS}"
        elif bool in map(type, said):  # True is 1 to a dictionary, too
            words = words_for_numbers(dict(zip(_REST, said)))
            yield from (f"{where}, real server {address}: {word}" for word in words)
        else:
            values, problems = _read_rest(said, key)
            server = RealServer(address, *values)
            subject = f"{where}, real server {endpoint(address, server.port)}"
            problems = [*problems, *_address_problems(server, key, not_usable)]
            yield from (f"{subject}: {problem}" for problem in problems)


def _read_rest(said: _Said, key: ServiceKey) -> tuple[tuple[t.Any, ...], list[str]]:
    """The values of a real server that follow its address, and what is wrong with them."""
    port, forward, weight, upper, lower, kind, tunnel_port, checksum = said
    if port is None:
        port = key.port
    problems = []
    if not 0 <= port <= MAX_PORT:
        problems.append(f"port {port} is out of range. Use 0 to {MAX_PORT}.")
    elif port != key.port:
        problems.append(_port_problem(port, key, forward))
    if not 0 <= weight <= MAX_WEIGHT:
        problems.append(f"weight {weight} is out of range. Use 0 (no new connections) to {MAX_WEIGHT}.")
    problems.append(_threshold_problem(upper, lower))
    if (kind, tunnel_port, checksum) != _PLAIN_TUNNEL:
        problems.extend(tunnel_problems(forward, kind, tunnel_port, checksum))
    flags = TUNNEL_CHECKSUMS.index(checksum)
    values = (port, forward, weight, upper, lower, kind, tunnel_port or 0, flags)
    return values, [problem for problem in problems if problem]


def _address_problems(server: RealServer, key: ServiceKey, not_usable: str) -> t.Iterator[str]:
    if server.address == key.address:
        yield "it has the address of the VIP, so the director would send the requests to itself."
    if server.forward != "tun" and family_of(server.address) != key.family:
        yield f"it is not of the service's family {_WORD[key.family]}; only forward: tun can bridge that."
    if not_usable:
        yield not_usable


@functools.lru_cache(maxsize=16384)
def _look_at(text: str) -> tuple[str | None, str, str]:
    """An address as the kernel writes it, its family, and why it cannot be a real server's. A machine serves many."""
    address = canonical_address(text)
    if address is None:
        return None, "", ""
    why = _not_a_host(address)
    if why:
        why = f"{why}, which cannot be a real server."
    elif address.startswith(("fe8", "fe9", "fea", "feb")) and _WHOLE_GROUP.match(address):
        why = "it is a link-local address, which says nothing without an interface; the kernel refuses it."
    return address, family_of(address), why


def _port_problem(port: int, key: ServiceKey, forward: str) -> str:
    if forward in _PORT_STAYS:
        remedy = "Leave the port out" if key.protocol == "mark" else f"Use port {key.port}"
        return (
            f"port {port} differs from the service's, but with {_PORT_STAYS[forward]} the packet reaches the real"
            f" server unchanged. {remedy}, or forward: nat."
        )
    if key.port == 0 and key.protocol != "mark":
        return f"port {port}: a service of all ports (0) passes on the port that the client asked for. Leave it out."
    return ""


def _threshold_problem(upper: int, lower: int) -> str:
    if not (0 <= upper <= MAX_THRESHOLD and 0 <= lower <= MAX_THRESHOLD):
        return f"upper_threshold {upper}, lower_threshold {lower}: use 0 (no limit) to {MAX_THRESHOLD}."
    if lower > upper:
        return f"lower_threshold {lower} is above upper_threshold {upper}: it would never take connections again."
    return ""


_PLAIN_TUNNEL = ("ipip", None, "nocsum")


def tunnel_problems(forward: str, kind: str, port: int | None, checksum: str) -> t.Iterator[str]:
    """What cannot work of a tunnel, in the words of the options."""
    if forward != "tun":
        said = (f"tunnel_type {kind}", f"tunnel_port {port}", f"tunnel_checksum {checksum}")
        meant = (kind != "ipip", port is not None, checksum != "nocsum")
        yield f"{', '.join(itertools.compress(said, meant))}: forward {forward} has no tunnel. Use forward: tun."
        return
    if kind == "gue" and port is None:
        yield (
            "tunnel_type gue needs tunnel_port, the UDP port on which the real server takes packets out of their"
            " tunnel; 6080 is usual."
        )
    elif kind == "gue" and not 1 <= t.cast(int, port) <= MAX_PORT:
        yield f"tunnel_port {port} is out of range. Use 1 to {MAX_PORT}."
    elif kind != "gue" and port is not None:
        yield f"tunnel_port {port}: a tunnel of type {kind} has no port. Leave it out, or use tunnel_type: gue."
    if kind == "ipip" and checksum != "nocsum":
        yield f"tunnel_checksum {checksum}: a tunnel of type ipip has none. Use tunnel_type: gue or gre, or nocsum."
    elif kind == "gre" and checksum == "remcsum":
        yield "tunnel_checksum remcsum: remote checksum offload is for tunnel_type: gue. A gre tunnel takes csum."


_MULTICAST = range(224, 240)
_WHOLE_GROUP = re.compile("[0-9a-f]{4}:")  # ff::1 is 00ff::1


def _not_a_host(address: str) -> str:
    """Why this address is not one of a single host; empty when it is, or when there is none."""
    if ":" in address:
        if address == "::":
            return "it is the unspecified address"
        return "it is a multicast address" if address.startswith("ff") and _WHOLE_GROUP.match(address) else ""
    if address.startswith("0."):
        return "it is an address of 'this network' (0.0.0.0/8)"
    if address == "255.255.255.255":
        return "it is the broadcast address"
    return "it is a multicast address" if address and int(address.partition(".")[0]) in _MULTICAST else ""
