# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What was seen on a host, and what is said about it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Data = t.Mapping[str, t.Any]

DIRECTOR_UNIT = "openlvs-director.service"
MARKS_UNIT = "openlvs-marks.service"
REALSERVER_UNIT = "openlvs-realserver.service"
ROUTER_UNIT = "openlvs-router.service"
FIREWALL_UNIT = "openlvs-firewall.service"
SYNC_UNIT = "openlvs-sync.service"
# What the roles' calls of lvs_boot, and of the modules that change the running host, have returned, in check mode.
BOOTS = (
    "__realserver_boot",
    "__director_boot",
    "__director_marks_boot",
    "__keepalived_applied",
    "__ldirectord_applied",
    "__pacemaker_applied",
    "__pacemaker_sync_boot",
    "__router_boot",
    "__firewall_boot",
)
REALSERVER_RUNS = (
    "__realserver_rules",
    "__realserver_rules_then",
    "__realserver_tunnels",
    "__realserver_applied",
    "__realserver_answers",
)
DIRECTOR_RUNS = (
    "__director_settings",
    "__director_rules",
    "__director_iptables",
    "__director_table",
    "__director_applied",
    "__director_passing",
)
FIREWALL = "lvs_firewall_look"
GROUP = "__pacemaker_group"
RUNS = (*REALSERVER_RUNS, *DIRECTOR_RUNS, GROUP, "__pacemaker_sync_run", "__router_applied", FIREWALL, *BOOTS)
REGISTERED = ("lvs_table", "lvs_table_after", "lvs_answers", "lvs_requests", *RUNS)


@dataclass(frozen=True)
class Line:
    """One thing that holds, or does not, or could not be asked.

    :attr holds: None if it could not be asked.
    :attr why: what was seen instead, or why nothing could be asked.
    """

    subject: str
    claim: str
    holds: bool | None
    why: str = ""

    def __str__(self) -> str:
        word = {True: "holds", False: "FAILS", None: "unasked"}[self.holds]
        return f"{word:<8}{self.subject}: {self.claim}{self.why and f' -- {self.why}'}"


@dataclass(frozen=True)
class Look:
    """What was seen on one host; None is what nobody has seen.

    :attr asked: the run was meant to look at this host.
    :attr facts: ``lvs_host`` of lvs_host_facts.
    :attr table: the director's services by name (``tcp 192.0.2.10:80``), from ``ipvs_info`` before the requests.
    :attr table_after: the same after them.
    :attr daemons: its sync daemons, from ``ipvs_info``.
    :attr answers: VIP -> MACs that answered for it, from ``lvs_arp_probe``.
    :attr requests: what became of the requests to each target, from ``lvs_connect``.
    :attr boot: ``units``: name -> {enabled: bool, active: bool}; ``files``: path -> {present: bool, same: bool}.
    :attr changes: what a run of the roles would do on this host now.
    :attr passages: what the host's firewall does with what the cluster needs; None without a firewall.
    :attr cluster: what the cluster of Pacemaker says of itself, from ``lvs_pacemaker``; one host of it is asked.
    :attr writers: who has the VIPs of each interface back, from ``lvs_vip`` and ``lvs_rs_arp``.
    """

    host: str
    asked: bool = False
    facts: Data | None = None
    table: t.Mapping[str, Data] | None = None
    table_after: t.Mapping[str, Data] | None = None
    daemons: t.Sequence[Data] | None = None
    answers: t.Mapping[str, t.Sequence[str]] | None = None
    requests: t.Sequence[Data] | None = None
    boot: Data | None = None
    changes: t.Sequence[str] | None = None
    passages: t.Sequence[Data] | None = None
    cluster: Data | None = None
    writers: t.Sequence[Data] = ()

    def unseen(self, subject: str, claim: str) -> Line:
        """Nothing was seen of what a claim needs: bad if somebody was meant to look, else just not asked."""
        if self.asked:
            return Line(subject, claim, False, f"nobody could look at {self.host}")
        return Line(subject, claim, None, f"{self.host} was not part of this run")

    def addresses(self, address: str, interface: str | None = None) -> list[Data]:
        """Where an address stands, on that interface or on any."""
        found = [one for one in (self.facts or {}).get("addresses", []) if one["address"] == address]
        return [one for one in found if interface in (None, one["interface"])]

    @property
    def macs(self) -> dict[str, str]:
        """Interface -> its MAC."""
        return {name: link["mac"] for name, link in (self.facts or {}).get("links", {}).items()}


def look_from(host: str, asked: bool, variables: Data) -> Look:
    """:arg variables: those of the host that are named in REGISTERED, and ``lvs_host``, as plain data."""
    answers = _part(variables, "lvs_answers", "answers")
    boots = [found for found in (_part(variables, name, "found") for name in BOOTS) if found is not None]
    runs = [run for run in (_part(variables, name, "changes") for name in RUNS) if run is not None]
    # Facts may come from a cache: without anything else of this run, nobody has looked.
    fresh = bool(runs) or any(isinstance(variables.get(name), t.Mapping) for name in ("lvs_answers", "lvs_table"))
    return Look(
        host=host,
        asked=asked,
        facts=variables.get("lvs_host") if fresh else None,
        table=_by_name(_part(variables, "lvs_table", "services")),
        table_after=_by_name(_part(variables, "lvs_table_after", "services")),
        daemons=_part(variables, "lvs_table", "daemons"),
        answers=None if answers is None else {one["vip"]: one["macs"] for one in answers},
        requests=_part(variables, "lvs_requests", "targets"),
        boot=_boot(boots, [change for run in runs for change in run]) if boots else None,
        changes=[change for run in runs for change in run] if runs else None,
        passages=_part(variables, FIREWALL, "passages"),
        cluster=_part(variables, GROUP, "state"),
        writers=[writer for name in RUNS for writer in _part(variables, name, "writers") or ()],
    )


def _boot(boots: t.Sequence[Data], changes: t.Collection[str]) -> Data:
    """What lvs_boot has found; a file that it only looked at is as described when nobody would write it."""
    files = {one["path"]: one for found in boots for one in found["files"]}
    return {
        "units": {found["unit"]["name"]: found["unit"] for found in boots if found["unit"]["present"]},
        "files": {
            path: {
                "present": one["present"],
                "same": f"write {path}" not in changes if one["same"] is None else one["same"],
            }
            for path, one in files.items()
        },
    }


def _part(variables: Data, name: str, key: str) -> t.Any:
    """A key of a registered result; None if the task was skipped or did not reach the host."""
    result = variables.get(name)
    return result.get(key) if isinstance(result, t.Mapping) else None


def _by_name(services: t.Sequence[Data] | None) -> dict[str, Data] | None:
    return None if services is None else {one["service"]: one for one in services}
