#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_arp_probe
short_description: Ask the network who has a VIP
description:
  - Asks every neighbour of an interface for the MAC of each VIP, by ARP or for IPv6 by neighbour solicitation, and
    collects all that answer. In a cluster that works that is the director's MAC and no other.
  - A host does not answer itself. Run it on a client or router in the VIP's network; on the director it tells who else
    answers.
  - Leaves the neighbours' caches as they are, as far as VIPs are concerned.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.reading
requirements:
  - Root on the host, or the capability C(CAP_NET_RAW).
options:
  vips:
    description: The VIPs to ask for, IPv4 or IPv6. All are asked for at once.
    type: list
    elements: str
    required: true
  interface:
    description: The Ethernet interface on which to ask.
    type: str
    required: true
  timeout:
    description: For how many seconds to listen. It always takes this long, for there may always be one more answer.
    type: float
    default: 1.0
  count:
    description: How often to ask within O(timeout).
    type: int
    default: 2
seealso:
  - module: openlvs.lvs.lvs_rs_arp
  - module: openlvs.lvs.lvs_connect
"""

EXAMPLES = r"""
- name: Ask who has the VIPs
  openlvs.lvs.lvs_arp_probe:
    vips: [192.0.2.10, "2001:db8::10"]
    interface: eth0
  register: asked

- name: Exactly one answers for each
  ansible.builtin.assert:
    that: asked.answers | map(attribute='macs') | map('length') | unique == [1]
"""

RETURN = r"""
answers:
  description: Who answered, for each VIP in the order of O(vips).
  returned: success
  type: list
  elements: dict
  contains:
    vip:
      description: The VIP.
      type: str
      sample: 192.0.2.10
    macs:
      description: The MACs that answered, sorted. Empty when nobody did.
      type: list
      elements: str
      sample: ["02:00:5e:10:00:01"]
findings:
  description: What cannot be asked with these options, one line each. Nothing was asked.
  returned: when an option was refused
  type: list
  elements: str
"""

import ipaddress
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _neighbours, _rtnl
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError

_POSITIVE = ("timeout", "count")


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    return {
        "vips": {"type": "list", "elements": "str", "required": True},
        "interface": {"type": "str", "required": True},
        "timeout": {"type": "float", "default": 1.0},
        "count": {"type": "int", "default": 2},
    }


def probe(params: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Who answers."""
    links = _rtnl.links()
    check(params, links)
    vips = [str(ipaddress.ip_address(vip)) for vip in params["vips"]]
    link = links[params["interface"]]
    answers = _neighbours.ask(link, _rtnl.addresses(links), vips, params["timeout"], params["count"])
    return [{"vip": vip, "macs": answers[vip]} for vip in vips]


def check(params: t.Mapping[str, t.Any], links: t.Mapping[str, _rtnl.Link]) -> None:
    """Whether the question can be asked."""
    findings = []
    for number, vip in enumerate(params["vips"]):
        try:
            ipaddress.ip_address(vip)
        except ValueError:
            findings.append(f"vips[{number}] {vip!r}: it is neither an IPv4 nor an IPv6 address.")
    if params["interface"] not in links:
        findings.append(f"interface {params['interface']!r}: there is none on this host; there are {', '.join(links)}.")
    findings += [f"{name} {params[name]}: it must be more than 0." for name in _POSITIVE if params[name] <= 0]
    if findings:
        raise OptionError(findings)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        answers = probe(module.params)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(changed=False, answers=answers)


if __name__ == "__main__":
    main()
