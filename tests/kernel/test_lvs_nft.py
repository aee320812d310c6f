# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_nft on a real kernel, judged by what nft shows and by what somebody else's counters see of real packets."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import guest
import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _nft_host
from segment import Segment

BOOT, LISTING = Path("/etc/openlvs/director.nft"), Path("/var/lib/openlvs/director.nft.listing")
MARKS = [{"mark": 3, "addresses": ["192.0.2.1", "2001:db8::1"], "ports": ["80", "8000-8010"]}]
OTHER = [{**MARKS[0], "ports": ["81"]}]
SOMEBODYS = """
table inet theirs {
  set known { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 } }
  chain input { type filter hook input priority filter; policy accept; ip saddr @known drop; }
  chain marked { type filter hook prerouting priority 0; %s }
}
table ip nat {
  chain postrouting { type nat hook postrouting priority srcnat; ip daddr 10.9.9.9 masquerade; }
}
"""
COUNTERS = "meta mark 3 counter comment one; meta mark 0 tcp flags syn counter comment none;"


@pytest.fixture(name="theirs")
def fixture_theirs(host):
    """Somebody else's rules; theirs() tells how they stand now."""
    guest.sh(f"nft -f - <<'EOF'\n{SOMEBODYS % COUNTERS}\nEOF")
    guest.sh("iptables-legacy -t mangle -A PREROUTING -p tcp --dport 81 -j MARK --set-mark 0")
    guest.sh("iptables-legacy -A INPUT -s 203.0.113.9 -j DROP")
    legacy = "iptables-legacy-save | grep ^-"
    return lambda: guest.sh(f"nft -s list table inet theirs && nft -s list table ip nat && {legacy}")


@pytest.fixture(name="apply")
def fixture_apply(run_module):
    """apply(marks) -> the result of a run that must not fail."""

    def apply(marks, check=False):
        result = run_module("lvs_nft", {"table": "director", "marks": marks}, check=check)
        assert not result.get("failed"), result["msg"]
        return result

    return apply


def ours() -> str:
    return guest.sh("nft -s list table inet openlvs_director", check=False)


def ruleset() -> str:
    return guest.sh("nft -s list ruleset")


def counted(which: str) -> int:
    match = re.search(rf'packets (\d+) bytes \d+ comment "?{which}"?', guest.sh("nft list table inet theirs"))
    assert match
    return int(match[1])


def test_what_goes_to_the_ports_is_marked_and_nothing_else(theirs, apply):
    segment = Segment()
    segment.neighbour("client", 2)
    apply(MARKS)
    for address, port, column in [
        ("192.0.2.1", 80, "one"),
        ("192.0.2.1", 8005, "one"),
        ("[2001:db8::1]", 8010, "one"),
        ("192.0.2.1", 81, "none"),
        ("[2001:db8::1]", 7999, "none"),
    ]:
        before = {which: counted(which) for which in ("one", "none")}
        segment.ask("client", f"curl -s -m 2 http://{address}:{port}/", check=False)
        after = {which: counted(which) - before[which] for which in before}
        assert after == {"one": int(column == "one"), "none": int(column == "none")}, (address, port)


def test_check_mode_says_it_and_does_nothing(theirs, apply):
    before = ruleset()
    checked = apply(MARKS, check=True)
    assert ruleset() == before and not BOOT.exists() and not LISTING.exists()
    result = apply(MARKS)
    assert (checked["changed"], checked["changes"], checked["diff"]) == (True, result["changes"], result["diff"])
    assert result["diff"][0]["after"] == BOOT.read_text() and result["file"] == str(BOOT)
    assert apply(MARKS)["changed"] is False


def test_others_rules_stay_and_ours_leave_no_trace(theirs, apply):
    before = theirs(), ruleset()
    for marks in (MARKS, OTHER, []):
        apply(marks)
        assert theirs() == before[0]
    assert ruleset() == before[1]
    assert not BOOT.exists() and not LISTING.exists()
    assert apply([])["changed"] is False


def test_rules_are_replaced(apply):
    apply(MARKS)
    result = apply(OTHER)
    assert result["changed"] and "81" in ours() and "8000" not in ours()
    assert "8000" in result["diff"][0]["before"] and "8000" not in result["diff"][0]["after"]


@pytest.mark.parametrize(
    "change",
    [
        "add rule inet openlvs_director marks tcp dport 22 drop",
        "flush chain inet openlvs_director marks",
        "add chain inet openlvs_director more",
        "delete table inet openlvs_director",
        "flush ruleset",
    ],
)
def test_what_others_did_to_the_table_is_mended(apply, change):
    apply(MARKS)
    before = ours()
    guest.sh(f"nft '{change}'")
    changed = ours()
    result = apply(MARKS, check=True)
    assert result["changed"] and ours() == changed
    assert [(diff["before"], diff["after"]) for diff in result["diff"]] == [(changed, before)]
    assert apply(MARKS)["changed"] and ours() == before
    assert apply(MARKS)["changed"] is False


def test_packets_that_are_counted_are_no_change(apply):
    apply(MARKS)
    guest.sh("nft add counter inet openlvs_director seen", check=True)
    assert apply(MARKS)["changed"]
    assert apply(MARKS)["changed"] is False


def test_the_file_brings_them_back(theirs, apply):
    apply(MARKS)
    before = ours()
    guest.sh(f"nft flush ruleset; nft -f {BOOT}; nft -f {BOOT}")
    assert ours() == before
    assert BOOT.stat().st_mode & 0o777 == 0o600


def test_what_is_refused_changes_nothing(theirs, apply, run_module):
    apply(MARKS)
    before = ruleset(), BOOT.read_text()
    wrong = [{**MARKS[0], "ports": ["80 } drop"]}]
    result = run_module("lvs_nft", {"table": "director", "marks": wrong})
    assert result["findings"] == [
        "marks[0]: ports has '80 } drop'; it may have ports from 1 to 65535 and ranges such as 8000-8010"
    ]
    assert (ruleset(), BOOT.read_text()) == before and apply(MARKS)["changed"] is False


def test_what_nft_refuses_changes_nothing(theirs, apply, run_module, monkeypatch):
    apply(MARKS)
    before = ruleset(), BOOT.read_text()
    monkeypatch.setattr(_nft_host, "transaction", lambda found, text: text + "add rule inet openlvs_director none drop")
    result = run_module("lvs_nft", {"table": "director", "marks": OTHER})
    assert result["failed"] and "Table openlvs_director: 'nft -c -f -' failed: " in result["msg"]
    with monkeypatch.context() as patch:
        patch.setattr(_nft_host.Nft, "judge", lambda *_: None)
        result = run_module("lvs_nft", {"table": "director", "marks": OTHER})
    assert result["failed"] and (ruleset(), BOOT.read_text()) == before


def test_a_host_without_nft_says_so(apply, run_module, monkeypatch):
    monkeypatch.setattr(_nft_host.shutil, "which", lambda *_args, **_options: None)
    assert apply([])["changed"] is False
    checked = apply(MARKS, check=True)
    assert checked["changed"] and "There is no command nft on this host yet" in str(checked["warnings"])
    result = run_module("lvs_nft", {"table": "director", "marks": MARKS})
    assert result["msg"].endswith("there is no command nft on this host. Install the package nftables.")


def dying(act, left):
    """An act before which the process is killed when none is left."""

    def wrapped(*args):
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return act(*args)

    return wrapped


@pytest.mark.parametrize(("before", "after"), [([], MARKS), (MARKS, OTHER), (MARKS, [])])
def test_a_run_that_is_killed_is_completed_by_the_next(theirs, apply, monkeypatch, before, after):
    apply(after)
    wanted, clean = ruleset(), theirs()
    acts = [(_files, "write"), (_files, "remove"), (_nft_host.Nft, "load")]
    steps = 0
    while True:
        apply(before)
        left = [steps]

        with monkeypatch.context() as patch:
            for place, name in acts:
                patch.setattr(place, name, dying(getattr(place, name), left))
            try:
                apply(after)
            except AssertionError as error:
                assert "gave no result" in str(error)
            else:
                break
        apply(after)
        assert (ruleset(), theirs()) == (wanted, clean), f"killed after {steps} steps"
        assert BOOT.exists() == LISTING.exists() == bool(after)
        assert apply(after)["changed"] is False
        steps += 1
    assert steps > 3
