# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Rules of nftables as text: chains in, one transaction out. Pure.

A role has tables of its own name and no others, one for each family that it has chains of. The text replaces them
whole: it makes the table, so that there is one to delete, deletes it and makes it anew, and the kernel takes all of
that or nothing. Whatever stands in such a text was a typed value before, or was refused.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Ports = tuple[int, int]  # the first and the last of a range; both are the same for a single one

DIRECTOR, FORWARDING, REALSERVER, FIREWALL = "director", "forwarding", "realserver", "firewall"
FAMILIES = {DIRECTOR: ("inet",), FORWARDING: ("inet",), REALSERVER: ("inet", "arp"), FIREWALL: ("inet",)}
MAX_PORT = 65535

_HEADER = "# Written by Ansible, module openlvs.lvs.lvs_nft. Changes made here do not last.\n"
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}")


@dataclasses.dataclass(frozen=True)
class Chain:
    """A base chain of one purpose.

    :attr family: of nftables: V(inet) for IPv4 and IPv6, or V(arp).
    :attr hook: where it stands, such as ``type filter hook prerouting priority mangle``.
    :attr rules: each a line.
    """

    family: str
    name: str
    hook: str
    rules: tuple[str, ...]


def table_name(role: str) -> str:
    """The name of a role's tables, the same in every family."""
    return f"openlvs_{role}"


def render(role: str, chains: t.Sequence[Chain]) -> str:
    """The transaction that makes a role's tables hold these chains and nothing else; empty without any."""
    texts = []
    for family in FAMILIES[role]:
        mine = [_chain(chain) for chain in chains if chain.family == family and chain.rules]
        if mine:
            table = f"table {family} {table_name(role)}"
            texts.append(f"{table}\ndelete {table}\n{table} {{\n" + "\n".join(mine) + "}\n")
    return _HEADER + "\n".join(texts) if texts else ""


def _chain(chain: Chain) -> str:
    rules = "".join(f"\t\t{rule}\n" for rule in chain.rules)
    return f"\tchain {chain.name} {{\n\t\t{chain.hook}; policy accept;\n{rules}\t}}\n"


# ---- values


def address(value: object) -> Address:
    """:raises ValueError: if it is not one address, alone."""
    text = str(value)
    if "%" in text:
        raise ValueError(text)
    return ipaddress.ip_address(text)


def ports(value: object) -> Ports:
    """One port, or a range such as V(8000-8010).

    :raises ValueError: if it is neither.
    """
    match = _PORTS.fullmatch(str(value).strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= MAX_PORT:
        raise ValueError(value)
    return first, last


def quoted(interface: str) -> str:
    """The name of an interface, as a rule has it.

    :raises ValueError: if no interface can be called so.
    """
    if not _INTERFACE.fullmatch(interface):
        raise ValueError(interface)
    return f'"{interface}"'


def any_port(ranges: t.Iterable[Ports]) -> str:
    """The ports as a set."""
    return "{ " + ", ".join(show_ports(one) for one in sorted(ranges)) + " }"


def show_ports(one: Ports) -> str:
    return str(one[0]) if one[0] == one[1] else f"{one[0]}-{one[1]}"


def word(address: Address) -> str:
    """What a rule about such an address begins with."""
    return "ip" if address.version == 4 else "ip6"


def by_family(addresses: t.Iterable[Address]) -> dict[str, str]:
    """The addresses as a set for each family that has some, by the word that a rule of that family begins with."""
    found: dict[str, list[Address]] = {}
    for one in addresses:
        found.setdefault(word(one), []).append(one)
    return {begin: "{ " + ", ".join(map(str, sorted(same, key=int))) + " }" for begin, same in sorted(found.items())}
