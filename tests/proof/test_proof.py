# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""verify.yml cannot flatter: each thing that it claims is broken on the lab, and it says so by name and nothing else.

A round breaks several things that do not touch each other, looks at what verify.yml says, and mends them. The lines
that fail must be the expected ones to the letter; in the end every kind of line must have failed once.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from playing import attempt, lab, on

WEB, API = "192.168.0.77", "192.168.0.78"
LVS1_MAC, RS1_MAC = "02:4c:56:53:01:0b", "02:4c:56:53:01:15"

BOTH = [{"host": "rs1", "weight": 2}, {"host": "rs2"}]


def description(api_servers: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Two services on two VIPs."""
    services = [
        {"name": "web", "vip": WEB, "port": 80, "scheduler": "wlc", "real_servers": BOTH},
        {"name": "api", "vip": API, "port": 8080, "scheduler": "rr", "real_servers": api_servers},
    ]
    hosts = {
        "lvs1": {"lvs_addresses": ["192.168.0.75/24"], "lvs_ip_forward": True},
        "rs1": {"lvs_addresses": ["192.168.0.45/24"]},
        "rs2": {"lvs_addresses": ["192.168.0.55/24"]},
    }
    return {"all": {"vars": {"lvs_services": services}, "hosts": hosts}}


@dataclass(frozen=True)
class Break:
    """How to break one thing on a host, how to mend it, and which lines of verify.yml then fail."""

    host: str
    breaking: str
    mending: str
    fails: tuple[str, ...]


def edited(host: str, path: str, line: str) -> Break:
    """A file for the next boot that somebody has changed."""
    return Break(
        host,
        f"cp -p {path} /root/kept && echo {line!r} >>{path}",
        f"mv /root/kept {path}",
        (
            f"{host}: the files for the next boot are in place: .* -- {path} is not as described",
            f"{host}: the roles would change nothing -- .*write {path}.*",
        ),
    )


def missing(host: str, path: str, *fails: str) -> Break:
    """A file that somebody has taken away."""
    return Break(host, f"mv {path} /root/kept", f"mv /root/kept {path}", tuple(f"{host}: {line}" for line in fails))


ROUNDS = {
    "a weight, units, files, settings, routes, a web server": [
        Break(
            "lvs1",
            # a lower one, so that rs2 gets requests for sure, whatever connections of earlier rounds still count
            f"ipvsadm -e -t {WEB}:80 -r 192.168.0.45:80 -g -w 1",
            f"ipvsadm -e -t {WEB}:80 -r 192.168.0.45:80 -g -w 2",
            (
                f"web tcp {WEB}:80: lvs1's kernel has it as described: .* -- rs1's weight is 1, not 2",
                "lvs1: the roles would change nothing -- .*",
            ),
        ),
        Break(
            "lvs1",
            f"ip route del {API}/32 dev eth1",
            f"ip route add {API}/32 dev eth1 scope link",
            (f"lvs1: the host route to VIP {API} by eth1 is there -- missing: .*",),
        ),
        Break(
            "lvs1",
            "systemctl disable openlvs-director",
            "systemctl enable openlvs-director",
            ("lvs1: openlvs-director.service is enabled, .* -- it is not enabled",),
        ),
        Break(
            "lvs1",
            "cp -p /etc/ipvsadm.rules /root/kept && sed -i '$d' /etc/ipvsadm.rules",
            "mv /root/kept /etc/ipvsadm.rules",
            ("lvs1: the files for the next boot are in place: .* -- /etc/ipvsadm.rules is not as described",),
        ),
        Break(
            "lvs1",
            "sysctl -w net.ipv4.ip_forward=0",
            "sysctl -w net.ipv4.ip_forward=1",
            ("lvs1: it forwards packets, as described -- ip_forward is 0",),
        ),
        Break(
            "rs1",
            "systemctl disable openlvs-realserver",
            "systemctl enable openlvs-realserver",
            ("rs1: openlvs-realserver.service is enabled, .* -- it is not enabled",),
        ),
        Break(
            "rs1",
            f"ip route del {WEB}/32 dev lo",
            f"ip route add {WEB}/32 dev lo scope link",
            (
                f"rs1: the host route to VIP {WEB} by lo is there -- missing: .*",
                "rs1: the roles would change nothing -- .*",
            ),
        ),
        Break(
            "rs2",
            "sysctl -w net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.eth1.arp_announce=0",
            "sysctl -w net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.eth1.arp_announce=2",
            (
                *(f"rs2: it is silent about VIP {vip} -- .*on eth1 .* arp_announce 0.*" for vip in (WEB, API)),
                "rs2: the roles would change nothing -- .*",
            ),
        ),
        Break(
            "rs2",
            "systemctl stop nginx",
            "systemctl start nginx",
            (
                rf"web tcp {WEB}:80: \d+ of 12 requests of client were answered -- \d+ times .*",
                f"api tcp {API}:8080: 6 of 12 requests of client were answered -- 6 times .*",
            ),
        ),
        edited("rs2", "/etc/sysctl.d/zz-openlvs-realserver.conf", "net.ipv4.conf.all.arp_ignore = 0"),
    ],
    "a real server that answers ARP": [
        Break(  # the router would ask again before long, and take whoever is the first to answer
            "router",
            f"for vip in {WEB} {API}; do ip neigh replace $vip lladdr {LVS1_MAC} dev eth2 nud permanent; done",
            f"for vip in {WEB} {API}; do ip neigh del $vip dev eth2; done",
            (),
        ),
        Break(
            "rs1",
            "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth1.arp_ignore=0",
            "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth1.arp_ignore=1",
            (
                *(rf"{vip}: only lvs1 \(.*\) answers ARP for it -- rs1 \({RS1_MAC};.*" for vip in (WEB, API)),
                *(f"rs1: it is silent about VIP {vip} -- .*on eth1 .* arp_ignore is 0.*" for vip in (WEB, API)),
                "rs1: the roles would change nothing -- .*",
            ),
        ),
        missing(
            "lvs1",
            "/usr/sbin/ipvsadm",
            "the files for the next boot are in place: .* -- ipvsadm, which loads the table, is not installed",
        ),
        missing(
            "rs2",
            "/etc/systemd/system/openlvs-realserver.service",
            "the files for the next boot are in place: .*openlvs-realserver.service is missing",
            "openlvs-realserver.service is enabled, .* -- there is no such unit",
            "the roles would change nothing -- .*write /etc/systemd/system/openlvs-realserver.service.*",
        ),
    ],
    "VIPs that are gone, requests that go past the director, units": [
        Break(
            "lvs1",
            f"ip address del {WEB}/32 dev eth1",
            f"ip address add {WEB}/32 broadcast {WEB} dev eth1 label eth1:0",
            (
                f"lvs1: VIP {WEB}/32 is on eth1 -- it does not have {WEB}",
                f"{WEB}: only lvs1 .* answers ARP for it -- nobody answers: .*",
                rf"web tcp {WEB}:80: 0 of \d+ requests of client were answered -- .*",
                "lvs1: the roles would change nothing -- .*",
            ),
        ),
        Break(
            "rs2",
            f"ip address del {API}/32 dev lo",
            f"ip address add {API}/32 broadcast {API} dev lo label lo:1",
            (
                f"rs2: VIP {API}/32 is on lo -- it does not have {API}",
                f"rs2: it is silent about VIP {API} -- it does not hold .*",
                "rs2: the roles would change nothing -- .*",
            ),
        ),
        Break(
            "router",
            f"ip neigh replace {API} lladdr {RS1_MAC} dev eth2 nud permanent",
            f"ip neigh del {API} dev eth2",
            (f"api tcp {API}:8080: of 12 answered requests rs1 took 0, rs2 took 0 -- lvs1 saw only 0: .*",),
        ),
        edited("rs1", "/etc/systemd/system/openlvs-realserver.service", "# mine"),
        edited("lvs1", "/etc/systemd/system/openlvs-director.service", "# mine"),
    ],
}

# A description that rs2 has left as far as the service api goes, while it still holds the VIP and serves.
LEFT = (
    f"api tcp {API}:8080: lvs1's kernel has it as described: .* -- 192.168.0.55:8080 is there and is not described",
    f"{API}: nobody has it but its director and its real servers -- rs2 has it too",
    "rs2: it holds nothing that left the description -- it does; run site.yml",
    "lvs1: the roles would change nothing -- .*",
    "rs2: the roles would change nothing -- .*",
    "lvs1: the files for the next boot are in place: .* -- /etc/ipvsadm.rules is not as described",
    "rs2: the files for the next boot are in place: .* -- .*openlvs-realserver.service is not as described",
)

# What people and packages do to hosts between two runs.
DRIFT = {
    "lvs1": (
        "DEBIAN_FRONTEND=noninteractive apt-get remove --yes ipvsadm",
        "rm /etc/systemd/system/ipvsadm.service /etc/modules-load.d/openlvs-director.conf /etc/ipvsadm.rules",
        "systemctl disable --now openlvs-director",
        "sysctl -w net.ipv4.ip_forward=0",
    ),
    "rs1": (
        "sed -i s/=.*/=0/ /etc/sysctl.d/zz-openlvs-realserver.conf",
        "sysctl --load=/etc/sysctl.d/zz-openlvs-realserver.conf",
    ),
    "rs2": (
        "sed -i /ExecStart/d /etc/systemd/system/openlvs-realserver.service",
        f"ip address del {API}/32 dev lo",
    ),
}


class Site(t.NamedTuple):
    """The cluster on the lab, and every kind of line that has failed so far."""

    inventories: dict[str, Path]
    failed: set[str]

    def play(self, playbook: str, inventory: str = "whole") -> tuple[int, str]:
        """Run a playbook; its exit code and output."""
        return attempt(f"playbooks/{playbook}.yml", self.inventories[inventory])

    def verify(self, inventory: str = "whole") -> tuple[int, list[str], list[str]]:
        """Run verify.yml; its exit code, the lines that hold, the lines that fail."""
        code, output = self.play("verify", inventory)
        said = dict.fromkeys(re.findall(r"^(holds|FAILS) +(.*)$", output, re.MULTILINE))
        assert said, output
        lines = {word: [text for one, text in said if one == word] for word in ("holds", "FAILS")}
        return code, lines["holds"], lines["FAILS"]


def kind(line: str) -> str:
    """What a line claims, without which host, service, address or number it is about."""
    claim = line.split(" -- ", maxsplit=1)[0].split(": ", 1)[1]
    claim = re.sub(r"in place: .*|described: .*|\((?:[0-9a-f]{2}:){5}[0-9a-f]{2}\)", "", claim)
    claim = re.sub(r"rs\d took \d+(, )?|\d+(\.\d+){3}(/\d+)?|\d+ of \d+", "", claim)
    claim = re.sub(r"of \d+ answered", "of answered", claim)
    return re.sub(r"\b(lvs1|rs1|rs2|eth1|lo)\b", "", claim).strip()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """The cluster, built once and taken away at the end."""
    folder = tmp_path_factory.mktemp("inventories")
    inventories = {}
    for name, servers in (("whole", BOTH), ("left", BOTH[:1])):
        inventories[name] = folder / f"{name}.json"
        inventories[name].write_text(json.dumps(description(servers)))
    site = Site(inventories, set())
    lab("reset")
    code, output = site.play("site")
    assert code == 0, output
    yield site
    code, output = site.play("teardown")
    assert code == 0, output


def check_failing(site: Site, failing: list[str], expected: t.Sequence[str]) -> None:
    """The failing lines are the expected ones, each at least once, and no others."""
    for pattern in expected:
        assert any(re.fullmatch(pattern, line) for line in failing), f"nothing fails as {pattern!r}: {failing}"
    for line in failing:
        assert any(re.fullmatch(pattern, line) for pattern in expected), f"fails without need: {line}"
    site.failed.update(kind(line) for line in failing)


@pytest.mark.parametrize("name", ROUNDS)
def test_broken(site: Site, name: str) -> None:
    """What is broken fails by name, and nothing else does."""
    breaks = ROUNDS[name]
    for one in breaks:
        on(one.host, one.breaking)
    code, _holding, failing = site.verify()
    for one in breaks:
        on(one.host, one.mending)
    assert code != 0
    check_failing(site, failing, [pattern for one in breaks for pattern in one.fails])


def test_left_the_description(site: Site) -> None:
    """What was taken out of the description and is still on the hosts is named."""
    code, _holding, failing = site.verify("left")
    assert code != 0
    check_failing(site, failing, LEFT)


def test_drift_is_repaired(site: Site) -> None:
    """The next run puts right whatever has drifted, as ``test_whole`` sees, and one after it has nothing to do."""
    for host, commands in DRIFT.items():
        for command in commands:
            on(host, command)
    code, output = site.play("site")
    assert code == 0, output
    assert {host for host in DRIFT if re.search(rf"^{host} .*changed=[1-9]", output, re.MULTILINE)} == set(DRIFT)
    code, output = site.play("site")
    assert (code, re.findall(r"changed=[1-9]", output)) == (0, []), output


def test_whole(site: Site) -> None:
    """With everything mended everything holds, and there is no kind of line that no round has broken."""
    code, holding, failing = site.verify()
    assert (code, failing) == (0, [])
    assert {kind(line) for line in holding} <= site.failed
