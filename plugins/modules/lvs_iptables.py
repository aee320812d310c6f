#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_iptables
short_description: Manage the firewall marks of an LVS director by iptables
description:
  - Marks packets before they are routed, so that one virtual service takes them all, as M(openlvs.lvs.lvs_nft) does,
    for sites that use iptables. Whichever iptables the host has is used, the legacy one or the one on nf_tables.
  - The rules stand in a chain of our own, C(OPENLVS) in the table C(mangle), to which C(PREROUTING) jumps. The chain is
    replaced as a whole by C(iptables-restore --noflush). No rule of others is touched.
  - A task changes nothing if the rules are those that were loaded last and C(iptables-save) shows them as it did right
    after that.
  - Where firewalld runs, marks are refused, since its reloads flush all rules of iptables, whichever of its backends it
    uses, and nobody is told of them. It leaves those of M(openlvs.lvs.lvs_nft) alone.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, and the commands of iptables, as long as there are or were rules.
options:
  marks:
    description:
      - Which packets get which mark. Several entries may have the same mark. An empty list takes the chain away.
    type: list
    elements: dict
    required: true
    suboptions:
      mark:
        description: The mark, 1 to 4294967295. It replaces a mark that the packet may have by then.
        type: int
        required: true
      addresses:
        description: The VIPs, IPv4 and IPv6.
        type: list
        elements: str
        required: true
      ports:
        description: Ports, and ranges of them such as V(8000-8010).
        type: list
        elements: str
        required: true
      protocol:
        description: Their protocol.
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
seealso:
  - module: openlvs.lvs.lvs_nft
  - module: openlvs.lvs.ipvs_services
  - name: iptables-extensions(8)
    description: What the rules mean.
    link: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

EXAMPLES = r"""
- name: HTTP and HTTPS of a VIP are one virtual service, over IPv4 and IPv6
  openlvs.lvs.lvs_iptables:
    marks:
      - mark: 3
        addresses: [192.0.2.10, "2001:db8::10"]
        ports: [80, 443]

- name: No marks any more
  openlvs.lvs.lvs_iptables:
    marks: []
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - write /etc/openlvs/director.iptables
    - iptables-restore --noflush /etc/openlvs/director.iptables
files:
  description: The files that hold the rules for the next boot, one for each family that has some.
  returned: success
  type: list
  elements: str
  sample: [/etc/openlvs/director.iptables]
findings:
  description: Everything that cannot work with these options. Nothing was changed.
  returned: when an option was refused
  type: list
  elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._iptables import run
from ansible_collections.openlvs.lvs.plugins.module_utils._nft import DIRECTOR
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_purposes import MARK, chains_of


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    return {"marks": {"type": "list", "elements": "dict", "required": True, "options": MARK}}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        chains_of(DIRECTOR, module.params)  # what would not do for nftables would not for iptables
        result, diff, warnings = run(module.params["marks"], module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**result, **({"diff": diff} if module._diff else {}))


if __name__ == "__main__":
    main()
