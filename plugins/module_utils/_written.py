# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the formats for network managers have in common. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._managers import Managed
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address

HEADER = "Written by Ansible, collection openlvs.lvs. Changes made here do not last."


class Text(t.NamedTuple):
    """A file."""

    content: str
    mode: int = 0o644


class Held(t.NamedTuple):
    """A VIP as it shall stand."""

    address: Address
    host_route: bool

    @property
    def whole(self) -> str:
        """The address with its prefix."""
        return f"{self.address.address}/{self.address.prefix}"


@dataclasses.dataclass(frozen=True)
class Place:
    """The VIPs of one side on one interface, and how managers stand to it.

    :attr side: as file names have it, V(director) or V(realserver).
    :attr silent: whether nobody can ask there: lo, or a dummy device.
    :attr sourced: whether ifupdown reads the files in its directory.
    """

    side: str
    interface: str
    held: tuple[Held, ...]
    managed: Managed | None = None
    silent: bool = False
    sourced: bool = True

    @property
    def name(self) -> str:
        """What our files of this place are called."""
        return f"openlvs-{self.side}-{self.interface}"

    def is_managed_by(self, manager: str) -> bool:
        """Whether that manager looks after the interface at somebody else's wish."""
        return self.managed is not None and self.managed.manager == manager and self.managed.by_others


def commands(held: t.Iterable[Held]) -> list[str]:
    """What puts VIPs in place, or leaves them there."""
    lines = []
    for address, host_route in held:
        words = [f"/sbin/ip address replace {address.address}/{address.prefix}"]
        words += [f"broadcast {address.broadcast}"] if address.broadcast else []
        words += [f"dev {address.interface}"]
        words += [f"label {address.label}"] if address.label else []
        words += ["nodad"] if address.ipv6 else []
        words += ["preferred_lft 0"] if address.deprecated else []
        lines.append(" ".join(words))
        if host_route:
            lines.append(f"/sbin/ip route replace {address.address}/32 dev {address.interface}")
    return lines
