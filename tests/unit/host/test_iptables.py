# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marks by iptables: values in, text out; refused where somebody would flush them unheard."""

from __future__ import annotations

import shutil
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _iptables
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError

WEB: dict[str, t.Any] = {"mark": 3, "addresses": ["192.0.2.10", "2001:db8::10"], "ports": ["80"], "protocol": "tcp"}


@pytest.mark.parametrize(("version", "address"), [(4, "192.0.2.10/32"), (6, "2001:db8::10/128")])
def test_a_chain_of_each_family(version: int, address: str) -> None:
    assert _iptables.render([{**WEB, "ports": ["80", "8000-8010"]}], version).splitlines()[1:] == [
        "*mangle",
        ":OPENLVS - [0:0]",
        f"-A OPENLVS -d {address} -p tcp -m multiport --dports 80,8000:8010 -j MARK --set-xmark 0x3/0xffffffff",
        "COMMIT",
    ]
    assert _iptables.render([{**WEB, "addresses": []}], version) == ""


def test_a_rule_takes_fifteen_ports_and_a_range_is_two() -> None:
    ports = [*map(str, range(1, 15)), "20-30", "40"]
    rules = [line for line in _iptables.render([{**WEB, "ports": ports}], 4).splitlines() if line.startswith("-A")]
    assert [rule.split("--dports ")[1].split()[0] for rule in rules] == [",".join(ports[:14]), "20:30,40"]


def test_marks_that_firewalld_would_flush_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def running(words: t.Sequence[str], text: str) -> tuple[int, str, str]:
        asked.append(" ".join(words))
        return 0, "", ""

    monkeypatch.setattr(shutil, "which", lambda *_words, **_options: "/usr/bin/systemctl")
    with pytest.raises(OptionError, match=r"firewalld runs on this host.* lvs_marks_by: nftables"):
        _iptables.run([WEB], check_mode=True, execute=running)
    assert asked == ["systemctl is-active --quiet firewalld"]
