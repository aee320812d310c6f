# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""VRRP instances and their groups, in the words of keepalived.conf(5)."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_sync import KEYWORD
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.tracked import TRACKED
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.words import judge_words, write_words
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.writer import Writer, seconds

Data = t.Mapping[str, t.Any]

MAX_SYNC_ID = 255
OWNER = 255  # the priority of a router that has the address as its own and never yields
_KEYWORDS = {
    "track_interfaces": "track_interface",
    **{key: f"track_{what}" for key, (_described, what) in TRACKED.items()},
}


def write_groups(writer: Writer, settings: Data) -> None:
    """Instances that name the same group move together."""
    groups: dict[str, list[Data]] = {}
    for one in settings.get("instances") or ():
        if one.get("group"):
            groups.setdefault(str(one["group"]), []).append(one)
    for name, members in groups.items():
        where = f"VRRP instance {members[0]['name']}"
        if len(members) == 1:
            writer.wrong(where, f"nobody else is in its group {name!r}: name the same group in what moves with it")
        writer.gap()
        with writer.block("vrrp_sync_group", writer.name(where, "group", name)), writer.block("group"):
            for one in members:
                writer.line(one["name"])
        for one in members:
            _refuse_weights(writer, one, settings)


def _refuse_weights(writer: Writer, instance: Data, settings: Data) -> None:
    for key, (described, what) in TRACKED.items():
        weighing = {str(one["name"]) for one in settings.get(described) or () if one.get("weight")}
        for name in weighing.intersection(map(str, instance.get(key) or ())):
            text = f"{what} {name!r} has a weight, and within a group priorities must not change."
            writer.wrong(
                f"VRRP instance {instance['name']}", f"{text} Leave it out: then the {what} takes the VIPs away"
            )


def write_sync(writer: Writer, sync: Data, instances: t.Sequence[Data]) -> None:
    where, known = "keepalived_sync", [str(one["name"]) for one in instances]
    lacking = [key for key in ("instance", "interface", "id") if sync.get(key) is None]
    if lacking:
        writer.wrong(where, f"it lacks {' and '.join(lacking)}")
        return
    if str(sync["instance"]) not in known:
        text = f"instance {sync['instance']!r} is not described: there are {', '.join(known) or 'none'}"
        writer.wrong(where, text)
    if not 1 <= int(sync["id"]) <= MAX_SYNC_ID:
        writer.wrong(where, f"id {sync['id']} is out of range: 1 to {MAX_SYNC_ID}")
    interface = writer.name(where, "interface", sync["interface"])
    writer.line(KEYWORD, interface, writer.name(where, "instance", sync["instance"]), "id", int(sync["id"]))


def write_instances(writer: Writer, settings: Data, secret: str | None) -> None:
    """:arg secret: the file that has the password; None without one."""
    instances = settings.get("instances") or ()
    _check_instances(writer, instances)
    names = {
        key: {str(one["name"]) for one in settings.get(described) or ()} for key, (described, _what) in TRACKED.items()
    }
    if secret and instances and all(_vrrp_of(one) == 3 for one in instances):
        text = "no instance of VRRP is of version 2, and version 3 has no password"
        writer.wrong("keepalived_auth_pass", f"{text}. Leave it out, or use version: 2, which IPv4 has")
    for one in instances:
        _write_instance(writer, one, secret, names)


def _check_instances(writer: Writer, instances: t.Sequence[Data]) -> None:
    ids: dict[tuple[str, int, int], str] = {}
    holders: dict[str, str] = {}
    seen = set()
    for one in instances:
        name = str(one["name"])
        where = f"VRRP instance {name}"
        if name in seen:
            writer.wrong(where, "it is described twice: names are unique")
        seen.add(name)
        if not one.get("vips"):
            writer.wrong(where, "it has no VIP: without one, keepalived ignores it")
            continue
        place = (str(one["interface"]), int(one["id"]), _version_of(one["vips"][0]))
        other = ids.setdefault(place, name)
        if other != name:
            text = f"id {one['id']} is that of {other} on {one['interface']} already: each would take the other's word"
            writer.wrong(where, f"{text} for its own. Choose another id")
        for vip in [*one["vips"], *(one.get("excluded_vips") or ())]:
            address = str(vip["address"])
            other = holders.setdefault(address, name)
            if other != name:
                writer.wrong(where, f"vip {address} is in {other} already: one instance moves it")


def _vrrp_of(one: Data) -> int:
    """Its version of VRRP."""
    family = _version_of(one["vips"][0]) if one.get("vips") else 4
    return int(one.get("version") or (3 if family == 6 else 2))


def _version_of(vip: Data) -> int:
    return 6 if ":" in str(vip["address"]) else 4


def _write_instance(writer: Writer, one: Data, secret: str | None, names: t.Mapping[str, set[str]]) -> None:
    where = f"VRRP instance {one['name']}"
    if not one.get("vips"):
        return
    family = _version_of(one["vips"][0])
    version = _vrrp_of(one)
    state, priority = str(one.get("state", "BACKUP")).upper(), int(one.get("priority", 100))
    if family == 6 and version != 3:
        writer.wrong(where, "IPv6 needs VRRP version 3")
    preempt = bool(one.get("preempt", False))
    if state == "MASTER" and not preempt:
        writer.wrong(where, "state MASTER goes with preempt: true alone: nopreempt needs BACKUP on every director")
    if priority == OWNER and state != "MASTER":
        writer.wrong(where, f"priority {OWNER} never yields. Use 1 to {OWNER - 1}")
    writer.gap()
    with writer.block("vrrp_instance", writer.name(where, "name", one["name"])):
        writer.line("state", state)
        if not preempt:
            writer.line("nopreempt")
        writer.line("interface", writer.name(where, "interface", one["interface"]))
        writer.line("version", version)
        writer.line("virtual_router_id", int(one["id"]))
        writer.line("priority", priority)
        writer.line("advert_int", seconds(one.get("advert_interval", 1)))
        _check_interval(writer, where, version, float(str(one.get("advert_interval", 1))))
        if one.get("preempt_delay"):
            writer.line("preempt_delay", seconds(one["preempt_delay"]))
        if secret and version == 2:
            writer.line("include", secret)
        if one.get("unicast_source"):
            writer.line("unicast_src_ip", one["unicast_source"])
        if one.get("unicast_peers"):
            with writer.block("unicast_peer"):
                for peer in one["unicast_peers"]:
                    writer.line(peer)
        _write_vips(writer, where, one, family)
        _write_tracks(writer, where, one, names)
        judge_words(writer, where, one.get("keepalived"), words.INSTANCE)
        write_words(writer, where, one.get("keepalived"), words.INSTANCE)


def _check_interval(writer: Writer, where: str, version: int, interval: float) -> None:
    if version == 2 and (interval != int(interval) or not 1 <= interval <= 255):
        text = f"advert_interval {interval:g}: VRRP version 2 counts whole seconds, 1 to 255"
        writer.wrong(where, f"{text}. For less, use version: 3")
    elif version == 3 and not 0.01 <= interval <= 40.95:
        writer.wrong(where, f"advert_interval {interval:g} is out of range: 0.01 to 40.95 seconds in VRRP version 3")


def _write_vips(writer: Writer, where: str, one: Data, family: int) -> None:
    for key, keyword in (("vips", "virtual_ipaddress"), ("excluded_vips", "virtual_ipaddress_excluded")):
        if not one.get(key):
            continue
        with writer.block(keyword):
            for vip in one[key]:
                address = ipaddress.ip_address(str(vip["address"]))
                if key == "vips" and address.version != family:
                    text = f"vip {address} is of another family than the first one"
                    writer.wrong(where, f"{text}: put it into excluded_vips, which VRRP moves and does not name")
                said = [f"{address}/{vip.get('prefix') or address.max_prefixlen}"]
                said += ["dev", writer.name(where, "interface", vip.get("interface") or one["interface"])]
                if vip.get("label"):
                    said += ["label", writer.string(where, "label", vip["label"])]
                writer.line(*said)


def _write_tracks(writer: Writer, where: str, one: Data, names: t.Mapping[str, set[str]]) -> None:
    for key, keyword in _KEYWORDS.items():
        # Its own interface is always tracked, and naming it is an error to keepalived.
        tracked = [str(name) for name in one.get(key) or () if keyword != "track_interface" or name != one["interface"]]
        if not tracked:
            continue
        known = names.get(key)
        with writer.block(keyword):
            for name in tracked:
                if known is not None and name not in known:
                    there = ", ".join(sorted(known)) or "none"
                    writer.wrong(where, f"{key}: {name!r} is not described: there are {there}")
                writer.line(writer.name(where, key, name))
