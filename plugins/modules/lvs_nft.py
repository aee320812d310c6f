#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_nft
short_description: Manage the nftables rules of an LVS host
description:
  - Keeps a table of nftables that belongs to one role of a host, with the rules that its part of the cluster needs. It
    is replaced as a whole in one transaction, which the kernel takes or refuses as a whole; nft judges it before.
  - No other table is ever touched, and nothing is ever flushed. Rules of others, whichever tool has made them, stay.
  - The rules stand in a file, RV(file), which a unit of systemd loads again at boot, see M(openlvs.lvs.lvs_boot).
  - A task changes nothing if the rules are those that were loaded last and nft shows the table as it did right after
    that. So whatever somebody else has changed in the table is seen and mended. After an upgrade of nft, which may show
    the same table in other words, they are loaded once more.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, and a kernel with nf_tables.
  - The command C(nft), 0.9.8 or newer, as long as there are or were rules.
options:
  table:
    description:
      - Whose rules they are. V(director) has the table C(inet openlvs_director).
      - V(realserver) has the tables C(inet openlvs_realserver) and C(arp openlvs_realserver), of which only that exists
        which has rules.
    type: str
    choices: [director, forwarding, realserver]
    required: true
  marks:
    description:
      - Which packets get a firewall mark before they are routed, so that one virtual service takes them all, see the
        option O(openlvs.lvs.ipvs_service#module:mark) of M(openlvs.lvs.ipvs_service).
      - Several entries may have the same mark. Only for O(table=director).
    type: list
    elements: dict
    default: []
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
  handed_on:
    description:
      - On a director that is a real server too, which packets come from another director that has chosen this host.
        They get a firewall mark, in place of any other, so that a virtual service of their own takes them, whose only
        real server is this host. Else this host would balance them again.
      - Only for O(table=director).
    type: list
    elements: dict
    default: []
    suboptions:
      mark:
        description: The mark, 1 to 4294967295.
        type: int
        required: true
      addresses:
        description: The VIPs, IPv4 and IPv6.
        type: list
        elements: str
        required: true
      senders:
        description: The other directors' MAC addresses in this host's network.
        type: list
        elements: str
        required: true
  masquerade:
    description:
      - Which packets to real servers get an address of the director as their source, after IPVS has put the real
        server's address into them. They must be followed by netfilter, C(net.ipv4.vs.conntrack=1).
      - Only for O(table=forwarding).
    type: list
    elements: dict
    default: []
    suboptions:
      addresses:
        description: The VIPs that clients asked for, IPv4 and IPv6.
        type: list
        elements: str
        required: true
      ports:
        description: Ports that they asked for, and ranges of them.
        type: list
        elements: str
        required: true
      protocol:
        description: Their protocol.
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
      servers:
        description: The real servers' addresses.
        type: list
        elements: str
        required: true
  forward:
    description:
      - What may be forwarded, answers of real servers with the ICMP errors that they send. Of a family that has an
        entry, everything else is dropped. Requests that IPVS sends to real servers are not forwarded in that sense.
      - Only for O(table=forwarding).
    type: list
    elements: dict
    default: []
    suboptions:
      addresses:
        description: The real servers' addresses, IPv4 and IPv6.
        type: list
        elements: str
        required: true
      ports:
        description: The ports at which they serve, and ranges of them.
        type: list
        elements: str
        required: true
      protocol:
        description: Their protocol.
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
  tunnels:
    description:
      - Tunnels from directors whose packets this host takes, as M(openlvs.lvs.lvs_tunnel) has them. From everybody else
        packets of the same kind are dropped, whatever address of the host they are sent to.
      - "In connections to the VIPs clients are told to send segments of TCP that fit into the tunnel, so that nothing
        hangs where ICMP is filtered: the maximum segment size in this host's answers is lowered. Only for
        O(table=realserver)."
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The address of this host where directors send to.
        type: str
        required: true
      vips:
        description: The VIPs whose packets come by it.
        type: list
        elements: str
        required: true
      sources:
        description:
          - The addresses of the directors that they send from. Those of the family of O(tunnels[].address) count.
        type: list
        elements: str
        required: true
      tunnel_type:
        description: What the packets are wrapped in.
        type: str
        choices: [ipip, gue, gre]
        default: ipip
      tunnel_port:
        description: The UDP port for O(tunnels[].tunnel_type=gue).
        type: int
      tunnel_checksum:
        description: Checksum of the wrapping.
        type: str
        choices: [nocsum, csum, remcsum]
        default: nocsum
      mtu:
        description: The longest packet that passes from the directors to this host.
        type: int
        default: 1500
  silent:
    description:
      - VIPs that this host holds and must not be asked for by ARP, as an alternative to C(arp_ignore) and
        C(arp_announce), see the option O(openlvs.lvs.lvs_rs_arp#module:silence_by) of M(openlvs.lvs.lvs_rs_arp). Only
        for O(table=realserver).
      - Nothing of the host's settings is needed. But as long as somebody else flushes all rules, the host answers.
    type: list
    elements: dict
    default: []
    suboptions:
      addresses:
        description: The VIPs. IPv4 only, for IPv6 needs no rule.
        type: list
        elements: str
        required: true
      sources:
        description:
          - Addresses of the host's own. When it asks a neighbour in the network of one of them, and would do so as a
            VIP, it asks as this address. Without one it asks as V(0.0.0.0), which every host answers, though some
            switches and hypervisors do not let it pass.
        type: list
        elements: dict
        default: []
        suboptions:
          interface:
            description: The interface that has it.
            type: str
            required: true
          address:
            description: The address, IPv4.
            type: str
            required: true
          prefix:
            description: The length of its network's prefix.
            type: int
            required: true
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_tunnel
  - module: openlvs.lvs.lvs_boot
  - name: nft(8)
    description: What the rules mean.
    link: https://www.netfilter.org/projects/nftables/manpage.html
"""

EXAMPLES = r"""
- name: HTTP and HTTPS of two VIPs are one virtual service, and so are they over IPv6
  openlvs.lvs.lvs_nft:
    table: director
    marks:
      - mark: 3
        addresses: [192.0.2.10, 192.0.2.11, "2001:db8::10"]
        ports: [80, 443]

- name: A range of ports, over TCP and UDP
  openlvs.lvs.lvs_nft:
    table: director
    marks:
      - mark: 4
        addresses: [192.0.2.10]
        ports: [5060, 8000-8010]
      - mark: 4
        addresses: [192.0.2.10]
        ports: [5060, 8000-8010]
        protocol: udp

- name: What the other director hands on is served here, by the virtual service of mark 5
  openlvs.lvs.lvs_nft:
    table: director
    handed_on:
      - mark: 5
        addresses: [192.0.2.10]
        senders: ["02:00:5e:10:00:0c"]

- name: IP in IP is taken from two directors alone, and clients send what fits into it
  openlvs.lvs.lvs_nft:
    table: realserver
    tunnels:
      - address: 192.0.2.1
        vips: [192.0.2.10]
        sources: [192.0.2.2, 192.0.2.3]

- name: Keep a VIP of a real server from ARP without any setting, and ask for neighbours as the host itself
  openlvs.lvs.lvs_nft:
    table: realserver
    silent:
      - addresses: [192.0.2.10]
        sources:
          - {interface: eth0, address: 192.0.2.1, prefix: 24}

- name: Answers come back through this host, and it forwards nothing else
  openlvs.lvs.lvs_nft:
    table: forwarding
    masquerade:
      - addresses: [192.0.2.10]
        ports: [80]
        servers: [192.0.2.11, 192.0.2.12]
    forward:
      - addresses: [192.0.2.11, 192.0.2.12]
        ports: [80]

- name: No rules of this role any more
  openlvs.lvs.lvs_nft:
    table: director
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - write /etc/openlvs/director.nft
    - nft -f /etc/openlvs/director.nft
file:
  description: The file that holds the rules for the next boot. Null where there are none.
  returned: success
  type: str
  sample: /etc/openlvs/director.nft
findings:
  description: Everything that cannot work with these options. Nothing was changed.
  returned: when an option was refused
  type: list
  elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._nft import DIRECTOR, FORWARDING, REALSERVER, render
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_host import Nft, Place, run
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_purposes import MARK, PASSING, chains_of


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    handed_on = {
        "mark": {"type": "int", "required": True},
        "addresses": {"type": "list", "elements": "str", "required": True},
        "senders": {"type": "list", "elements": "str", "required": True},
    }
    tunnel = {
        "address": {"type": "str", "required": True},
        "vips": {"type": "list", "elements": "str", "required": True},
        "sources": {"type": "list", "elements": "str", "required": True},
        "tunnel_type": {"type": "str", "choices": ["ipip", "gue", "gre"], "default": "ipip"},
        "tunnel_port": {"type": "int"},
        "tunnel_checksum": {"type": "str", "choices": ["nocsum", "csum", "remcsum"], "default": "nocsum"},
        "mtu": {"type": "int", "default": 1500},
    }
    source = {
        "interface": {"type": "str", "required": True},
        "address": {"type": "str", "required": True},
        "prefix": {"type": "int", "required": True},
    }
    silent = {
        "addresses": {"type": "list", "elements": "str", "required": True},
        "sources": {"type": "list", "elements": "dict", "default": [], "options": source},
    }
    servers = {"type": "list", "elements": "str", "required": True}
    return {
        "table": {"type": "str", "choices": [DIRECTOR, FORWARDING, REALSERVER], "required": True},
        "masquerade": {"type": "list", "elements": "dict", "default": [], "options": {**PASSING, "servers": servers}},
        "forward": {"type": "list", "elements": "dict", "default": [], "options": PASSING},
        "marks": {"type": "list", "elements": "dict", "default": [], "options": MARK},
        "handed_on": {"type": "list", "elements": "dict", "default": [], "options": handed_on},
        "tunnels": {"type": "list", "elements": "dict", "default": [], "options": tunnel},
        "silent": {"type": "list", "elements": "dict", "default": [], "options": silent},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    role = module.params["table"]
    try:
        text = render(role, chains_of(role, module.params))
        result, diff, warnings = run(Place(role), text, Nft(), module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**result, **({"diff": diff} if module._diff else {}))


if __name__ == "__main__":
    main()
