# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The settings of a host that passes packets on: whether it does, and whether it tells of shorter ways. Pure.

A director that masquerades into the network of its VIPs must not send ICMP redirects: a real server that learns of the
router beside it answers past the director (net/ipv4/route.c sends one where a packet leaves by the interface it came
by; it looks at the values of ``all`` and of the interface, and either of them suffices). IPv6 has no such setting.

Whoever turns forwarding on or off turns other settings, too (inet_forward_change() in net/ipv4/devinet.c,
addrconf_forward_change() in net/ipv6/addrconf.c): those are recorded, and come back after it.
An IPv6 host that becomes a router forgets the routes that routers have told it, and listens to none, but on interfaces
where accept_ra is 2.
"""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._sysctl import per_interface

IP_FORWARD = "net.ipv4.ip_forward"
IP6_FORWARD = "net.ipv6.conf.all.forwarding"
_REDIRECTS, _FORWARDS, _ROUTERS = "send_redirects", "forwarding", "accept_ra"
_TOLD = per_interface("all", "accept_redirects")
_LISTENS, _LISTENS_AS_ROUTER = "1", "2"

Values = t.Mapping[str, str]


def redirects(interface: str) -> str:
    """The name of the setting on an interface, or on V(all)."""
    return per_interface(interface, _REDIRECTS)


def names(interfaces: t.Iterable[str]) -> list[str]:
    """The names of all these settings.

    :arg interfaces: what has settings of its own, V(all) and V(default), too.
    """
    found = [IP_FORWARD, IP6_FORWARD, _TOLD]
    for interface in interfaces:
        found.append(redirects(interface))
        if interface != "all":
            found += [per_interface(interface, _FORWARDS, version) for version in (4, 6)]
            found.append(per_interface(interface, _ROUTERS, 6))
    return found


def is_one(name: str) -> bool:
    """Whether a setting is one of these."""
    return name in (IP_FORWARD, _TOLD) or name.rpartition(".")[2] in (_REDIRECTS, _FORWARDS, _ROUTERS)


def wanted(found: Values, recorded: t.Container[str], ipv4: bool, ipv6: bool, silent: t.Iterable[str]) -> Values:
    """The settings that must hold, with their values, in the order in which they are written.

    :arg silent: interfaces by which no redirect may be sent.
    """
    quiet = list(silent)
    values = dict.fromkeys([redirects(interface) for interface in ("all", *quiet)] if quiet else [], "0")
    if ipv6:
        routers = [name for name in found if name.endswith(f".{_ROUTERS}") and ".default." not in name]
        listening = [name for name in routers if name in recorded or _listens(found, name)]
        values.update(dict.fromkeys(listening, _LISTENS_AS_ROUTER))
    return {**values, **({IP_FORWARD: "1"} if ipv4 else {}), **({IP6_FORWARD: "1"} if ipv6 else {})}


def _listens(found: Values, name: str) -> bool:
    return found[name] == _LISTENS and found[f"{name.rpartition('.')[0]}.{_FORWARDS}"] == "0"


def turned(name: str, value: str, found: t.Iterable[str]) -> dict[str, str]:
    """What the kernel changes by itself when this setting is written."""
    if name == IP_FORWARD:
        on_interfaces = {one: value for one in found if _is_forwarding(one, "net.ipv4.")}
        return {**on_interfaces, _TOLD: str(1 - int(value))}
    return {one: value for one in found if _is_forwarding(one, "net.ipv6.")} if name == IP6_FORWARD else {}


def _is_forwarding(name: str, family: str) -> bool:
    return name.startswith(family) and name.endswith(f".{_FORWARDS}")


def at_stake(name: str, found: Values) -> dict[str, str]:
    """What would not be as it was found when forwarding has been turned on and off again."""
    return {one: found[one] for one, value in turned(name, "0", found).items() if found.get(one) not in (None, value)}


def last_first(names_: t.Iterable[str]) -> list[str]:
    """Recorded settings in the order in which they come back: forwarding before what goes with it."""
    return sorted(names_, key=lambda name: (name not in (IP_FORWARD, IP6_FORWARD), name.endswith(_ROUTERS)))


def ours(name: str) -> str | None:
    """The value that we write; None where the kernel has written it for us."""
    if name in (IP_FORWARD, IP6_FORWARD):
        return "1"
    return {_REDIRECTS: "0", _ROUTERS: _LISTENS_AS_ROUTER}.get(name.rpartition(".")[2])
