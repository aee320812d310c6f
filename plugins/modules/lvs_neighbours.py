#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_neighbours
short_description: Manage a router's static neighbour entries for VIPs
description:
  - Several machines hold a VIP, its director and the real servers behind direct routing or tunnels. A router that asks
    who has it may be told by any of them that is not silent.
  - With a static entry the router does not ask. It sends what it routes to the VIP to the MAC of the entry, and neither
    ARP nor neighbour discovery changes that.
  - Run it on each router that is on the VIP's segment. Other hosts there, and routers that nobody manages, still ask.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host.
options:
  neighbours:
    description: The entries.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: The VIP, IPv4 or IPv6, without a prefix.
        type: str
        required: true
      interface:
        description: The router's interface on the VIP's segment.
        type: str
        required: true
      mac:
        description: The MAC of the director's interface on that segment.
        type: str
        required: true
  purge:
    description: Whether entries that this module has made and that are not listed go.
    type: bool
    default: false
notes:
  - An entry goes with its interface when that is taken down. The role C(openlvs.lvs.router) has it back after a reboot.
  - systemd-networkd takes away entries that it has not read of whenever it goes over an interface, and puts back those
    that it has. So where it looks after the interface, they stand in a drop-in of its file, too, and it is told at
    once. That has C(KeepConfiguration=static), unless somebody has set it, so that no address goes away meanwhile.
  - A static entry that was there before, to another MAC, comes back when ours goes.
  - The VIP does not move by itself any longer. When another director takes it, the entry has to follow.
seealso:
  - module: openlvs.lvs.lvs_rs_arp
  - name: ip-neighbour(8)
    description: The manual of the command that does the same by hand.
    link: https://man7.org/linux/man-pages/man8/ip-neighbour.8.html
"""

EXAMPLES = r"""
- name: Send requests for the VIP to the director, whoever answers ARP
  openlvs.lvs.lvs_neighbours:
    neighbours:
      - address: 192.0.2.10
        interface: eth0
        mac: 02:00:5e:10:00:0b

- name: These and no others
  openlvs.lvs.lvs_neighbours:
    neighbours:
      - address: 192.0.2.10
        interface: eth0
        mac: 02:00:5e:10:00:0c
      - address: 2001:db8::10
        interface: eth0
        mac: 02:00:5e:10:00:0c
    purge: true

- name: Ask the neighbours again
  openlvs.lvs.lvs_neighbours:
    neighbours: []
    purge: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample: [ip neighbour replace 192.0.2.10 lladdr 02:00:5e:10:00:0b dev eth0 nud permanent]
neighbours:
  description: Every entry of ours afterwards.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The VIP.
      type: str
      sample: 192.0.2.10
    interface:
      description: The interface.
      type: str
      sample: eth0
    mac:
      description: Where packets go; null for an entry of ours that is not listed and that somebody has removed.
      type: str
      sample: 02:00:5e:10:00:0b
files:
  description: The files by which systemd-networkd knows of them.
  returned: success
  type: list
  elements: str
  sample: [/etc/systemd/network/10-lan.network.d/openlvs-router.conf]
applied:
  description: What of the changes was done before the kernel refused one. The next run completes the rest.
  returned: when the kernel refused a step
  type: list
  elements: str
findings:
  description: Everything that cannot work with these options. Nothing was changed.
  returned: when an option was refused
  type: list
  elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._static_neighbours_run import run


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    entry = {name: {"type": "str", "required": True} for name in ("address", "interface", "mac")}
    return {
        "neighbours": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "purge": {"type": "bool", "default": False},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result, diff = run(module.params["neighbours"], module.params["purge"], module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(**result, **({"diff": diff} if module._diff else {}))


if __name__ == "__main__":
    main()
