# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What is claimed of a cluster of Pacemaker: it may decide, one director alone has its VIPs, and all are ready."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.evidence import Data, Line, Look

LDIRECTORD = "openlvs-ldirectord"
LDIRECTORD_UNIT = "ldirectord.service"


def prove_clusters(views: t.Mapping[str, Data], looks: t.Mapping[str, Look]) -> list[Line]:
    """Each cluster once, as the first of its directors that has asked it tells."""
    clusters = {view["pacemaker_name"]: view for view in views.values() if view["pacemaker_nodes"]}
    lines = []
    for name, view in clusters.items():
        nodes = [looks[node["name"]] for node in view["pacemaker_nodes"]]
        asked = next((look for look in nodes if look.cluster is not None), nodes[0])
        subject = f"cluster {name}"
        lines += [_prove_quorum(subject, nodes, asked), _prove_group(subject, view, asked)]
        lines.append(_prove_ldirectords(subject, nodes))
    return lines


def _prove_quorum(subject: str, nodes: t.Sequence[Look], asked: Look) -> Line:
    named = " and ".join(look.host for look in nodes)
    claim = f"it has a quorum, and {named} are in it"
    if asked.cluster is None:
        return asked.unseen(subject, claim)
    out = [look.host for look in nodes if look.host not in asked.cluster["online"]]
    problems = [f"{' and '.join(out)} {'is' if len(out) == 1 else 'are'} not there"] if out else []
    if not asked.cluster["quorate"]:
        problems.append("it has none")
    return Line(subject, claim, not problems, "; ".join(problems))


def _prove_group(subject: str, view: Data, asked: Look) -> Line:
    vips = [vip["address"] for vip in view["pacemaker_vips"]]
    claim = f"one director alone has {' and '.join(vips)}"
    if asked.cluster is None:
        return asked.unseen(subject, claim)
    group = {name: nodes for name, nodes in asked.cluster["running"].items() if name != LDIRECTORD}
    places = {tuple(nodes) for nodes in group.values()}
    if len(group) == len(vips) and len(places) == 1 and all(len(nodes) == 1 for nodes in places):
        return Line(subject, f"{claim}, now {next(iter(places))[0]}", True)
    found = [f"{name} runs on {' and '.join(nodes) or 'none'}" for name, nodes in group.items()]
    return Line(subject, claim, False, "; ".join([*found, *asked.cluster["failures"]]) or "nothing of it runs")


def _prove_ldirectords(subject: str, nodes: t.Sequence[Look]) -> Line:
    """By what systemd says, whatever the cluster believes."""
    claim = f"ldirectord runs on {' and '.join(look.host for look in nodes)}, and systemd starts it on none"
    unseen = [look for look in nodes if look.boot is None]
    if unseen:
        return unseen[0].unseen(subject, claim)
    units = {look.host: (look.boot or {})["units"].get(LDIRECTORD_UNIT, {}) for look in nodes}
    idle = [host for host, unit in units.items() if not unit.get("active")]
    enabled = [host for host, unit in units.items() if unit.get("enabled")]
    problems = [f"it does not run on {' and '.join(idle)}"] if idle else []
    problems += [f"{' and '.join(enabled)} would start it at boot"] if enabled else []
    return Line(subject, claim, not problems, "; ".join(problems))
