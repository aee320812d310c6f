# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kind of host is taken, and what is said where it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import container
import hosts
import pytest
import topology
from common import Trouble


@pytest.fixture
def machine(monkeypatch):
    """A machine that can do everything, unless it is told otherwise: machine(has_ipvs=lambda: False)."""

    def set_up(driver: str = "", **answers):
        can = {"is_root": lambda: True, "engine": lambda: ("podman",), "has_ipvs": lambda: True, **answers}
        for question, answer in can.items():
            monkeypatch.setattr(container, question, answer)
        monkeypatch.setenv("OPENLVS_LAB_DRIVER", driver)
        hosts.choice.cache_clear()

    yield set_up
    hosts.choice.cache_clear()


def kinds(tmp_path, monkeypatch) -> dict[str, str]:
    """What new hosts become."""
    monkeypatch.setattr("record.HOSTS", tmp_path)
    names = {kind: name for name, kind in hosts.KINDS.items()}
    return {name: names[hosts._kind(topology.find(name))] for name in (*topology.DEFAULT_HOSTS, "kernel", "nest")}


def test_containers_are_taken_only_where_they_can_do_everything(machine):
    machine()
    assert hosts.choice() == "container"
    for lacking in ({"is_root": lambda: False}, {"engine": lambda: ()}, {"has_ipvs": lambda: False}):
        machine(**lacking)
        assert hosts.choice() == "uml", lacking


def test_modules_are_loaded_only_for_an_engine_that_is_there(machine):
    def load():
        raise AssertionError("modules were loaded into a machine that has no engine")

    machine(engine=lambda: (), has_ipvs=load)
    assert hosts.choice() == "uml"


def test_either_kind_can_be_forced(machine, tmp_path, monkeypatch):
    machine("uml")
    assert set(kinds(tmp_path, monkeypatch).values()) == {"uml"}
    machine("container", has_ipvs=lambda: False)
    assert own_kernels(tmp_path, monkeypatch) == {"kernel", "nest"}
    machine("mixed")
    assert own_kernels(tmp_path, monkeypatch) == {"lvs1", "lvs2", "kernel", "nest"}


def own_kernels(tmp_path, monkeypatch) -> set[str]:
    return {name for name, kind in kinds(tmp_path, monkeypatch).items() if kind == "uml"}


def test_a_host_keeps_its_kind(machine, tmp_path, monkeypatch):
    (tmp_path / "rs1").mkdir()
    (tmp_path / "rs1" / "state.json").write_text('{"driver": "container"}')
    machine("uml")
    assert {name for name, kind in kinds(tmp_path, monkeypatch).items() if kind == "container"} == {"rs1"}


def test_an_unknown_driver_is_refused(machine):
    machine("vagrant")
    with pytest.raises(Trouble, match="vagrant; it can be auto, uml, container or mixed"):
        hosts.choice()


def test_what_containers_lack_is_said(machine):
    rs1, lvs1 = topology.find("rs1"), topology.find("lvs1")
    machine("container", has_ipvs=lambda: False)
    container.check([rs1])
    with pytest.raises(Trouble, match=r"^lvs1 would be a container.* has no ip_vs .*OPENLVS_LAB_DRIVER=mixed"):
        container.check([rs1, lvs1])
    machine("container", engine=lambda: ())
    with pytest.raises(Trouble, match=r"neither podman nor a docker.*install-tools --containers"):
        container.check([rs1])
    machine("container", is_root=lambda: False)
    with pytest.raises(Trouble, match=r"machine's root.*OPENLVS_LAB_DRIVER=uml"):
        container.check([rs1])


@pytest.mark.skipif(os.getuid() != 0, reason="containers need root, and nobody else makes a network namespace")
def test_the_probe_knows_a_kernel_without_ip_vs():
    """/proc/net/ip_vs is there exactly when ip_vs is; asking is the sure way, since it may only need to be loaded."""
    assert container.has_ipvs() == Path("/proc/net/ip_vs").exists()


def test_the_root_of_a_user_namespace_is_not_the_machines(tmp_path, monkeypatch):
    monkeypatch.setattr(container.os, "geteuid", lambda: 0)
    monkeypatch.setattr(container, "ID_MAP", tmp_path / "uid_map")
    for ids, is_root in (("0 0 4294967295", True), ("0 1000 1", False)):
        container.ID_MAP.write_text(f"         {ids}\n")
        assert container.is_root() is is_root
