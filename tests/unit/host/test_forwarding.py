# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that begins to forward, and one that ends it."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _director_settings
from ansible_collections.openlvs.lvs.plugins.module_utils._director_settings import Asked
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host, SetSetting
from hosts import host

BOTH = Asked(ip_forward=True, ipv6_forward=True, no_redirects=("eth0",))


def plan(found: Host, asked: Asked = BOTH, purge: bool = True) -> t.Any:
    return _director_settings.plan(found, asked, purge)


def with_settings(**values: str) -> Host:
    """A host where some settings are not as usual; two underscores for a dot."""
    found = host()
    changed = {f"net.{name.replace('__', '.')}": value for name, value in values.items()}
    return dataclasses.replace(found, forwarding={**found.forwarding, **changed})


def sets(planned: t.Any) -> list[str]:
    return [str(step).removeprefix("sysctl -w net.") for step in planned.steps if isinstance(step, SetSetting)]


def test_routers_are_listened_to_before_the_host_becomes_one():
    assert sets(plan(host())) == [
        "ipv4.conf.all.send_redirects=0",
        "ipv4.conf.eth0.send_redirects=0",
        *[f"ipv6.conf.{name}.accept_ra=2" for name in ("lo", "eth0", "eth1", "dummy0", "dummy1")],
        "ipv4.ip_forward=1",
        "ipv6.conf.all.forwarding=1",
    ]


@pytest.mark.parametrize(
    "found",
    [
        host(),
        with_settings(ipv4__conf__all__accept_redirects="0"),
        with_settings(ipv4__conf__eth1__forwarding="1", ipv6__conf__eth1__forwarding="1"),
        with_settings(ipv6__conf__eth0__accept_ra="0", ipv6__conf__default__forwarding="1"),
        with_settings(ipv4__ip_forward="1"),
    ],
    ids=["usual", "deaf to redirects", "one interface forwards", "deaf to routers", "forwards already"],
)
def test_all_is_as_it_was_in_the_end(found: Host):
    there = plan(found)
    assert plan(there.after).steps == ()
    assert plan(there.after, Asked(), purge=False).steps == ()
    back = plan(there.after, Asked())
    assert back.after == found and not back.warnings


def test_what_the_kernel_turned_along_stays_turned_while_it_forwards():
    there = plan(with_settings(ipv4__conf__all__accept_redirects="0")).after
    fewer = plan(there, Asked(ip_forward=True))
    assert fewer.after.manifest.settings == {"net.ipv4.conf.all.accept_redirects": "0", "net.ipv4.ip_forward": "0"}


def test_forwarding_that_somebody_ended_meanwhile_is_not_begun_again():
    there = plan(host(), Asked(ip_forward=True)).after
    ended = SetSetting("net.ipv4.ip_forward", "0").done(there)
    assert plan(ended, Asked()).after.manifest.empty


def test_interfaces_and_families_that_are_not_there_are_refused():
    forwarding = {name: value for name, value in host().forwarding.items() if not name.startswith("net.ipv6.")}
    found = dataclasses.replace(host(), forwarding=forwarding)
    with pytest.raises(OptionError) as caught:
        _director_settings.check(found, Asked(ipv6_forward=True, no_redirects=("eth9",)), "6.1.0")
    assert caught.value.findings == [
        "no_redirects 'eth9': there is no such interface on this host; there are lo, eth0, eth1, dummy0, dummy1.",
        "ipv6_forward: this kernel has no IPv6. Turn it on, or leave IPv6 VIPs out.",
    ]
