# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each host has to do: one merged view, in the words of the roles' variables."""

from __future__ import annotations

import pytest
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster import marks
from cluster_builders import build, facts, web


def servers(outcome, number=0):
    return outcome.view("lvs1")["director_services"][number]["real_servers"]


def weights(outcome):
    return [one["weight"] for one in servers(outcome)]


def test_the_short_form():
    outcome = build(web())
    assert outcome.view("lvs1") == {
        "director_services": [
            {
                "name": "web",
                "vip": "192.0.2.77",
                "port": 80,
                "protocol": "tcp",
                "scheduler": "wlc",
                "real_servers": [
                    {"name": "rs1", "address": "192.0.2.11", "port": 80, "weight": 2, "forward": "dr"},
                    {"name": "rs2", "address": "192.0.2.12", "port": 80, "weight": 1, "forward": "dr"},
                ],
            }
        ],
        "director_marks": [],
        "director_marks_by": "nftables",
        "director_handed_on": [],
        "director_vips": [{"address": "192.0.2.77", "prefix": 32, "interface": "eth1"}],
        "director_ip_forward": False,
        "director_ipv6_forward": False,
        "director_no_redirects": [],
        "director_masquerade": [],
        "director_forward": {"ipv4": [], "ipv6": []},
        "director_ipvs_settings": {"conn_reuse_mode": 3},
        "director_vip_writer": "auto",
        "director_sysctl_in": "sysctl.d",
        "director_purge_real_servers": True,
        "director_daemons": [],
        "keepalived_instances": [],
        "keepalived_virtual_servers": [],
        "keepalived_sync": {},
        "keepalived_multicast_group": "",
        "keepalived_multicast_group_ipv6": "",
        "keepalived_complete": True,
        "ldirectord_virtual_servers": [],
        "ldirectord_complete": True,
        "pacemaker_name": "",
        "pacemaker_nodes": [],
        "pacemaker_vips": [],
        "pacemaker_fencing": True,
        "pacemaker_sync": {},
        "pacemaker_complete": True,
        "realserver_vips": [],
        "realserver_arp": "sysctl",
        "realserver_arp_interfaces": [],
        "realserver_answers": [],
        "realserver_tunnels": [],
        "realserver_vip_writer": "auto",
        "realserver_sysctl_in": "sysctl.d",
        "router_neighbours": [],
        "router_purge": True,
        "firewall_open": False,
        "firewall_passages": outcome.view("lvs1")["firewall_passages"],  # tests of their own
    }
    assert outcome.view("rs1")["realserver_vips"] == [{"address": "192.0.2.77", "interface": "lo"}]
    assert outcome.view("rs1")["director_services"] == []


LONG = {
    "name": "web",
    "directors": ["lvs1"],
    "vips": [{"address": "192.0.2.77", "prefix": 24, "interface": "eth1"}],
    "listen": [{"port": 80, "protocol": "tcp"}, {"port": 443, "protocol": ["tcp", "udp"]}],
    "affinity": "none",
    "forward": "dr",
    "scheduler": "mh",
    "scheduler_flags": ["mh-port", "mh-fallback"],
    "persistent": 360,
    "netmask": "255.255.255.0",
    "real_servers": [
        {"group": "lvs_real_servers", "weight": 3, "upper_threshold": 100, "lower_threshold": 50},
        {"address": "192.0.2.50", "unmanaged": True},
    ],
}


def test_the_long_form():
    outcome = build(LONG)
    assert outcome.findings == []
    services = outcome.view("lvs1")["director_services"]
    assert [(one["protocol"], one["port"]) for one in services] == [("tcp", 80), ("tcp", 443), ("udp", 443)]
    assert services[2] == {
        "name": "web",
        "vip": "192.0.2.77",
        "port": 443,
        "protocol": "udp",
        "scheduler": "mh",
        "scheduler_flags": ["mh-port", "mh-fallback"],
        "persistent": 360,
        "netmask": "255.255.255.0",
        "real_servers": [
            {
                "name": name,
                "address": address,
                "port": 443,
                "weight": 3,
                "forward": "dr",
                "upper_threshold": 100,
                "lower_threshold": 50,
            }
            for name, address in (("rs1", "192.0.2.11"), ("rs2", "192.0.2.12"))
        ]
        + [{"address": "192.0.2.50", "port": 443, "weight": 1, "forward": "dr"}],
    }
    assert outcome.view("lvs1")["director_vips"] == [{"address": "192.0.2.77", "prefix": 24, "interface": "eth1"}]


def test_both_forms_give_the_same():
    long = {
        "name": "web",
        "directors": "lvs_directors",
        "vips": [{"address": "192.0.2.77"}],
        "listen": [{"port": 80, "protocol": "tcp"}],
        "affinity": "none",
        "forward": "dr",
        "scheduler": "wlc",
        "scheduler_flags": [],
        "real_servers": [{"host": "rs1", "weight": 2}, {"host": "rs2", "weight": 1}],
        "checks": [],
    }
    assert build(long).result == build(web()).result


def test_values_that_templates_turned_into_strings():
    assert (
        build(web(port="80", real_servers=[{"host": "rs1", "weight": "2"}, {"host": "rs2"}])).result
        == build(web()).result
    )


def test_an_unmanaged_machine_has_no_name_and_a_warning():
    outcome = build(web(real_servers=[{"address": "192.0.2.50", "unmanaged": True}]))
    assert "name" not in servers(outcome)[0]
    assert outcome.warnings == [
        "real server 192.0.2.50: it is unmanaged, so nobody looks whether it has the VIPs, silently"
    ]


class TestWeights:
    def test_the_entry_then_the_host_then_the_group(self):
        group = {"group": "lvs_real_servers", "weight": 7}
        assert weights(build(web(real_servers=[group]), hosts={"rs1": {"lvs_weight": 3}})) == [3, 7]
        entries = [{"host": "rs1", "weight": 2}, {"host": "rs2"}]
        assert weights(build(web(real_servers=entries), hosts={"rs1": {"lvs_weight": 3}})) == [2, 1]

    def test_maintenance_wins_over_all(self):
        assert weights(build(web(), hosts={"rs1": {"lvs_maintenance": True}})) == [0, 1]

    def test_everybody_in_maintenance(self):
        outcome = build(web(), hosts={name: {"lvs_maintenance": True} for name in ("rs1", "rs2")})
        assert outcome.findings == []
        text = "lvs_services[0] web: all real servers of vip 192.0.2.77 have weight 0: clients are refused"
        assert outcome.warnings == [text]


@pytest.mark.parametrize(
    ("netmask", "expected"),
    [("255.255.255.0", ["255.255.255.0", None]), (64, [None, "64"]), ("64", [None, "64"])],
)
def test_a_netmask_under_two_families_is_for_the_one_it_fits(netmask, expected):
    hosts = {
        name: {"lvs_addresses": [f"192.0.2.{n}/24", f"2001:db8::{n}/64"]} for name, n in (("rs1", 11), ("rs2", 12))
    }
    vips = [{"address": "192.0.2.77"}, {"address": "2001:db8::77"}]
    outcome = build(web(vip=None, vips=vips, persistent=60, netmask=netmask), hosts=hosts)
    assert outcome.findings == []
    assert [one.get("netmask") for one in outcome.view("lvs1")["director_services"]] == expected


def test_forwarding_where_it_is_asked_for():
    assert build(web(), hosts={"lvs1": {"lvs_ip_forward": True}}).view("lvs1")["director_ip_forward"] is True


def test_settings_of_ipvs_where_they_are_asked_for():
    asked = {"conntrack": 1, "conn_tab_bits": 16, "conn_reuse_mode": 1}
    assert build(web(), hosts={"lvs1": {"lvs_ipvs_settings": asked}}).view("lvs1")["director_ipvs_settings"] == asked


LVS2 = {"lvs2": {"lvs_addresses": ["192.0.2.6/24"], "lvs_interface": "eth1"}}


class TestSeveralClusters:
    SERVICES = (web(directors=["lvs1"]), web(name="api", vip="192.0.2.78", directors=["lvs2"]))

    def test_each_has_its_director(self):
        outcome = build(*self.SERVICES, hosts=LVS2)
        assert outcome.findings == []
        assert outcome.result["directors"] == ["lvs1", "lvs2"]
        assert [one["vip"] for one in outcome.view("lvs2")["director_services"]] == ["192.0.2.78"]
        assert [one["address"] for one in outcome.view("rs1")["realserver_vips"]] == ["192.0.2.77", "192.0.2.78"]

    def test_a_director_that_is_a_real_server_of_another_cluster_has_one_view(self):
        services = (
            self.SERVICES[0],
            web(name="api", vip="192.0.2.78", directors=["lvs2"], real_servers=[{"host": "lvs1"}]),
        )
        view = build(*services, hosts=LVS2).view("lvs1")
        assert [one["vip"] for one in view["director_services"]] == ["192.0.2.77"]
        assert view["realserver_vips"] == [{"address": "192.0.2.78", "interface": "lo"}]

    def test_two_services_of_one_vip(self):
        outcome = build(web(), web(name="tls", port=443))
        assert outcome.findings == []
        assert len(outcome.view("lvs1")["director_vips"]) == len(outcome.view("rs1")["realserver_vips"]) == 1


class TestWhoIsPartOfIt:
    def test_hosts_of_our_groups_have_a_view_with_nothing_to_do(self):
        groups = {"lvs_directors": ["lvs1"], "lvs_real_servers": ["rs1", "rs2", "rs3"]}
        outcome = build(web(), hosts={"rs3": {}}, groups=groups)
        assert outcome.result["members"] == ["lvs1", "rs1", "rs2", "rs3"]
        assert outcome.view("rs3")["realserver_vips"] == []

    def test_an_empty_description(self):
        result = build().result
        assert result["members"] == ["lvs1", "rs1", "rs2"]
        assert result["services"] == result["directors"] == result["real_servers"] == []

    def test_who_holds_more_than_is_described_is_leaving(self):
        rs1 = facts(
            ("192.0.2.77/32", "lo"),
            ("192.0.2.78/32", "lo"),
            vips={"192.0.2.77": "real_server", "192.0.2.78": "real_server"},
        )
        rs2 = facts(("192.0.2.77/32", "lo"), vips={"192.0.2.77": "real_server"})
        client = facts(("192.0.2.77/32", "lo"), vips={"192.0.2.77": "real_server"})
        hosts = {"rs1": {"lvs_host": rs1}, "rs2": {"lvs_host": rs2}, "client": {"lvs_host": client}}
        result = build(web(), hosts=hosts).result
        assert result["leaving"] == ["client", "rs1"]
        assert "client" in result["members"] and "client" in result["views"]

    def test_a_director_that_is_none_any_more(self):
        groups = {"lvs_directors": ["lvs1"], "lvs_real_servers": ["rs1", "rs2"]}
        seen = facts(("192.0.2.6/24", "eth1"), services=True)
        assert build(web(), hosts={"lvs2": {"lvs_host": seen}}, groups=groups).result["directors_leaving"] == ["lvs2"]


def test_what_a_proof_needs():
    outcome = build(LONG)
    assert [(one["name"], one["director"], one["protocol"], one["port"]) for one in outcome.result["services"]] == [
        ("web", "lvs1", "tcp", 80),
        ("web", "lvs1", "tcp", 443),
        ("web", "lvs1", "udp", 443),
    ]
    assert outcome.result["targets"] == [
        {"vip": "192.0.2.77", "port": 80, "protocol": "tcp"},
        {"vip": "192.0.2.77", "port": 443, "protocol": "tcp"},
        {"vip": "192.0.2.77", "port": 443, "protocol": "udp"},
    ]


class TestOneServiceOfSeveralPorts:
    BOTH = (("192.0.2.77", "192.0.2.78", "2001:db8::77"), ("192.0.2.11", "2001:db8::11"))

    def by_mark(self, **changes):
        vips, addresses = self.BOTH
        listen = [{"port": 80}, {"port": "8000-8010", "protocol": ["tcp", "udp"]}]
        service = web(vip=None, vips=[{"address": one} for one in vips], port=None, listen=listen, affinity="mark")
        hosts = {
            "rs1": {"lvs_addresses": [f"{addresses[0]}/24", f"{addresses[1]}/64"]},
            "rs2": {"lvs_addresses": ["192.0.2.12/24", "2001:db8::12/64"]},
            "lvs1": {"lvs_addresses": ["192.0.2.5/24", "2001:db8::5/64"], "lvs_interface": "eth1"},
        }
        return build({**service, "mark": 3, **changes}, hosts=hosts)

    def test_a_mark_is_one_service_of_each_family(self):
        outcome = self.by_mark()
        assert outcome.findings == []
        four, six = outcome.view("lvs1")["director_services"]
        assert (four["mark"], four["family"], six["mark"], six["family"]) == (3, "ipv4", 3, "ipv6")
        assert four["real_servers"][0] == {"name": "rs1", "address": "192.0.2.11", "weight": 2, "forward": "dr"}
        assert six["real_servers"][0]["address"] == "2001:db8::11" and "vip" not in four and "port" not in four

    def test_its_packets_are_marked_at_all_vips(self):
        ipv4, ipv6 = ["192.0.2.77", "192.0.2.78"], ["2001:db8::77"]
        assert self.by_mark().view("lvs1")["director_marks"] == [
            {"mark": 3, "addresses": ipv4, "ports": ["80", "8000-8010"], "protocol": "tcp"},
            {"mark": 3, "addresses": ipv4, "ports": ["8000-8010"], "protocol": "udp"},
            {"mark": 3, "addresses": ipv6, "ports": ["80", "8000-8010"], "protocol": "tcp"},
            {"mark": 3, "addresses": ipv6, "ports": ["8000-8010"], "protocol": "udp"},
        ]

    def test_real_servers_hold_all_the_vips(self):
        held = [one["address"] for one in self.by_mark().view("rs1")["realserver_vips"]]
        assert held == list(self.BOTH[0])

    def test_a_proof_asks_at_single_ports(self):
        four, six = self.by_mark().result["services"]
        assert [(one["vip"], one["port"]) for one in four["targets"]] == [("192.0.2.77", 80), ("192.0.2.78", 80)]
        assert (six["vips"], six["director"]) == (["2001:db8::77"], "lvs1")

    def test_all_ports_of_a_client_are_port_0_of_each_protocol(self):
        outcome = self.by_mark(affinity="client", mark=None, vips=[{"address": "192.0.2.77"}])
        tcp, udp = outcome.view("lvs1")["director_services"]
        assert (tcp["port"], tcp["protocol"], udp["port"], udp["protocol"]) == (0, "tcp", 0, "udp")
        assert tcp["persistent"] == 360 and "port" not in tcp["real_servers"][0]
        assert outcome.view("lvs1")["director_marks"] == []
        assert outcome.result["targets"] == [{"vip": "192.0.2.77", "port": 80, "protocol": "tcp"}]

    def test_persistence_lets_go_of_real_servers_that_are_drained(self):
        def settings(host=None, **changes):
            return build(web(**changes), hosts={"lvs1": host or {}}).view("lvs1")["director_ipvs_settings"]

        assert settings() == {"conn_reuse_mode": 3}
        assert settings(persistent=60) == {"conn_reuse_mode": 3, "expire_quiescent_template": 1}
        own = {"lvs_ipvs_settings": {"expire_quiescent_template": 0, "expire_nodest_conn": 1}}
        assert settings(own, persistent=60) == {"conn_reuse_mode": 3, **own["lvs_ipvs_settings"]}


class TestMarks:
    def test_by_the_name_alone_and_within_our_range(self):
        assert marks.mark_of("web") == marks.mark_of("web") != marks.mark_of("api")
        assert all(marks.FIRST <= marks.mark_of(f"service{number}") <= marks.LAST for number in range(1000))

    def test_a_chosen_mark_that_two_services_have_is_found(self):
        services = [
            web(affinity="mark", mark=7),
            web(name="api", vip="192.0.2.78", affinity="mark", mark=7),
        ]
        text = (
            "lvs_services[1] api: mark 7 is that of lvs_services[0] web, too. Give one of them another by the key mark"
        )
        assert build(*services).findings == [text]


def test_a_director_lets_go_of_a_vip_after_another_one_has_taken_it():
    holding = facts(("192.0.2.5/24", "eth1"), vips={"192.0.2.77": "director"}, services=True)
    other = {"lvs2": {"lvs_addresses": ["192.0.2.6/24"], "lvs_interface": "eth1"}}
    moved = build(web(directors=["lvs2"]), hosts={"lvs1": {"lvs_host": holding}, **other})
    assert moved.result["handing_over"] == {"lvs1": ["lvs2"]} and moved.findings == []
    assert build(web(), hosts={"lvs1": {"lvs_host": holding}, **other}).result["handing_over"] == {}


def test_two_directors_that_swap_their_vips_wait_for_nobody():
    hosts = {
        name: {"lvs_host": facts((f"192.0.2.{number}/24", "eth1"), vips={vip: "director"}, services=True)}
        for name, number, vip in (("lvs1", 5, "192.0.2.77"), ("lvs2", 6, "192.0.2.78"))
    }
    services = (web(directors=["lvs2"]), web(name="api", vip="192.0.2.78", directors=["lvs1"]))
    swapped = build(*services, hosts={**hosts, "lvs1": {"lvs_addresses": [], **hosts["lvs1"]}})
    assert swapped.findings == [] and swapped.result["handing_over"] == {}
