# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

from __future__ import annotations


class ModuleDocFragment:
    """What the IPVS modules have in common."""

    # For every IPVS module.
    DOCUMENTATION = r"""
options: {}
requirements:
  - A kernel with IPVS. What changes something there loads the module C(ip_vs), and those of the schedulers it needs.
  - Root on the host itself; the kernel does not let a rootless container use IPVS.
seealso:
  - name: ipvsadm(8)
    description: The manual of the command that does the same by hand.
    link: https://linux.die.net/man/8/ipvsadm
"""

    # Must be kept in sync with identity_spec() in plugins/module_utils/_ipvs_specs.py.
    IDENTITY = r"""
options:
  vip:
    description:
      - Address of the virtual service, IPv4 or IPv6, without a prefix length.
      - The address has to be on the host for clients to reach it; M(openlvs.lvs.lvs_vip) puts it there.
      - Either O(vip) or O(mark) is needed.
    type: str
  port:
    description:
      - Port of the virtual service. Needed with O(vip).
      - V(0) stands for all ports and is for persistent services only.
    type: int
  protocol:
    description: Protocol of the virtual service. Only looked at with O(vip).
    type: str
    choices: [tcp, udp, sctp]
    default: tcp
  mark:
    description:
      - Firewall mark that makes up the virtual service, instead of O(vip) and O(port). V(1) to V(4294967295).
      - The packets get their mark from the firewall, for example from C(nft).
    type: int
  family:
    description:
      - Family of the packets that carry the O(mark). The same mark can stand for a service of each family.
      - Only looked at with O(mark).
    type: str
    choices: [ipv4, ipv6]
    default: ipv4
"""
