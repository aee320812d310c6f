# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the roles want rules of nftables for: each purpose is an option of the module and a function here. Pure.

A function takes the option's value and the list that findings go to, and gives chains.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _nft
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import tunnel_problems
from ansible_collections.openlvs.lvs.plugins.module_utils._nft import Chain
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import Tunnel, segment_size

IPV4 = 4
MAX_MARK = 2**32 - 1
MIN_SEGMENT = 536  # what every host takes: RFC 9293
_T = t.TypeVar("_T")

Entries = t.Sequence[t.Mapping[str, t.Any]]
Purpose = t.Callable[[Entries, list[str]], list[Chain]]

# How modules take what goes to ports of VIPs, and the mark that it gets.
PASSING: dict[str, t.Any] = {
    "addresses": {"type": "list", "elements": "str", "required": True},
    "ports": {"type": "list", "elements": "str", "required": True},
    "protocol": {"type": "str", "choices": ["tcp", "udp", "sctp"], "default": "tcp"},
}
MARK: dict[str, t.Any] = {"mark": {"type": "int", "required": True}, **PASSING}


def chains_of(role: str, params: t.Mapping[str, t.Any]) -> list[Chain]:
    """All chains that the module's options ask for.

    :raises OptionError: with every finding.
    """
    findings: list[str] = []
    found: list[Chain] = []
    for name, (roles, purpose) in PURPOSES.items():
        entries = params.get(name) or []
        if entries and role not in roles:
            findings.append(f"{name}: table '{role}' has none of these, only {' and '.join(roles)} has")
        found += purpose(entries, findings)
    if findings:
        raise OptionError(findings)
    return found


# ---- marks


def marks(entries: Entries, findings: list[str]) -> list[Chain]:
    """Mark what goes to ports of VIPs before it is routed, so that it comes to one virtual service."""
    rules: list[str] = []
    taken: dict[tuple[_nft.Address, str], list[tuple[_nft.Ports, str]]] = {}
    for number, given in enumerate(entries):
        entry = _Entry(f"marks[{number}]", given, findings)
        mark, protocol = given["mark"], given["protocol"]
        if not 1 <= mark <= MAX_MARK:
            entry.wrong(f"mark {mark} is out of range: 1 to {MAX_MARK}")
        addresses, ranges = entry.addresses(), entry.ports()
        for address in addresses:
            _taken_twice(entry, f"{protocol} {address}", ranges, taken.setdefault((address, protocol), []))
        rules += [
            f"{word} daddr {same} {protocol} dport {_nft.any_port(ranges)} meta mark set 0x{mark:08x}"
            for word, same in _nft.by_family(addresses).items()
        ]
    return [Chain("inet", "marks", "type filter hook prerouting priority mangle", tuple(rules))]


def _taken_twice(entry: _Entry, what: str, ranges: t.Sequence[_nft.Ports], taken: list[tuple[_nft.Ports, str]]) -> None:
    """A packet can have one mark only; remembers what is taken by now."""
    for one in ranges:
        known = [place for other, place in taken if one[0] <= other[1] and other[0] <= one[1]]
        if known:
            entry.wrong(f"port {_nft.show_ports(one)} of {what} is marked by {known[0]} already")
        taken.append((one, entry.where))


# ---- handed_on

_MAC = re.compile("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_SENDERS = re.compile(r"\tether saddr \{ ([0-9a-f:, ]+) \} ")


def handed_on(entries: Entries, findings: list[str]) -> list[Chain]:
    """Mark what other directors hand on, by the MAC address that it comes from, after any other mark of ours.

    The packets still have a client's address as their source; nothing else in them tells where they were before.
    """
    rules: list[str] = []
    for number, given in enumerate(entries):
        entry = _Entry(f"handed_on[{number}]", given, findings)
        if not 1 <= given["mark"] <= MAX_MARK:
            entry.wrong(f"mark {given['mark']} is out of range: 1 to {MAX_MARK}")
        senders = ", ".join(sorted(entry.macs("senders")))
        rules += [
            f"ether saddr {{ {senders} }} {word} daddr {same} meta mark set 0x{given['mark']:08x}"
            for word, same in _nft.by_family(entry.addresses()).items()
        ]
    return [Chain("inet", "handed_on", "type filter hook prerouting priority mangle + 1", tuple(rules))]


def senders(text: str) -> frozenset[str]:
    """The MAC addresses of other directors in a text of ours."""
    return frozenset(mac for match in _SENDERS.finditer(text) for mac in match[1].split(", "))


# ---- tunnels

IPIP, IPV6_IN_IP, GRE = 4, 41, 47
INSIDE = {False: IPIP, True: IPV6_IN_IP}  # over IPv4; a device for IPv6 outside takes both


def tunnels(entries: Entries, findings: list[str]) -> list[Chain]:
    """Take tunnel packets from the directors only, and have clients send segments that fit into them.

    A device that takes packets out of IP in IP cares for no port of UDP: GUE opens both ways.
    """
    senders: dict[tuple[str, str], dict[_nft.Address, None]] = {}
    sizes: dict[_nft.Address, int] = {}
    for number, given in enumerate(entries):
        entry = _Entry(f"tunnels[{number}]", given, findings)
        said = (given["tunnel_type"], given["tunnel_port"], given["tunnel_checksum"])
        for problem in tunnel_problems("tun", *said):
            entry.wrong(problem)
        address, sources, vips = entry.address(), entry.addresses("sources"), entry.addresses("vips")
        if address is None or findings:
            continue
        same = [one for one in sources if one.version == address.version]
        if not same:
            entry.wrong(f"sources has no IPv{address.version} address, so nobody could send to {address}")
        tunnel = Tunnel(given["tunnel_type"], str(address), tuple(map(str, vips)), said[1], said[2])
        for match in _arriving(tunnel):
            senders.setdefault((_nft.word(address), match), {}).update(dict.fromkeys(same))
        for vip in vips:
            size = segment_size(tunnel, str(vip), given["mtu"])
            sizes[vip] = min(size, sizes.get(vip, size))
            if size < MIN_SEGMENT:
                entry.wrong(f"mtu {given['mtu']} leaves {size} bytes for a segment of TCP to {vip}. It is too small")
    guard = [
        f"{match} {word} saddr != {_nft.by_family(sources)[word]} drop"
        for (word, match), sources in sorted(senders.items())
        if sources
    ]
    fitting = [
        f"{_nft.word(vip)} saddr {vip} tcp flags & (syn | rst) == syn tcp option maxseg size set {size}"
        for vip, size in sizes.items()
    ]
    return [
        Chain("inet", "tunnels", "type filter hook input priority filter", tuple(guard)),
        Chain("inet", "segments", "type filter hook output priority mangle", tuple(fitting)),
    ]


def _arriving(tunnel: Tunnel) -> list[str]:
    """How packets look that its devices would take."""
    if tunnel.type == "gre":
        return [f"meta l4proto {GRE}"]
    inside = {IPIP, IPV6_IN_IP} if ":" in tunnel.address else {INSIDE[":" in vip] for vip in tunnel.vips}
    port = [f"udp dport {tunnel.port}"] if tunnel.port else []
    return [*(f"meta l4proto {protocol}" for protocol in sorted(inside)), *port]


# ---- silent

_SILENCED = re.compile(r"\tarp operation request arp daddr ip \{ ([0-9., ]+) \} drop\n")


def silent(entries: Entries, findings: list[str]) -> list[Chain]:
    """Hear nobody ask for VIPs by ARP, and ask for others as an address of one's own, never as a VIP.

    Asking cannot be dropped: an answer to a client has the VIP as its source, and the kernel asks for a router as that.
    """
    heard: list[str] = []
    said: list[str] = []
    for number, given in enumerate(entries):
        entry = _Entry(f"silent[{number}]", given, findings)
        vips = entry.addresses()
        if any(one.version != IPV4 for one in vips):
            entry.wrong("addresses has an IPv6 address; neighbour discovery answers for its own interface alone")
            continue
        same = _nft.by_family(vips).get("ip", "")
        heard.append(f"arp operation request arp daddr ip {same} drop")
        for source in given["sources"]:
            said += _asking(entry, same, source)
        said.append(f"arp saddr ip {same} arp saddr ip set 0.0.0.0")
    return [
        Chain("arp", "heard", "type filter hook input priority filter", tuple(heard)),
        Chain("arp", "said", "type filter hook output priority filter", tuple(said)),
    ]


def _asking(entry: _Entry, vips: str, source: t.Mapping[str, t.Any]) -> list[str]:
    try:
        own = ipaddress.IPv4Interface((source["address"], source["prefix"]))
        interface = _nft.quoted(source["interface"])
    except ValueError:
        text = f"sources has {source['address']}/{source['prefix']} on '{source['interface']}'"
        entry.wrong(f"{text}; it may have IPv4 addresses with the length of their prefix and the name of an interface")
        return []
    return [f"oifname {interface} arp daddr ip {own.network} arp saddr ip {vips} arp saddr ip set {own.ip}"]


def silenced(text: str) -> frozenset[str]:
    """The VIPs about which a text of ours keeps silent."""
    return frozenset(vip for match in _SILENCED.finditer(text) for vip in match[1].split(", "))


# ---- masquerade


def masquerade(entries: Entries, findings: list[str]) -> list[Chain]:
    """Give what IPVS sends to real servers an address of the director as its source.

    By what the client asked for, as netfilter follows the connection, and by where it goes: what goes to other real
    servers of the same service keeps its source.
    """
    rules: list[str] = []
    for number, given in enumerate(entries):
        entry = _Entry(f"masquerade[{number}]", given, findings)
        vips, ports = entry.addresses(), _nft.any_port(entry.ports())
        servers = _nft.by_family(entry.addresses("servers"))
        rules += [
            f"meta l4proto {given['protocol']} ct original {word} daddr {same} ct original proto-dst {ports}"
            f" {word} daddr {servers[word]} masquerade"
            for word, same in _nft.by_family(vips).items()
            if word in servers
        ]
    return [Chain("inet", "hidden", "type nat hook postrouting priority srcnat", tuple(rules))]


# ---- forward

_ERRORS = {
    "ip": "icmp type { destination-unreachable, time-exceeded, parameter-problem }",
    "ip6": "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
}
_FAMILY = {"ip": "ipv4", "ip6": "ipv6"}


def forward(entries: Entries, findings: list[str]) -> list[Chain]:
    """Pass on the answers of real servers, and their errors, and nothing else of a family that has some."""
    answers: list[str] = []
    senders: dict[_nft.Address, None] = {}
    for number, given in enumerate(entries):
        entry = _Entry(f"forward[{number}]", given, findings)
        servers, ports = entry.addresses(), _nft.any_port(entry.ports())
        senders.update(dict.fromkeys(servers))
        answers += [
            f"{word} saddr {same} {given['protocol']} sport {ports} accept"
            for word, same in _nft.by_family(servers).items()
        ]
    families = _nft.by_family(senders)
    errors = [f"{word} saddr {same} {_ERRORS[word]} accept" for word, same in families.items()]
    others = [f"meta nfproto {_FAMILY[word]} drop" for word in families]
    return [Chain("inet", "passing", "type filter hook forward priority filter", (*answers, *errors, *others))]


# ---- for every purpose


class _Entry:
    """One entry of an option. A value that cannot be read is a finding, and reading goes on."""

    def __init__(self, where: str, data: t.Mapping[str, t.Any], findings: list[str]) -> None:
        self.where = where
        self._data = data
        self._findings = findings

    def wrong(self, text: str) -> None:
        self._findings.append(f"{self.where}: {text}")

    def address(self, key: str = "address") -> _nft.Address | None:
        try:
            return _nft.address(self._data[key])
        except ValueError:
            self.wrong(f"{key} '{self._data[key]}' is neither an IPv4 nor an IPv6 address")
            return None

    def addresses(self, key: str = "addresses") -> list[_nft.Address]:
        return self._all(key, _nft.address, "IPv4 and IPv6 addresses alone")

    def macs(self, key: str) -> list[str]:
        return self._all(key, _mac, "MAC addresses such as 02:00:5e:10:00:0b alone")

    def ports(self, key: str = "ports") -> list[_nft.Ports]:
        return self._all(key, _nft.ports, "ports from 1 to 65535 and ranges such as 8000-8010")

    def _all(self, key: str, read: t.Callable[[object], _T], allowed: str) -> list[_T]:
        found = []
        for value in self._data[key]:
            try:
                found.append(read(value))
            except ValueError:
                self.wrong(f"{key} has '{value}'; it may have {allowed}")
        if not self._data[key]:
            self.wrong(f"{key} is empty: name at least one")
        return found


def _mac(value: object) -> str:
    text = str(value).lower()
    if not _MAC.fullmatch(text):
        raise ValueError(text)
    return text


# Option -> the roles whose tables have such rules, and the function that makes them.
PURPOSES: dict[str, tuple[tuple[str, ...], Purpose]] = {
    "marks": ((_nft.DIRECTOR,), marks),
    "handed_on": ((_nft.DIRECTOR,), handed_on),
    "masquerade": ((_nft.FORWARDING,), masquerade),
    "forward": ((_nft.FORWARDING,), forward),
    "tunnels": ((_nft.REALSERVER,), tunnels),
    "silent": ((_nft.REALSERVER,), silent),
}
