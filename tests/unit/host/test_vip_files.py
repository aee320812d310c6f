# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of network managers on the way of VIPs: when they come, when they go, and what is told to whom."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _vip, _vip_checks, _vip_files
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import Managed
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._vip import Plan, Vip
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from hosts import done, host

LAN = "/etc/systemd/network/10-lan.network"
DROP_IN = f"{LAN}.d/openlvs-director.conf"
STANZA = "/etc/network/interfaces.d/openlvs-director-eth0"
ONE, TWO = Vip("192.0.2.10", "eth0", 32), Vip("192.0.2.11", "eth0", 32, host_route=False)


def managed(manager: str = "networkd", **more: bool) -> Host:
    owner = Managed(manager, LAN, network=LAN, **more)
    return dataclasses.replace(host(), managers={"eth0": owner})


def bring(found: Host, *vips: Vip, writer: str = "auto", purge: bool = True) -> Plan:
    asked = Asked(writer=writer)
    _vip_checks.check(found, vips, DIRECTOR, asked)
    return _vip.present(found, vips, DIRECTOR, asked, purge=purge)


def steps(plan: Plan) -> list[str]:
    return [str(step) for step in plan.steps]


def test_the_file_follows_the_vip_and_its_manager_is_told() -> None:
    first = bring(managed(), ONE)
    assert steps(first)[-5:] == [
        "# record: 192.0.2.10 has been announced",
        f"# record: {DROP_IN} is ours",
        f"# write {DROP_IN}",
        "networkctl reload",
        f"# record: {DROP_IN} has been read",
    ]
    assert bring(first.after, ONE).steps == ()
    assert _vip_files.told(_vip.places(first.after, DIRECTOR, first.after.manifest.vips), "auto") == [
        {"interface": "eth0", "writer": "networkd", "owner": LAN, "files": [DROP_IN]}
    ]


def test_a_vip_goes_from_the_file_before_it_goes_from_the_kernel() -> None:
    there = bring(managed(), ONE, TWO).after
    assert steps(bring(there, ONE)) == [
        f"# record: {DROP_IN} has to be read",
        f"# write {DROP_IN}",
        "ip address del 192.0.2.11/32 dev eth0",
        "networkctl reload",
        f"# record: 192.0.2.11 is no longer ours, {DROP_IN} has been read",
    ]
    last = _vip.absent(there, [ONE.address, TWO.address], DIRECTOR, Asked())
    said = steps(last)
    write, reload, remove = (said.index(one) for one in (f"# write {DROP_IN}", "networkctl reload", f"rm {DROP_IN}"))
    gone = [number for number, one in enumerate(said) if one.startswith("ip address del")]
    assert write < min(gone) <= max(gone) < reload < remove
    assert last.after.files == {} and last.after.manifest.empty


def test_a_file_without_a_reader_just_comes_and_goes() -> None:
    first = bring(managed("ifupdown"), ONE)
    assert steps(first)[-2:] == [f"# record: {STANZA} is ours", f"# write {STANZA}"]
    said = steps(_vip.absent(first.after, [ONE.address], DIRECTOR, Asked()))
    assert said[0] == f"rm {STANZA}" and "ip address del" in said[2]


@pytest.mark.parametrize("number", range(12))
def test_wherever_a_run_is_killed_the_next_one_completes_it(number: int) -> None:
    whole = bring(managed(), ONE, TWO)
    rest = bring(done(managed(), whole.steps[:number]), ONE, TWO)
    assert (rest.after.files, rest.after.manifest) == (whole.after.files, whole.after.manifest)
    told = number > [str(step) for step in whole.steps].index("networkctl reload")
    assert told or "networkctl reload" in steps(rest)


@pytest.mark.parametrize("number", range(10))
def test_wherever_a_removal_is_killed_the_next_one_completes_it(number: int) -> None:
    there = bring(managed(), ONE, TWO).after
    whole = _vip.absent(there, [ONE.address, TWO.address], DIRECTOR, Asked())
    rest = bring(done(there, whole.steps[:number]))
    assert rest.after.files == {} and rest.after.manifest.empty


def test_another_writer_takes_over_and_the_vip_stays() -> None:
    there = bring(managed(), ONE).after
    said = steps(bring(there, ONE, writer="unit"))
    assert f"rm {DROP_IN}" in said
    assert "networkctl reload" not in said  # networkd would take the VIP with it


def test_a_manager_that_would_lease_an_address_anew_is_not_told() -> None:
    assert "networkctl reload" not in steps(bring(managed(leased=True), ONE))


def test_what_others_wrote_is_not_overwritten() -> None:
    theirs = dataclasses.replace(managed(), files={DROP_IN: "[Network]\n"})
    with pytest.raises(OptionError, match=f"{DROP_IN} is there already, not put there by this collection"):
        bring(theirs, ONE)


def test_what_was_changed_is_written_again() -> None:
    there = bring(managed(), ONE).after
    spoilt = dataclasses.replace(there, files={DROP_IN: "[Network]\n"})
    assert f"# write {DROP_IN}" in steps(bring(spoilt, ONE))


def test_a_writer_that_cannot_is_a_finding() -> None:
    with pytest.raises(OptionError, match="writer networkd: VIPs on eth0: systemd-networkd does not look after eth0"):
        bring(host(), ONE, writer="networkd")


def test_one_address_back_without_a_label_is_no_change() -> None:
    vip = Vip("192.0.2.10", "lo", 32)
    there = _vip.present(host(), [vip], REAL_SERVER, Asked()).after
    plain = [
        dataclasses.replace(found, label="lo", broadcast=None) if found.address == vip.address else found
        for found in there.addresses
    ]
    back = dataclasses.replace(there, addresses=tuple(plain))
    assert _vip.present(back, [vip], REAL_SERVER, Asked()).steps == ()
    asked = dataclasses.replace(vip, label="lo:0")
    assert _vip.present(back, [asked], REAL_SERVER, Asked()).steps != ()
