# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of IPVS: what is refused, what is set, and what comes back."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _director_settings, _ipvs_settings, _settings_run
from ansible_collections.openlvs.lvs.plugins.module_utils._director_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, SetSetting
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan
from hosts import host

FOUND = {"conn_tab_bits": "12", "conntrack": "0", "drop_entry": "0", "sync_threshold": "3\t50"}


def director() -> Host:
    return dataclasses.replace(host(), ipvs=FOUND)


def sets(plan: Plan) -> list[str]:
    return [str(step) for step in plan.steps if isinstance(step, SetSetting)]


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("conntrak", 1, "conntrak: no such setting is known (did you mean 'conntrack'?)."),
        ("conntrack", 2, "conntrack: '2' is not a whole number from 0 to 1."),
        ("conntrack", "yes", "conntrack: 'yes' is not a whole number from 0 to 1."),
        ("drop_entry", 4, "drop_entry: '4' is not a whole number from 0 to 3."),
        ("sync_ports", 7, "sync_ports: 7 is not a power of two."),
        ("sync_threshold", "60 50", "sync_threshold: '60 50' is not two numbers, the first of them the smaller one,"),
        ("est_cpulist", "all", "est_cpulist: 'all' is not a list of CPUs, such as '0-3,6'."),
        ("est_cpulist", "0,3-1", "est_cpulist: '0,3-1': the range 3-1 runs backwards, and the kernel takes none such."),
        ("conn_tab_bits", 28, "conn_tab_bits: '28' is not a whole number from 8 to 27."),
    ],
)
def test_what_no_kernel_takes(name, value, finding):
    with pytest.raises(OptionError, match="ipvs_settings: ") as caught:
        _settings_run.run({"ipvs_settings": {name: value}}, check_mode=True)
    assert str(caught.value).startswith(f"ipvs_settings: {finding}")


def test_what_every_kernel_takes():
    good = {"conntrack": True, "sync_threshold": "3  50", "est_cpulist": "0-3,6", "sync_ports": "8", "est_nice": -5}
    assert _ipvs_settings.findings(good) == []
    assert [_ipvs_settings.normal(value) for value in good.values()] == ["1", "3 50", "0-3,6", "8", "-5"]


@pytest.mark.parametrize("loaded", [True, False])
def test_what_this_kernel_lacks(loaded):
    found = director() if loaded else host()
    with pytest.raises(OptionError) as caught:
        _director_settings.check(found, Asked(ipvs={"est_nice": "1", "conn_tab_bits": "21"}), "6.1.0")
    assert caught.value.findings == [
        "ipvs_settings: est_nice: this kernel, 6.1.0, has no such setting; it came with Linux 6.2.",
        "ipvs_settings: conn_tab_bits: more than 20 need Linux 6.5, and this is 6.1.0.",
    ]


def test_set_then_nothing_then_back():
    asked = Asked(ipvs={"conntrack": "1", "drop_entry": "1", "sync_threshold": "3 50", "conn_tab_bits": "16"})
    first = _director_settings.plan(director(), asked, purge=True)
    assert sets(first) == ["sysctl -w net.ipv4.vs.conntrack=1", "sysctl -w net.ipv4.vs.drop_entry=1"]
    assert first.after.manifest.settings == {"net.ipv4.vs.conntrack": "0", "net.ipv4.vs.drop_entry": "0"}
    held = {"net.ipv4.vs.conntrack": "1", "net.ipv4.vs.drop_entry": "1", "net.ipv4.vs.sync_threshold": "3 50"}
    assert _director_settings.wanted(first.after, asked) == held

    flooded = dataclasses.replace(first.after, ipvs={**first.after.ipvs, "drop_entry": "2"})  # by the kernel itself
    assert _director_settings.plan(flooded, asked, purge=True).steps == ()

    fewer = Asked(ipvs={"conntrack": "1"})
    assert _director_settings.plan(flooded, fewer, purge=False).steps == ()
    purged = _director_settings.plan(flooded, fewer, purge=True)
    assert sets(purged) == ["sysctl -w net.ipv4.vs.drop_entry=0"]
    gone = _director_settings.plan(purged.after, Asked(), purge=True)
    assert sets(gone) == ["sysctl -w net.ipv4.vs.conntrack=0"]
    assert gone.after.ipvs == FOUND and gone.after.manifest.empty


def test_a_size_of_the_table_that_waits_is_told():
    assert _ipvs_settings.not_yet({"conn_tab_bits": "16"}, FOUND) == [
        "conn_tab_bits is 12: 16 takes effect when ip_vs is loaded again, as a reboot does it."
    ]
    assert _ipvs_settings.not_yet({"conn_tab_bits": "12"}, FOUND) == []


@pytest.mark.parametrize(
    ("said", "meant"), [("010", "10"), (True, "1"), (" 03  050\n", "3 50"), ("0-3,6", "0-3,6"), (-8, "-8")]
)
def test_what_is_said_is_what_the_kernel_gets(said, meant):
    assert _ipvs_settings.normal(said) == meant
