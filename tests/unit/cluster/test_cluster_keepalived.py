# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services that keepalived looks after, and VIPs that move: what each director is to do, and what cannot work."""

from __future__ import annotations

import re
import typing as t

import pytest
from cluster_builders import Outcome, build, facts, only, web

HOSTS = {
    "lvs1": {"lvs_addresses": ["192.0.2.5/24", "2001:db8::5/64"]},
    "lvs2": {"lvs_addresses": ["192.0.2.6/24", "2001:db8::6/64"], "lvs_interface": "eth1"},
    "lvs3": {"lvs_addresses": ["198.51.100.7/24"], "lvs_interface": "eth1"},
    "rs1": {"lvs_addresses": ["192.0.2.11/24", "2001:db8::11/64"]},
    "rs2": {"lvs_addresses": ["192.0.2.12/24", "2001:db8::12/64"]},
}
FRONT = {"name": "front", "id": 51, "directors": [{"host": "lvs1", "priority": 150}, {"host": "lvs2", "priority": 100}]}
MOVED = {"vip": None, "vips": [{"address": "192.0.2.77", "vrrp": "front"}], "directors": ["lvs1", "lvs2"]}
ADDRESS = re.compile(r"\d+(\.\d+){3}(:\d+)?")


def front(**changes: t.Any) -> list[dict[str, t.Any]]:
    return [{**FRONT, **changes}]


def pair(vrrp: t.Any = None, hosts: t.Any = None, others: t.Sequence[t.Any] = (), **changes: t.Any) -> Outcome:
    """Two directors and a VIP that moves between them, with some keys of the service changed."""
    merged = {name: {**HOSTS[name], **(hosts or {}).get(name, {})} for name in HOSTS}
    return build(web(**{**MOVED, **changes}), *others, engine="keepalived", vrrp=vrrp or [FRONT], hosts=merged)


def alone(**changes: t.Any) -> Outcome:
    return build(web(**changes), engine="keepalived")


def test_each_director_has_its_instance_and_the_whole_table() -> None:
    outcome = pair(checks=[{"type": "http", "path": "/"}], sorry_server={"port": 8080})
    assert not outcome.findings
    for name, priority, own in (("lvs1", 150, "192.0.2.5"), ("lvs2", 100, "192.0.2.6")):
        view = outcome.view(name)
        assert view["keepalived_instances"] == [
            {
                "name": "front",
                "interface": "eth1",
                "id": 51,
                "priority": priority,
                "preempt": False,
                "state": "BACKUP",
                "vips": [{"address": "192.0.2.77", "prefix": 32, "interface": "eth1"}],
            }
        ]
        (server,) = view["keepalived_virtual_servers"]
        assert [one["name"] for one in server["real_servers"]] == ["rs1", "rs2"]
        assert server["sorry_server"] == {"address": own, "forward": "nat", "port": 8080}
        assert server["checks"][0]["path"] == "/"
        assert view["director_services"] == [] and view["director_vips"] == []
        assert view["director_daemons"] == ["keepalived"]
    assert outcome.view("rs1")["realserver_vips"] == [{"address": "192.0.2.77", "interface": "lo"}]
    assert [one["director"] for one in outcome.result["services"]] == ["lvs1", "lvs2"]
    assert len(outcome.result["targets"]) == 1


def test_a_lone_director_has_its_vip_from_us_and_its_table_from_keepalived() -> None:
    view = alone(checks=[{"type": "tcp"}]).view("lvs1")
    assert view["director_vips"] == [{"address": "192.0.2.77", "prefix": 32, "interface": "eth1"}]
    assert view["director_services"] == [] and view["keepalived_instances"] == []
    assert len(view["keepalived_virtual_servers"]) == 1


def test_who_preempts_begins_as_master_where_its_priority_is_highest() -> None:
    outcome = pair(front(preempt=True))
    states = [outcome.view(name)["keepalived_instances"][0]["state"] for name in ("lvs1", "lvs2")]
    assert states == ["MASTER", "BACKUP"]


def test_unicast_goes_to_the_addresses_of_the_others() -> None:
    (instance,) = pair(front(unicast=True)).view("lvs1")["keepalived_instances"]
    assert (instance["unicast_source"], instance["unicast_peers"]) == ("192.0.2.5", ["192.0.2.6"])


def test_the_other_family_moves_along() -> None:
    vips = [{"address": one, "vrrp": "front"} for one in ("192.0.2.77", "2001:db8::77")]
    (instance,) = pair(vips=vips).view("lvs2")["keepalived_instances"]
    assert [one["address"] for one in instance["vips"]] == ["192.0.2.77"]
    assert [one["address"] for one in instance["excluded_vips"]] == ["2001:db8::77"]


def test_a_group_of_ones_own() -> None:
    assert pair(front(multicast="224.0.100.19")).view("lvs1")["keepalived_multicast_group"] == "224.0.100.19"


def test_bfd_begins_in_the_network_of_the_real_server() -> None:
    servers = [{"host": "rs1", "checks": [{"type": "file", "path": "/etc/rs1"}]}, {"host": "rs2"}]
    view = pair(checks=[{"type": "bfd"}, {"type": "tcp"}], real_servers=servers).view("lvs2")
    (server,) = view["keepalived_virtual_servers"]
    bfd = {"type": "bfd", "interval": 0.3, "fall": 3, "source": "192.0.2.6"}
    assert [one["checks"] for one in server["real_servers"]] == [[{"type": "file", "path": "/etc/rs1"}, bfd], [bfd]]
    assert [one["type"] for one in server["checks"]] == ["tcp"]
    passages = [one for one in view["firewall_passages"] if one.get("ports") == ["3784"]]
    assert [one["sources"] for one in passages] == [["192.0.2.11"], ["192.0.2.12"]]


def with_password(password: t.Any) -> Outcome:
    return pair(hosts={name: {"keepalived_auth_pass": password} for name in ("lvs1", "lvs2")})


SECOND = {**FRONT, "name": "back"}
OTHER = web(name="api", port=81, **{**MOVED, "vips": [{"address": "192.0.2.78", "vrrp": "back"}]})


UP = [{"name": "up", "command": "/bin/true"}]
PEER = {
    "lvs1": [{"name": "peer", "neighbour": "192.0.2.6"}],
    "lvs2": [{"name": "peer", "neighbour": "192.0.2.5", "weight": 5}],
}
TURNED = [{"host": "lvs1", "priority": 100}, {"host": "lvs2", "priority": 150}]
SAME_VIP = {**OTHER, "vips": [{"address": "192.0.2.77", "vrrp": "back"}]}


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (lambda: pair([FRONT, SECOND], others=[OTHER]), "id 51 is that of 'front' too, and both speak on 192.0.2.0/24"),
        (lambda: pair([FRONT, {**SECOND, "id": 52}], others=[SAME_VIP]),
         "vip 192.0.2.77 is moved by vrrp 'back', and in lvs_services[0] web by vrrp 'front'"),
        (lambda: with_password("far too long"), "keepalived_auth_pass has 12 characters"),
        (lambda: with_password("a!b"), "has ! in it"),
        (lambda: pair(hosts={"lvs1": {"keepalived_auth_pass": "secret"}}), "is not the same on lvs1, lvs2"),
        (lambda: pair(checks=[{"type": "http", "path": "/a\nb"}]), "has a line break in it"),
        (lambda: pair(checks=[{"type": "http"}]), "needs a path"),
        (lambda: pair(checks=[{"type": "ping", "rise": 2}]), "has no check of type ping"),
        (lambda: pair(quorum=4), "quorum 4 is above 3"),
        (lambda: pair(sorry_server={"port": 8080, "forward": "dr"}), "differs from the service's"),
        (lambda: pair(sorry_server={"address": "127.0.0.1"}), "takes no packet for it from outside"),
        (lambda: pair(vips=[{"address": "192.0.2.77"}]), "has 2 directors, lvs1 and lvs2, and no vrrp"),
        (lambda: pair(directors=["lvs1"]), "its directors are lvs1, and those of vrrp 'front' are lvs1, lvs2"),
        (lambda: pair(front(multicast="192.0.2.1")), "is no multicast address"),
        (lambda: pair(front(multicast="224.0.100.19", unicast=True)), "has both multicast and unicast"),
        (lambda: pair(front(advert_interval="often")), "must be a number of seconds, not 'often'"),
        (lambda: pair(front(advert_interval=0.2)), "counts whole seconds"),
        (lambda: pair(front(track_scripts=["up"])), "track_scripts: 'up' is not described"),
        (lambda: pair(front(track_scripts=["up"]), hosts={"lvs1": {"keepalived_scripts": UP}}), "front on lvs2: "),
        (lambda: pair(hosts={"lvs1": {"keepalived_scripts": [{"name": "up"}]}}), "[0]: has no command"),
        (lambda: pair(hosts={"lvs1": {"keepalived_scripts": [{**UP[0], "fall": "x"}]}}), "fall must be a whole number"),
        (lambda: pair(hosts={"lvs1": {"keepalived_scripts": [{**UP[0], "interval": "x"}]}}), "number of seconds"),
        (lambda: pair(hosts={"lvs1": {"keepalived_scripts": [{**UP[0], "weight": 999}]}}), "-253 to 253"),
        (lambda: pair(hosts={"lvs1": {"keepalived_scripts": UP * 2}}), "name 'up' is used more than once"),
        (lambda: pair(hosts={"lvs1": {"keepalived_processes": [{"name": "n"}]}}), "[0]: has no process"),
        (lambda: pair(front(track_files=["f"]), hosts={"lvs1": {"keepalived_files": [{"name": "f", "path": "/etc/"}]},
                      "lvs2": {"keepalived_files": [{"name": "f", "path": "/etc/"}]}}), "is a folder"),
        (lambda: pair(hosts={"lvs1": {"keepalived_bfds": [{"name": "b", "neighbour": "224.0.0.1"}]}}), "another host"),
        (lambda: pair(hosts={"lvs1": {"keepalived_bfds": [
            {"name": name, "neighbour": "192.0.2.1"} for name in "ab"]}}), "is used more than once"),
        (lambda: pair(hosts={"lvs1": {"keepalived_scripts": [{**UP[0], "timeout": 0}]}}), "more than 0 seconds"),
        (lambda: pair(front(name=5)), "name must be a string, not a number"),
        (lambda: pair(front(name="a b"), vips=[{"address": "192.0.2.77", "vrrp": "a b"}]), "name 'a b' must be"),
        (lambda: pair(hosts={"lvs1": {"keepalived_bfds": [{"name": "b", "neighbour": "192.0.2.77"}]}}), "is a VIP or"),
        (lambda: pair(checks=[{"type": "http", "path": "/", "regex": "(["}]), "is no regular expression"),
        (lambda: pair(front(directors=None)), "has no directors: name those between which its VIPs move"),
        (lambda: pair(vips=[{"address": "192.0.2.77", "vrrp": 5}]), "vrrp must be a string, not a number"),
        (lambda: pair(persistent="x", netmask="255.255.255.0"), "persistent must be a whole number"),
        (lambda: pair(sorry_server={"address": "2001:db8::9"}), "of another family than vip 192.0.2.77"),
        (lambda: pair(real_servers=[{"host": "rs1", "checks": [{"type": "http"}]}]),
         "lvs_services[0] web: tcp 192.0.2.77:80, real server 192.0.2.11, checks[0]: "),
        (lambda: pair(hosts={"lvs1": {"keepalived_files": [{"name": "hold"}]}}), "[0]: has no path"),
        (lambda: pair(hosts={"lvs1": {"keepalived_bfds": [{"name": "up"}]}}), "[0]: has no neighbour"),
        (lambda: pair(hosts={"lvs1": {"keepalived_bfds": [{"name": "up", "neighbour": "router"}]}}), "is not an IPv4"),
        (lambda: pair(hosts={"lvs1": {"keepalived_bfds": [{"name": "up", "neighbour": "192.0.2.1", "ttl": 9}]}}),
         "key 'ttl' is unknown"),
        (lambda: pair(front(track_files=["hold"])), "track_files: 'hold' is not described"),
        (lambda: pair(front(track_bfds=["peer"]), hosts={name: {"keepalived_bfds": PEER[name]} for name in PEER}),
         "lets go of the VIPs, too"),
        (lambda: pair(checks=[{"type": "file"}]), "needs the path of a file on the director"),
        (lambda: pair(checks=[{"type": "file", "path": "out"}]), "absolute, not 'out'"),
        (lambda: pair(checks=[{"type": "file", "path": "/etc/out", "fall": 2}]), "fall is for checks of type ping"),
        (lambda: pair(checks=[{"type": "bfd", "timeout": 2}]), "timeout is for checks of type ping"),
        (lambda: pair(checks=[{"type": "bfd", "path": "/"}]), "path is for checks of type http, https, script, file"),
        (lambda: pair(checks=[{"type": "bfd", "interval": 60}]), "0.001 to 10 seconds"),
        (lambda: build(web(checks=[{"type": "bfd"}]), engine="ldirectord"),
         "type bfd is for lvs_engine 'keepalived', and it is 'ldirectord'"),
        (lambda: build(web(real_servers=[{"host": "rs1", "checks": [{"type": "tcp"}]}])),
         "checks cannot work under lvs_engine 'kernel'"),
        (lambda: build(web(real_servers=[{"host": "rs1", "checks": [{"type": "tcp"}]}]), engine="ldirectord"),
         "put checks into the service"),
        (lambda: with_password(True), "keepalived_auth_pass must be a string, not a boolean"),
        (lambda: pair(front(advert_interval=float("nan"))), "must be a number of seconds, not nan"),
        (lambda: pair(front(track_interfaces=[None])), "track_interfaces[0] must be a string, not nothing"),
        (lambda: pair(front(sync={"interface": "a b}"})), "'a b}' is no name of an interface"),
        (lambda: pair(front(track_interfaces=["eth9"]), hosts={
            "lvs1": {"lvs_host": facts(("192.0.2.5/24", "eth1"))}}), "track_interfaces: 'eth9' does not exist on lvs1"),
        (lambda: pair(front(preempt=True, directors=[{**one, "priority": 9} for one in TURNED])), "two have the same"),
        (lambda: pair(checks=[{"type": "http", "path": "/", "window": 9, "regex": "("}]), "is no regular expression"),
        (lambda: pair(front(directors=[*TURNED, {"host": "lvs2", "priority": 7}])), "is in directors already"),
        (lambda: pair(checks=[{"type": "ping", "path": "/"}]), "path is for checks of type http, https, script"),
        (lambda: pair(checks=[{"type": "tcp", "window": 9, "fall": 2}]), "leave out fall and rise, or window"),
        (lambda: pair(sorry_server={"forward": "tun"}), "forward 'tun' is unknown: one of dr, nat"),
        (lambda: pair([{**FRONT, "group": "site"}, {**SECOND, "id": 52, "group": "site", "directors": TURNED}],
                      others=[OTHER]), "differ from those of 'front', with which it moves"),
        (lambda: pair(keepalived={"quorum_ip": "/bin/true"}), "'quorum_ip' is no word for this"),
        (lambda: build(web(keepalived={"alpha": True}), engine="ldirectord"),
         "that is for lvs_engine 'keepalived', and it is 'ldirectord'"),
        (lambda: pair(front(interface="eth9"), hosts={
            "lvs1": {"lvs_host": facts(("192.0.2.5/24", "eth1"))}}), "interface 'eth9' does not exist on lvs1"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_finding_each(outcome: t.Callable[[], Outcome], text: str) -> None:
    findings = outcome().findings
    assert findings and all(text in finding for finding in findings), findings
    assert len({ADDRESS.sub("", finding.partition(": ")[2]) for finding in findings}) == 1
    assert "far too long" not in str(findings) and "a!b" not in str(findings)


def test_what_cannot_be_read_of_an_instance_hides_nothing_else() -> None:
    findings = pair(front(id="x", track_scripts=["up"])).findings
    assert sorted({one.partition(": ")[2][:7] for one in findings}) == ["id must", "track_s"], findings


def test_directors_that_do_not_hear_each_other() -> None:
    far = front(directors=[{"host": "lvs1", "priority": 150}, {"host": "lvs3", "priority": 100}], unicast=True)
    findings = pair(far, directors=["lvs1", "lvs3"]).findings
    text = "lvs1 (192.0.2.5) and lvs3 (198.51.100.7) are in different networks: a VIP can only move within one."
    assert f"lvs_vrrp[0] front: {text} Say which interface both have there" in findings


def test_vrrp_needs_keepalived() -> None:
    outcome = build(web(**{**MOVED, "directors": ["lvs1"]}), vrrp=front(directors=[{"host": "lvs1", "priority": 1}]))
    assert "vrrp 'front' needs lvs_engine 'keepalived', and it is 'kernel'" in only(outcome)


def test_an_instance_that_moves_nothing_is_left_out() -> None:
    outcome = build(web(), engine="keepalived", vrrp=front(directors=[{"host": "lvs1", "priority": 1}]))
    assert not outcome.findings and outcome.view("lvs1")["keepalived_instances"] == []
    assert outcome.warnings == ["lvs_vrrp[0] front: no VIP is moved by 'front', so it is left out"]


def test_an_address_that_is_not_known_leaves_a_running_keepalived_as_it_is() -> None:
    hosts = {"rs2": {"lvs_addresses": None}}
    outcome = build(web(), engine="keepalived", hosts=hosts)
    assert outcome.view("lvs1")["keepalived_complete"] is False


# ---- directors that are real servers too


def seen(address: str, mac: str, **others: t.Any) -> dict[str, t.Any]:
    """What a look at such a director finds."""
    found = facts((f"{address}/24", "eth1"), **others)
    found["links"]["eth1"]["mac"] = mac
    return {"lvs_host": found}


MAC1, MAC2 = "02:00:00:00:01:01", "02:00:00:00:01:02"
BOTH = {"lvs1": seen("192.0.2.5", MAC1), "lvs2": seen("192.0.2.6", MAC2)}


def twofold(hosts: t.Any = None, **changes: t.Any) -> Outcome:
    """Two directors that serve what they balance."""
    servers = [{"host": "lvs1"}, {"host": "lvs2"}, {"host": "rs1"}]
    return pair(hosts=BOTH if hosts is None else hosts, **{"real_servers": servers, **changes})


def test_a_director_that_serves_too_has_the_vip_twice_and_serves_what_is_handed_on() -> None:
    outcome = twofold()
    assert not outcome.findings
    for name, own, other in (("lvs1", "192.0.2.5", MAC2), ("lvs2", "192.0.2.6", MAC1)):
        view = outcome.view(name)
        assert view["realserver_vips"] == [{"address": "192.0.2.77", "interface": "lo"}]
        assert view["realserver_arp_interfaces"] == ["eth1"]
        assert [vip["interface"] for one in view["keepalived_instances"] for vip in one["vips"]] == ["eth1"]
        web_server, own_server = view["keepalived_virtual_servers"]
        assert [one["name"] for one in web_server["real_servers"]] == ["lvs1", "lvs2", "rs1"]
        (entry,) = view["director_handed_on"]
        assert entry == {"mark": own_server["mark"], "addresses": ["192.0.2.77"], "senders": [other]}
        assert view["director_ipvs_settings"] == {"conn_reuse_mode": 3}
        assert own_server["real_servers"] == [{"address": own, "weight": 1, "forward": "dr"}]
    assert outcome.view("rs1")["director_handed_on"] == []


def test_nobody_hands_on_where_only_one_director_serves() -> None:
    outcome = twofold(real_servers=[{"host": "lvs1"}, {"host": "rs1"}])
    assert outcome.view("lvs1")["director_handed_on"][0]["senders"] == [MAC2]
    assert outcome.view("lvs2")["director_handed_on"] == [] and outcome.view("lvs2")["realserver_vips"] == []


def test_a_director_that_cannot_be_looked_at_is_known_by_the_rules_that_are_there() -> None:
    known = {**BOTH["lvs1"]["lvs_host"], "senders": [MAC2]}
    view = twofold({"lvs1": {"lvs_host": known}}).view("lvs1")
    assert [one["senders"] for one in view["director_handed_on"]] == [[MAC2]]
    assert twofold({"lvs1": BOTH["lvs1"]}).view("lvs1")["director_handed_on"] == []


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (lambda: build(web(real_servers=[{"host": "lvs1"}])), "that is built for lvs_engine 'keepalived' with VIPs"),
        (lambda: twofold(forward="tun"), "by forward tun: what another director hands on is told by its MAC address"),
        (lambda: twofold({name: {**BOTH[name], "lvs_arp": "nftables"} for name in BOTH}), "Use sysctl"),
    ],
)  # fmt: skip
def test_what_cannot_be_both(outcome: t.Callable[[], Outcome], text: str) -> None:
    findings = outcome().findings
    assert findings and all(text in finding for finding in findings), findings


# ---- connection sync


def private(number: int) -> dict[str, t.Any]:
    """A director with a leg in a network of the directors' own."""
    return {"lvs_host": facts((f"192.0.2.{number}/24", "eth1"), (f"10.0.0.{number}/24", "eth0"))}


PRIVATE = {"lvs1": private(5), "lvs2": private(6)}


@pytest.mark.parametrize(
    ("sync", "hosts", "interface", "number"),
    [
        (True, {}, "eth1", 51),
        (True, PRIVATE, "eth0", 51),
        ({"interface": "eth1", "id": 7}, PRIVATE, "eth1", 7),
        (True, {**PRIVATE, "rs1": private(11)}, "eth1", 51),
    ],
)
def test_sync_has_a_network_of_the_directors_own_if_there_is_one(
    sync: t.Any, hosts: t.Any, interface: str, number: int
) -> None:
    outcome = pair(front(sync=sync), hosts=hosts)
    assert not outcome.findings
    for name in ("lvs1", "lvs2"):
        wanted = {"instance": "front", "interface": interface, "id": number}
        assert outcome.view(name)["keepalived_sync"] == wanted


def test_without_sync_there_is_none() -> None:
    assert pair().view("lvs1")["keepalived_sync"] == {}


OTHERS = {
    name: {"lvs_addresses": [f"192.0.2.{number}/24"], "lvs_interface": "eth1"}
    for name, number in (("lvs4", 8), ("lvs5", 9))
}


def elsewhere(**changes: t.Any) -> Outcome:
    """Two clusters in one network, of which each syncs."""
    hosts = {**{name: {**HOSTS[name], **PRIVATE.get(name, {})} for name in HOSTS}, **OTHERS}
    for name, number in (("lvs4", 8), ("lvs5", 9)):
        hosts[name] = {**OTHERS[name], "lvs_host": facts((f"192.0.2.{number}/24", "eth1"))}
    there = [{"host": name, "priority": 100} for name in OTHERS]
    back = {"name": "back", "id": 52, "directors": there, "sync": {"interface": "eth1", "id": 9}}
    api = {**OTHER, "directors": list(OTHERS)}
    first = {**FRONT, "sync": {"interface": "eth1", **changes}}
    return build(web(**MOVED), api, engine="keepalived", vrrp=[first, back], hosts=hosts)


def test_two_clusters_of_one_network_have_numbers_of_their_own() -> None:
    assert not elsewhere(id=8).findings
    assert "id 9 is that of 'front' too, in the same network" in only(elsewhere(id=9))


def test_what_cannot_be_synced() -> None:
    twice = pair([{**FRONT, "sync": True}, {**SECOND, "id": 52, "sync": True}], others=[OTHER])
    assert "lvs1, lvs2 has that of 'front' already, and a director runs one" in only(twice)
    assert (
        "interface 'eth9' does not exist on lvs1" in pair(front(sync={"interface": "eth9"}), hosts=PRIVATE).findings[0]
    )
    assert "id 0 is out of range: 1 to 255" in pair(front(sync={"id": 0})).findings[0]
