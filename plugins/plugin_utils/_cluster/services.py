# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Services, short form or long, read into the one long form. Nothing behind this border knows the short one."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils._connect import is_probe
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import MAX_MARK, MAX_PERSISTENT, MAX_PORT
from ansible_collections.openlvs.lvs.plugins.module_utils._nft import ports
from ansible_collections.openlvs.lvs.plugins.module_utils._table import PROTOCOLS, SCHEDULERS
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import marks, words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import Defaults, Entry, kind_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings, did_you_mean
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    Listen,
    Service,
    Vip,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.servers import (
    TUNNEL_KEYS,
    read_checks,
    read_real_servers,
    read_sorry_server,
)

SERVICE_KEYS = (
    "name",
    "directors",
    "routers",
    "vip",
    "vips",
    "port",
    "ports",
    "protocol",
    "listen",
    "affinity",
    "mark",
    "forward",
    *TUNNEL_KEYS,
    "scheduler",
    "scheduler_flags",
    "persistent",
    "netmask",
    "real_servers",
    "checks",
    "sorry_server",
    "quorum",
    "hysteresis",
    "inhibit_on_failure",
    "keepalived",
    "probe",
)
DEFAULT_KEYS = tuple(key for key in SERVICE_KEYS if key not in ("name", "mark"))
DEFAULTS = "lvs_service_defaults"
VIP_KEYS = ("address", "prefix", "interface", "vrrp")
LISTEN_KEYS = ("port", "protocol")
PROBE_KEYS = ("text", "hex")
DEFAULT_DIRECTORS = "lvs_directors"
ROUTERS = "lvs_routers"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VIP_REMEDY = "write the address alone; a prefix other than 32 or 128 belongs into vips: [{address: ..., prefix: ...}]"
_EXAMPLE = "{name: web, vip: 192.0.2.10, port: 80, real_servers: [{host: rs1}]}"

Groups = t.Mapping[str, t.Sequence[str]]


@dataclass(frozen=True)
class Section:
    """One ``lvs_services`` of the inventory with what belongs to it.

    :attr label: how findings name it.
    """

    label: str
    services: t.Any
    defaults: t.Any = None
    engine: t.Any = None


def read_services(section: Section, groups: Groups, findings: Findings) -> list[Service]:
    """All services of a section; what cannot be read is a finding."""
    engine = _engine(section, findings)
    if engine is None:
        return []  # what they may say depends on it
    if not isinstance(section.services, list):
        findings.add(section.label, f"must be a list of services, not {kind_of(section.services)}")
        return []
    defaults = {} if section.defaults is None else section.defaults
    if not isinstance(defaults, dict):
        findings.add(DEFAULTS, f"must be a dictionary, not {kind_of(defaults)}")
        defaults = {}
    Entry(findings, DEFAULTS, defaults, DEFAULT_KEYS)
    found = []
    for number, item in enumerate(section.services):
        where = f"{section.label}[{number}]"
        if isinstance(item, dict):
            entry = Entry(findings, named(where, item), item, SERVICE_KEYS, _defaults_for(item, defaults))
            found.append(_read_service(entry, engine, groups))
        else:
            findings.add(where, f"must be a dictionary such as {_EXAMPLE}, not {kind_of(item)}")
    return found


def _engine(section: Section, findings: Findings) -> str | None:
    entry = Entry(findings, section.label, {"lvs_engine": section.engine}, ("lvs_engine",))
    return entry.choice("lvs_engine", words.ENGINES) if entry.has("lvs_engine") else "kernel"


def _read_service(entry: Entry, engine: str, groups: Groups) -> Service:
    name = read_name(entry)
    forward = entry.choice("forward", words.FORWARDS) or "dr"
    affinity = entry.choice("affinity", words.AFFINITIES) or "none"
    scheduler, flags = _scheduler(entry)
    listen = _listen(entry, affinity)
    persistent = entry.number("persistent", 1, MAX_PERSISTENT, " seconds; leave it out for none")
    if persistent is None and affinity == "client":
        persistent = words.DEFAULT_PERSISTENT
    return Service(
        where=entry.where,
        name=name,
        engine=engine,
        directors=_directors(entry, groups),
        routers=_hosts(entry, "routers", entry.get("routers"), groups) if entry.has("routers") else (),
        vips=_vips(entry),
        listen=listen,
        affinity=affinity,
        mark=_mark(entry, name, affinity),
        forward=forward,
        scheduler=scheduler,
        scheduler_flags=flags,
        persistent=persistent,
        netmask=_netmask(entry),
        real_servers=read_real_servers(entry, forward, groups),
        checks=read_checks(entry),
        sorry_server=read_sorry_server(entry),
        quorum=entry.number("quorum", 1, words.MAX_WEIGHT),
        hysteresis=entry.number("hysteresis", 0, words.MAX_WEIGHT),
        inhibit_on_failure=entry.flag("inhibit_on_failure"),
        keepalived=entry.words("keepalived"),
        probe=_probe(entry, listen),
    )


def _defaults_for(item: dict[str, t.Any], defaults: t.Mapping[str, t.Any]) -> Defaults:
    """The defaults without those that the service says in the other form."""
    hidden: set[str] = set()
    if item.keys() & {"vip", "vips"}:
        hidden |= {"vip", "vips"}
    if item.keys() & {"listen", "port", "ports"}:
        hidden |= {"listen", "port", "ports"}
    if "listen" in item:
        hidden.add("protocol")
    shown = [key for key in defaults if key in DEFAULT_KEYS and key not in hidden]
    return Defaults(DEFAULTS, {key: defaults[key] for key in shown})


def named(where: str, item: t.Mapping[str, t.Any]) -> str:
    """How findings name an item: by its place, and by its name if it has one."""
    return f"{where} {item['name']}" if item.get("name") and isinstance(item["name"], str) else where


def read_name(entry: Entry) -> str:
    if not entry.has("name"):
        entry.wrong("name", "has no name: messages and files use it")
        return ""
    name = entry.text("name") or ""
    if name and not _NAME.fullmatch(name):
        text = f"name {name!r} must be at most 63 letters, digits, '.', '_' and '-': it goes into file names"
        entry.wrong("name", text)
    return name


def _directors(entry: Entry, groups: Groups) -> tuple[str, ...]:
    wanted = entry.get("directors")
    if wanted is None and DEFAULT_DIRECTORS not in groups:
        entry.wrong("directors", f"has no directors: name some, or put them into a group {DEFAULT_DIRECTORS}")
        return ()
    return _hosts(entry, "directors", DEFAULT_DIRECTORS if wanted is None else wanted, groups)


def _hosts(entry: Entry, key: str, wanted: t.Any, groups: Groups) -> tuple[str, ...]:
    """Those of a group, or of a list."""
    hosts = groups.get("all", ())
    if isinstance(wanted, str):
        if wanted in groups:
            if not groups[wanted]:
                entry.wrong(key, f"{key}: group '{wanted}' has no hosts")
            return tuple(groups[wanted])
        remedy = f"; it is a host: write {key}: [{wanted}]" if wanted in hosts else did_you_mean(wanted, groups)
        entry.wrong(key, f"{key}: group '{wanted}' is not in the inventory{remedy}")
        return ()
    found = []
    if wanted == []:
        entry.wrong(key, f"{key} is empty: name some, or leave it out")
    for host in entry.items(key):
        if isinstance(host, str) and host in hosts:
            found.append(host)
        else:
            entry.wrong(key, f"{key}: host '{host}' is not in the inventory{did_you_mean(host, hosts)}")
    return tuple(dict.fromkeys(found))


def _vips(entry: Entry) -> tuple[Vip, ...]:
    if entry.has("vip") and entry.has("vips"):
        entry.wrong("vips", "has both vip and vips: vip is the short form of vips: [{address: ...}]")
    found = []
    if entry.has("vip"):
        address = entry.address("vip", _VIP_REMEDY)
        found += [Vip(address, address.max_prefixlen)] if address else []
    elif entry.get("vips") in (None, []):
        entry.wrong("vips", "has no VIP: say vip: ADDRESS, or vips: [{address: ADDRESS}, ...]")
    for number, item in entry.mappings("vips", "{address: 192.0.2.10}"):
        inner = Entry(entry.findings, f"{entry.at('vips')} vips[{number}]", item, VIP_KEYS)
        if not inner.has("address"):
            inner.wrong("address", "has no address")
        address = inner.address("address", "write it as prefix: of its own")
        if address:
            prefix = inner.number("prefix", 1, address.max_prefixlen)
            interface = inner.interface("interface")
            found.append(Vip(address, prefix or address.max_prefixlen, interface, inner.text("vrrp")))
    return tuple(found)


def _listen(entry: Entry, affinity: str) -> tuple[Listen, ...]:
    given = [key for key in ("listen", "port", "ports") if entry.get(key) not in (None, [])]
    if not given:
        entry.wrong("listen", "listens to nothing: say port, ports or listen")
    elif len(given) > 1:
        entry.wrong("listen", f"has {' and '.join(given)}: one of them, please")
    if entry.has("listen") and entry.has("protocol"):
        entry.wrong("protocol", "has protocol beside listen: put it into the entries of listen")
    found: list[Listen] = []
    if entry.has("port"):
        found += _ports(entry, "port", [entry.get("port")])
    found += _ports(entry, "ports", entry.items("ports"))
    for number, item in entry.mappings("listen", "{port: 80, protocol: tcp}"):
        inner = Entry(entry.findings, f"{entry.at('listen')} listen[{number}]", item, LISTEN_KEYS)
        if not inner.has("port"):
            inner.wrong("port", "has no port")
        else:
            found += _ports(inner, "port", [inner.get("port")])
    ranges = list(dict.fromkeys(one.ports for one in found if one.last is not None))
    if ranges and affinity == "none":
        text = f"listens to {', '.join(ranges)}: with affinity 'none' each port is a virtual service of its own."
        entry.wrong("listen", f"{text} Name the ports one by one, or make one service of them by affinity: mark")
    for listen in _met_before(found):
        entry.wrong("listen", f"listens to {listen.protocol} {listen.ports} twice")
    return tuple(dict.fromkeys(found))


def _met_before(found: list[Listen]) -> list[Listen]:
    """What overlaps something before it: single ports told by a set, for there may be thousands."""
    seen: set[Listen] = set()
    ranges: list[Listen] = []
    again: dict[Listen, None] = {}
    for one in sorted(found, key=lambda one: one.last is None):  # ranges first
        if one in seen or any(one.overlaps(other) for other in ranges):
            again[one] = None
        seen.add(one)
        if one.last is not None:
            ranges.append(one)
    return list(again)


def _ports(entry: Entry, key: str, values: list[t.Any]) -> list[Listen]:
    protocols = entry.choices("protocol", PROTOCOLS) or ("tcp",)
    found = []
    for value in values:
        first, last = _port(Entry(entry.findings, entry.at(key), {"port": value}, ("port",)), value)
        found += [Listen(first, protocol, last) for protocol in protocols] if first else []
    return found


def _port(entry: Entry, value: object) -> tuple[int | None, int | None]:
    """A port, or the first and the last of a range."""
    if value is None:
        entry.wrong("port", "a port is missing: write a number, or a range such as 8000-8010")
        return None, None
    if not isinstance(value, str) or not re.match(r"\s*[0-9]+\s*-", value):
        return entry.number("port", 1, MAX_PORT, _port_zero(value)), None
    try:
        first, last = ports(value)
    except ValueError:
        entry.wrong("port", f"port '{value}' must be a range such as 8000-8010, of ports from 1 to {MAX_PORT}")
        return None, None
    return first, last if last != first else None


def _port_zero(value: object) -> str:
    return "; all ports of a client at once are affinity: client" if value in (0, "0") else ""


def _scheduler(entry: Entry) -> tuple[str, tuple[str, ...]]:
    scheduler = entry.choice("scheduler", SCHEDULERS)
    flags = entry.choices("scheduler_flags", words.SCHEDULER_FLAGS)
    if scheduler is None and entry.has("scheduler"):
        return words.DEFAULT_SCHEDULER, ()
    return scheduler or words.DEFAULT_SCHEDULER, flags


def _netmask(entry: Entry) -> str | None:
    """A dotted mask is IPv4's, a prefix length either's; whether it is one is told by the kernel's rules."""
    value = entry.get("netmask")
    if value is None or (isinstance(value, (int, str)) and not isinstance(value, bool)):
        return None if value is None else str(value)
    entry.wrong("netmask", f"netmask must be one such as '255.255.255.0', or a prefix length, not {kind_of(value)}")
    return None


def _probe(entry: Entry, listen: t.Sequence[Listen]) -> str | None:
    value = entry.get("probe")
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) != 1:
        entry.wrong("probe", "probe must be {text: WORDS} or {hex: '00 1f'}: what a client asks over udp")
        return None
    inner = Entry(entry.findings, f"{entry.at('probe')} probe", value, PROBE_KEYS)
    text, code = inner.text("text"), inner.text("hex")
    if code is not None and not is_probe(code):
        inner.wrong("hex", f"hex {code!r} is not hexadecimal, two digits for each byte, such as '00 1f'")
        return None
    if listen and "udp" not in {one.protocol for one in listen} and "probe" in entry.data:
        entry.wrong("probe", "probe is what a client asks over udp, and this service has no udp port")
    return text.encode().hex() if text else bytes.fromhex(code).hex() if code else None


def _mark(entry: Entry, name: str, affinity: str) -> int | None:
    if affinity != "mark":
        if entry.has("mark"):
            entry.wrong("mark", "mark is for affinity: mark alone")
        return None
    return entry.number("mark", 1, MAX_MARK) or marks.mark_of(name)
