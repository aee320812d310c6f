# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Host variables and live facts, read into :class:`Host`."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _ipvs_settings
from ansible_collections.openlvs.lvs.plugins.module_utils._distribution import Distribution
from ansible_collections.openlvs.lvs.plugins.module_utils._writers import AUTO, CHOICES
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import Entry, kind_of, whole_number
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.keepalived import KEEPALIVED_VARIABLES
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.model import (
    Address,
    Answer,
    Facts,
    Host,
    Interface,
    LiveAddress,
)

HOST_VARIABLES = (
    "lvs_addresses",
    "lvs_interface",
    "lvs_vip_interface",
    "lvs_vip_writer",
    "lvs_sysctl_in",
    "lvs_arp",
    "lvs_weight",
    "lvs_maintenance",
    "lvs_ip_forward",
    "lvs_gateway",
    "lvs_firewall",
    "lvs_marks_by",
    "lvs_ipvs_settings",
    *KEEPALIVED_VARIABLES,
    "pacemaker_authkey",
)
SSH = 22
CLUSTER_KEY = 128, 4096  # characters
_SYSCTL_IN = ("sysctl.d", "sysctl.conf")
DESCRIPTION_VARIABLES = ("lvs_services", "lvs_service_defaults", "lvs_engine", "lvs_vrrp", "lvs_pacemaker")


def read_host(name: str, variables: t.Mapping[str, t.Any], findings: Findings) -> Host:
    """:arg variables: of the inventory; ``lvs_host`` are the facts of a live look."""
    entry = Entry(findings, name, {key: variables.get(key) for key in HOST_VARIABLES}, HOST_VARIABLES)
    return Host(
        name=name,
        addresses=_addresses(entry),
        interface=entry.interface("lvs_interface"),
        vip_interface=entry.interface("lvs_vip_interface") or "lo",
        vip_writer=entry.choice("lvs_vip_writer", CHOICES) or AUTO,
        sysctl_in=entry.choice("lvs_sysctl_in", _SYSCTL_IN) or _SYSCTL_IN[0],
        arp=entry.choice("lvs_arp", words.ARP) or words.ARP[0],
        weight=entry.number("lvs_weight", 0, words.MAX_WEIGHT),
        maintenance=entry.flag("lvs_maintenance"),
        ip_forward=entry.flag("lvs_ip_forward"),
        gateway=entry.choice("lvs_gateway", words.GATEWAYS),
        marks_by=entry.choice("lvs_marks_by", words.MARKS_BY) or words.MARKS_BY[0],
        firewall=entry.choice("lvs_firewall", words.FIREWALL) or words.FIREWALL[0],
        ipvs_settings=_ipvs_settings_of(entry),
        keepalived={key: variables.get(key) for key in KEEPALIVED_VARIABLES},
        cluster_key=_cluster_key(entry),
        connects_to=_address_or_none(variables.get("ansible_host")),
        ssh_port=whole_number(variables.get("ansible_port")) or SSH,
        facts=_facts(variables.get("lvs_host")),
    )


def _addresses(entry: Entry) -> tuple[Interface, ...]:
    found = []
    for number, item in enumerate(entry.items("lvs_addresses")):
        try:
            if not isinstance(item, str):
                raise ValueError
            found.append(ipaddress.ip_interface(item))
        except ValueError:
            shown = repr(item) if isinstance(item, str) else kind_of(item)
            text = f"lvs_addresses[{number}] must be an address such as '192.0.2.11' or '192.0.2.11/24', not {shown}"
            entry.wrong("lvs_addresses", text)
    return tuple(found)


def _ipvs_settings_of(entry: Entry) -> dict[str, t.Any]:
    name = "lvs_ipvs_settings"
    value = entry.get(name)
    if value is None or isinstance(value, dict):
        for reason in _ipvs_settings.findings(value or {}):
            entry.wrong(name, f"{name}: {reason.rstrip('.')}")
        return value or {}
    entry.wrong(name, f"{name} must be a dictionary, such as {{conntrack: 1}}, not {kind_of(value)}")
    return {}


def _cluster_key(entry: Entry) -> str | None:
    """The same."""
    value = entry.get("pacemaker_authkey")
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable():
        entry.wrong("pacemaker_authkey", "pacemaker_authkey must be a string of printable characters")
        return None
    shortest, longest = CLUSTER_KEY
    if not shortest <= len(str(value)) <= longest or not str(value).isascii():
        text = f"pacemaker_authkey must have {shortest} to {longest} characters of ASCII, as Corosync asks"
        entry.wrong("pacemaker_authkey", text)
    return str(value)


def _address_or_none(value: object) -> Address | None:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _answer(found: t.Mapping[str, t.Any]) -> Answer:
    gateway = found["gateway"]
    return Answer(
        ipaddress.ip_address(found["address"]),
        found["protocol"],
        found["port"],
        None if gateway is None else ipaddress.ip_address(gateway),
    )


def _sides(vips: t.Iterable[t.Mapping[str, t.Any]]) -> dict[Address, frozenset[str]]:
    """A director that is a real server too has a VIP on both sides."""
    found: dict[Address, frozenset[str]] = {}
    for vip in vips:
        address = ipaddress.ip_address(vip["address"])
        found[address] = found.get(address, frozenset()) | {vip["side"]}
    return found


def _facts(found: t.Mapping[str, t.Any] | None) -> Facts | None:
    if found is None:
        return None
    links = found.get("links", {})
    return Facts(
        addresses=tuple(
            LiveAddress(ipaddress.ip_interface(f"{one['address']}/{one['prefix']}"), one["interface"], one["scope"])
            for one in found.get("addresses", [])
        ),
        links=tuple(links),
        loopbacks=frozenset(name for name, link in links.items() if link.get("loopback")),
        vips=_sides(found.get("vips", [])),
        gateways=tuple(ipaddress.ip_address(one) for one in found.get("gateways", [])),
        answers=frozenset(_answer(one) for one in found.get("answers", [])),
        services=bool(found.get("services")),
        daemons=tuple(name for name in (*words.DAEMONS, "pacemaker") if (found.get(name) or {}).get("config")),
        distribution=Distribution(**found["distribution"]),
        mtus={name: link["mtu"] for name, link in links.items() if "mtu" in link},
        macs={name: link["mac"] for name, link in links.items()},
        neighbours=frozenset(ipaddress.ip_address(one["address"]) for one in found.get("neighbours", [])),
        senders=tuple(found.get("senders", [])),
        tunnels=tuple(found.get("tunnels", [])),
        openings=bool(found.get("openings")),
        keepalived=(found.get("keepalived") or {}).get("version"),
        foreign_cluster=bool((found.get("pacemaker") or {}).get("foreign")),
        fencing_devices=tuple((found.get("pacemaker") or {}).get("fencing_devices", ())),
    )
