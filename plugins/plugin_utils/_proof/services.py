# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What is claimed of each service: the table, the ARP answers, the requests and who took them."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import describe_real_server, describe_service
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey, endpoint
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof.evidence import Data, Line, Look

Looks = t.Mapping[str, Look]

IN_TURN = ("rr", "wrr", "lc", "wlc")
ENOUGH = 2
_SHOWN = 4


def key_of(service: Data) -> str:
    if "mark" in service:
        return str(ServiceKey.marked(service["mark"], service["family"]))
    return str(ServiceKey.addressed(service["protocol"], service["vip"], service["port"]))


def prove_table(service: Data, complete: bool, looks: Looks) -> Line:
    """What the director's kernel has of a service.

    :arg service: an item of the cluster's ``services``.
    :arg complete: False if the address of a real server is not known, so one that is not listed may be described.
    """
    return _prove_table(_subject(service), service, complete, looks[service["director"]])


def _subject(service: Data) -> str:
    return f"{service['name']} {key_of(service)}"


def prove_requests(service: Data, looks: Looks, clients: t.Sequence[str]) -> list[Line]:
    """What clients see of a service, and who served them; ``director`` is where its VIP is."""
    subject = _subject(service)
    requests = [_prove_requests(subject, service, looks[client]) for client in clients]
    if not clients:
        requests = [Line(subject, "a client is answered", None, "there is no host in group lvs_clients")]
    lines = [*requests, _prove_spread(subject, service, looks, clients)]
    tunnelled = any(map(_is_tunnelled, service["real_servers"]))
    return [*lines, _prove_bypass(subject, service, looks)] if tunnelled else lines


def _prove_table(subject: str, service: Data, complete: bool, director: Look) -> Line:
    servers = service["real_servers"]
    shown = ", ".join(f"{_name(server)} weight {server['weight']}" for server in servers[:_SHOWN])
    more = f" and {len(servers) - _SHOWN} more" if len(servers) > _SHOWN else ""
    claim = f"{director.host}'s kernel has it as described: {service['scheduler']}, {shown or 'no real server'}{more}"
    if director.table is None:
        return director.unseen(subject, claim)
    found = director.table.get(key_of(service))
    if found is None:
        return Line(subject, claim, False, f"the table of {director.host} does not have it")
    problems, others = _table_problems(service, found)
    if others and not complete:
        why = f"{', '.join(others)} too, which may be described: not every real server's address is known now"
        return Line(subject, claim, False if problems else None, "; ".join([*problems, why]))
    problems += [f"{other} is there and is not described" for other in others]
    return Line(subject, claim, not problems, "; ".join(problems))


def _table_problems(service: Data, found: Data) -> tuple[list[str], list[str]]:
    """What differs, and the real servers that are there besides."""
    described = read_services([{**service, "name": None}])
    ((wanted, servers),) = described.table.entries()
    problems = _differences("", describe_service(wanted), found)
    have = {(one["address"], one["port"]): one for one in found["real_servers"]}
    for place, server in servers.items():
        name = described.names.get((wanted.key, place), server.address)
        one = have.pop(place, None)
        if one is None:
            problems.append(f"{name} is missing")
        else:
            problems += _differences(f"{name}'s ", describe_real_server(server), one)
    return problems, [endpoint(*place) for place in have]


def _differences(whose: str, wanted: Data, found: Data) -> list[str]:
    return [
        f"{whose}{key} is {_shown(found[key])}, not {_shown(want)}"
        for key, want in wanted.items()
        if found[key] != want
    ]


def _shown(value: t.Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


def _name(server: Data) -> str:
    return str(server.get("name") or server["address"])


def _results(service: Data, client: Look) -> list[Data]:
    """What became of a client's requests to each place where the service can be asked."""
    asked = {_target(one): one for one in client.requests or ()}
    return [asked[_target(one)] for one in service["targets"] if _target(one) in asked]


def _target(one: Data) -> tuple[str, int, str]:
    return one["vip"], one["port"], one["protocol"]


def _prove_requests(subject: str, service: Data, client: Look) -> Line:
    claim = f"every request of {client.host} is answered"
    if not service["targets"]:
        return Line(subject, claim, None, "in a range of ports nobody knows which of them are served")
    found = _results(service, client)
    if len(found) < len(service["targets"]):
        return client.unseen(subject, claim)
    errors = _errors(found)
    if {one["protocol"] for one in found} == {"sctp"} and not _sum(found, "answered") and "not supported" in errors:
        return Line(subject, claim, None, f"{client.host} cannot speak sctp")
    silent = [one for one in found if _is_unknown(one)]
    refused = [one for one in silent if one["errors"]]
    if refused:
        asked = _sum(refused, "asked")
        return Line(subject, f"nobody refuses {client.host}'s {asked} datagrams", False, _errors(refused))
    if len(silent) == len(found):
        asked = _sum(silent, "asked")
        why = f"nobody knows what it answers over udp, say that by probe; {asked} empty datagrams were not refused"
        return Line(subject, claim, None, why)
    told = [one for one in found if one not in silent]
    asked, answered = _sum(told, "asked"), _sum(told, "answered")
    claim = f"{answered} of {asked} requests of {client.host} were answered"
    enough = all(one["answered"] == one["asked"] for one in told if one["known"])
    return Line(subject, claim, asked > 0 and enough, errors)


def _is_unknown(one: Data) -> bool:
    """Whether nobody knows what would be an answer, and none came."""
    return not one["known"] and not one["answered"]


def _sum(found: t.Iterable[Data], count: str) -> int:
    return sum(one[count] for one in found)


def _errors(found: t.Iterable[Data]) -> str:
    counts: collections.Counter[str] = collections.Counter()
    for one in found:
        counts.update({error["message"]: error["count"] for error in one["errors"]})
    return ", ".join(f"{count} times {message}" for message, count in counts.items())


def _prove_spread(subject: str, service: Data, looks: Looks, clients: t.Sequence[str]) -> Line:
    director = looks[service["director"]]
    claim = "the requests reach real servers through the director"
    found = [one for client in clients for one in _results(service, looks[client])]
    answered = _sum(found, "answered")
    # Where no answer is known, what was sent has passed the director all the same.
    passed = answered + sum(one["asked"] for one in found if _is_unknown(one))
    if not passed:
        return Line(subject, claim, None, "no client's request was answered")
    key = key_of(service)
    before, after = (director.table or {}).get(key), (director.table_after or {}).get(key)
    if before is None or after is None:
        return director.unseen(subject, claim)
    took = _took(before, after, "conns")
    servers = service["real_servers"]
    told = ", ".join(f"{_name(one)} took {took.get(_place(one), 0)}" for one in servers[:_SHOWN])
    what = "answered requests" if answered == passed else "requests" if answered else "datagrams"
    claim = f"of {passed} {what} {told}{', ...' if len(servers) > _SHOWN else ''}"
    problems = []
    if sum(took.values()) < passed:
        problems.append(f"{director.host} saw only {sum(took.values())}: the others went past it")
    total = sum(one["weight"] for one in servers) or 1
    for server in servers:
        place = _place(server)
        count = took.get(place, 0)
        if count and not server["weight"]:
            problems.append(f"{_name(server)} has weight 0 and took {count}")
        if count and answered and server["forward"] == "nat" and not _took(before, after, "outpkts")[place]:
            problems.append(f"{_name(server)}'s answers did not pass {director.host}")
        if not count and passed * server["weight"] / total >= ENOUGH and _is_in_turn(service, before):
            problems.append(f"{_name(server)} took none")
    return Line(subject, claim, not problems, "; ".join(problems))


def _is_tunnelled(server: Data) -> bool:
    return bool(server["forward"] == "tun")


def _prove_bypass(subject: str, service: Data, looks: Looks) -> Line:
    """A director drops what comes from its own VIP, so what passes it and is answered has been masqueraded there."""
    director = looks[service["director"]]
    claim = f"answers out of tunnels go past {director.host}, straight to the client"
    key = key_of(service)
    before, after = (director.table or {}).get(key), (director.table_after or {}).get(key)
    if before is None or after is None:
        return director.unseen(subject, claim)
    came, went = _took(before, after, "inpkts"), _took(before, after, "outpkts")
    servers = {_place(one): one for one in service["real_servers"] if _is_tunnelled(one)}
    if not any(came.get(place) for place in servers):
        return Line(subject, claim, None, "no packet went into a tunnel")
    passed = [_name(one) for place, one in servers.items() if went.get(place)]
    return Line(subject, claim, not passed, f"packets of {' and '.join(passed)} came back" if passed else "")


def _place(server: Data) -> tuple[str, int]:
    """How the kernel knows a real server; without a port it is asked at the one that the client asked for."""
    return server["address"], server.get("port", 0)


def _took(before: Data, after: Data, counter: str) -> dict[tuple[str, int], int]:
    """By how much a counter of each real server has grown."""
    was = {(one["address"], one["port"]): one["stats"][counter] for one in before["real_servers"]}
    now = {(one["address"], one["port"]): one["stats"][counter] for one in after["real_servers"]}
    return {place: count - was.get(place, 0) for place, count in now.items()}


def _is_in_turn(service: Data, before: Data) -> bool:
    """Whether a dozen requests must reach everybody: not with persistence, a hash, or old connections to even out."""
    old = any(one["active_connections"] or one["inactive_connections"] for one in before["real_servers"])
    busy = service["scheduler"] in ("lc", "wlc") and old
    return service["scheduler"] in IN_TURN and service.get("persistent") is None and not busy


def prove_vip(
    vip: str,
    place: tuple[str, str | None],
    real_servers: t.Collection[str],
    audible: t.Collection[str],
    looks: Looks,
) -> Line:
    """Who answers for a VIP.

    :arg place: its director, and the interface there.
    :arg real_servers: hosts that hold the VIP too, and would hear the director.
    :arg audible: those that need not be silent about an IPv4 VIP, since routers do not ask.
    """
    director, interface = place
    subject, what = vip, "neighbour solicitation" if ":" in vip else "ARP"
    own = looks[director].macs
    mac = own.get(interface or "")
    free = sorted(audible) if ":" not in vip else []
    claim = f"only {director} ({mac}) answers {what} for it"
    if free:
        claim = f"only {director} ({mac}), and {' and '.join(free)}, whom routers do not ask, answer {what} for it"
    allowed = {*own.values(), *(one for name in free for one in looks[name].macs.values())}
    if mac is None:
        return looks[director].unseen(subject, f"only {director} answers {what} for it")
    others: dict[str, None] = {}
    heard, deaf = [], []
    for name, look in looks.items():
        if look.answers is None or vip not in look.answers:
            continue
        macs = look.answers[vip]
        others.update(dict.fromkeys(one for one in macs if one not in allowed))
        if name != director and any(one in own.values() for one in macs):
            heard.append(name)
        elif name in real_servers:
            deaf.append(name)
    problems = [f"{_owner(one, looks)} answers too" for one in others]
    problems += [f"{name} hears no answer of {director}" for name in deaf if heard or others]
    if problems or heard:
        return Line(subject, claim, not problems, "; ".join(problems))
    if deaf:
        return Line(subject, claim, False, f"nobody answers: asked on {', '.join(deaf)}")
    return Line(subject, claim, None, "nobody in its network has asked")


def _owner(mac: str, looks: Looks) -> str:
    for look in looks.values():
        if look.facts is not None and mac in look.macs.values():
            return f"{look.host} ({mac}; arp_ignore is {look.facts['arp']['all']['arp_ignore']} there)"
    return f"a machine that is not known here ({mac})"
