#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_relay
short_description: Pass packets on to the director that had the VIPs
description:
  - Runs on a director that is about to take VIPs over from another one. Connections that the other one has begun are
    not known here, and would be refused. So while the VIPs move, this director sends whatever it does not know to the
    other one (V(sending)), which knows where it belongs; then new connections go to the real servers again, and the
    other one keeps what it has (V(ending)); in the end nothing goes there any more (V(ended)).
  - The services are those of keepalived or ldirectord that the manifest of this collection names. Services with
    masqueraded real servers, those that have one of the two directors among their real servers, and those whose VIP is
    here already, are left as they are.
  - What was there before is remembered in C(/run/openlvs/relay.json).
  - The playbook C(openlvs.lvs.failover) uses it.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
options:
  state:
    description: How much goes to the other director.
    type: str
    choices: [sending, ending, ended]
    required: true
  patience:
    description: For how many seconds to wait, if O(state=ended), for connections that are open.
    type: float
    default: 60
  to:
    description:
      - Addresses of the other director. For each family the first that is in a network of this host is taken.
      - Required if O(state=sending).
    type: list
    elements: str
requirements:
  - Root on the host.
  - The other director keeps its table, and has the VIPs on an interface, as M(openlvs.lvs.lvs_step_down) leaves it.
seealso:
  - module: openlvs.lvs.lvs_step_down
"""

EXAMPLES = r"""
- name: Send everything to the director that has the VIPs
  openlvs.lvs.lvs_relay:
    state: sending
    to: [198.51.100.2]

- name: Send new connections to the real servers
  openlvs.lvs.lvs_relay:
    state: ending

- name: Send nothing to the other director any more
  openlvs.lvs.lvs_relay:
    state: ended
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - sysctl -w net.ipv4.vs.sloppy_tcp=1
    - -a -t 192.0.2.10:80 -r 198.51.100.2:80 -g -w 1
    - -e -t 192.0.2.10:80 -r 198.51.100.11:80 -g -w 0
services:
  description: The services that are passed on.
  returned: success
  type: list
  elements: str
  sample: ["tcp 192.0.2.10:80"]
connections:
  description:
    - How many open connections went through the other director just before the changes. If O(state=ended), these are
      cut off.
  returned: success
  type: int
  sample: 3
applied:
  description: What of the changes was done before a step failed.
  returned: when the kernel refused a step
  type: list
  elements: str
findings:
  description: What cannot work with these options on this host. Nothing was changed.
  returned: when an option was refused
  type: list
  elements: str
"""

import contextlib
import dataclasses
import ipaddress
import json
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import (
    _files,
    _host_kernel,
    _keepalived_files,
    _ldirectord_files,
    _manifest,
    _moved,
    _relay,
    _sysctl,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import converge
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LibraryMissing, LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import Host
from ansible_collections.openlvs.lvs.plugins.module_utils._interpreter import start_again_with
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import plan
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey, canonical_address, family_of

PATH = "/run/openlvs/relay.json"
_LOOK = 0.5  # seconds
_OWNERS = (_keepalived_files.ENGINE.owner, _ldirectord_files.ENGINE.owner)
_TABLES = {"sending": _relay.sending, "ending": _relay.ending, "ended": _relay.ended}


def reachable(host: Host, addresses: t.Sequence[str]) -> dict[str, str]:
    """Family -> the first address that is a neighbour's, and none of the VIPs, which are about to come here."""
    found: dict[str, str] = {}
    findings = []
    for number, text in enumerate(addresses):
        address = canonical_address(text)
        if address is None:
            findings.append(f"to[{number}] {text!r}: it is neither an IPv4 nor an IPv6 address.")
        elif address not in host.manifest.moved and any(
            _near(address, own.address, own.prefix) for own in host.addresses if not own.alone
        ):
            found.setdefault(family_of(address), address)
    if not findings and not found:
        findings.append(
            f"to {', '.join(addresses)}: none of them is in a network of this host, so packets cannot go there."
        )
    if findings:
        raise OptionError(findings)
    return found


def _near(address: str, own: str, prefix: int) -> bool:
    wanted = ipaddress.ip_address(address)
    network = ipaddress.ip_interface(f"{own}/{prefix}").network
    return wanted.version == network.version and wanted in network and address != own


def remembered() -> _relay.Relay | None:
    """What an earlier run has found."""
    text = _files.read(PATH)
    return _relay.Relay(**json.loads(text)) if text else None


def change(state: str, to: t.Sequence[str], check_mode: bool) -> dict[str, t.Any]:
    """Bring the table and the settings to this state; the module's result."""
    access, host = Ipvs(), _host_kernel.read()
    relay = remembered()
    if state == "sending" and not (relay and _entries(access, relay)):
        # nothing was begun, or somebody has mended the table since
        named = [ServiceKey.parse(name) for owner in _OWNERS for name in host.manifest.services.get(owner, ())]
        keys = _relay.elsewhere(named, [one.address for one in _moved.held(host)])
        found = {name: host.ipvs[name] for name in _relay.SETTINGS if name in host.ipvs}
        own = [one.address for one in host.addresses]
        relay = _relay.begin(access.read(), keys, reachable(host, to), own, relay.settings if relay else found)
        if not check_mode:
            os.makedirs(os.path.dirname(PATH), mode=0o755, exist_ok=True)
            _files.write(PATH, json.dumps(dataclasses.asdict(relay)), 0o600)
    if relay is None:
        return {"changed": False, "changes": [], "services": [], "connections": 0}
    connections = sum(_entries(access, relay))
    settings = _relay.SETTINGS if state == "sending" else relay.settings
    writes = {name: value for name, value in settings.items() if host.ipvs.get(name, value) != value}
    if not check_mode:
        for name, value in writes.items():
            _sysctl.write(f"net.ipv4.vs.{name}", value)
    outcome = converge(
        access,
        lambda have: plan(have, _TABLES[state](have, relay), purge_real_servers=state == "ended"),
        check_mode,
    )
    if state == "ended" and not check_mode:
        _files.remove(PATH)
    return {
        "changed": bool(writes or outcome.steps or state == "ended"),
        "changes": [*(f"sysctl -w net.ipv4.vs.{name}={value}" for name, value in writes.items()), *outcome.changes],
        "services": list(relay.relays),
        "connections": connections,
        "diff": outcome.diff,
    }


def wait(patience: float) -> None:
    """Until no connection is open through the other director, or for so many seconds."""
    relay, end = remembered(), time.monotonic() + patience
    while relay is not None and any(_entries(Ipvs(), relay)) and time.monotonic() < end:
        time.sleep(_LOOK)


def _entries(access: Ipvs, relay: _relay.Relay) -> list[int]:
    """How many connections each entry of the other director has."""
    return [
        counted["active_connections"]
        for one in access.observe(lambda key: str(key) in relay.relays)
        for server, counted, _stats in one.servers
        if _relay.is_relay(relay, one.service.key, server)
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(_TABLES), "required": True},
            "patience": {"type": "float", "default": 60},
            "to": {"type": "list", "elements": "str"},
        },
        required_if=[("state", "sending", ("to",))],
        supports_check_mode=True,
    )
    try:
        if module.params["state"] == "ended" and not module.check_mode:
            wait(module.params["patience"])
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            result = change(module.params["state"], module.params["to"] or [], module.check_mode)
    except LibraryMissing as exc:
        start_again_with("pyroute2")
        module.fail_json(msg=str(exc), **exc.details)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    if not module._diff:
        result.pop("diff", None)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
