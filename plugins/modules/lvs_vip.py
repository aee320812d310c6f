#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_vip
short_description: Manage the VIPs of an LVS director
description:
  - A director holds the virtual address (VIP) on the interface where clients, or their router, ask for it.
  - Puts the VIP in place and announces it three times by gratuitous ARP, or by unsolicited neighbour advertisement for
    IPv6; neighbours would otherwise go on sending to its former place for minutes. A VIP that is there already is not
    announced again, unless the run that put it there was cut off before it could.
  - Put the table in place before, see M(openlvs.lvs.ipvs_services), so that the first packet already finds its service.
  - This is for a VIP that stays on one director. A VRRP daemon looks after its VIPs itself.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
  - openlvs.lvs.vip
options:
  vips:
    description:
      - The VIPs that O(state) is about.
      - With an empty list and O(purge=true) all VIPs of this director leave.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: The VIP, IPv4 or IPv6, without a prefix length. Never an address of the host itself.
        type: str
        required: true
      prefix:
        description: Length of its prefix. By default V(32) for IPv4 and V(128) for IPv6.
        type: int
      interface:
        description: The interface that holds it, which must be up.
        type: str
        required: true
      label:
        description:
          - Label of the address, under which C(ifconfig) shows it. IPv4 only, at most 15 characters, and begins with
            the interface's name and a colon, such as V(eth0:0).
          - Without it a label that is found is kept, else the lowest free number is taken.
        type: str
      host_route:
        description:
          - Whether there is a host route to the VIP by its interface (C(ip route add VIP dev eth0)). IPv4 only.
        type: bool
        default: true
  state:
    description:
      - V(present) means that the listed VIPs are there.
      - V(absent) means that they are not, as far as they are ours.
    type: str
    choices: [present, absent]
    default: present
  writer:
    description:
      - What makes the network manager of an interface agree with the VIPs there, so that they survive its restart, its
        reload and an upgrade of its package. The VIPs themselves come and go by this module alone, and nothing is
        restarted.
      - V(auto) finds out by interface what looks after it at somebody's wish, and is V(unit) where nothing does. The
        others are refused where they cannot work; files of others are never changed.
      - V(unit) writes nothing; a unit of systemd, as by M(openlvs.lvs.lvs_boot), has the VIPs back after a reboot.
      - What each writes is told in L(Network managers,
        https://github.com/openlvs/ansible-lvs/blob/main/docs/networks.md).
    type: str
    choices: [auto, unit, networkd, networkmanager, netplan, ifupdown, ifcfg]
    default: auto
  purge:
    description:
      - Whether VIPs of this director that are recorded as ours and not listed leave. VIPs of the real server's side,
        M(openlvs.lvs.lvs_rs_arp), and addresses of others stay.
      - Only looked at with O(state=present).
    type: bool
    default: false
notes:
  - An IPv6 VIP is set with a preferred lifetime of 0, so that the director does not choose it as the source of
    its own connections, and without duplicate address detection, so that it serves at once.
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_settings
  - module: openlvs.lvs.lvs_rs_arp
  - module: openlvs.lvs.lvs_arp_probe
  - name: ip-address(8)
    description: The manual of the command that does the same by hand.
    link: https://man7.org/linux/man-pages/man8/ip-address.8.html
"""

EXAMPLES = r"""
- name: Hold the VIP
  openlvs.lvs.lvs_vip:
    vips:
      - address: 192.0.2.10
        interface: eth0

- name: Hold IPv4 with the network's prefix and a label, and IPv6
  openlvs.lvs.lvs_vip:
    vips:
      - address: 192.0.2.10
        prefix: 24
        interface: eth0
        label: eth0:0
        host_route: false
      - address: 2001:db8::10
        interface: eth0

- name: These and no others
  openlvs.lvs.lvs_vip:
    vips:
      - address: 192.0.2.11
        interface: eth0
    purge: true

- name: Let go of one
  openlvs.lvs.lvs_vip:
    vips:
      - address: 192.0.2.11
        interface: eth0
    state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - "# record: 192.0.2.10 is ours"
    - ip address add 192.0.2.10/32 broadcast 192.0.2.10 dev eth0 label eth0:0
    - ip route add 192.0.2.10 dev eth0 scope link
    - "# announce on eth0: gratuitous ARP 192.0.2.10"
    - "# record: 192.0.2.10 has been announced"
vips:
  description: Every VIP of this director that is recorded as ours afterwards, listed in this task or not.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The VIP.
      type: str
      sample: 192.0.2.10
    prefix:
      description: Length of its prefix.
      type: int
      sample: 32
    interface:
      description: The interface that holds it.
      type: str
      sample: eth0
    label:
      description: Its label. Null for IPv6.
      type: str
      sample: eth0:0
    broadcast:
      description: Its broadcast address; with prefix V(32) that is the VIP itself. Null for IPv6.
      type: str
      sample: 192.0.2.10
    host_route:
      description: Whether there is a host route to it.
      type: bool
      sample: true
writers:
  description: Who has the VIPs back, by interface.
  returned: success
  type: list
  elements: dict
  contains:
    interface:
      description: The interface.
      type: str
      sample: eth0
    writer:
      description: The writer, as in O(writer), but never V(auto).
      type: str
      sample: networkd
    owner:
      description: The file, profile or definition by which its manager looks after the interface. Null without one.
      type: str
      sample: /etc/systemd/network/10-lan.network
    files:
      description: The files that are written.
      type: list
      elements: str
      sample: [/etc/systemd/network/10-lan.network.d/openlvs-director.conf]
applied:
  description: What of the changes was done before a step failed. The next run completes the rest.
  returned: when the kernel refused a step
  type: list
  elements: str
findings:
  description: Everything that cannot work with these options on this host. Nothing was changed.
  returned: when an option was refused
  type: list
  elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import DIRECTOR
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_run import run
from ansible_collections.openlvs.lvs.plugins.module_utils._writers import AUTO, CHOICES


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    vip = {
        "address": {"type": "str", "required": True},
        "prefix": {"type": "int"},
        "interface": {"type": "str", "required": True},
        "label": {"type": "str"},
        "host_route": {"type": "bool", "default": True},
    }
    return {
        "vips": {"type": "list", "elements": "dict", "required": True, "options": vip},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "writer": {"type": "str", "choices": list(CHOICES), "default": AUTO},
        "purge": {"type": "bool", "default": False},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module.params, DIRECTOR, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in result.warnings:
        module.warn(warning)
    module.exit_json(**result.values, **({"diff": result.diff} if module._diff else {}))


if __name__ == "__main__":
    main()
