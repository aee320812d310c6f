# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running kernel lacks is named with what it needs, before anything is sent."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _kernel_needs
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._kernel_needs import refuse_missing
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import ADD, EDIT, REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import RealServer, Service, ServiceKey

SERVICE = Service(ServiceKey.addressed("tcp", "192.0.2.10", 80), "rr")
GUE = RealServer("198.51.100.1", 80, "tun", tunnel_type="gue", tunnel_port=6080)
GRE = RealServer("198.51.100.2", 80, "tun", tunnel_type="gre")


class Running:
    """The kernel that runs, and what is installed for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, modules: Path) -> None:
        self.monkeypatch, self.modules = monkeypatch, modules
        monkeypatch.setattr(_kernel_needs, "_MODULES", str(modules))

    def __call__(self, release: str, *installed: str, builtin: str = "") -> None:
        uname = os.uname_result(("Linux", "host", release, "#1", "x86_64"))
        self.monkeypatch.setattr(os, "uname", lambda: uname)
        home = self.modules / release
        home.mkdir()
        (home / "modules.dep").write_text("".join(f"kernel/net/{name}.ko.xz: kernel/a.ko.xz\n" for name in installed))
        (home / "modules.builtin").write_text(f"kernel/net/{builtin}.ko\n")


@pytest.fixture(name="kernel")
def fixture_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Running:
    return Running(monkeypatch, tmp_path)


def findings(*steps: Step) -> list[str]:
    """What is refused."""
    with pytest.raises(OptionError) as caught:
        refuse_missing(steps)
    return list(caught.value.details["findings"])


@pytest.mark.parametrize(
    ("release", "server", "words"),
    [
        ("5.1.21", GUE, "tunnel_type gue needs Linux 5.2 or later, and this is 5.1.21. Use tunnel_type: ipip."),
        ("5.2.0-1-amd64", GRE, "tunnel_type gre needs Linux 5.3 or later, and this is 5.2.0-1-amd64. Use"),
        (
            "5.2.0-1-amd64",
            GUE._replace(tunnel_flags=1),
            "tunnel_checksum csum needs Linux 5.3 or later, and this is 5.2.0-1-amd64. Leave it out.",
        ),
    ],
)
def test_tunnels_that_an_older_kernel_would_build_otherwise(kernel, release, server, words):
    kernel(release)
    assert f": {words}" in findings(Step(EDIT, SERVICE, server))[0]


def test_a_kernel_that_is_new_enough(kernel):
    kernel("5.3.0", "ip_vs_rr")
    refuse_missing([Step(ADD, SERVICE), Step(ADD, SERVICE, GRE), Step(ADD, SERVICE, GUE._replace(tunnel_flags=2))])


def test_modules_that_are_not_installed_are_all_named(kernel):
    kernel("5.10.0-30-amd64", "ip_vs_rr", "ip_vs_twos_of_somebody", builtin="ip_vs_sh")
    steps = [Step(ADD, replace(SERVICE, scheduler=name)) for name in ("rr", "sh", "twos", "mh")]
    assert findings(*steps, Step(ADD, replace(SERVICE, pe="sip"))) == [
        "Service tcp 192.0.2.10:80: the kernel has no scheduler 'twos' (module ip_vs_twos): it came with Linux 5.12,"
        " and this is 5.10.0-30-amd64.",
        "Service tcp 192.0.2.10:80: the kernel has no scheduler 'mh' (module ip_vs_mh): it is not installed for kernel"
        " 5.10.0-30-amd64.",
        "Service tcp 192.0.2.10:80: the kernel has no persistence engine 'sip' (module ip_vs_pe_sip): it is not"
        " installed for kernel 5.10.0-30-amd64.",
    ]


def test_what_is_loaded_needs_no_file(kernel, monkeypatch):
    kernel("6.1.0")
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/sys/module/ip_vs_twos")
    refuse_missing([Step(EDIT, replace(SERVICE, scheduler="twos"))])


def test_what_leaves_needs_nothing(kernel):
    kernel("4.19.0")
    gone = replace(SERVICE, scheduler="twos")
    refuse_missing([Step(REMOVE, gone), Step(REMOVE, gone, GUE)])


def test_where_nobody_knows_the_modules_the_kernel_is_asked(kernel, tmp_path):
    kernel("6.1.0")
    (tmp_path / "6.1.0" / "modules.dep").unlink()
    refuse_missing([Step(ADD, replace(SERVICE, scheduler="best"))])
