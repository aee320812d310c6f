#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_tunnel
short_description: Take packets out of the tunnels from LVS directors
description:
  - With C(forward=tun) a director wraps each packet for a virtual address (VIP) as it is into one for the real server's
    own address. This module has the kernel of the real server take it out again; the VIP itself is the work of
    M(openlvs.lvs.lvs_rs_arp).
  - "Over IPv4 the devices C(tunl0), C(sit0) (for IPv6 VIPs) and C(gre0) do, and C(ip6gre0) over IPv6, which come with
    the kernel's modules and take what no other device wants. IP in IP over IPv6, and GRE with checksums, need devices
    of their own, named C(lvs-ip6tnl0), C(lvs-gre0) and so on. Behind a port of UDP for GUE are the same devices as
    for IP in IP."
  - "The kernel drops IPv4 packets out of a tunnel unless C(rp_filter) is 0 on the device and on C(all), the greater
    of which counts; with an IPv4 address on the device 2 does as well. What is too strict is set so. Where C(all) has
    to give way, all other interfaces get what it was as their own, so that nothing is taken there that was not taken
    before."
  - Anybody who can reach the host can send it tunnel packets, with any sender inside. So let them in from the directors
    only.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
options:
  tunnels:
    description:
      - The tunnels by which packets come. Those that are recorded already stay, for the VIPs of both.
      - With an empty list and O(purge=true) all tunnels of ours leave.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description:
          - The address of this host where directors send to, IPv4 or IPv6. The VIPs may be of the other family.
        type: str
        required: true
      vips:
        description: The VIPs whose packets come by it. Their families decide which devices are needed.
        type: list
        elements: str
        required: true
      tunnel_type:
        description:
          - What the packets are wrapped in, the same as on the directors; IP (V(ipip)), UDP (V(gue)) or GRE (V(gre)).
        type: str
        choices: [ipip, gue, gre]
        default: ipip
      tunnel_port:
        description: The UDP port for O(tunnels[].tunnel_type=gue), which needs it.
        type: int
      tunnel_checksum:
        description:
          - Checksum of the wrapping, the same as on the directors. V(csum) is for O(tunnels[].tunnel_type=gue) and
            O(tunnels[].tunnel_type=gre), V(remcsum) for O(tunnels[].tunnel_type=gue). At one address GRE comes either
            with checksums or without.
        type: str
        choices: [nocsum, csum, remcsum]
        default: nocsum
  purge:
    description:
      - Whether tunnels that are recorded as ours and not listed leave, with their devices and ports; and settings found
        before come back when no tunnel needs ours. What was up before stays up.
    type: bool
    default: false
seealso:
  - module: openlvs.lvs.lvs_rs_arp
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_host_facts
"""

EXAMPLES = r"""
- name: Take packets for the VIP out of IP in IP
  openlvs.lvs.lvs_tunnel:
    tunnels:
      - address: 192.0.2.1
        vips: [192.0.2.10]

- name: Take packets for VIPs of both families out of UDP, and out of GRE over IPv6 with checksums; these and no others
  openlvs.lvs.lvs_tunnel:
    tunnels:
      - address: 192.0.2.1
        vips: [192.0.2.10, 2001:db8::10]
        tunnel_type: gue
        tunnel_port: 6080
      - address: 2001:db8::1
        vips: [192.0.2.10, 2001:db8::10]
        tunnel_type: gre
        tunnel_checksum: csum
    purge: true

- name: Let go of all, and let the devices and settings be as they were before the first
  openlvs.lvs.lvs_tunnel:
    tunnels: []
    purge: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - "# record: ipip to 192.0.2.1 is ours, tunl0 was absent, net.ipv4.conf.all.rp_filter was 2"
    - ip link add name tunl0 type ipip
    - sysctl -w net.ipv4.conf.eth0.rp_filter=2
    - sysctl -w net.ipv4.conf.all.rp_filter=0
    - ip link set dev tunl0 up
    - ip -6 address flush dev tunl0
tunnels:
  description: Every tunnel that is recorded as ours afterwards, listed in this task or not.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address of this host where directors send to.
      type: str
      sample: 192.0.2.1
    vips:
      description: The VIPs whose packets come by it.
      type: list
      elements: str
      sample: [192.0.2.10]
    tunnel_type:
      description: What the packets are wrapped in.
      type: str
      sample: ipip
    tunnel_port:
      description: The UDP port of a tunnel of type V(gue). Null for others.
      type: int
      sample: null
    tunnel_checksum:
      description: Checksum of the wrapping.
      type: str
      sample: nocsum
settings:
  description:
    - The kernel settings that must hold as long as these tunnels are there, with their values; for sysctl.d(5).
  returned: success
  type: dict
  sample:
    net.ipv4.conf.all.rp_filter: "0"
    net.ipv4.conf.eth0.rp_filter: "2"
    net.ipv4.conf.tunl0.rp_filter: "0"
commands:
  description:
    - Command lines that make these tunnels once more after a reboot; the settings belong behind them. Some fail
      where what they make is there already.
  returned: success
  type: list
  elements: str
  sample:
    - ip link add name tunl0 type ipip
    - ip link set dev tunl0 up
    - ip -6 address flush dev tunl0
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
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnel_run import run


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    tunnel = {
        "address": {"type": "str", "required": True},
        "vips": {"type": "list", "elements": "str", "required": True},
        "tunnel_type": {"type": "str", "choices": ["ipip", "gue", "gre"], "default": "ipip"},
        "tunnel_port": {"type": "int"},
        "tunnel_checksum": {"type": "str", "choices": ["nocsum", "csum", "remcsum"], "default": "nocsum"},
    }
    return {
        "tunnels": {"type": "list", "elements": "dict", "required": True, "options": tunnel},
        "purge": {"type": "bool", "default": False},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in result.warnings:
        module.warn(warning)
    module.exit_json(**result.values, **({"diff": result.diff} if module._diff else {}))


if __name__ == "__main__":
    main()
