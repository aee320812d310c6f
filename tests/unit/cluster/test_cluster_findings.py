# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong in a description is found, and said in words that tell what to do."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.plugin_utils import _cluster
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import Section
from cluster_builders import GROUPS, HOSTS, SEEN, build, facts, only, web


def test_the_example_is_fine():
    assert build(web()).findings == []
    assert build(web(), hosts=SEEN).findings == []


WRONG_VALUES = [
    (
        {"scheduler": "wcl"},
        (
            "scheduler 'wcl' is unknown: one of rr, wrr, lc, wlc, fo, ovf, lblc, lblcr, dh, sh, mh, sed, nq, twos (did"
            " you mean 'wlc'?)"
        ),
    ),
    ({"schedular": "rr"}, "key 'schedular' is unknown (did you mean 'scheduler'?)"),
    (
        {"colour": "red"},
        (
            "key 'colour' is unknown: one of name, directors, routers, vip, vips, port, ports, protocol, listen,"
            " affinity, mark, forward, tunnel_type, tunnel_port, tunnel_checksum, scheduler, scheduler_flags,"
            " persistent, netmask, real_servers, checks, sorry_server, quorum, hysteresis, inhibit_on_failure,"
            " keepalived, probe"
        ),
    ),
    ({"name": None}, "has no name: messages and files use it"),
    ({"name": "a b"}, "name 'a b' must be at most 63 letters, digits, '.', '_' and '-': it goes into file names"),
    ({"vip": None}, "has no VIP: say vip: ADDRESS, or vips: [{address: ADDRESS}, ...]"),
    (
        {"vip": "192.0.2.7/24"},
        (
            "vip '192.0.2.7/24' has a prefix: write the address alone; a prefix other than 32 or 128 belongs into vips:"
            " [{address: ..., prefix: ...}]"
        ),
    ),
    ({"vip": "www"}, "vip 'www' is not an IPv4 or IPv6 address"),
    ({"vip": 7}, "vip must be an address in quotes, not a number"),
    ({"vip": "224.0.0.1"}, "vip 224.0.0.1 is a multicast address: choose a unicast address that clients can reach"),
    ({"vip": "127.0.0.1"}, "vip 127.0.0.1 is a loopback address: choose a unicast address that clients can reach"),
    ({"vips": [{"address": "192.0.2.78"}]}, "has both vip and vips: vip is the short form of vips: [{address: ...}]"),
    ({"port": None}, "listens to nothing: say port, ports or listen"),
    ({"ports": [81]}, "has port and ports: one of them, please"),
    ({"port": 0}, "port 0 is out of range: 1 to 65535; all ports of a client at once are affinity: client"),
    ({"port": "http"}, "port must be a whole number from 1 to 65535, not 'http'"),
    ({"port": "010"}, "port must be a whole number from 1 to 65535, not '010'"),
    ({"port": "9" * 5000}, f"port must be a whole number from 1 to 65535, not '{'9' * 5000}'"),
    ({"vip": None, "vips": []}, "has no VIP: say vip: ADDRESS, or vips: [{address: ADDRESS}, ...]"),
    ({"port": None, "ports": []}, "listens to nothing: say port, ports or listen"),
    ({"directors": []}, "directors is empty: name some, or leave it out"),
    ({"port": "--5"}, "port must be a whole number from 1 to 65535, not '--5'"),
    ({"port": None, "ports": 80}, "ports must be a list, not a number"),
    ({"port": None, "ports": [80, 80]}, "listens to tcp 80 twice"),
    ({"port": "8000-7999"}, "port '8000-7999' must be a range such as 8000-8010, of ports from 1 to 65535"),
    ({"port": "65000-66000"}, "port '65000-66000' must be a range such as 8000-8010, of ports from 1 to 65535"),
    (
        {"port": None, "ports": [80, "8000-8010"]},
        (
            "listens to 8000-8010: with affinity 'none' each port is a virtual service of its own. Name the ports one"
            " by one, or make one service of them by affinity: mark"
        ),
    ),
    ({"affinity": "mark", "port": None, "ports": [80, "79-81"]}, "listens to tcp 80 twice"),
    ({"affinity": "mark", "port": None, "ports": ["80-90", "90-95"]}, "listens to tcp 90-95 twice"),
    ({"protocol": "tpc"}, "protocol 'tpc' is unknown: one of tcp, udp, sctp (did you mean 'tcp'?)"),
    ({"forward": "direct"}, "forward 'direct' is unknown: one of dr, nat, tun, fullnat"),
    ({"persistent": 0}, "persistent 0 is out of range: 1 to 2678400 seconds; leave it out for none"),
    (
        {"real_servers": []},
        "has no real servers: the kernel refuses every client; name hosts, a group or unmanaged machines",
    ),
    ({"directors": "lvs1"}, "directors: group 'lvs1' is not in the inventory; it is a host: write directors: [lvs1]"),
    ({"directors": ["lvs9"]}, "directors: host 'lvs9' is not in the inventory (did you mean 'lvs1'?)"),
    ({"directors": "empty"}, "directors: group 'empty' has no hosts"),
    ({"mark": 3}, "mark is for affinity: mark alone"),
    ({"protocol": []}, "protocol is empty: name some, or leave it out"),
    ({"probe": "who"}, "probe must be {text: WORDS} or {hex: '00 1f'}: what a client asks over udp"),
    (
        {"protocol": "sctp", "probe": {"text": "who"}},
        "probe is what a client asks over udp, and this service has no udp port",
    ),
]


@pytest.mark.parametrize(("changes", "text"), WRONG_VALUES)
def test_a_wrong_value_of_a_service(changes, text):
    service = web(**changes)
    name = f" {service['name']}" if "name" in service else ""
    assert only(build(service)) == f"lvs_services[0]{name}: {text}"


WRONG_REAL_SERVERS = [
    ({"host": "rs9"}, "host 'rs9' is not in the inventory (did you mean 'rs3'?)"),
    (
        {"group": "lvs_real_server"},
        "group 'lvs_real_server' is not in the inventory (did you mean 'lvs_real_servers'?)",
    ),
    ({"group": "empty"}, "group 'empty' has no hosts"),
    ({"host": "rs1", "wieght": 2}, "key 'wieght' is unknown (did you mean 'weight'?)"),
    ({"host": "rs1", "weight": 65536}, "weight 65536 is out of range: 0 to 65535"),
    ({"host": "rs1", "weight": -1}, "weight -1 is out of range: 0 to 65535"),
    (
        {"host": "rs1", "upper_threshold": "many"},
        "upper_threshold must be a whole number from 0 to 2147483647, not 'many'",
    ),
    (
        {"address": "198.51.100.9"},
        "address 198.51.100.9 has no host: say host: NAME, or unmanaged: true when nobody shall look after it",
    ),
    ({"host": "rs1", "unmanaged": True}, "unmanaged is for an address alone: hosts of the inventory are looked after"),
    ({"host": ["rs1"]}, "host must be a string, not a list"),
    (
        {},
        (
            "needs one of host, group and address: {host: rs1}, {group: web_servers} or {address: 192.0.2.20,"
            " unmanaged: true}"
        ),
    ),
    (
        {"group": "lvs_real_servers", "address": "192.0.2.9"},
        "has an address beside group 'lvs_real_servers': the addresses of its hosts are their lvs_addresses",
    ),
    (
        {"host": "rs1", "port": 8080},
        (
            "port 8080 of real server rs1 differs from the VIP's port 80: forward dr hands packets on unchanged, so the"
            " port cannot change. Leave port out"
        ),
    ),
    (
        {"host": "lvs1"},
        (
            "real server lvs1 is a director of this service too: that is built for lvs_engine 'keepalived' with VIPs"
            " that vrrp moves between such directors. Use those, or another host"
        ),
    ),
]


@pytest.mark.parametrize(("entry", "text"), WRONG_REAL_SERVERS)
def test_a_wrong_real_server(entry, text):
    hosts = {"rs3": {"lvs_addresses": ["192.0.2.13/24"]}}
    outcome = build(web(real_servers=[{"host": "rs3"}, entry]), hosts=hosts)
    assert only(outcome) == f"lvs_services[0] web real_servers[1]: {text}"


def test_a_name_in_place_of_a_dictionary():
    text = (
        "real_servers[0] must be a dictionary such as {host: rs1}, {group: web_servers} or {address: 192.0.2.20,"
        " unmanaged: true}, not a string 'rs1'"
    )
    assert only(build(web(real_servers=["rs1", {"host": "rs2"}]))) == f"lvs_services[0] web: {text}"


def test_a_real_server_twice():
    text = (
        "rs1 is a real server of this service already, by real_servers[0]; its weight alone is changed by lvs_weight in"
        " its host variables"
    )
    both = [{"group": "lvs_real_servers"}, {"host": "rs1"}]
    assert only(build(web(real_servers=both))) == f"lvs_services[0] web real_servers[1]: {text}"


NOT_BUILT = [
    (
        {"checks": [{"type": "http", "path": "/"}]},
        (
            "checks cannot work under lvs_engine 'kernel': the kernel looks at no server. Use lvs_engine 'keepalived'"
            " or 'ldirectord', which do, without VRRP too, or leave it out"
        ),
    ),
    (
        {"sorry_server": {"address": "192.0.2.99", "port": 8080}},
        (
            "sorry_server cannot work under lvs_engine 'kernel': the kernel looks at no server. Use lvs_engine"
            " 'keepalived' or 'ldirectord', which do, without VRRP too, or leave it out"
        ),
    ),
]


@pytest.mark.parametrize(("changes", "text"), NOT_BUILT)
def test_what_needs_a_daemon_is_said(changes, text):
    assert only(build(web(**changes))) == f"lvs_services[0] web: {text}"


V4, V6 = ({"address": address, "unmanaged": True} for address in ("192.0.2.20", "2001:db8::20"))


@pytest.mark.parametrize(
    ("vips", "servers", "left_out"),
    [
        (["192.0.2.77"], [{"host": "rs1"}, V4, V6], "vip 192.0.2.77 is not served by 2001:db8::20"),
        (["192.0.2.77"], [V4, V4 | {"address": "192.0.2.21"}, V6], "vip 192.0.2.77 is not served by 2001:db8::20"),
        (
            ["192.0.2.77", "2001:db8::77"],
            [V4, V4 | {"address": "192.0.2.21"}, V6],
            "vip 2001:db8::77 is not served by 192.0.2.20, 192.0.2.21",
        ),
        (["192.0.2.77", "2001:db8::77"], [V4, V6], None),
        (["192.0.2.77"], [V4], None),
    ],
)
def test_who_is_left_out_of_a_vip_for_its_family_is_said(vips, servers, left_out):
    outcome = build(
        web(vip=None, vips=[{"address": vip} for vip in vips], real_servers=servers),
        hosts={"lvs1": {"lvs_addresses": ["192.0.2.5/24", "2001:db8::5/64"]}},
    )
    why = "no address of its family is described for that"
    said = [warning for warning in outcome.warnings if "is not served by" in warning]
    assert outcome.findings == []
    assert said == ([f"lvs_services[0] web: {left_out}: {why}"] if left_out else [])


def test_a_question_that_is_not_hexadecimal():
    said = only(build(web(protocol="udp", probe={"hex": "4g"})))
    assert said == "lvs_services[0] web probe: hex '4g' is not hexadecimal, two digits for each byte, such as '00 1f'"


@pytest.mark.parametrize(("probe", "asked"), [({"text": "who"}, "77686f"), ({"hex": "00 1F"}, "001f"), (None, None)])
def test_what_is_asked_over_udp(probe, asked):
    [tcp, udp] = build(web(protocol=["tcp", "udp"], probe=probe)).result["targets"]
    assert "probe" not in tcp and udp.get("probe") == asked


def test_an_unknown_engine():
    text = (
        "lvs_services: lvs_engine 'keepalive' is unknown: one of kernel, keepalived, ldirectord, pacemaker (did you"
        " mean 'keepalived'?)"
    )
    assert only(build(web(), engine="keepalive")) == text


def test_wrong_vrrp():
    vrrp = [{"name": "front", "directors": [{"host": "lvs9", "priority": 150}, {"host": "lvs1"}]}]
    vips = [{"address": "192.0.2.77", "vrrp": "fornt"}]
    assert build(web(vip=None, vips=vips), vrrp=vrrp).findings == [
        "lvs_services[0] web: vip 192.0.2.77: vrrp 'fornt' is not in lvs_vrrp (did you mean 'front'?)",
        "lvs_vrrp[0] front: has no id: it is written down, never derived from an order",
        "lvs_vrrp[0] front directors[0]: host 'lvs9' is not in the inventory (did you mean 'lvs1'?)",
        "lvs_vrrp[0] front directors[1]: has no priority: it is written down, never derived from an order",
    ]


def other_port(affinity, forward="dr"):
    servers = [{"host": "rs1", "port": 80}]
    return only(build(web(affinity=affinity, forward=forward, port=None, ports=[80, 443], real_servers=servers)))


@pytest.mark.parametrize("forward", ["dr", "nat"])
@pytest.mark.parametrize("affinity", ["mark", "client"])
def test_one_port_for_all_ports(affinity, forward):
    assert other_port(affinity, forward) == (
        "lvs_services[0] web real_servers[0]: port 80 of real server rs1 would be the only one: with affinity"
        f" '{affinity}' clients come to it at the port that they asked for. Leave port out"
    )


def test_all_that_is_wrong_with_a_service_is_told_at_once():
    wrong = web(sorry_server={"port": "x"}, quorum=9, keepalived={"quorum_ip": "/bin/true"})
    findings = build(wrong, engine="keepalived").findings
    texts = ("port must be a whole number", "quorum 9 is above 3", "'quorum_ip' is no word")
    assert [text in one for text, one in zip(texts, findings)] == [True] * 3, findings


def test_one_engine_looks_after_a_director():
    sections = [Section(f"{name}: lvs_services", [service], None, engine) for name, service, engine in (
        ("a", web(), "kernel"), ("b", web(name="api", vip="192.0.2.78"), "ldirectord"))]  # fmt: skip
    findings = Findings()
    _cluster.build(
        _cluster.Source(sections=sections, vrrp=[], hosts=HOSTS, groups={**GROUPS, "all": list(HOSTS)}), findings, True
    )
    assert findings.findings == [
        "b: lvs_services[0] api: director lvs1 has this service by lvs_engine 'ldirectord', and a: lvs_services[0] web"
        " by 'kernel'. Use one engine for all services of a director"
    ]


class TestSeveralServices:
    TAKEN = "{} is served by {} already: packets come to the service of their mark before any other"

    @pytest.mark.parametrize("affinity", ["none", "mark"])
    def test_a_port_that_another_service_has_by_its_mark(self, affinity):
        first = web(affinity="mark", port=None, ports=["79-81", 443])
        second = web(name="api", affinity=affinity)
        wanted = self.TAKEN.format("tcp 192.0.2.77:80", "lvs_services[0] web")
        assert wanted in only(build(first, second))
        assert build(first, {**second, "port": 82}).findings == []
        assert build(first, {**second, "protocol": "udp"}).findings == []
        assert build(first, {**second, "vip": "192.0.2.78"}).findings == []

    def test_a_mark_is_found_to_take_a_port_whichever_comes_first(self):
        wanted = self.TAKEN.format("tcp 192.0.2.77:80", "lvs_services[1] api")
        assert wanted in only(build(web(), web(name="api", affinity="mark")))

    def test_all_other_ports_are_what_is_left(self):
        assert build(web(), web(name="api", affinity="client"), web(name="x", port=81, affinity="mark")).findings == []
        assert "the kernel knows one" in only(build(web(affinity="client"), web(name="api", affinity="client")))

    def test_the_same_service_twice(self):
        text = (
            "lvs_services[1] api: tcp 192.0.2.77:80 is served by lvs_services[0] web already: the kernel knows one"
            " service of that address. Merge the two, or give one another port or VIP"
        )
        assert only(build(web(), web(name="api"))) == text

    def test_the_same_item_twice(self):
        assert build(web(), web()).findings == [
            "lvs_services[1] web: name 'web' is taken by lvs_services[0] web: names are unique",
            (
                "lvs_services[1] web: tcp 192.0.2.77:80 is served by lvs_services[0] web already: the kernel knows one"
                " service of that address. Merge the two, or give one another port or VIP"
            ),
        ]

    def test_two_directors_for_one_vip(self):
        groups = {"lvs_directors": ["lvs1", "lvs2"], "lvs_real_servers": ["rs1", "rs2"]}
        outcome = build(web(), hosts={"lvs2": {"lvs_addresses": ["192.0.2.6/24"]}}, groups=groups)
        assert (
            only(outcome)
            == "lvs_services[0] web: vip 192.0.2.77 has 2 directors, lvs1 and lvs2: under lvs_engine 'kernel' it has"
            " exactly one, or both would answer for it. Name one of them in directors"
        )

    def test_two_directors_by_two_services(self):
        hosts = {"lvs2": {"lvs_addresses": ["192.0.2.6/24"], "lvs_interface": "eth1"}}
        outcome = build(web(), web(name="api", port=81, directors=["lvs2"]), hosts=hosts)
        assert (
            only(outcome)
            == "lvs_services[1] api: vip 192.0.2.77 has 2 directors, lvs1 (by lvs_services[0] web) and lvs2 (by"
            " lvs_services[1] api): under lvs_engine 'kernel' it has exactly one, or both would answer for it. Name"
            " one of them in directors"
        )

    def test_one_vip_two_prefixes(self):
        vips = [{"address": "192.0.2.77", "prefix": 24}]
        text = (
            "lvs_services[1] api: vip 192.0.2.77 has another prefix or interface than in lvs_services[0] web: it is one"
            " address, so say the same in both"
        )
        assert only(build(web(), web(name="api", port=81, vip=None, vips=vips))) == text

    def test_all_findings_come_out_at_once_in_the_order_of_the_items(self):
        services = [web(name=f"s{number}", vip=f"192.0.2.{100 + number}", scheduler="x") for number in range(12)]
        outcome = build(*services)
        assert [one.partition(":")[0] for one in outcome.findings] == [f"lvs_services[{n}] s{n}" for n in range(12)]


def test_a_prefix_of_24_on_lo():
    vips = [{"address": "192.0.2.77", "prefix": 24, "interface": "lo"}]
    text = (
        "lvs_services[0] web: vip 192.0.2.77/24 on lo makes its whole network local: the host would answer for every"
        " address of it and reach none. On lo the prefix must be 32"
    )
    assert only(build(web(vip=None, vips=vips))) == text


def test_no_directors_at_all():
    text = "lvs_services[0] web: has no directors: name some, or put them into a group lvs_directors"
    assert only(build(web(), groups={})) == text


class TestRulesOfTheModules:
    """What the modules refuse on a host is refused before any host is touched."""

    def test_flags_of_another_scheduler(self):
        finding = only(build(web(scheduler="rr", scheduler_flags=["sh-port"])))
        assert finding.startswith(
            "lvs_services[0] web: tcp 192.0.2.77:80: scheduler_flags 'sh-port' means nothing to scheduler rr"
        )

    def test_a_netmask_with_holes(self):
        finding = only(build(web(persistent=360, netmask="255.0.255.0")))
        assert finding.startswith("lvs_services[0] web: tcp 192.0.2.77:80: netmask '255.0.255.0' does not mark")

    def test_a_netmask_without_persistence(self):
        finding = only(build(web(netmask="255.255.255.0")))
        assert finding.startswith(
            "lvs_services[0] web: tcp 192.0.2.77:80: netmask '255.255.255.0' says how persistence"
        )

    def test_thresholds_the_wrong_way_round(self):
        finding = only(build(web(real_servers=[{"host": "rs1", "upper_threshold": 5, "lower_threshold": 9}])))
        assert "lower_threshold 9 is above upper_threshold 5" in finding

    def test_an_unmanaged_machine_with_the_vip_as_its_address(self):
        finding = only(build(web(real_servers=[{"address": "192.0.2.77", "unmanaged": True}])))
        assert "it has the address of the VIP" in finding


class TestDefaults:
    def test_they_are_merged_under_each_service(self):
        outcome = build(web(), web(name="api", port=81, scheduler="lc"), defaults={"scheduler": "rr", "persistent": 60})
        assert outcome.findings == []
        services = outcome.view("lvs1")["director_services"]
        assert [(one["scheduler"], one["persistent"]) for one in services] == [("rr", 60), ("lc", 60)]

    def test_what_is_wrong_in_them_is_said_once(self):
        outcome = build(web(), web(name="api", port=81), defaults={"scheduler": "wcl"})
        assert only(outcome).startswith("lvs_service_defaults: scheduler 'wcl' is unknown")

    def test_a_service_says_it_in_its_own_form(self):
        outcome = build(web(port=None, listen=[{"port": 443}]), defaults={"port": 80, "protocol": "udp"})
        assert outcome.findings == []
        assert outcome.result["targets"] == [{"vip": "192.0.2.77", "port": 443, "protocol": "tcp"}]

    @pytest.mark.parametrize("key", ["name", "mark"])
    def test_what_is_unique_has_no_default(self, key):
        assert only(build(web(), defaults={key: "x"})).startswith(f"lvs_service_defaults: key '{key}' is unknown")

    def test_they_must_be_a_dictionary(self):
        assert only(build(web(), defaults=["rr"])) == "lvs_service_defaults: must be a dictionary, not a list"


def test_wrong_host_variables():
    hosts = {
        "rs1": {"lvs_weight": "heavy", "lvs_maintenance": "perhaps", "lvs_addresses": ["192.0.2.11", "rs1.example"]}
    }
    assert build(web(), hosts=hosts).findings == [
        "rs1: lvs_addresses[1] must be an address such as '192.0.2.11' or '192.0.2.11/24', not 'rs1.example'",
        "rs1: lvs_weight must be a whole number from 0 to 65535, not 'heavy'",
        "rs1: lvs_maintenance must be true or false, not 'perhaps'",
    ]


def test_findings_are_no_obstacle_when_nothing_is_to_be_done():
    outcome = build(web(scheduler="wcl"), live=False)
    assert outcome.result == {"members": ["lvs1", "rs1", "rs2"], "directors": ["lvs1"], "real_servers": ["rs1", "rs2"]}
    assert len(outcome.findings) == 1


@pytest.mark.parametrize("services", ["web", {"name": "web"}])
def test_services_that_are_no_list(services):
    findings = Findings()
    section = Section("lvs_services", services)
    _cluster.build(_cluster.Source([section], [], {}, {"all": []}), findings, live=True)
    assert findings.findings[0].startswith("lvs_services: must be a list of services, not a ")


def test_a_distribution_that_the_roles_do_not_know_is_named_before_anything_is_changed():
    suse = facts(("192.0.2.12/24", "eth1"), distribution={"name": "openSUSE Leap 15.6", "family": None})
    assert only(build(web(), hosts={**SEEN, "rs2": {"lvs_host": suse}})) == (
        "rs2: it runs openSUSE Leap 15.6, and the roles know the families Debian, RedHat only. A real server that you"
        " look after yourself is described by its address, with unmanaged: true"
    )
    assert build(web(), hosts={**SEEN, "client": {"lvs_host": suse}}).findings == []


@pytest.mark.parametrize(
    ("host", "side", "text"),
    [
        ("rs1", "director", "vip 192.0.2.77: rs1 is its director now, and shall be a real server."),
        ("lvs1", "real_server", "vip 192.0.2.77: lvs1 has it as a real server now, and shall be its director."),
    ],
)
def test_a_host_that_would_change_its_side_in_one_run(host: str, side: str, text: str) -> None:
    address = {"rs1": "192.0.2.11/24", "lvs1": "192.0.2.5/24"}[host]
    seen = facts((address, "eth0"), vips={"192.0.2.77": side})
    findings = build(web(), hosts={host: {"lvs_host": seen}}).findings
    assert [finding for finding in findings if text in finding] == findings != []


def test_an_address_of_the_other_family_is_none_for_direct_routing():
    servers = [{"host": "rs1", "address": "2001:db8::11"}]
    assert "is of another family than vip 192.0.2.77, and only forward tun can bridge that" in only(
        build(web(real_servers=servers))
    )
