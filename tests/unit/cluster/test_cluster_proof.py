# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every claim fails when exactly that thing is broken, and says what was seen instead."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.openlvs.lvs.plugins.plugin_utils._proof import look_from, prove
from cluster_builders import build, web

LVS1, RS1, RS2 = "02:00:00:00:00:01", "02:00:00:00:00:11", "02:00:00:00:00:12"
KEY = "tcp 192.0.2.77:80"
SUBJECT = f"web {KEY}"


def seen_facts(mac, own, interface, silent):
    return {
        "addresses": [
            {"address": own, "prefix": 24, "interface": "eth1"},
            {"address": "192.0.2.77", "prefix": 32, "interface": interface},
        ],
        "links": {
            "lo": {"mac": "00:00:00:00:00:00", "up": True, "loopback": True},
            "eth1": {"mac": mac, "up": True, "loopback": False},
        },
        "arp": {
            "all": {"arp_ignore": 1, "arp_announce": 2},
            "eth1": {"arp_ignore": 0, "arp_announce": 0},
            "lo": {"arp_ignore": 0, "arp_announce": 0},
        },
        "ip_forward": 0,
        "silent": silent,
    }


def table(first, second):
    server = {"port": 80, "forward": "dr", "upper_threshold": 0, "lower_threshold": 0}
    server |= {"tunnel_type": None, "tunnel_port": None, "tunnel_checksum": None}
    server |= {"active_connections": 0, "inactive_connections": 0}
    return {
        "services": [
            {
                "service": KEY,
                "vip": "192.0.2.77",
                "port": 80,
                "protocol": "tcp",
                "mark": None,
                "family": "ipv4",
                "scheduler": "wlc",
                "scheduler_flags": [],
                "pe": None,
                "persistent": None,
                "netmask": None,
                "ops": False,
                "real_servers": [
                    {**server, "address": "192.0.2.11", "weight": 2, "stats": {"conns": first}},
                    {**server, "address": "192.0.2.12", "weight": 1, "stats": {"conns": second}},
                ],
            }
        ]
    }


def boot(unit):
    """What lvs_boot returns."""
    found = {
        "unit": {"name": unit, "present": True, "enabled": True, "active": True},
        "files": [
            {"path": "/etc/one", "present": True, "same": True},
            {"path": "/etc/two", "present": True, "same": None},
        ],
    }
    return {"changes": [], "found": found}


def all_well():
    """What is seen on the hosts of a cluster where everything is as it should be."""
    return {
        "lvs1": {
            "lvs_host": seen_facts(LVS1, "192.0.2.5", "eth1", []),
            "lvs_table": table(10, 5),
            "lvs_table_after": table(18, 9),
            "lvs_answers": {"answers": [{"vip": "192.0.2.77", "macs": []}]},
            "__director_boot": boot("openlvs-director.service"),
            "__director_table": {"changes": []},
            "__director_applied": {"changes": []},
        },
        **{
            name: {
                "lvs_host": seen_facts(mac, own, "lo", ["192.0.2.77"]),
                "lvs_answers": {"answers": [{"vip": "192.0.2.77", "macs": [LVS1]}]},
                "__realserver_boot": boot("openlvs-realserver.service"),
                "__realserver_applied": {"changes": []},
            }
            for name, mac, own in (("rs1", RS1, "192.0.2.11"), ("rs2", RS2, "192.0.2.12"))
        },
        "client": {
            "lvs_requests": {
                "targets": [
                    {
                        "vip": "192.0.2.77",
                        "port": 80,
                        "protocol": "tcp",
                        "known": True,
                        "asked": 12,
                        "answered": 12,
                        "errors": [],
                    }
                ]
            }
        },
    }


UDP = "web udp 192.0.2.77:80"


@pytest.fixture
def seen():
    return all_well()


def lines_of(seen, service=None, clients=("client",), asked=True, hosts=None):
    cluster = build(service or web(), hosts=hosts).result
    looks = {name: look_from(name, asked, copy.deepcopy(variables)) for name, variables in seen.items()}
    return prove(cluster, looks, clients)


def wrong(seen, **others):
    return [str(line) for line in lines_of(seen, **others) if line.holds is not True]


def test_a_cluster_where_everything_holds(seen):
    assert [str(line) for line in lines_of(seen)] == [
        f"holds   {SUBJECT}: lvs1's kernel has it as described: wlc, rs1 weight 2, rs2 weight 1",
        f"holds   {SUBJECT}: 12 of 12 requests of client were answered",
        f"holds   {SUBJECT}: of 12 answered requests rs1 took 8, rs2 took 4",
        f"holds   192.0.2.77: only lvs1 ({LVS1}) answers ARP for it",
        "holds   192.0.2.77: nobody has it but its director and its real servers",
        "holds   lvs1: VIP 192.0.2.77/32 is on eth1",
        "holds   lvs1: the host route to VIP 192.0.2.77 by eth1 is there",
        "holds   lvs1: openlvs-director.service is enabled, so it all comes back after a reboot",
        "holds   lvs1: the files for the next boot are in place: /etc/one, /etc/two",
        "holds   rs1: VIP 192.0.2.77/32 is on lo",
        "holds   rs1: it is silent about VIP 192.0.2.77",
        "holds   rs1: the host route to VIP 192.0.2.77 by lo is there",
        "holds   rs1: openlvs-realserver.service is enabled, so it all comes back after a reboot",
        "holds   rs1: the files for the next boot are in place: /etc/one, /etc/two",
        "holds   rs2: VIP 192.0.2.77/32 is on lo",
        "holds   rs2: it is silent about VIP 192.0.2.77",
        "holds   rs2: the host route to VIP 192.0.2.77 by lo is there",
        "holds   rs2: openlvs-realserver.service is enabled, so it all comes back after a reboot",
        "holds   rs2: the files for the next boot are in place: /etc/one, /etc/two",
        "holds   lvs1: the roles would change nothing",
        "holds   rs1: the roles would change nothing",
        "holds   rs2: the roles would change nothing",
    ]


class TestTable:
    CLAIM = f"FAILS   {SUBJECT}: lvs1's kernel has it as described: wlc, rs1 weight 2, rs2 weight 1 -- "

    @pytest.mark.parametrize(
        ("key", "value", "text"),
        [
            ("scheduler", "rr", "scheduler is rr, not wlc"),
            ("persistent", 360, "persistent is 360, not none"),
            ("ops", True, "ops is True, not False"),
            ("scheduler_flags", ["flag-1"], "scheduler_flags is flag-1, not none"),
        ],
    )
    def test_a_service_that_somebody_changed(self, seen, key, value, text):
        for name in ("lvs_table", "lvs_table_after"):
            seen["lvs1"][name]["services"][0][key] = value
        assert wrong(seen) == [self.CLAIM + text]

    def test_a_weight_that_somebody_changed(self, seen):
        seen["lvs1"]["lvs_table"]["services"][0]["real_servers"][1]["weight"] = 5
        assert wrong(seen) == [self.CLAIM + "rs2's weight is 5, not 1"]

    def test_a_real_server_that_is_gone(self, seen):
        del seen["lvs1"]["lvs_table"]["services"][0]["real_servers"][1]
        assert self.CLAIM + "rs2 is missing" in wrong(seen)

    def test_a_real_server_of_somebody_else(self, seen):
        servers = seen["lvs1"]["lvs_table"]["services"][0]["real_servers"]
        servers.append({**servers[0], "address": "192.0.2.99"})
        assert self.CLAIM + "192.0.2.99:80 is there and is not described" in wrong(seen)

    def test_a_real_server_that_is_down_may_be_the_one_too_many(self, seen):
        """Nobody could look at it and its address is not written down: what stays is not called wrong."""
        seen["rs2"] = {}
        lines = lines_of(seen, hosts={"rs2": {"lvs_addresses": []}})
        claim = "lvs1's kernel has it as described: wlc, rs1 weight 2"
        why = "192.0.2.12:80 too, which may be described: not every real server's address is known now"
        (line,) = [line for line in lines if line.claim == claim]
        assert (line.holds, line.why) == (None, why)
        seen["lvs1"]["lvs_table"]["services"][0]["scheduler"] = "rr"
        (line,) = [line for line in lines_of(seen, hosts={"rs2": {"lvs_addresses": []}}) if line.claim == claim]
        assert (line.holds, line.why) == (False, f"scheduler is rr, not wlc; {why}")

    def test_the_service_is_gone(self, seen):
        seen["lvs1"]["lvs_table"]["services"] = []
        assert self.CLAIM + "the table of lvs1 does not have it" in wrong(seen)

    def test_a_netmask_is_compared_as_the_kernel_has_it(self, seen):
        for name in ("lvs_table", "lvs_table_after"):
            seen["lvs1"][name]["services"][0].update(persistent=60, netmask="255.255.255.0")
        assert wrong(seen, service=web(persistent=60, netmask=24)) == []


class TestArp:
    CLAIM = f"FAILS   192.0.2.77: only lvs1 ({LVS1}) answers ARP for it -- "

    def test_a_real_server_answers_too(self, seen):
        seen["lvs1"]["lvs_answers"]["answers"][0]["macs"] = [RS2]
        seen["rs1"]["lvs_answers"]["answers"][0]["macs"] = [LVS1, RS2]
        seen["rs2"]["lvs_host"]["arp"]["all"]["arp_ignore"] = 0
        assert wrong(seen) == [self.CLAIM + f"rs2 ({RS2}; arp_ignore is 0 there) answers too"]

    def test_a_stranger_answers(self, seen):
        seen["lvs1"]["lvs_answers"]["answers"][0]["macs"] = ["02:ff:00:00:00:99"]
        assert wrong(seen) == [self.CLAIM + "a machine that is not known here (02:ff:00:00:00:99) answers too"]

    def test_nobody_answers(self, seen):
        for name in ("rs1", "rs2"):
            seen[name]["lvs_answers"]["answers"][0]["macs"] = []
        assert wrong(seen) == [self.CLAIM + "nobody answers: asked on rs1, rs2"]

    def test_one_does_not_hear_the_director(self, seen):
        seen["rs1"]["lvs_answers"]["answers"][0]["macs"] = []
        assert wrong(seen) == [self.CLAIM + "rs1 hears no answer of lvs1"]

    def test_nobody_was_there_to_ask(self, seen):
        for name in ("lvs1", "rs1", "rs2"):
            del seen[name]["lvs_answers"]
        assert wrong(seen) == [
            f"unasked 192.0.2.77: only lvs1 ({LVS1}) answers ARP for it -- nobody in its network has asked"
        ]


class TestRequests:
    def test_some_are_not_answered(self, seen):
        seen["client"]["lvs_requests"]["targets"][0].update(
            answered=8, errors=[{"message": "connection refused", "count": 4}]
        )
        text = f"FAILS   {SUBJECT}: 8 of 12 requests of client were answered -- 4 times connection refused"
        assert wrong(seen) == [text]

    def test_there_is_no_client(self, seen):
        assert wrong(seen, clients=()) == [
            f"unasked {SUBJECT}: a client is answered -- there is no host in group lvs_clients",
            (
                f"unasked {SUBJECT}: the requests reach real servers through the director -- no client's request was"
                " answered"
            ),
        ]

    def test_nobody_could_ask(self, seen):
        seen["client"] = {"lvs_requests": {"unreachable": True}}
        text = f"FAILS   {SUBJECT}: every request of client is answered -- nobody could look at client"
        assert wrong(seen)[0] == text

    def test_a_real_server_that_takes_none(self, seen):
        seen["lvs1"]["lvs_table_after"] = table(22, 5)
        text = f"FAILS   {SUBJECT}: of 12 answered requests rs1 took 12, rs2 took 0 -- rs2 took none"
        assert wrong(seen) == [text]

    @pytest.mark.parametrize("changes", [{"scheduler": "sh"}, {"persistent": 360}])
    def test_nothing_is_claimed_where_one_may_take_all(self, seen, changes):
        for name, first, second in (("lvs_table", 10, 5), ("lvs_table_after", 22, 5)):
            seen["lvs1"][name] = table(first, second)
            seen["lvs1"][name]["services"][0].update(changes)
        assert wrong(seen, service=web(**changes)) == []

    @pytest.mark.parametrize("counter", ["active_connections", "inactive_connections"])
    def test_nothing_is_claimed_while_old_connections_are_evened_out(self, seen, counter):
        seen["lvs1"]["lvs_table"]["services"][0]["real_servers"][1][counter] = 100
        seen["lvs1"]["lvs_table_after"] = table(22, 5)
        assert wrong(seen) == []

    def test_requests_that_went_past_the_director(self, seen):
        seen["lvs1"]["lvs_table_after"] = table(12, 6)
        text = (
            f"FAILS   {SUBJECT}: of 12 answered requests rs1 took 2, rs2 took 1 -- lvs1 saw only 3: the others went"
            " past it"
        )
        assert wrong(seen) == [text]

    def over_udp(self, seen, **found):
        seen["client"]["lvs_requests"]["targets"][0].update({"protocol": "udp", **found})
        for name in ("lvs_table", "lvs_table_after"):
            seen["lvs1"][name]["services"][0].update(service=UDP.partition(" ")[2], protocol="udp")
        return [str(line) for line in lines_of(seen, service=web(protocol="udp"))[1:3]]

    def test_over_udp_silence_says_nothing_but_the_director_counts(self, seen):
        assert self.over_udp(seen, known=False, answered=0) == [
            f"unasked {UDP}: every request of client is answered -- nobody knows what it answers over udp, say that by"
            " probe; 12 empty datagrams were not refused",
            f"holds   {UDP}: of 12 datagrams rs1 took 8, rs2 took 4",
        ]

    def test_over_udp_a_refusal_says_something(self, seen):
        refused = [{"message": "connection refused", "count": 1}]
        said = self.over_udp(seen, known=False, answered=0, errors=refused)[0]
        assert said == f"FAILS   {UDP}: nobody refuses client's 12 datagrams -- 1 times connection refused"

    def test_over_udp_a_known_question_is_a_request(self, seen):
        assert self.over_udp(seen) == [
            f"holds   {UDP}: 12 of 12 requests of client were answered",
            f"holds   {UDP}: of 12 answered requests rs1 took 8, rs2 took 4",
        ]
        silent = [{"message": "no answer in time", "count": 3}]
        said = self.over_udp(seen, asked=3, answered=0, errors=silent)
        assert said[0] == f"FAILS   {UDP}: 0 of 3 requests of client were answered -- 3 times no answer in time"

    def test_over_udp_datagrams_that_went_past_the_director(self, seen):
        seen["lvs1"]["lvs_table_after"] = table(12, 6)
        assert "lvs1 saw only 3: the others went past it" in self.over_udp(seen, known=False, answered=0)[1]


class TestByMark:
    @pytest.fixture
    def marked(self, seen):
        """The same cluster at two ports that are one service by mark."""
        lvs1 = seen["lvs1"]
        for name in ("lvs_table", "lvs_table_after"):
            (service,) = lvs1[name]["services"]
            service.update(service="mark 3 ipv4", vip=None, port=None, protocol=None, mark=3)
            for server in service["real_servers"]:
                server["port"] = 0
        lvs1["__director_rules"] = {"changes": []}
        (first,) = seen["client"]["lvs_requests"]["targets"]
        first.update(asked=6, answered=6)
        seen["client"]["lvs_requests"]["targets"].append({**first, "port": 443})
        return seen

    SERVICE = web(affinity="mark", mark=3, port=None, ports=[80, 443])
    CLAIM = "lvs1: packets to tcp 80, 443 of 192.0.2.77 get the mark 3"

    def test_everything_holds(self, marked):
        lines = [str(line) for line in lines_of(marked, service=self.SERVICE)]
        assert not [line for line in lines if not line.startswith("holds")]
        assert "holds   web mark 3 ipv4: 12 of 12 requests of client were answered" in lines
        assert "holds   web mark 3 ipv4: of 12 answered requests rs1 took 8, rs2 took 4" in lines
        assert f"holds   {self.CLAIM}" in lines

    def test_rules_that_are_gone(self, marked):
        marked["lvs1"]["__director_rules"]["changes"] = ["nft -f /etc/openlvs/director.nft"]
        found = wrong(marked, service=self.SERVICE)
        why = "its rules are not as described: nft -f /etc/openlvs/director.nft"
        assert f"FAILS   {self.CLAIM} -- {why}" in found

    def test_one_port_that_is_not_answered(self, marked):
        marked["client"]["lvs_requests"]["targets"][1].update(answered=0, errors=[{"count": 6, "message": "refused"}])
        assert "FAILS   web mark 3 ipv4: 6 of 12 requests of client were answered -- 6 times refused" in wrong(
            marked, service=self.SERVICE
        )

    def test_a_port_that_nobody_asked_at(self, marked):
        marked["client"]["lvs_requests"]["targets"].pop()
        claim = "FAILS   web mark 3 ipv4: every request of client is answered"
        assert [line for line in wrong(marked, service=self.SERVICE) if line.startswith(claim)]


class TestMasquerading:
    @pytest.fixture
    def masqueraded(self, seen):
        """The same cluster by masquerading: no VIP on the real servers, and answers that pass the director."""
        for name, outpkts in (("lvs_table", 0), ("lvs_table_after", 30)):
            for server in seen["lvs1"][name]["services"][0]["real_servers"]:
                server["forward"] = "nat"
                server["stats"]["outpkts"] = outpkts
        seen["lvs1"]["lvs_host"]["ip_forward"] = 1
        for name in ("rs1", "rs2"):
            seen[name]["lvs_host"] = {**seen[name]["lvs_host"], "vips": [], "addresses": []}
            nothing = {"unit": {"name": "openlvs-realserver.service", "present": False}, "files": []}
            seen[name]["__realserver_boot"] = {"changes": [], "found": nothing}
        return seen

    def test_everything_holds(self, masqueraded):
        lines = [str(line) for line in lines_of(masqueraded, web(forward="nat"))]
        assert not [line for line in lines if not line.startswith("holds")]
        assert "holds   lvs1: it forwards packets, as described" in lines
        assert not [line for line in lines if "rs1: VIP" in line or "openlvs-realserver" in line]

    def test_answers_that_went_past_the_director(self, masqueraded):
        masqueraded["lvs1"]["lvs_table_after"]["services"][0]["real_servers"][1]["stats"]["outpkts"] = 0
        claim = f"FAILS   {SUBJECT}: of 12 answered requests rs1 took 8, rs2 took 4"
        assert wrong(masqueraded, service=web(forward="nat")) == [f"{claim} -- rs2's answers did not pass lvs1"]


class TestDirector:
    def test_the_vip_is_gone(self, seen):
        del seen["lvs1"]["lvs_host"]["addresses"][1]
        assert wrong(seen) == ["FAILS   lvs1: VIP 192.0.2.77/32 is on eth1 -- it does not have 192.0.2.77"]

    def test_the_vip_has_another_prefix(self, seen):
        seen["lvs1"]["lvs_host"]["addresses"][1]["prefix"] = 24
        assert wrong(seen) == ["FAILS   lvs1: VIP 192.0.2.77/32 is on eth1 -- it has 192.0.2.77/24 on eth1"]

    def test_its_interface_is_down(self, seen):
        seen["lvs1"]["lvs_host"]["links"]["eth1"]["up"] = False
        assert wrong(seen) == ["FAILS   lvs1: VIP 192.0.2.77/32 is on eth1 -- eth1 is down"]

    def test_the_unit_is_not_enabled(self, seen):
        seen["lvs1"]["__director_boot"]["found"]["unit"]["enabled"] = False
        text = (
            "FAILS   lvs1: openlvs-director.service is enabled, so it all comes back after a reboot -- it is not"
            " enabled"
        )
        assert wrong(seen) == [text]

    def test_the_unit_is_gone(self, seen):
        seen["lvs1"]["__director_boot"]["found"]["unit"]["present"] = False
        text = (
            "FAILS   lvs1: openlvs-director.service is enabled, so it all comes back after a reboot -- there is no such"
            " unit"
        )
        assert wrong(seen) == [text]

    @pytest.mark.parametrize(
        ("change", "text"),
        [({"present": False}, "/etc/one is missing"), ({"same": False}, "/etc/one is not as described")],
    )
    def test_a_file_for_the_next_boot(self, seen, change, text):
        seen["lvs1"]["__director_boot"]["found"]["files"][0].update(change)
        assert wrong(seen) == [f"FAILS   lvs1: the files for the next boot are in place: /etc/one, /etc/two -- {text}"]

    def test_the_file_of_the_table(self, seen):
        """lvs_boot sees whether it is there, ipvs_services whether it is as described."""
        seen["lvs1"]["__director_table"]["changes"] = ["write /etc/two"]
        text = "lvs1: the files for the next boot are in place: /etc/one, /etc/two -- /etc/two is not as described"
        assert wrong(seen) == [
            f"FAILS   {text}",
            "FAILS   lvs1: the roles would change nothing -- write /etc/two",
        ]
        seen["lvs1"]["__director_boot"]["found"]["files"][1]["present"] = False
        assert wrong(seen)[0].endswith(" -- /etc/two is missing")

    def test_ipvsadm_is_gone(self, seen):
        """On a real server nobody needs it."""
        for name in ("lvs1", "rs1"):
            seen[name]["lvs_host"]["missing"] = ["ipvsadm"]
        assert wrong(seen) == [
            "FAILS   lvs1: the files for the next boot are in place: /etc/one, /etc/two -- ipvsadm, which loads the"
            " table, is not installed"
        ]

    def test_somebody_else_has_the_vip(self, seen):
        addresses = seen["rs2"]["lvs_host"]["addresses"]
        cluster_of_rs1 = web(real_servers=[{"host": "rs1", "weight": 2}, {"address": "192.0.2.12", "unmanaged": True}])
        assert addresses[1]["address"] == "192.0.2.77"
        text = "FAILS   192.0.2.77: nobody has it but its director and its real servers -- rs2 has it too"
        assert text in wrong(seen, service=cluster_of_rs1)


class TestRealServer:
    def test_the_vip_is_gone(self, seen):
        """The second mistake of the field notes: a real server in the table without the VIP."""
        del seen["rs2"]["lvs_host"]["addresses"][1]
        seen["rs2"]["lvs_host"]["silent"] = []
        assert wrong(seen) == [
            "FAILS   rs2: VIP 192.0.2.77/32 is on lo -- it does not have 192.0.2.77",
            (
                "FAILS   rs2: it is silent about VIP 192.0.2.77 -- it does not hold 192.0.2.77 alone on a device where"
                " nobody can ask"
            ),
        ]

    def test_it_is_not_silent(self, seen):
        seen["rs1"]["lvs_host"]["silent"] = []
        seen["rs1"]["lvs_host"]["arp"]["all"] = {"arp_ignore": 0, "arp_announce": 2}
        text = "on eth1 a neighbour may learn it: arp_ignore is 0, arp_announce 2"
        assert wrong(seen) == [f"FAILS   rs1: it is silent about VIP 192.0.2.77 -- {text}"]

    def test_the_host_route_is_gone(self, seen):
        change = "ip route add 192.0.2.77 dev lo scope link"
        seen["rs1"]["__realserver_applied"]["changes"] = [change]
        assert wrong(seen) == [
            f"FAILS   rs1: the host route to VIP 192.0.2.77 by lo is there -- missing: {change}",
            f"FAILS   rs1: the roles would change nothing -- {change}",
        ]

    def test_it_was_not_reached(self, seen):
        """Facts of an earlier run in a cache are no look."""
        seen["rs1"] = {"lvs_host": seen["rs1"]["lvs_host"]}
        assert wrong(seen) == [
            f"FAILS   {claim} -- nobody could look at rs1"
            for claim in (
                "192.0.2.77: nobody has it but its director and its real servers",
                "rs1: VIP 192.0.2.77/32 is on lo",
                "rs1: it is silent about VIP 192.0.2.77",
                "rs1: the host route to VIP 192.0.2.77 by lo is there",
                "rs1: openlvs-realserver.service is enabled, so it all comes back after a reboot",
                "rs1: the files for the next boot are in place",
                "rs1: the roles would change nothing",
            )
        ]

    def test_it_was_left_out_of_the_run(self, seen):
        looks = {name: look_from(name, name != "rs1", variables) for name, variables in seen.items()}
        looks["rs1"] = look_from("rs1", False, {})
        found = [line for line in prove(build(web()).result, looks, ["client"]) if line.holds is not True]
        assert {line.holds for line in found} == {None}
        assert {line.why for line in found} == {"rs1 was not part of this run"}


def test_what_left_the_description_and_is_still_there(seen):
    cluster = build(web()).result
    cluster["leaving"] = ["rs3"]
    looks = {name: look_from(name, True, variables) for name, variables in seen.items()}
    lines = [str(line) for line in prove(cluster, looks, ["client"]) if line.holds is not True]
    assert lines == ["FAILS   rs3: it holds nothing that left the description -- it does; run site.yml"]
