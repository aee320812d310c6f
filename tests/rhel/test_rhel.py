# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example cluster on hosts in RHEL's shape, from bare hosts to bare hosts: docs/rhel.md says what that proves.

A shape is a relative of RHEL on the Debian whose Python and pyroute2 are nearest to its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LAB = CHECKOUT / "tests" / "lab" / "lab"
STATE = CHECKOUT / "molecule" / "default" / "states" / "state.sh"
HOSTS = ("lvs1", "rs1", "rs2")
VIP = "192.168.0.77"
TABLE = "/etc/sysconfig/ipvsadm"
# What the packages that stay brought along, and what the kernel keeps loaded.
STAYS = re.compile(
    r"module |thresholds RemoteAddress:Port|file /etc/sysconfig/ipvsadm-config |unit ipvsadm\.service disabled"
)


class Shape(t.NamedTuple):
    """Which relative of RHEL, on which Debian."""

    name: str
    version: str
    suite: str


SHAPES = {"rhel9": Shape("AlmaLinux", "9.6", "bullseye"), "rhel10": Shape("Rocky", "10.0", "trixie")}


class Site(t.NamedTuple):
    """The hosts, and what they looked like at the points that later ones are compared with."""

    shape: Shape
    states: dict[str, dict[str, list[str]]]

    def lab(self, *words: str | Path) -> None:
        """Run a command of the lab, on guests of the shape's Debian."""
        subprocess.run([LAB, *words], check=True, env={**os.environ, "OPENLVS_LAB_SUITE": self.shape.suite})

    def on(self, host: str, command: str, given: bytes = b"", check: bool = True) -> str:
        """What a command on a host prints."""
        done = subprocess.run([LAB, "exec", host, command], input=given, check=False, capture_output=True)
        assert not check or done.returncode == 0, (done.stdout + done.stderr).decode()
        return done.stdout.decode()

    def everywhere(self, command: str, given: bytes = b"") -> dict[str, str]:
        """What a command prints on each host of the cluster."""
        with ThreadPoolExecutor() as pool:
            return dict(zip(HOSTS, pool.map(lambda host: self.on(host, command, given), HOSTS)))

    def look(self) -> dict[str, list[str]]:
        """All of each host that the collection could change."""
        return {host: said.splitlines() for host, said in self.everywhere("sh", STATE.read_bytes()).items()}

    def ansible(self, *words: str, command: str = "ansible") -> tuple[int, str]:
        """Run one of Ansible's commands with the Python that it finds on the hosts; its exit code and output."""
        inventory = subprocess.run([LAB, "inventory"], check=True, capture_output=True, text=True).stdout.strip()
        inventories = ["-i", inventory, "-i", "examples/inventory.yml"]
        found = ["--extra-vars", "ansible_python_interpreter=auto_silent"]
        environment = {**os.environ, "ANSIBLE_HOME": str(CHECKOUT / ".ansible"), "ANSIBLE_PIPELINING": "1"}
        environment |= {"ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000"}
        given = [command, *inventories, *found, *words]
        done = subprocess.run(given, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def play(self, playbook: str, *options: str) -> tuple[int, str]:
        """Run a playbook; its exit code and output."""
        return self.ansible(f"playbooks/{playbook}.yml", *options, command="ansible-playbook")

    def well(self, playbook: str, *options: str) -> str:
        """Run a playbook that has to succeed; its output."""
        code, output = self.play(playbook, *options)
        assert code == 0, output
        return output


def connections(site: Site) -> int:
    """How many the director has counted for the service; a table that was loaded anew has counted none."""
    time.sleep(3)  # the kernel sums its counters up every two seconds
    found = re.search(rf"^TCP +{VIP}:80 +(\d+)", site.on("lvs1", "ipvsadm -Ln --stats --exact"), re.MULTILINE)
    return int(found[1]) if found else -1


def ask(site: Site) -> set[str]:
    """Which real servers answer eight requests of the client."""
    return set(site.on("client", f"for i in 1 2 3 4 5 6 7 8; do curl -s --max-time 5 http://{VIP}/; done").split())


@pytest.fixture(scope="module", params=SHAPES)
def site(request: pytest.FixtureRequest) -> t.Iterator[Site]:
    """Three hosts in the shape, and a client beyond a router."""
    shape = SHAPES[request.param]
    site = Site(shape, {})
    site.lab("image")
    site.lab("reset", "client", "router", *HOSTS)
    fetched = subprocess.run(
        [HERE / "fetch-packages", "lvs1"], check=True, capture_output=True, text=True
    ).stdout.strip()
    pack = [
        "tar",
        "-c",
        "-C",
        str(HERE),
        "become-rhel",
        "rpm",
        "-C",
        fetched,
        "--exclude=lock",
        "--exclude=partial",
        ".",
    ]
    packed = subprocess.run(pack, check=True, capture_output=True).stdout
    unpack = f"mkdir /root/rhel && tar -x -C /root/rhel && /root/rhel/become-rhel {shape.name} {shape.version}"
    site.everywhere(unpack, packed)
    site.states["bare"] = site.look()
    yield site
    site.lab("down")


def test_ansible_takes_the_hosts_for_rhel(site: Site) -> None:
    _code, output = site.ansible("lvs1", "-m", "setup", "-a", "gather_subset=!all,!min,distribution,pkg_mgr,python")
    said = dict(re.findall(r'"(\w+)": "(.*)"', output))
    assert (said["ansible_os_family"], said["ansible_pkg_mgr"]) == ("RedHat", "dnf")
    assert (said["ansible_distribution"], said["ansible_distribution_version"]) == site.shape[:2]
    assert said["executable"] == "/opt/newer/bin/python3"  # which has no pyroute2, and never will


def test_a_host_of_another_family_is_refused_before_anything_is_changed(site: Site) -> None:
    site.on("rs2", "cp -p /usr/lib/os-release /root && printf 'ID=suse\nPRETTY_NAME=Elsewhere\n' >/usr/lib/os-release")
    try:
        code, output = site.play("site")
        assert code != 0
        assert "rs2: it runs Elsewhere, and the roles know the families Debian, RedHat only." in output
        code, output = site.ansible("rs2", "-m", "include_role", "-a", "name=openlvs.lvs.realserver")
        assert code != 0
        assert "rs2: it runs Elsewhere, and this role knows the families Debian and RedHat only." in output
    finally:
        site.on("rs2", "mv /root/os-release /usr/lib")
    assert site.look() == site.states["bare"]


def test_without_epel_the_remedy_is_said_and_nothing_is_changed(site: Site) -> None:
    code, output = site.play("site")
    assert code != 0
    assert "rs1: cannot install python3-pyroute2: No package python3-pyroute2 available." in output
    assert "comes from EPEL: enable that repository" in output
    assert site.look() == site.states["bare"]
    site.everywhere("sed -i s/enabled=0/enabled=1/ /etc/yum.repos.d/epel.repo")
    site.states["bare"] = site.look()


def test_a_check_of_bare_hosts_changes_nothing(site: Site) -> None:
    assert re.search(r"lvs1 .*changed=[1-9].*failed=0", site.well("site", "--check", "--diff"))
    assert site.look() == site.states["bare"]
    assert "is not installed" in site.on("lvs1", "rpm -q ipvsadm", check=False)


def test_it_is_built_and_a_second_run_changes_nothing(site: Site) -> None:
    site.well("site")
    site.states["built"] = site.look()
    assert not re.search(r"changed=[1-9]", site.well("site"))
    assert site.look() == site.states["built"]
    assert ask(site) == {"rs1", "rs2"}


def test_everything_stands_where_rhel_has_it(site: Site) -> None:
    assert f"-A -t {VIP}:80 -s wlc" in site.on("lvs1", f"cat {TABLE}")
    assert site.on("lvs1", "ls /etc/ipvsadm.rules /etc/default/ipvsadm 2>/dev/null", check=False) == ""
    assert site.on("lvs1", "rpm -qf /usr/sbin/ipvsadm").startswith("ipvsadm-")
    assert site.on("lvs1", "systemctl is-enabled ipvsadm", check=False).strip() == "masked"
    for host, unit in (("lvs1", "openlvs-director"), ("rs1", "openlvs-realserver")):
        assert site.on(host, f"systemd-analyze verify --man=no /etc/systemd/system/{unit}.service 2>&1") == ""


def test_the_package_installed_anew_leaves_the_table_and_its_connections_alone(site: Site) -> None:
    before = connections(site)
    assert before >= 8
    site.on("lvs1", "dnf --assumeyes reinstall ipvsadm")
    assert connections(site) == before
    assert site.look() == site.states["built"]


def test_it_is_all_back_after_a_reboot(site: Site) -> None:
    site.lab("reboot", *HOSTS)
    site.well("verify")
    assert site.look() == site.states["built"]


def test_taken_away_it_leaves_the_packages_alone(site: Site) -> None:
    site.well("teardown")
    for host, lines in site.look().items():
        assert [line for line in lines if not STAYS.match(line)] == [
            line for line in site.states["bare"][host] if not STAYS.match(line)
        ]


def test_unmasked_the_distributions_own_service_would_have_dropped_the_connections(site: Site) -> None:
    """What the test of the reinstallation is worth."""
    site.well("site")
    site.on("lvs1", "rm /etc/systemd/system/ipvsadm.service && systemctl daemon-reload")
    site.on("lvs1", f"ipvsadm-save -n >{TABLE} && ipvsadm -C && systemctl start ipvsadm")
    ask(site)
    assert connections(site) >= 8
    site.on("lvs1", "dnf --assumeyes reinstall ipvsadm")
    assert connections(site) == 0


def test_where_that_service_ran_before_it_cannot_write_over_the_table_at_shutdown(site: Site) -> None:
    assert site.on("lvs1", "systemctl is-active ipvsadm").strip() == "active"
    site.well("site")
    table = site.on("lvs1", f"cat {TABLE}")
    site.lab("reboot", "lvs1")
    assert site.on("lvs1", f"cat {TABLE}") == table
    assert ask(site) == {"rs1", "rs2"}
