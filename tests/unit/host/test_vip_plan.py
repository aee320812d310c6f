# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From any host to any VIPs, killed anywhere: silent all the time, complete in the end, and back to where it was."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _arp, _vip, _vip_checks
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import AddAddress, Host, RemoveAddress, SetSetting
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR, REAL_SERVER, Manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._rtnl import Address, HostRoute
from ansible_collections.openlvs.lvs.plugins.module_utils._vip import Vip
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan
from hosts import done, host, same
from hypothesis import assume, given, settings
from hypothesis import strategies as st

NONE = Asked()
VIPS4, VIPS6 = ["192.0.2.10", "192.0.2.11", "192.0.2.12"], ["2001:db8::10", "2001:db8::11"]


class Run(t.NamedTuple):
    """One run of a module."""

    side: str
    vips: tuple[Vip, ...]
    state: str = "present"
    purge: bool = False
    asked: Asked = NONE
    killed: int | None = None


def plan(found: Host, run: Run) -> Plan:
    """As the module makes it."""
    if run.state == "absent":
        return _vip.absent(found, [vip.address for vip in run.vips], run.side, run.asked)
    _vip_checks.check(found, run.vips, run.side, run.asked)
    return _vip.present(found, run.vips, run.side, run.asked, run.purge)


def vips(side: str) -> st.SearchStrategy[tuple[Vip, ...]]:
    """VIPs as a user may want them."""

    def ipv4(address: str) -> st.SearchStrategy[Vip]:
        devices = st.sampled_from(["lo", "dummy0"] if side == REAL_SERVER else ["eth0", "eth1"])
        prefixes = st.just(32) if side == REAL_SERVER else st.sampled_from([24, 32])
        return st.builds(Vip, st.just(address), devices, prefixes, st.none(), st.booleans())

    def ipv6(address: str) -> st.SearchStrategy[Vip]:
        devices = st.sampled_from(["lo", "dummy0"] if side == REAL_SERVER else ["eth0"])
        return st.builds(Vip, st.just(address), devices, st.just(128))

    mine = slice(0, 2) if side == REAL_SERVER else slice(2, 3)
    chosen = st.lists(st.sampled_from(VIPS4[mine] + VIPS6[:1] * (side == REAL_SERVER)), unique=True)
    return chosen.flatmap(lambda found: st.tuples(*(ipv6(each) if ":" in each else ipv4(each) for each in found)))


def runs(side: str) -> st.SearchStrategy[Run]:
    """Runs, some of them killed after a number of steps."""
    asked = st.builds(Asked, st.sampled_from([(), ("eth0",), ("eth0", "eth1")] if side == REAL_SERVER else [()]))
    killed = st.one_of(st.none(), st.integers(0, 8))
    return st.builds(
        Run, st.just(side), vips(side), st.sampled_from(["present", "absent"]), st.booleans(), asked, killed
    )


values = st.tuples(st.integers(0, 9), st.integers(0, 3))
hosts = st.builds(
    lambda everywhere, eth0, eth1, foreign: host(*foreign, arp={"all": everywhere, "eth0": eth0, "eth1": eth1}),
    values,
    values,
    values,
    st.lists(
        st.sampled_from(
            [Address("198.51.100.1", 32, "lo", label="lo:0"), Address("198.51.100.2", 24, "eth0", label="eth0:0")]
        ),
        unique=True,
    ),
)
histories = st.lists(st.one_of(runs(REAL_SERVER), runs(DIRECTOR)), max_size=5)


def heard(found: Host) -> set[str]:
    """The VIPs of the real-server side of which a neighbour can learn."""
    loud = _arp.audible(found.arp, found.nics)
    return {
        each.address
        for each in found.addresses
        if each.address in VIPS4[:2] and (loud or not found.links[each.interface].silent)
    }


def after(found: Host, history: t.Iterable[Run]) -> Host:
    """The host after these runs; what no step may bring about is looked for on the way."""
    for run in history:
        try:
            planned = plan(found, run)
        except OptionError:
            continue  # refused, nothing done
        assert same(done(found, planned.steps), planned.after)
        for step in planned.steps[: run.killed]:
            found = step.done(found)
            assert not heard(found), f"{step} in {run}"
            standing = {each.address for each in found.addresses if each.address in VIPS4 + VIPS6}
            assert standing <= set(found.manifest.vips), f"{step} in {run}: a VIP that nobody has recorded"
    return found


@settings(max_examples=200, deadline=None)
@given(hosts, histories, runs(REAL_SERVER))
def test_whatever_was_killed_before_the_next_run_completes(start: Host, history: list[Run], last: Run) -> None:
    found = after(start, history)
    last = last._replace(state="present", killed=None)
    try:
        end = plan(found, last).after
    except OptionError:
        assume(False)
    again = plan(end, last)
    assert again.steps == () and again.after == end
    for vip in last.vips:
        [stands] = end.standing(vip.address)
        assert (stands.interface, stands.prefix) == (vip.interface, vip.prefix)
        route = HostRoute(vip.address, vip.interface)
        assert end.routes_to(vip.address) == ([route] if vip.host_route and not vip.ipv6 else [])
    if any(not vip.ipv6 for vip in last.vips):
        assert _arp.audible(end.arp, end.nics) == []


@settings(max_examples=200, deadline=None)
@given(hosts, histories)
def test_in_the_end_everything_is_as_it_was(start: Host, history: list[Run]) -> None:
    found = after(start, history)
    for side in (REAL_SERVER, DIRECTOR):
        planned = plan(found, Run(side, (), purge=True))
        assert not planned.warnings
        found = planned.after
    assert same(found, start)


@settings(max_examples=100, deadline=None)
@given(hosts, histories)
def test_addresses_of_others_are_never_touched(start: Host, history: list[Run]) -> None:
    found = start
    for run in history:
        try:
            planned = plan(found, run)
        except OptionError:
            continue
        for step in planned.steps:
            if isinstance(step, (AddAddress, RemoveAddress)):
                assert step.address not in start.addresses
        found = done(found, planned.steps[: run.killed])


@settings(max_examples=100, deadline=None)
@given(hosts, runs(REAL_SERVER))
def test_silence_comes_first_and_goes_last(start: Host, run: Run) -> None:
    try:
        arrival = plan(start, run._replace(state="present", killed=None))
    except OptionError:
        assume(False)
    leave = plan(arrival.after, Run(REAL_SERVER, (), purge=True))
    kinds = [type(step) for step in arrival.steps if isinstance(step, (SetSetting, AddAddress))]
    assert kinds == sorted(kinds, key=[SetSetting, AddAddress].index)
    kinds = [type(step) for step in leave.steps if isinstance(step, (SetSetting, RemoveAddress))]
    assert kinds == sorted(kinds, key=[RemoveAddress, SetSetting].index)


# ---- single cases


def put(found: Host, *wanted: Vip, **options: t.Any) -> Plan:
    return _vip.present(found, wanted, REAL_SERVER, options.pop("asked", NONE), **options)


def test_the_steps_of_the_first_run() -> None:
    steps = put(host(), Vip("192.0.2.10", "lo", 32), Vip("2001:db8::10", "lo", 128)).steps
    assert [str(step) for step in steps] == [
        "# record: 192.0.2.10 is ours, 2001:db8::10 is ours, net.ipv4.conf.all.arp_ignore was 0, "
        "net.ipv4.conf.all.arp_announce was 0",
        "sysctl -w net.ipv4.conf.all.arp_ignore=1",
        "sysctl -w net.ipv4.conf.all.arp_announce=2",
        "ip address add 192.0.2.10/32 broadcast 192.0.2.10 dev lo label lo:0",
        "ip route add 192.0.2.10 dev lo scope link",
        "ip address add 2001:db8::10/128 dev lo nodad",
    ]


def test_the_steps_of_the_last_run() -> None:
    there = put(host(), Vip("192.0.2.10", "lo", 32)).after
    assert [str(step) for step in put(there, purge=True).steps] == [
        "ip route del 192.0.2.10 dev lo scope link",
        "ip address del 192.0.2.10/32 dev lo",
        "sysctl -w net.ipv4.conf.all.arp_ignore=0",
        "sysctl -w net.ipv4.conf.all.arp_announce=0",
        "# record: 192.0.2.10 is no longer ours, net.ipv4.conf.all.arp_ignore is no longer ours, "
        "net.ipv4.conf.all.arp_announce is no longer ours",
    ]


def test_an_interface_that_is_gone_keeps_nothing_from_leaving() -> None:
    there = put(host(), Vip("192.0.2.10", "lo", 32), asked=Asked(("eth1",))).after
    arp = {name: value for name, value in there.arp.items() if name != "eth1"}
    left = put(dataclasses.replace(there, arp=arp), purge=True)
    assert left.after.manifest.empty and not left.warnings


def test_a_duplicate_address_is_put_anew() -> None:
    there = put(host(), Vip("2001:db8::10", "lo", 128)).after
    failed = [dataclasses.replace(each, dadfailed=each.address == "2001:db8::10") for each in there.addresses]
    steps = put(dataclasses.replace(there, addresses=tuple(failed)), Vip("2001:db8::10", "lo", 128)).steps
    assert [type(step) for step in steps] == [RemoveAddress, AddAddress]


def test_a_long_interface_name_leaves_no_room_for_a_label() -> None:
    links = {**host().links, "dummyinterface": dataclasses.replace(host().links["dummy0"], name="dummyinterface")}
    found = dataclasses.replace(host(), links=links)
    assert put(found, Vip("192.0.2.10", "dummyinterface", 32)).after.addresses[-1].label == "dummyinterface"


def test_a_director_announces_what_is_new_by_interface() -> None:
    wanted = [Vip("192.0.2.12", "eth1", 32), Vip("2001:db8::11", "eth0", 128)]
    steps = _vip.present(host(), wanted, DIRECTOR, NONE).steps
    assert [str(step) for step in steps[-3:]] == [
        "# announce on eth1: gratuitous ARP 192.0.2.12",
        "# announce on eth0: unsolicited NA 2001:db8::11",
        "# record: 192.0.2.12 has been announced, 2001:db8::11 has been announced",
    ]


def test_a_vip_that_moved_is_announced_again() -> None:
    there = _vip.present(host(), [Vip("192.0.2.12", "eth0", 32)], DIRECTOR, NONE).after
    steps = [str(step) for step in _vip.present(there, [Vip("192.0.2.12", "eth1", 32)], DIRECTOR, NONE).steps]
    assert steps == [
        "# record: 192.0.2.12 stands on eth1 with /32",
        "ip route del 192.0.2.12 dev eth0 scope link",
        "ip address add 192.0.2.12/32 broadcast 192.0.2.12 dev eth1 label eth1:0",
        "ip route add 192.0.2.12 dev eth1 scope link",
        "ip address del 192.0.2.12/32 dev eth0",
        "# announce on eth1: gratuitous ARP 192.0.2.12",
        "# record: 192.0.2.12 has been announced",
    ]


@pytest.mark.parametrize("now", ["2", "8"])
def test_a_setting_that_somebody_changed_since_stays_with_a_warning(now: str) -> None:
    there = put(host(), Vip("192.0.2.10", "lo", 32)).after
    changed = SetSetting("net.ipv4.conf.all.arp_ignore", now).done(there)
    left = put(changed, purge=True)
    assert left.after.setting("net.ipv4.conf.all.arp_ignore") == now
    assert left.warnings == (
        f"Setting net.ipv4.conf.all.arp_ignore: it stays at {now}, for somebody has changed it since: this collection "
        "had found 0 and set 1.",
    )


def test_a_manifest_with_another_owner_keeps_its_services() -> None:
    found = host(manifest=Manifest().with_services("web", ["tcp 192.0.2.10:80"]))
    there = put(found, Vip("192.0.2.10", "lo", 32)).after
    assert put(there, purge=True).after.manifest == found.manifest
