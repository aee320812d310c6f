#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_rs_arp
short_description: Manage the silent VIPs of an LVS real server
description:
  - A real server behind direct routing or tunnels holds the virtual address (VIP) itself, on C(lo) or on a dummy
    interface, and must never tell a neighbour so. Otherwise clients or their router send past the director.
  - Silences ARP first and puts the VIP in place second; on the way back the VIP goes first and the settings found
    before the first VIP come back last. At no moment, also when a run is cut off, does a VIP answer.
  - "ARP is silenced by C(net.ipv4.conf.*.arp_ignore=1) and C(net.ipv4.conf.*.arp_announce=2). Values that are silent
    already are left as they are: C(arp_ignore) 1, 2 and 8 (3 is not), C(arp_announce) 2. The kernel takes the greater
    of the value on C(all) and that on the network card, so a card whose own value would spoil it is set too. Values on
    C(lo), which many guides set, have no effect."
  - IPv6 needs no setting, for neighbour discovery only answers for addresses of the interface that was asked.
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
      - With an empty list and O(purge=true) all VIPs of this real server leave.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description:
          - The VIP, IPv4 or IPv6, without a prefix length. On a real server it always stands alone, as /32 or /128;
            with a shorter prefix the host would take the whole network for its own.
        type: str
        required: true
      interface:
        description:
          - The interface that holds it, which must be up. C(lo), or one on which no neighbour can ask, such as a dummy
            or a tunnel. A network card is refused; on it the VIP would answer.
          - One that is not there and whose name begins with V(dummy) is made, and removed with the last VIP on it.
        type: str
        default: lo
      label:
        description:
          - Label of the address, under which C(ifconfig) shows it. IPv4 only, at most 15 characters, and begins with
            the interface's name and a colon, such as V(lo:0).
          - Without it a label that is found is kept, else the lowest free number is taken.
        type: str
      host_route:
        description: Whether there is a host route to the VIP by its interface (C(ip route add VIP dev lo)). IPv4 only.
        type: bool
        default: true
  arp_interfaces:
    description:
      - Network cards that are silenced by their own settings besides C(all), as guides advise, so that they stay
        silent when somebody sets C(all) back.
    type: list
    elements: str
    default: []
  silence_by:
    description:
      - What keeps the VIPs from ARP. V(sysctl) sets C(arp_ignore) and C(arp_announce).
      - V(nftables) sets nothing, and gives back what was set, for rules do it; those of the option
        O(openlvs.lvs.lvs_nft#module:silent) of M(openlvs.lvs.lvs_nft), which have to be there before, and are looked
        for.
      - V(router) sets nothing, and gives back what was set. The host answers ARP for its VIPs, which is right only
        where everybody who routes to them has a static entry, as M(openlvs.lvs.lvs_neighbours) makes it.
    type: str
    choices: [sysctl, nftables, router]
    default: sysctl
  state:
    description:
      - V(present) means that the listed VIPs are there, silent.
      - V(absent) means that they are not, as far as they are ours. The settings come back with the last IPv4 VIP.
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
      - Whether VIPs of this real server that are recorded as ours and not listed leave. VIPs of the director's side,
        M(openlvs.lvs.lvs_vip), and addresses of others stay.
      - Only looked at with O(state=present).
    type: bool
    default: false
seealso:
  - module: openlvs.lvs.lvs_neighbours
  - module: openlvs.lvs.lvs_nft
  - module: openlvs.lvs.lvs_vip
  - module: openlvs.lvs.lvs_arp_probe
  - module: openlvs.lvs.lvs_host_facts
  - name: IP sysctls
    description: The kernel's documentation of arp_ignore and arp_announce.
    link: https://docs.kernel.org/networking/ip-sysctl.html
"""

EXAMPLES = r"""
- name: Hold the VIP silently
  openlvs.lvs.lvs_rs_arp:
    vips:
      - address: 192.0.2.10

- name: Silence the network card by name as well, and hold IPv4 and IPv6
  openlvs.lvs.lvs_rs_arp:
    vips:
      - address: 192.0.2.10
        label: lo:0
      - address: 2001:db8::10
    arp_interfaces: [eth0]

- name: Hold the VIP on a dummy interface, without a host route
  openlvs.lvs.lvs_rs_arp:
    vips:
      - address: 192.0.2.11
        interface: dummy0
        host_route: false

- name: These and no others
  openlvs.lvs.lvs_rs_arp:
    vips:
      - address: 192.0.2.10
      - address: 2001:db8::10
    purge: true

- name: Hold a VIP that rules of openlvs.lvs.lvs_nft keep from ARP already
  openlvs.lvs.lvs_rs_arp:
    vips:
      - address: 192.0.2.12
    silence_by: nftables
  when: "'192.0.2.12' in ansible_facts.lvs_host.silenced"

- name: Let go of one
  openlvs.lvs.lvs_rs_arp:
    vips:
      - address: 192.0.2.10
    state: absent

- name: Let go of all, and let ARP be as it was before the first
  openlvs.lvs.lvs_rs_arp:
    vips: []
    purge: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - "# record: 192.0.2.10 is ours, net.ipv4.conf.all.arp_ignore was 0, net.ipv4.conf.all.arp_announce was 0"
    - sysctl -w net.ipv4.conf.all.arp_ignore=1
    - sysctl -w net.ipv4.conf.all.arp_announce=2
    - ip address add 192.0.2.10/32 broadcast 192.0.2.10 dev lo label lo:0
    - ip route add 192.0.2.10 dev lo scope link
vips:
  description: Every VIP of this real server that is recorded as ours afterwards, listed in this task or not.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The VIP.
      type: str
      sample: 192.0.2.10
    prefix:
      description: Length of its prefix, V(32) or V(128).
      type: int
      sample: 32
    interface:
      description: The interface that holds it.
      type: str
      sample: lo
    label:
      description: Its label. Null for IPv6.
      type: str
      sample: lo:0
    broadcast:
      description: Its broadcast address, which is the VIP itself. Null for IPv6.
      type: str
      sample: 192.0.2.10
    host_route:
      description: Whether there is a host route to it.
      type: bool
      sample: true
devices:
  description: The dummy devices that were made for these VIPs.
  returned: success
  type: list
  elements: str
  sample: [dummy0]
settings:
  description:
    - The kernel settings that must hold as long as these VIPs are there, with their values; for sysctl.d(5).
    - Empty when no IPv4 VIP is left.
  returned: success
  type: dict
  sample:
    net.ipv4.conf.all.arp_announce: "2"
    net.ipv4.conf.all.arp_ignore: "1"
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
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import REAL_SERVER
from ansible_collections.openlvs.lvs.plugins.module_utils._vip_run import run
from ansible_collections.openlvs.lvs.plugins.module_utils._writers import AUTO, CHOICES


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    vip = {
        "address": {"type": "str", "required": True},
        "interface": {"type": "str", "default": "lo"},
        "label": {"type": "str"},
        "host_route": {"type": "bool", "default": True},
    }
    return {
        "vips": {"type": "list", "elements": "dict", "required": True, "options": vip},
        "arp_interfaces": {"type": "list", "elements": "str", "default": []},
        "silence_by": {"type": "str", "choices": ["sysctl", "nftables", "router"], "default": "sysctl"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "writer": {"type": "str", "choices": list(CHOICES), "default": AUTO},
        "purge": {"type": "bool", "default": False},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module.params, REAL_SERVER, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in result.warnings:
        module.warn(warning)
    module.exit_json(**result.values, **({"diff": result.diff} if module._diff else {}))


if __name__ == "__main__":
    main()
