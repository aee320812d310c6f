# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Reads a host from the kernel and the manifest, and does the steps of a plan there."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _forwarding,
    _fou,
    _manager_commands,
    _managers,
    _manifest,
    _neighbours,
    _nft_host,
    _rtnl,
    _sysctl,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._arp import ANNOUNCE, IGNORE, Arp
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import (
    AddAddress,
    AddRoute,
    Announce,
    Host,
    Record,
    RemoveAddress,
    RemoveFile,
    RemoveRoute,
    SetSetting,
    Step,
    Tell,
    WriteFile,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._rp_filter import RP_FILTER
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnel_steps import (
    AddDevice,
    AddListener,
    FlushDevice,
    LoadModule,
    RemoveDevice,
    RemoveListener,
    SetDevice,
)


def read() -> Host:
    """The host as it is now. Standard library only; changes nothing and loads nothing."""
    links = _rtnl.links()
    interfaces = _sysctl.interfaces()
    promoting = {name for name in interfaces if _setting(name, "promote_secondaries")}
    return Host(
        links=links,
        addresses=_rtnl.addresses(links),
        routes=_rtnl.host_routes(links),
        arp={name: Arp(_setting(name, IGNORE), _setting(name, ANNOUNCE)) for name in interfaces},
        forwarding=_forwarding_now(interfaces),
        promoting=frozenset(interfaces if "all" in promoting else promoting),
        without_ipv6=frozenset(name for name in links if not _takes_ipv6(name)),
        manifest=_manifest.load(),
        ipvs=_sysctl.of_ipvs(),
        rp_filter={name: _setting(name, RP_FILTER) for name in interfaces},
        listeners=_fou.read(),
        managers=_managers.read({name: link.index for name, link in links.items()}),
        sourced=_managers.sources_interfaces_d(),
        files=_manager_commands.texts(),
        silenced=_nft_host.silenced(),
    )


def apply(steps: t.Sequence[Step], host: Host) -> None:
    """Do the steps in order. The first that fails ends the work; the error's details tell what is done."""
    if not steps:
        return
    done: list[str] = []
    with _rtnl.Writer() as writer:
        for step in steps:
            try:
                _do(step, host, writer)
            except LvsError as exc:
                exc.details["applied"] = done
                raise
            done.append(str(step))


def _do(step: Step, host: Host, writer: _rtnl.Writer) -> None:
    if isinstance(step, Record):
        _manifest.save(step.manifest)
    elif isinstance(step, SetSetting):
        _sysctl.write(step.name, step.value)
    elif isinstance(step, AddAddress):
        writer.add_address(step.address, _link(host, step.address.interface))
    elif isinstance(step, RemoveAddress):
        writer.remove_address(step.address, host.links[step.address.interface])
    elif isinstance(step, AddRoute):
        writer.add_route(step.route, _link(host, step.route.interface))
    elif isinstance(step, RemoveRoute):
        writer.remove_route(step.route, host.links[step.route.interface])
    elif isinstance(step, Announce):
        _neighbours.announce(host.links[step.interface], step.addresses)
    elif isinstance(step, (WriteFile, RemoveFile, Tell)):
        _manager_commands.do(step)
    else:
        _do_tunnel(step, writer)


def _link(host: Host, name: str) -> _rtnl.Link:
    """An interface; one that an earlier step has made is not in what was read before."""
    return host.links[name] if name in host.links else _rtnl.links()[name]


def _do_tunnel(step: Step, writer: _rtnl.Writer) -> None:
    if isinstance(step, AddDevice):
        _rtnl.add_link(step.device.name, step.device.kind, step.device.options)
    elif isinstance(step, SetDevice):
        _rtnl.set_link(step.name, step.up)
    elif isinstance(step, FlushDevice):
        links = _rtnl.links()
        for address in _rtnl.addresses(links):
            if address.ipv6 and address.interface == step.name:
                writer.remove_address(address, links[step.name])
    elif isinstance(step, RemoveDevice):
        _rtnl.remove_link(step.name)
    elif isinstance(step, LoadModule):
        _fou.load()
    elif isinstance(step, AddListener):
        _fou.add(step.listener)
    elif isinstance(step, RemoveListener):
        _fou.remove(step.listener)


def _forwarding_now(interfaces: t.Iterable[str]) -> dict[str, str]:
    """A host may lack IPv6, or have lost an interface since."""
    values = {name: _sysctl.read(name) for name in _forwarding.names(interfaces)}
    return {name: value for name, value in values.items() if value is not None}


def _takes_ipv6(interface: str) -> bool:
    return _sysctl.read(f"net.ipv6.conf.{interface.replace('.', '/')}.disable_ipv6") == "0"


def _setting(interface: str, name: str) -> int:
    return int(_sysctl.read(_sysctl.per_interface(interface, name)) or 0)
