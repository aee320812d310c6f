# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small inventories to build clusters from."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, field

from ansible_collections.openlvs.lvs.plugins.plugin_utils import _cluster
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import Section

WEB: dict[str, t.Any] = {
    "name": "web",
    "vip": "192.0.2.77",
    "port": 80,
    "real_servers": [{"host": "rs1", "weight": 2}, {"host": "rs2"}],
}
HOSTS: dict[str, dict[str, t.Any]] = {
    "lvs1": {"lvs_addresses": ["192.0.2.5/24"], "lvs_interface": "eth1"},
    "rs1": {"lvs_addresses": ["192.0.2.11/24"]},
    "rs2": {"lvs_addresses": ["192.0.2.12/24"]},
    "client": {},
}
GROUPS = {"lvs_directors": ["lvs1"], "lvs_real_servers": ["rs1", "rs2"], "empty": []}


@dataclass
class Outcome:
    result: dict[str, t.Any]
    findings: list[str]
    warnings: list[str] = field(default_factory=list)

    def view(self, host: str) -> dict[str, t.Any]:
        return self.result["views"][host]


def only(outcome: Outcome) -> str:
    """The one finding that there is."""
    (finding,) = outcome.findings
    return finding


def web(**changes: t.Any) -> dict[str, t.Any]:
    """The service of the examples, with some keys changed; None takes a key away."""
    service = {**copy.deepcopy(WEB), **changes}
    return {key: value for key, value in service.items() if value is not None}


def facts(
    *addresses: tuple[str, str],
    vips: t.Mapping[str, str] | None = None,
    services: bool = False,
    distribution: t.Mapping[str, str | None] | None = None,
    gateways: t.Sequence[str] = ("192.0.2.1",),
) -> dict[str, t.Any]:
    """What a look finds: (address/prefix, interface) pairs, and VIPs of ours with their side."""
    found = []
    for address, interface in (("127.0.0.1/8", "lo"), *addresses):
        alone, _slash, prefix = address.partition("/")
        scope = "host" if alone == "127.0.0.1" else "global"
        found.append({"address": alone, "prefix": int(prefix), "interface": interface, "scope": scope, "label": None})
    names = ["lo", "eth0", "eth1"]
    return {
        "distribution": distribution or {"name": "Debian GNU/Linux 12 (bookworm)", "family": "Debian"},
        "addresses": found,
        "links": {name: {"mac": "02:00:00:00:00:01", "up": True, "loopback": name == "lo"} for name in names},
        "vips": [{"address": address, "side": side} for address, side in (vips or {}).items()],
        "gateways": list(gateways),
        "services": {"director": ["tcp 192.0.2.77:80"]} if services else {},
    }


SEEN: dict[str, dict[str, t.Any]] = {
    "lvs1": {"lvs_host": facts(("192.0.2.5/24", "eth1"), ("10.99.0.5/24", "eth0"))},
    "rs1": {"lvs_host": facts(("192.0.2.11/24", "eth1"), ("10.99.0.11/24", "eth0"))},
    "rs2": {"lvs_host": facts(("192.0.2.12/24", "eth1"), ("10.99.0.12/24", "eth0"))},
}


def build(
    *services: t.Any,
    hosts: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
    groups: t.Mapping[str, t.Sequence[str]] | None = None,
    live: bool = True,
    **others: t.Any,
) -> Outcome:
    """:arg hosts: changes to HOSTS, key by key. :arg others: defaults, engine and vrrp."""
    all_hosts = {name: {**HOSTS.get(name, {}), **(hosts or {}).get(name, {})} for name in {**HOSTS, **(hosts or {})}}
    source = _cluster.Source(
        sections=[Section("lvs_services", list(services), others.get("defaults"), others.get("engine"))],
        vrrp=others.get("vrrp", []),
        pacemaker=others.get("pacemaker", []),
        hosts=all_hosts,
        groups={"all": list(all_hosts), **(GROUPS if groups is None else groups)},
    )
    findings = Findings()
    result = _cluster.build(source, findings, live)
    return Outcome(result, findings.findings, findings.warnings)
