# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same for what only some clusters have: marks, tunnels, masquerading, rules against ARP, static entries."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from playing import lab, on
from test_proof import Break, Site, check_failing, edited, kind

WEB, FAR, SIX = "192.168.0.77", "192.168.0.79", "fd99:2::80"
LVS1_MAC, RS2_MAC = "02:4c:56:53:01:0b", "02:4c:56:53:01:16"
BOTH = [{"host": "rs1"}, {"host": "rs2"}]
DESCRIPTION: dict[str, t.Any] = {
    "all": {
        "vars": {
            "lvs_service_defaults": {"port": 80, "scheduler": "rr", "routers": ["router"], "real_servers": BOTH},
            "lvs_services": [
                {"name": "web", "vip": WEB, "affinity": "mark"},
                {"name": "far", "vip": FAR, "forward": "tun"},
                {"name": "six", "vip": SIX, "forward": "nat", "real_servers": [{"host": "rs1"}]},
            ],
        },
        "hosts": {
            "lvs1": {"lvs_addresses": ["192.168.0.75/24", "fd99:2::11/64"]},
            "rs1": {"lvs_addresses": ["192.168.0.45/24", "fd99:2::21/64"], "lvs_gateway": "director"},
            "rs2": {"lvs_addresses": ["192.168.0.55/24"], "lvs_arp": "nftables"},
        },
    }
}
NOTHING = "the roles would change nothing -- .*"
ROUNDS = {
    "marks, rules against ARP, a tunnel, forwarding of IPv6, a way back, a static entry": [
        Break(
            "lvs1",
            "nft delete table inet openlvs_director",
            "nft -f /etc/openlvs/director.nft",
            (
                rf"lvs1: packets to tcp 80 of {WEB} get the mark \d+ -- its rules are not as described: .*",
                "web .*: 0 of 12 requests of client were answered -- .*",
                f"lvs1: {NOTHING}",
            ),
        ),
        Break(  # the router does not ask it
            "rs2",
            "nft delete table arp openlvs_realserver",
            "nft -f /etc/openlvs/realserver.nft",
            (
                *(f"rs2: it is silent about VIP {vip} -- the rules of nftables .* are not there" for vip in (WEB, FAR)),
                *(rf"{vip}: only lvs1 \(.*\) answers ARP for it -- rs2 \({RS2_MAC};.*" for vip in (WEB, FAR)),
                f"rs2: {NOTHING}",
            ),
        ),
        Break(  # what its kernel then says by ICMP comes back through the director
            "rs1",
            "ip link set tunl0 down",
            "ip link set tunl0 up",
            (
                f"rs1: it takes packets for {FAR} out of ipip to 192.168.0.45 -- those for {FAR} it does not take: .*",
                rf"far tcp {FAR}:80: \d+ of 12 requests of client were answered -- .*",
                f"far tcp {FAR}:80: answers out of tunnels go past lvs1, .* -- packets of rs1 came back",
                f"rs1: {NOTHING}",
            ),
        ),
        Break(
            "lvs1",
            "sysctl -w net.ipv6.conf.all.forwarding=0",
            "sysctl -w net.ipv6.conf.all.forwarding=1",
            (
                "lvs1: it forwards IPv6 packets, as described -- ipv6_forward is 0",
                rf"six tcp \[{SIX}\]:80: 0 of \d+ requests of client were answered -- .*",
            ),
        ),
        Break(
            "rs1",
            "ip -6 rule del pref 19456",
            "systemctl restart openlvs-realserver",
            (r"rs1: its answers, tcp from \[fd99:2::21\]:80, leave by fd99:2::11 -- they leave by its own routes",),
        ),
        Break(
            "router",
            f"ip -6 neighbour del {SIX} dev eth2",
            "systemctl restart openlvs-router",
            (
                rf"router: requests for VIP {SIX} go to lvs1 \(.*\) by eth2, .* -- it has no static entry .*",
                f"router: {NOTHING}",
            ),
        ),
    ],
    "a stranger that answers over IPv6, units": [
        Break(  # a machine that nobody looks at
            "lvs2",
            f"ip address add {SIX}/128 dev eth1 nodad",
            f"ip address del {SIX}/128 dev eth1",
            (
                rf"{SIX}: only lvs1 \(.*\) answers neighbour solicitation for it"
                r" -- a machine that is not known here \(.*\) answers too",
            ),
        ),
        Break(
            "router",
            f"ip neighbour del {FAR} dev eth2",
            f"ip neighbour replace {FAR} lladdr {LVS1_MAC} dev eth2 nud permanent",
            (rf"router: requests for VIP {FAR} go to lvs1 \(.*\) by eth2, .* -- it has no static entry .*",),
        ),
        Break(
            "router",
            "systemctl disable openlvs-router",
            "systemctl enable openlvs-router",
            ("router: openlvs-router.service is enabled, .* -- it is not enabled",),
        ),
        edited("router", "/etc/systemd/system/openlvs-router.service", "# mine"),
    ],
}


# Of these every kind of line must have failed; test_proof has broken the others.
OWN = re.compile(r"packets|answers|solicitation|requests for VIP|openlvs-router")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """The cluster, built once and taken away at the end."""
    inventory = tmp_path_factory.mktemp("inventories") / "whole.json"
    inventory.write_text(json.dumps(DESCRIPTION))
    site = Site({"whole": inventory}, set())
    lab("reset")
    code, output = site.play("site")
    assert code == 0, output
    yield site
    code, output = site.play("teardown")
    assert code == 0, output


@pytest.mark.parametrize("name", ROUNDS)
def test_broken(site: Site, name: str) -> None:
    """What is broken fails by name, and nothing else does."""
    breaks = ROUNDS[name]
    for one in breaks:
        on(one.host, one.breaking)
    try:
        code, _holding, failing = site.verify()
    finally:
        for one in breaks:
            on(one.host, one.mending)
    assert code != 0
    check_failing(site, failing, [pattern for one in breaks for pattern in one.fails])


def test_whole(site: Site) -> None:
    """With everything mended there is nothing to do and everything holds, and each kind of line was broken."""
    code, output = site.play("site")
    assert (code, re.findall(r"changed=[1-9]", output)) == (0, []), output
    code, holding, failing = site.verify()
    assert (code, failing) == (0, [])
    assert {kind(line) for line in holding if OWN.search(kind(line))} <= site.failed
