# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What is claimed of each host: its VIPs, its silence, and that it all comes back after a reboot."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._arp import Arp, audible
from ansible_collections.openlvs.lvs.plugins.module_utils._table import endpoint
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.words import ARP_BY_ROUTER
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.evidence import (
    DIRECTOR_UNIT,
    FIREWALL_UNIT,
    MARKS_UNIT,
    REALSERVER_UNIT,
    ROUTER_UNIT,
    SYNC_UNIT,
    Data,
    Line,
    Look,
)


def prove_director(view: Data, look: Look) -> list[Line]:
    """:arg view: what the director has to do."""
    vips = view["director_vips"]
    lines = [_prove_director_vip(vip, look) for vip in vips]
    lines += [_prove_route(vip["address"], vip["interface"], look) for vip in vips if ":" not in vip["address"]]
    for key, name in (("director_ip_forward", "ip_forward"), ("director_ipv6_forward", "ipv6_forward")):
        if view[key]:
            lines.append(_prove_forwarding(name, look))
    lines += [_prove_marked(mark, look) for mark in view["director_marks"]]
    lines += [_prove_handed_on(one, look) for one in view["director_handed_on"]]
    lines += _prove_boot(look, DIRECTOR_UNIT, needs_ipvsadm=bool(view["director_services"]))
    if view["director_marks"] and view["director_marks_by"] == "iptables":
        lines += _prove_boot(look, MARKS_UNIT)[:1]  # the files are told of with the first unit
    if view["keepalived_sync"]:
        lines.append(_prove_sync(view["keepalived_sync"], 1, look))
    if view["pacemaker_sync"]:
        lines.append(_prove_sync(view["pacemaker_sync"], 2, look))
        lines += _prove_boot(look, SYNC_UNIT)
    daemons = ["pacemaker"] if view["pacemaker_nodes"] else view["director_daemons"]
    return [*lines, *(line for daemon in daemons for line in _prove_daemon(look, f"{daemon}.service"))]


def _prove_sync(sync: Data, count: int, look: Look) -> Line:
    """
    :arg count: of its sync daemons. One has the role of the moment: who has no VIPs hears what the other one tells.
    """
    claim = f"a sync daemon shares its connections by {sync['interface']}, as number {sync['id']}"
    if look.daemons is None:
        return look.unseen(look.host, claim)
    found = [f"{one['role']} by {one['interface']} as {one['syncid']}" for one in look.daemons]
    same = [one for one in look.daemons if (one["interface"], one["syncid"]) == (sync["interface"], sync["id"])]
    holds = len(same) == len(look.daemons) == count
    return Line(look.host, claim, holds, "" if holds else f"there is {' and '.join(found) or 'none'}")


def _prove_forwarding(setting: str, look: Look) -> Line:
    claim = f"it forwards {'IPv6 ' if setting == 'ipv6_forward' else ''}packets, as described"
    return _about_facts(look, claim, lambda facts: [] if facts[setting] else [f"{setting} is 0"])


def _prove_daemon(look: Look, name: str) -> list[Line]:
    claim = f"{name} runs"
    unit = ((look.boot or {}).get("units") or {}).get(name)
    if look.boot is None:
        runs = look.unseen(look.host, claim)
    else:
        runs = Line(look.host, claim, bool(unit and unit["active"]), "" if unit and unit["active"] else "it does not")
    return [runs, *_prove_boot(look, name)]


def _prove_marked(mark: Data, look: Look) -> Line:
    """A rule that is not there, or is another one, would be brought back by the role."""
    what = f"{mark['protocol']} {', '.join(mark['ports'])} of {' and '.join(mark['addresses'])}"
    claim = f"packets to {what} get the mark {mark['mark']}"
    return _about_rules(claim, look)


def _prove_handed_on(one: Data, look: Look) -> Line:
    vips = " and ".join(one["addresses"])
    return _about_rules(
        f"it serves itself what other directors hand on for {vips}, and balances none of it again", look
    )


def _about_rules(claim: str, look: Look) -> Line:
    if look.changes is None:
        return look.unseen(look.host, claim)
    due = [change for change in look.changes if change.startswith(("nft ", "iptables", "ip6tables"))]
    return Line(look.host, claim, not due, "; ".join(f"its rules are not as described: {change}" for change in due))


def prove_real_server(view: Data, look: Look) -> list[Line]:
    """:arg view: what the real server has to do."""
    vips = view["realserver_vips"]
    moved = {vip["address"] for one in view["keepalived_instances"] for vip in moved_by(one)}
    held = [_prove_held(vip, vip["address"] in moved, look) for vip in vips]
    way = view["realserver_arp"]
    quiet = [vip["address"] for vip in vips if way != ARP_BY_ROUTER or ":" in vip["address"]]
    silent = [_prove_silent(address, way, look) for address in quiet]
    routes = [_prove_route(vip["address"], vip["interface"], look) for vip in vips if ":" not in vip["address"]]
    tunnels = [_prove_tunnel(tunnel, look) for tunnel in view["realserver_tunnels"]]
    answers = [_prove_answer(answer, look) for answer in view["realserver_answers"]]
    boot = _prove_boot(look, REALSERVER_UNIT) if vips or answers else []
    return [*held, *silent, *routes, *tunnels, *answers, *boot]


def moved_by(instance: Data) -> list[Data]:
    """The VIPs of an instance of VRRP."""
    return [*instance["vips"], *instance.get("excluded_vips", ())]


def _prove_answer(answer: Data, look: Look) -> Line:
    what = f"{answer['protocol']} from {endpoint(answer['address'], answer['port'])}"
    claim = f"its answers, {what}, leave by {answer['gateway']}"
    return _about_facts(
        look, claim, lambda facts: [] if answer in facts["answers"] else ["they leave by its own routes"]
    )


def prove_router(view: Data, look: Look, looks: t.Mapping[str, Look]) -> list[Line]:
    """:arg view: what the router has to do."""
    entries = view["router_neighbours"]
    if not entries:
        return []
    owners = {mac: one.host for one in looks.values() for mac in one.macs.values()}
    return [*(_prove_sent(entry, owners, look) for entry in entries), *_prove_boot(look, ROUTER_UNIT)]


def _prove_sent(entry: Data, owners: t.Mapping[str, str], look: Look) -> Line:
    address, interface, mac = entry["address"], entry["interface"], entry["mac"]

    def problems_in(facts: Data) -> list[str]:
        found = {(one["address"], one["interface"]): one["mac"] for one in facts["neighbours"]}
        now = found.get((address, interface))
        if now == mac:
            return []
        return ["it has no static entry for it, and asks" if now is None else f"it sends them to {now}"]

    what = "neighbour solicitations" if ":" in address else "ARP"
    whom = f"{owners.get(mac, 'a machine that is not known here')} ({mac})"
    return _about_facts(
        look, f"requests for VIP {address} go to {whom} by {interface}, whoever answers {what} for it", problems_in
    )


def prove_one_holder(vip: str, directors: t.Mapping[str, str | None], looks: t.Mapping[str, Look]) -> Line:
    """A VIP that moves between directors is on one of them, whichever that is.

    :arg directors: with the interface where each would have it; as a real server it has it elsewhere, too.
    """
    named = " and ".join(directors)
    unseen = [name for name in directors if looks[name].facts is None]
    if unseen:
        return looks[unseen[0]].unseen(vip, f"one of {named} has it")
    have = [name for name, interface in directors.items() if looks[name].addresses(vip, interface)]
    if len(have) == 1:
        return Line(vip, f"one of {named} has it, now {have[0]}", True)
    return Line(vip, f"one of {named} has it", False, f"{' and '.join(have)} have it" if have else "none has it")


def prove_alone(vip: str, holders: t.Collection[str], members: t.Sequence[Look]) -> Line:
    """:arg holders: the hosts that shall have the VIP."""
    claim = "nobody has it but its director and its real servers"
    others = [look.host for look in members if look.host not in holders and look.addresses(vip)]
    unseen = [look.host for look in members if look.asked and look.facts is None]
    if others or not unseen:
        return Line(vip, claim, not others, _have_it(others))
    return Line(vip, claim, False, f"nobody could look at {', '.join(unseen)}")


def _have_it(hosts: t.Sequence[str]) -> str:
    return f"{' and '.join(hosts)} {'has' if len(hosts) == 1 else 'have'} it too" if hosts else ""


def _about_facts(look: Look, claim: str, problems_in: t.Callable[[Data], list[str]]) -> Line:
    if look.facts is None:
        return look.unseen(look.host, claim)
    problems = problems_in(look.facts)
    return Line(look.host, claim, not problems, "; ".join(problems))


def _prove_director_vip(vip: Data, look: Look) -> Line:
    address, interface = vip["address"], vip["interface"]
    wanted = f"{address}/{vip['prefix']}"

    def problems_in(facts: Data) -> list[str]:
        problems = _place_problems(look, address, vip["prefix"], interface)
        link = facts["links"].get(interface)
        if link is not None and not link["up"]:
            problems.append(f"{interface} is down")
        return problems

    return _about_facts(look, f"VIP {wanted} is on {interface}", problems_in)


def _place_problems(look: Look, address: str, prefix: int, interface: str) -> list[str]:
    found = {(one["interface"], one["prefix"]) for one in look.addresses(address)}
    if found == {(interface, prefix)}:
        return []
    where = " and ".join(f"{address}/{length} on {name}" for name, length in sorted(found))
    return [f"it has {where}" if found else f"it does not have {address}"]


def _prove_held(vip: Data, moved: bool, look: Look) -> Line:
    """:arg moved: VRRP may have it there, too."""
    address, interface = vip["address"], vip["interface"]
    prefix = 128 if ":" in address else 32
    claim = f"VIP {address}/{prefix} is on {interface}"

    def problems_in(facts: Data) -> list[str]:
        if moved and any(one["prefix"] == prefix for one in look.addresses(address, interface)):
            return []
        return _place_problems(look, address, prefix, interface)

    return _about_facts(look, claim, problems_in)


def _prove_silent(address: str, way: str, look: Look) -> Line:
    def problems_in(facts: Data) -> list[str]:
        if address in facts["silent"]:
            return []
        if way == "nftables" and ":" not in address and address not in facts["silenced"]:
            return ["the rules of nftables that keep it from ARP are not there"]
        return _loud(facts, address) or [f"it does not hold {address} alone on a device where nobody can ask"]

    return _about_facts(look, f"it is silent about VIP {address}", problems_in)


def _prove_tunnel(tunnel: Data, look: Look) -> Line:
    kind, port = tunnel["tunnel_type"], tunnel.get("tunnel_port")
    checksum = tunnel.get("tunnel_checksum", "nocsum")
    way = f"{kind}{f' at port {port}' if port else ''}{'' if checksum == 'nocsum' else f' with {checksum}'}"
    vips = tunnel["vips"]

    def problems_in(facts: Data) -> list[str]:
        same = {"address": tunnel["address"], "tunnel_type": kind, "tunnel_port": port, "tunnel_checksum": checksum}
        found = [one for one in facts["tunnels"] if all(one[key] == value for key, value in same.items())]
        receiving = {vip for one in found for vip in one["receiving"]}
        lost = [vip for vip in vips if vip not in receiving]
        if not lost:
            return []
        why = "its device is down, its port closed, or rp_filter drops them" if found else "nobody has made it"
        return [f"those for {' and '.join(lost)} it does not take: {why}"]

    claim = f"it takes packets for {' and '.join(vips)} out of {way} to {tunnel['address']}"
    return _about_facts(look, claim, problems_in)


def _loud(facts: Data, address: str) -> list[str]:
    if ":" in address:
        return []
    conf = {name: Arp(**values) for name, values in facts["arp"].items()}
    nics = [name for name, link in facts["links"].items() if not link["loopback"]]
    every = facts["arp"]["all"]
    return [
        f"on {name} a neighbour may learn it: arp_ignore is {max(every['arp_ignore'], conf[name].arp_ignore)},"
        f" arp_announce {max(every['arp_announce'], conf[name].arp_announce)}"
        for name in audible(conf, nics)
    ]


def _prove_route(address: str, interface: str, look: Look) -> Line:
    claim = f"the host route to VIP {address} by {interface} is there"
    if look.changes is None:
        return look.unseen(look.host, claim)
    missing = [change for change in look.changes if change.startswith(f"ip route add {address} ")]
    return Line(look.host, claim, not missing, "; ".join(f"missing: {change}" for change in missing))


def _prove_boot(look: Look, unit: str, needs_ipvsadm: bool = False) -> list[Line]:
    enabled = f"{unit} is enabled, so it all comes back after a reboot"
    files = "the files for the next boot are in place"
    if look.boot is None:
        return [look.unseen(look.host, enabled), look.unseen(look.host, files)]
    found = look.boot["units"].get(unit)
    problem = "" if found and found["enabled"] else "it is not enabled" if found else "there is no such unit"
    lines = [Line(look.host, enabled, not problem, problem)]
    problems = []
    for path, one in look.boot["files"].items():
        if not one["present"]:
            problems.append(f"{path} is missing")
        elif not one["same"]:
            problems.append(f"{path} is not as described")
    if needs_ipvsadm and "ipvsadm" in (look.facts or {}).get("missing", []):
        problems.append("ipvsadm, which loads the table, is not installed")
    shown = ", ".join(look.boot["files"])
    claim = f"{files}: {shown}" if shown else files
    return [*lines, Line(look.host, claim, bool(shown) and not problems, "; ".join(problems))]


def prove_managers(look: Look) -> list[Line]:
    """That the network managers know what stands on their interfaces."""
    managers = (look.facts or {}).get("managers", {})
    lines = []
    for one in look.writers:
        interface, files = one["interface"], one["files"]
        manager = managers.get(interface, {}).get("manager", one["writer"])
        claim = f"{manager} knows the VIPs on {interface}, so they outlive its restart"
        if files:
            missing = [path for path in files if f"# write {path}" in (look.changes or ())]
            problem = "; ".join(f"{path} is missing or not as described" for path in missing)
            lines.append(Line(look.host, f"{claim}: {', '.join(files)}", not missing, problem))
        elif interface in managers:
            lines.append(Line(look.host, claim, None, f"the writer is {one['writer']}, as asked"))
    return lines


_SHOWN = 4


def prove_firewall(look: Look) -> list[Line]:
    """That the host's firewall, if it has one, lets through what the cluster needs."""
    if look.passages is None:
        return []
    passing = [one["passage"] for one in look.passages if one["verdict"] == "passes"]
    lines = []
    for one in look.passages:
        by = " and ".join(one["by"])
        if one["verdict"] == "drops":
            which = f"its {one['packets']}: " if one["packets"] else ""
            text = f"{which}dropped by {by}. Remedy: {one['remedy']}"
            lines.append(Line(look.host, f"its firewall lets through {one['passage']}", False, text))
        elif one["verdict"] == "depends":
            lines.append(Line(look.host, f"its firewall lets through {one['passage']}", None, f"it depends: {by}"))
    if passing:
        more = f" and {len(passing) - _SHOWN} more" if len(passing) > _SHOWN else ""
        lines.append(Line(look.host, f"its firewall lets through {'; '.join(passing[:_SHOWN])}{more}", True))
    unit = ((look.boot or {}).get("units") or {}).get(FIREWALL_UNIT)
    return [*lines, *(_prove_boot(look, FIREWALL_UNIT) if unit else [])]


def prove_nothing_to_do(look: Look) -> Line:
    claim = "the roles would change nothing"
    if look.changes is None:
        return look.unseen(look.host, claim)
    return Line(look.host, claim, not look.changes, "; ".join(look.changes))
