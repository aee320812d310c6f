#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_gateway
short_description: Manage the way of a real server's answers
description:
  - A director that masquerades (O(ignore:forward=nat)) must see the answers of its real servers, to put the VIP into
    them. So they have to leave through the director.
  - Routes them there, and nothing else. What leaves with the given address and port as its source looks for its way in
    a routing table of its own, which has nothing but a default route by the director. The host's own routes, its
    default route among them, are neither used for that nor changed, and everything else goes by them as before; so does
    ssh, unless its port is one that is served.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, and Linux 4.17 or newer.
options:
  answers:
    description: Which answers leave by which gateway.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: The real server's own address, to which the director sends requests. IPv4 or IPv6.
        type: str
        required: true
      protocol:
        description: The protocol of the service.
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
      port:
        description: The port at which this real server serves.
        type: int
        required: true
      gateway:
        description: An address of the director in a network that the real server is in, too.
        type: str
        required: true
  purge:
    description: Whether ways that this module has made and that are not listed go.
    type: bool
    default: false
notes:
  - The tables have the numbers 0x4c000000 to 0x4cffffff, by a hash of the gateway. A rule or a default route that names
    a table of that range counts as one of ours.
  - Clients in the real server's own network are answered, too, since their answers take the same way.
  - A server that answers over UDP without having bound its socket to an address is seen to for IPv4. For IPv6 bind it.
  - Errors by ICMP that the real server itself sends go by the host's own routes.
  - The running kernel is changed, not the next boot. The role C(openlvs.lvs.realserver) sees to that as well.
seealso:
  - module: openlvs.lvs.lvs_settings
  - name: ip-rule(8)
    description: The manual of the command that does the same by hand.
    link: https://man7.org/linux/man-pages/man8/ip-rule.8.html
"""

EXAMPLES = r"""
- name: Answer through the director
  openlvs.lvs.lvs_gateway:
    answers:
      - address: 192.0.2.1
        port: 80
        gateway: 192.0.2.2

- name: These and no others
  openlvs.lvs.lvs_gateway:
    answers:
      - address: 192.0.2.1
        port: 53
        protocol: udp
        gateway: 192.0.2.2
      - address: 2001:db8::1
        port: 53
        gateway: 2001:db8::2
    purge: true

- name: Answer by the host's own routes again
  openlvs.lvs.lvs_gateway:
    answers: []
    purge: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - ip route add default via 192.0.2.2 table 1281543284
    - ip rule add pref 19456 from 192.0.2.1/32 ipproto tcp sport 80 lookup 1281543284
rules:
  description: Every rule of ours afterwards, as C(ip rule) takes it.
  returned: success
  type: list
  elements: dict
  contains:
    family:
      description: The option of ip(8) for its family.
      type: str
      sample: "-4"
    words:
      description: What stands after C(ip rule add).
      type: str
      sample: pref 19456 from 192.0.2.1/32 ipproto tcp sport 80 lookup 1281543284
routes:
  description: Every route of ours afterwards, as C(ip route) takes it.
  returned: success
  type: list
  elements: dict
  contains:
    family:
      description: The option of ip(8) for its family.
      type: str
      sample: "-4"
    words:
      description: What stands after C(ip route add).
      type: str
      sample: default via 192.0.2.2 table 1281543284
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
from ansible_collections.openlvs.lvs.plugins.module_utils._answers_run import run
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    answer = {
        "address": {"type": "str", "required": True},
        "protocol": {"type": "str", "choices": ["tcp", "udp", "sctp"], "default": "tcp"},
        "port": {"type": "int", "required": True},
        "gateway": {"type": "str", "required": True},
    }
    return {
        "answers": {"type": "list", "elements": "dict", "required": True, "options": answer},
        "purge": {"type": "bool", "default": False},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result, diff = run(module.params["answers"], module.params["purge"], module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(**result, **({"diff": diff} if module._diff else {}))


if __name__ == "__main__":
    main()
