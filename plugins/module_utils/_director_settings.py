# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The kernel settings that a director needs: forwarding, no redirects, settings of IPVS. Pure.

They must hold before the first packet that needs them, and are given back after the last one: what is asked for is set
in any run, what is no longer asked for comes back in one that purges.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _forwarding, _ipvs_settings
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, SetSetting
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan, Work


@dataclasses.dataclass(frozen=True)
class Asked:
    """What shall hold.

    :arg ip_forward: whether IPv4 packets are passed on; False asks for nothing.
    :arg ipv6_forward: the same for IPv6.
    :arg no_redirects: interfaces by which no ICMP redirect may be sent.
    :arg ipvs: settings of IPVS, their values as the kernel writes them.
    """

    ip_forward: bool = False
    ipv6_forward: bool = False
    no_redirects: tuple[str, ...] = ()
    ipvs: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def of_ipvs(self) -> dict[str, str]:
        """The settings of IPVS by their whole names; a parameter of the module is none of them."""
        names = [name for name in self.ipvs if name != _ipvs_settings.TABLE_BITS]
        return {_ipvs_settings.PREFIX + name: self.ipvs[name] for name in names}


def check(host: Host, asked: Asked, release: str) -> None:
    """Whether this host can hold them.

    :arg release: of its kernel.
    """
    lacking = _ipvs_settings.lacking(asked.ipvs, host.ipvs, bool(host.ipvs), release)
    findings = [f"ipvs_settings: {reason}" for reason in lacking]
    findings += [
        f"no_redirects {name!r}: there is no such interface on this host; there are {', '.join(host.links)}."
        for name in asked.no_redirects
        if name not in host.links
    ]
    if asked.ipv6_forward and _forwarding.IP6_FORWARD not in host.forwarding:
        findings.append("ipv6_forward: this kernel has no IPv6. Turn it on, or leave IPv6 VIPs out.")
    if findings:
        raise OptionError(findings)


def plan(host: Host, asked: Asked, purge: bool) -> Plan:
    """Set what is asked for.

    :arg purge: what is recorded and no longer asked for becomes again what it was.
    """
    work = Work(host)
    values = wanted(host, asked)
    different = {name: value for name, value in values.items() if not _same(name, host.setting(name), value)}
    found = {name: host.setting(name) or "not there yet" for name in different}
    for name in different:
        found.update(_forwarding.at_stake(name, host.forwarding))
    work.record(host.manifest.with_settings(found))
    for name, value in different.items():
        work.do(SetSetting(name, value))
    if purge:
        recorded = recorded_by(work.host)
        kept = _kept(values, host)
        leaving = _forwarding.last_first(name for name in recorded if name not in kept)
        for name in leaving:
            work.restore(name, recorded[name], _ours(name))
        work.record(work.host.manifest.without_settings(leaving))
    return work.plan()


def wanted(host: Host, asked: Asked) -> dict[str, str]:
    """The settings that must hold, with their values."""
    forwarding = _forwarding.wanted(
        host.forwarding, host.manifest.settings, asked.ip_forward, asked.ipv6_forward, asked.no_redirects
    )
    return {**forwarding, **asked.of_ipvs}


def recorded_by(host: Host) -> dict[str, str]:
    """The settings of a director that this collection has changed, with the values found."""
    return {name: value for name, value in host.manifest.settings.items() if is_one(name)}


def is_one(name: str) -> bool:
    """Whether a setting is one of a director's."""
    return _forwarding.is_one(name) or name.startswith(_ipvs_settings.PREFIX)


def _kept(values: t.Mapping[str, str], host: Host) -> set[str]:
    """What is asked for, and what the kernel has turned along with it."""
    return set(values).union(*(_forwarding.turned(name, value, host.forwarding) for name, value in values.items()))


def _same(name: str, found: str | None, value: str) -> bool:
    return _ipvs_settings.same(name, found, value) if name.startswith(_ipvs_settings.PREFIX) else found == value


def _ours(name: str) -> str | None:
    """The value that we write; None where a user chooses it."""
    return _forwarding.ours(name) if _forwarding.is_one(name) else None
