# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dummy devices that are made for VIPs: there before the VIP, gone after it, and only where they are ours."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _vip, _vip_checks
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address
from ansible_collections.openlvs.lvs.plugins.module_utils._vip import Vip
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan
from hosts import done, host

ON_LO, ON_DUMMY = Vip("192.0.2.10", "lo", 32), Vip("192.0.2.10", "dummy7", 32)


def there(**more: int) -> Host:
    """A host whose settings the kernel also has for devices yet to come."""
    found = host()
    return dataclasses.replace(found, rp_filter={"default": 0, **more})


def bring(found: Host, vip: Vip) -> Plan:
    _vip_checks.check(found, [vip], REAL_SERVER)
    return _vip.present(found, [vip], REAL_SERVER, Asked(), purge=True)


def leave(found: Host) -> Plan:
    return _vip.absent(found, [ON_DUMMY.address], REAL_SERVER, Asked())


def said(plan: Plan) -> list[str]:
    return [str(step) for step in plan.steps if not str(step).startswith("sysctl")]


def test_it_comes_before_the_vip_and_goes_after_it() -> None:
    first = bring(there(), ON_DUMMY)
    assert said(first)[0].endswith(", dummy7 is ours")
    assert said(first)[1:] == [
        "ip link add name dummy7 type dummy",
        "ip link set dev dummy7 up",
        "ip address add 192.0.2.10/32 broadcast 192.0.2.10 dev dummy7 label dummy7:0",
        "ip route add 192.0.2.10 dev dummy7 scope link",
    ]
    assert bring(first.after, ON_DUMMY).steps == ()
    last = leave(first.after)
    assert said(last)[:3] == [
        "ip route del 192.0.2.10 dev dummy7 scope link",
        "ip address del 192.0.2.10/32 dev dummy7",
        "ip link del dev dummy7",
    ]
    assert last.after.manifest.empty and "dummy7" not in last.after.links


def test_a_vip_moves_there_and_back_without_a_moment_on_neither() -> None:
    found = bring(there(), ON_LO).after
    for vip in (ON_DUMMY, ON_LO):
        plan = bring(found, vip)
        for step in plan.steps:
            found = step.done(found)
            assert found.standing(vip.address)
        assert found == plan.after
    assert "dummy7" not in found.links and not found.manifest.dummies


@pytest.mark.parametrize("number", range(9))
def test_wherever_a_run_is_killed_the_next_one_completes_it(number: int) -> None:
    whole = bring(there(), ON_DUMMY)
    assert bring(done(there(), whole.steps[:number]), ON_DUMMY).after.manifest == whole.after.manifest
    assert leave(done(there(), whole.steps[:number])).after.manifest.empty
    last = leave(whole.after)
    assert leave(done(whole.after, last.steps[:number])).after.manifest.empty


def test_one_that_somebody_else_uses_stays() -> None:
    found = bring(there(), ON_DUMMY).after
    theirs = dataclasses.replace(found, addresses=(*found.addresses, Address("198.51.100.9", 32, "dummy7")))
    last = leave(theirs)
    assert "dummy7" in last.after.links and last.after.manifest.empty
    assert last.warnings == ("Device dummy7: it stays, for 198.51.100.9/32 on dummy7 is not ours.",)


def test_one_of_ours_that_is_down_is_brought_up() -> None:
    found = bring(there(), ON_DUMMY).after
    down = dataclasses.replace(found.links["dummy7"], up=False)
    assert said(bring(dataclasses.replace(found, links={**found.links, "dummy7": down}), ON_DUMMY)) == [
        "ip link set dev dummy7 up"
    ]


def test_no_other_device_is_made() -> None:
    with pytest.raises(OptionError, match="there is no interface 'vip0'"):
        bring(there(), dataclasses.replace(ON_DUMMY, interface="vip0"))
    with pytest.raises(OptionError, match="there is no interface 'dummy7'"):
        _vip_checks.check(there(), [ON_DUMMY], DIRECTOR)
