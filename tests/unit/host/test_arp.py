# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _arp, _sysctl
from ansible_collections.openlvs.lvs.plugins.module_utils._arp import Arp
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from hypothesis import given
from hypothesis import strategies as st

NICS = ["eth0", "eth0.7"]
confs = st.fixed_dictionaries(dict.fromkeys(["all", *NICS], st.builds(Arp, st.integers(0, 9), st.integers(0, 3))))


def conf(everywhere: tuple[int, int], eth0: tuple[int, int] = (0, 0)) -> dict[str, Arp]:
    return {"all": Arp(*everywhere), "eth0": Arp(*eth0), "eth0.7": Arp(0, 0)}


@pytest.mark.parametrize(
    ("everywhere", "eth0", "writes"),
    [
        ((0, 0), (0, 0), {"all.arp_ignore": "1", "all.arp_announce": "2"}),
        ((1, 2), (0, 0), {}),
        ((2, 2), (0, 0), {}),
        ((8, 2), (0, 0), {}),
        ((3, 2), (0, 0), {"all.arp_ignore": "1"}),
        ((0, 0), (1, 2), {"all.arp_ignore": "1", "all.arp_announce": "2"}),
        ((1, 2), (3, 0), {"eth0.arp_ignore": "1"}),
        ((8, 2), (3, 0), {}),
        ((1, 2), (2, 0), {}),
        ((1, 1), (0, 2), {"all.arp_announce": "2"}),
        ((1, 2), (0, 3), {"eth0.arp_announce": "2"}),
    ],
)
def test_only_what_is_not_silent_is_written(
    everywhere: tuple[int, int], eth0: tuple[int, int], writes: dict[str, str]
) -> None:
    expected = {f"net.ipv4.conf.{name}": value for name, value in writes.items()}
    assert _arp.needed(conf(everywhere, eth0), [], NICS) == expected


def test_a_listed_interface_is_silent_by_itself() -> None:
    assert _arp.needed(conf((1, 2), (2, 0)), NICS, NICS) == {
        "net.ipv4.conf.eth0/7.arp_ignore": "1",
        "net.ipv4.conf.eth0.arp_announce": "2",
        "net.ipv4.conf.eth0/7.arp_announce": "2",
    }


@given(confs, st.lists(st.sampled_from(NICS), unique=True))
def test_what_is_needed_silences_and_is_needed_once(found: dict[str, Arp], listed: list[str]) -> None:
    after = dict(found)
    for name, value in _arp.needed(found, listed, NICS).items():
        _net, _ipv4, _conf, interface, setting = name.split(".")
        old = after[interface.replace("/", ".")]
        ignore = int(value) if setting == "arp_ignore" else old.arp_ignore
        announce = int(value) if setting == "arp_announce" else old.arp_announce
        after[interface.replace("/", ".")] = Arp(ignore, announce)
    assert _arp.audible(after, NICS) == []
    assert _arp.needed(after, listed, NICS) == {}


def test_audible_names_the_interfaces() -> None:
    assert _arp.audible(conf((0, 2), (1, 0)), NICS) == ["eth0.7"]
    assert _arp.audible(conf((1, 2), (5, 0)), NICS) == ["eth0"]
    assert _arp.audible(conf((0, 0)), []) == []


def test_settings_of_interfaces_with_dots_have_a_name_and_a_path() -> None:
    name = _sysctl.per_interface("eth0.7", "arp_ignore")
    assert name == "net.ipv4.conf.eth0/7.arp_ignore"
    assert _sysctl._path(name) == "/proc/sys/net/ipv4/conf/eth0.7/arp_ignore"
    assert _sysctl.read(_sysctl.per_interface("nowhere.7", "arp_ignore")) is None


@pytest.mark.parametrize(("number", "container"), [(errno.EROFS, True), (errno.EINVAL, False), (errno.EACCES, False)])
def test_a_container_is_blamed_only_where_nobody_may_write(monkeypatch, number: int, container: bool) -> None:
    def refuse(*_path: str, **_how: str) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(LvsError) as caught:
        _sysctl.write("net.ipv4.vs.est_cpulist", "9999")
    assert str(caught.value).startswith("Setting net.ipv4.vs.est_cpulist: cannot set it to 9999: ")
    assert ("container" in str(caught.value)) == container
