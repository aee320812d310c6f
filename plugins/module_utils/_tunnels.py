# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Tunnels from directors to a real server: what each needs on the real server, and what it costs of a packet. Pure.

The director wraps a client's packet as it is, addressed to the VIP, into one to the real server's own address. Which
device of Linux takes it out again depends on the outer packet alone, but for IP in IP over IPv4, where IPv4 and IPv6
inside have a device each. The devices that come with the kernel's modules (tunl0, sit0, gre0, ip6gre0) take every
packet that no other device wants. Two things they cannot: ip6tnl0 takes IPv6 alone, and the GRE devices drop packets
with checksums; for those there are devices of our own, bound to the real server's address.

GUE is IP in IP once more, behind a port of UDP where the kernel listens (net/ipv4/fou_core.c).
"""

from __future__ import annotations

import dataclasses
import typing as t

IPIP, GUE, GRE = "ipip", "gue", "gre"
FOU = "fou"  # the kernel's module for ports of UDP
_FALLBACKS = {"ipip": "tunl0", "sit": "sit0", "gre": "gre0", "ip6gre": "ip6gre0"}

# linux/ip.h, linux/ipv6.h, net/gre.h, linux/udp.h, net/gue.h
_IPV4, _IPV6, _TCP = 20, 40, 20
_GRE, _GRE_CHECKSUM, _UDP, _GUE, _GUE_REMOTE_CHECKSUM = 4, 4, 8, 4, 8


@dataclasses.dataclass(frozen=True)
class Tunnel:
    """One way by which packets for VIPs arrive.

    :arg address: of the real server, where directors send to.
    :arg vips: for which packets come through; in the end only their families matter.
    """

    type: str
    address: str
    vips: tuple[str, ...] = ()
    port: int | None = None
    checksum: str = "nocsum"

    @property
    def place(self) -> tuple[str, str, int | None]:
        """What makes it another one than the others of a host."""
        return self.type, self.address, self.port

    @property
    def needs(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """The devices that take its packets out, by kind and options, and for which VIPs each."""
        if self.type == GRE:
            kind = "ip6gre" if ":" in self.address else "gre"
            return {(kind, f"local {self.address} icsum" if self.checksum == "csum" else ""): self.vips}
        if ":" in self.address:
            return {("ip6tnl", f"mode any local {self.address}"): self.vips}
        families = {"ipip": tuple(vip for vip in self.vips if ":" not in vip)}
        families["sit"] = tuple(vip for vip in self.vips if ":" in vip)
        return {(kind, ""): vips for kind, vips in families.items() if vips}

    def __str__(self) -> str:
        port = f" port {self.port}" if self.port else ""
        checksum = "" if self.checksum == "nocsum" else f" {self.checksum}"
        return f"{self.type} to {self.address}{port}{checksum}"


@dataclasses.dataclass(frozen=True)
class Device:
    """A tunnel device; without options one of those that the kernel's module brings along."""

    name: str
    kind: str
    options: str = ""

    def __str__(self) -> str:
        return f"{self.name} type {self.kind}{self.options and f' {self.options}'}"


class Listener(t.NamedTuple):
    """A UDP port where the kernel takes packets out of GUE."""

    port: int
    ipv6: bool

    def __str__(self) -> str:
        return f"{'-6 ' if self.ipv6 else ''}fou port {self.port}"


def merged(old: t.Iterable[Tunnel], new: t.Iterable[Tunnel]) -> list[Tunnel]:
    """The old tunnels and the new ones; a new one in the place of an old one serves the VIPs of both."""
    found = {tunnel.place: tunnel for tunnel in old}
    for tunnel in new:
        before = found.get(tunnel.place)
        vips = (*before.vips, *tunnel.vips) if before else tunnel.vips
        found[tunnel.place] = dataclasses.replace(tunnel, vips=tuple(dict.fromkeys(vips)))
    return list(found.values())


def listeners(tunnels: t.Iterable[Tunnel]) -> list[Listener]:
    """The ports that the tunnels need."""
    return list(dict.fromkeys(Listener(one.port, ":" in one.address) for one in tunnels if one.port))


def described(tunnel: Tunnel) -> dict[str, t.Any]:
    """A tunnel in the vocabulary of the options."""
    return {
        "address": tunnel.address,
        "tunnel_type": tunnel.type,
        "tunnel_port": tunnel.port,
        "tunnel_checksum": tunnel.checksum,
        "vips": list(tunnel.vips),
    }


def fallback(kind: str) -> str:
    """The name of the device that the kernel's module for this kind brings along."""
    return _FALLBACKS[kind]


def overhead(tunnel_type: str, checksum: str, ipv6: bool) -> int:
    """By how many bytes a tunnel makes a packet longer.

    :arg ipv6: whether the outer packet is one of IPv6.
    """
    if tunnel_type == GRE:
        wrapping = _GRE + (_GRE_CHECKSUM if checksum == "csum" else 0)
    else:
        wrapping = 0 if tunnel_type == IPIP else _UDP + _GUE + (_GUE_REMOTE_CHECKSUM if checksum == "remcsum" else 0)
    return wrapping + (_IPV6 if ipv6 else _IPV4)


def segment_size(tunnel: Tunnel, vip: str, mtu: int) -> int:
    """The most that a client may put into a segment of TCP to the VIP, so that the tunnel's packet fits the MTU."""
    inner = _IPV6 if ":" in vip else _IPV4
    return mtu - overhead(tunnel.type, tunnel.checksum, ":" in tunnel.address) - inner - _TCP
