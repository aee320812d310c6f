# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What Pacemaker's configuration, the CIB, shall say of a cluster: ldirectord on every node, the VIPs on one. Pure.

Whatever else stands there is somebody else's, and stays as it is. Ours is known by how its ids begin.
"""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass

PREFIX = "openlvs-"
GROUP = f"{PREFIX}group"
LDIRECTORD = f"{PREFIX}ldirectord"
CLONE = f"{LDIRECTORD}-clone"
OPTIONS = f"{PREFIX}options"
_SECTIONS = ("crm_config", "resources", "constraints")
# What could not be started somewhere may be tried there again.
_TRIED_AGAIN = {"failure-timeout": "60s"}
# A VIP of IPv6 answers at once, and is never what the director speaks by; the next one comes while it is announced.
_IPV6 = {"nodad": "true", "preferred_lft": "0", "arp_bg": "true"}
_EMPTY = "<cib><configuration><crm_config/><nodes/><resources/><constraints/></configuration></cib>"


class Vip(t.NamedTuple):
    """A VIP that the cluster moves."""

    address: str
    prefix: int
    interface: str

    @property
    def id(self) -> str:
        return f"{PREFIX}vip-{self.address.replace(':', '-')}"


@dataclass(frozen=True)
class Plan:
    """:attr text: of the CIB as it shall be; None if it is so.
    :attr changes: what becomes of ours, in words.
    :attr before: ours as it was found, and ``after`` as it shall be.
    """

    text: str | None
    changes: tuple[str, ...]
    before: str
    after: str


def plan(text: str | None, vips: t.Sequence[Vip], fencing: bool) -> Plan:
    """
    :arg text: of the CIB; None where there is no cluster yet.
    :arg vips: none take the group away. A word of ours about fencing stays as long as the cluster: others rely on it.
    :arg fencing: nodes that do not answer are switched off, before others take their VIPs.
    """
    root = ET.fromstring(text or _EMPTY)
    found = _ours(root)
    if vips:
        wanted = _wanted(_in_order(vips, found), fencing)
    else:
        wanted = {OPTIONS: ("crm_config", found[OPTIONS][1])} if OPTIONS in found else {}
    changes = [f"pacemaker: remove {name}" for name in found if name not in wanted]
    for name, (section, element) in wanted.items():
        known = found.get(name)
        if known is None or _canonical(known[1]) != _canonical(element):
            changes.append(f"pacemaker: {'change' if known else 'create'} {name}")
        if known is None:
            root.find(f"configuration/{section}").append(element)  # type: ignore[union-attr]
        else:
            _replace(known[0], known[1], element)
    for name, (parent, element) in found.items():
        if name not in wanted:
            parent.remove(element)
    before = "".join(_shown(element) for _parent, element in found.values())
    after = "".join(_shown(element) for _section, element in wanted.values())
    return Plan(ET.tostring(root, encoding="unicode") if changes else None, tuple(changes), before, after)


def leave(text: str) -> Plan:
    """VIPs and ldirectord go on, and the cluster looks after them no more."""
    root = ET.fromstring(text)
    changes, shown = [], ""
    for kind, known in (("clone", CLONE), ("group", GROUP)):
        meta = root.find(f"configuration/resources/{kind}[@id='{known}']/meta_attributes")
        if meta is not None and meta.find("nvpair[@name='is-managed']") is None:
            name = f"{known}-meta-is-managed"
            shown += _shown(ET.SubElement(meta, "nvpair", id=name, name="is-managed", value="false"))
            changes.append(f"pacemaker: create {name}")
    return Plan(ET.tostring(root, encoding="unicode") if changes else None, tuple(changes), "", shown)


def without_status(text: str) -> str:
    """The configuration alone: that something still runs which shall not is nothing to be wrong about."""
    root = ET.fromstring(text)
    for status in root.findall("status"):
        root.remove(status)
    return ET.tostring(root, encoding="unicode")


def others(text: str) -> list[str]:
    """The resources of others, by their ids."""
    resources = ET.fromstring(text).find("configuration/resources")
    found = [] if resources is None else [one.get("id", "") for one in resources if one.tag != "template"]
    return [name for name in found if not name.startswith(PREFIX)]


def fencing_devices(text: str) -> list[str]:
    """What can switch nodes off, by their ids."""
    return [one.get("id", "") for one in ET.fromstring(text).iter("primitive") if one.get("class") == "stonith"]


def _ours(root: ET.Element) -> dict[str, tuple[ET.Element, ET.Element]]:
    """What is ours, each with where it stands; also what crm_resource(8) has written down to move the group by hand."""
    parents = [parent for name in _SECTIONS for parent in root.iterfind(f"configuration/{name}")]
    return {
        child.get("id", ""): (parent, child)
        for parent in parents
        for child in parent
        if child.get("id", "").startswith((PREFIX, f"cli-ban-{PREFIX}", f"cli-prefer-{PREFIX}"))
    }


def _replace(parent: ET.Element, old: ET.Element, new: ET.Element) -> None:
    place = list(parent).index(old)
    parent.remove(old)
    parent.insert(place, new)


def _in_order(vips: t.Sequence[Vip], found: t.Mapping[str, tuple[ET.Element, ET.Element]]) -> list[Vip]:
    """New ones come last: those behind a new one would be stopped until it has been started."""
    there = [child.get("id") for child in found[GROUP][1]] if GROUP in found else []
    return sorted(vips, key=lambda vip: there.index(vip.id) if vip.id in there else len(there))


def _wanted(vips: t.Sequence[Vip], fencing: bool) -> dict[str, tuple[str, ET.Element]]:
    """Each element that is ours, with its section, in the order in which they are written."""
    wanted = {
        CLONE: ("resources", _everywhere()),
        GROUP: ("resources", _together(vips)),
        **{one.get("id", ""): ("constraints", one) for one in _where_ldirectord_is()},
    }
    if fencing:
        return wanted
    options = ET.Element("options")
    _add_pairs(options, "cluster_property_set", OPTIONS, {"stonith-enabled": "false"})
    return {OPTIONS: ("crm_config", options[0]), **wanted}


def _everywhere() -> ET.Element:
    """Ldirectord on every node: each has a table whose servers have been looked at before a VIP comes."""
    clone = ET.Element("clone", id=CLONE)
    _add_pairs(clone, "meta_attributes", f"{CLONE}-meta", _TRIED_AGAIN)
    kind = {"id": LDIRECTORD, "class": "systemd", "type": "ldirectord"}
    _add_operations(ET.SubElement(clone, "primitive", kind), LDIRECTORD, 60)
    return clone


def _together(vips: t.Sequence[Vip]) -> ET.Element:
    """The VIPs on one node, where they stay as long as they run there."""
    group = ET.Element("group", id=GROUP)
    _add_pairs(group, "meta_attributes", f"{GROUP}-meta", {"resource-stickiness": "INFINITY", **_TRIED_AGAIN})
    for vip in vips:
        kind = {"id": vip.id, "class": "ocf", "provider": "heartbeat", "type": "IPaddr2"}
        primitive = ET.SubElement(group, "primitive", kind)
        settings = {"ip": vip.address, "cidr_netmask": str(vip.prefix), "nic": vip.interface}
        if ":" in vip.address:
            settings.update(_IPV6)
        _add_pairs(primitive, "instance_attributes", f"{vip.id}-params", settings)
        _add_operations(primitive, vip.id, 20)
    return group


def _where_ldirectord_is() -> tuple[ET.Element, ET.Element]:
    """The VIPs are where ldirectord works, and come after it where both are about to start.

    The order is no condition: where ldirectord has to be started again, its table is still there, and the VIPs stay.
    """
    places = {"rsc": GROUP, "with-rsc": CLONE, "score": "INFINITY"}
    order = {"first": CLONE, "then": GROUP, "kind": "Optional"}
    return (
        ET.Element("rsc_colocation", {"id": f"{PREFIX}colocation", **places}),
        ET.Element("rsc_order", {"id": f"{PREFIX}order", **order}),
    )


def _add_pairs(parent: ET.Element, tag: str, name: str, pairs: t.Mapping[str, str]) -> None:
    inner = ET.SubElement(parent, tag, id=name)
    for key, value in pairs.items():
        ET.SubElement(inner, "nvpair", id=f"{name}-{key}", name=key, value=value)


def _add_operations(primitive: ET.Element, name: str, patience: int) -> None:
    operations = ET.SubElement(primitive, "operations")
    for action, interval in (("monitor", 10), ("start", 0), ("stop", 0)):
        words = {"name": action, "interval": f"{interval}s", "timeout": f"{patience}s"}
        ET.SubElement(operations, "op", {"id": f"{name}-{action}", **words})


def _canonical(element: ET.Element) -> tuple[t.Any, ...]:
    return element.tag, sorted(element.attrib.items()), [_canonical(child) for child in element]


def _shown(element: ET.Element, depth: int = 0) -> str:
    words = "".join(f' {key}="{value}"' for key, value in element.attrib.items())
    inner = "".join(_shown(child, depth + 1) for child in element)
    return f"{'  ' * depth}<{element.tag}{words}>\n{inner}"


# ---- what the cluster says of itself


@dataclass(frozen=True)
class State:
    """What the cluster says of itself.

    :attr quorate: it may run resources.
    :attr settled: somebody decides, and knows all nodes.
    :attr online: its nodes that are there.
    :attr waiting: those of them that somebody has told to run nothing.
    :attr running: our resources: on which nodes each runs, and well.
    :attr failures: what has failed, in words.
    """

    quorate: bool
    settled: bool
    online: tuple[str, ...]
    waiting: tuple[str, ...]
    running: t.Mapping[str, tuple[str, ...]]
    failures: tuple[str, ...]

    def holders(self, vips: t.Iterable[str]) -> list[str]:
        """The nodes on which all of these run."""
        places = [set(self.running.get(name, ())) for name in vips]
        return sorted(set.intersection(*places)) if places else []

    def alone(self, vips: t.Collection[str]) -> bool:
        """Whether all of these run on one node, and nowhere else."""
        return len(self.holders(vips)) == 1 and all(len(self.running[name]) == 1 for name in vips)

    def well(self, vips: t.Collection[str]) -> bool:
        """The same, with ldirectord on each node that may run anything."""
        able = set(self.online).difference(self.waiting)
        return self.alone(vips) and able <= set(self.running.get(LDIRECTORD, ()))


def read_state(text: str) -> State:
    """:arg text: of ``crm_mon --output-as xml``."""
    root = ET.fromstring(text)
    decides = root.find("summary/current_dc")
    nodes = list(root.iterfind("nodes/node"))
    running: dict[str, tuple[str, ...]] = {}
    for one in root.iter("resource"):  # each instance of a clone has one of its own
        name = one.get("id", "")
        if name.startswith(PREFIX) and one.get("role") == "Started" and one.get("failed") == "false":
            places = tuple(node.get("name", "") for node in one.iterfind("node"))
            running[name] = tuple(sorted({*running.get(name, ()), *places}))
    idle = [node for node in nodes if "true" in (node.get("standby"), node.get("maintenance"))]
    return State(
        quorate=decides is not None and decides.get("with_quorum") == "true",
        settled=decides is not None
        and decides.get("present") == "true"
        and not any(node.get("pending") == "true" for node in nodes),
        online=tuple(node.get("name", "") for node in nodes if node.get("online") == "true"),
        waiting=tuple(node.get("name", "") for node in idle),
        running=running,
        failures=tuple(
            f"{one.get('op_key', '')} on {one.get('node', '')}: {one.get('exitreason') or one.get('exitstatus', '')}"
            for one in root.iterfind("failures/failure")
        ),
    )
