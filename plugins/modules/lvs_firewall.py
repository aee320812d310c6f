#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_firewall
short_description: Say what a host's firewall blocks of a cluster, and open it
description:
  - Reads the packet filters of the host, nftables and both kinds of iptables, those that firewalld and ufw look after
    among them, and walks through their chains for the packets in question. Says of each passage whether its packets
    pass, are dropped, and by which rule; or that nobody can tell, since that depends on the client or on a condition
    that cannot be read.
  - With O(open=true) opens what is dropped, and nothing else. firewalld gets policies of our own, C(openlvs-input),
    C(openlvs-forward) and C(openlvs-output); ufw gets rules with a comment; into other chains that drop goes a rule
    with a comment, in front. Nothing of others is changed or flushed. What goes that way goes with the passage again.
  - Connection tracking sees one way alone of what IPVS balances, and finds its packets invalid. Where firewalld or ufw
    drop them as such, which no rule of theirs comes before, a table of our own, C(inet openlvs_firewall), has them go
    past connection tracking.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host. The command C(nft) for rules of nftables.
options:
  passages:
    description: What has to get through.
    type: list
    elements: dict
    required: true
    suboptions:
      what:
        description: What it is, in plain words, for messages.
        type: str
        required: true
      hook:
        description: Where it is decided upon, for this host, through this host, or from this host.
        type: str
        choices: [input, forward, output]
        default: input
      protocol:
        description: Its name or number.
        type: str
        default: tcp
      destinations:
        description: The addresses that it is sent to.
        type: list
        elements: str
        default: []
      sources:
        description: The addresses that it is sent from. Without any, whoever sends it is meant.
        type: list
        elements: str
        default: []
      ports:
        description: The ports that it is sent to, and ranges such as V(8000-8010).
        type: list
        elements: str
        default: []
      source_ports:
        description: The ports that it is sent from, which makes it an answer.
        type: list
        elements: str
        default: []
      interface:
        description: The interface by which it comes, or with O(passages[].hook=output) leaves, if that is known.
        type: str
      tracked:
        description:
          - What connection tracking sees of its connections, V(whole), V(half) of them, which is one of their two ways,
            or nothing, V(untracked).
        type: str
        choices: [whole, half, untracked]
        default: whole
      balanced:
        description: Whether IPVS takes it at its hook, so that chains behind it do not count.
        type: bool
        default: false
  open:
    description: Whether what is dropped is opened. V(false) takes away what was opened before.
    type: bool
    default: false
  purge:
    description: Whether what was opened for passages that are not listed any more is taken away.
    type: bool
    default: true
notes:
  - What depends on the client, such as a rule for some networks alone, counts as wanted, and is not opened.
  - A program that puts its rules in place anew, as C(nft -f) with C(flush ruleset) does, takes ours along. At boot,
    and when C(nftables.service) or its like are restarted, the role C(openlvs.lvs.firewall) brings them back.
seealso:
  - module: openlvs.lvs.lvs_host_facts
  - module: openlvs.lvs.lvs_nft
"""

EXAMPLES = r"""
- name: Say whether requests to a VIP get in
  openlvs.lvs.lvs_firewall:
    passages:
      - {what: requests, destinations: [192.0.2.10], ports: [80, 443], interface: eth0}

- name: Let them in, and the signs of life of another director
  openlvs.lvs.lvs_firewall:
    passages:
      - {what: requests, destinations: [192.0.2.10], ports: [80, 443], interface: eth0}
      - {what: VRRP, protocol: vrrp, sources: [192.0.2.3], destinations: [224.0.0.18], interface: eth0}
    open: true

- name: Close again what was opened
  openlvs.lvs.lvs_firewall:
    passages: []
"""

RETURN = r"""
passages:
  description: What becomes of each passage; after the run, or in check mode before it.
  returned: success
  type: list
  elements: dict
  contains:
    passage:
      description: The passage in words.
      type: str
      returned: success
      sample: requests, tcp to 192.0.2.10 port 80, 443
    verdict:
      description: V(passes), V(drops), or V(depends) where nobody can tell.
      type: str
      returned: success
      sample: drops
    packets:
      description: Which of its packets that is, where it is not all of them.
      type: str
      returned: success
      sample: last packets (FIN)
    by:
      description: Who drops it, or may; table, chain and rule.
      type: list
      elements: str
      returned: success
      sample: ["nftables table inet filter, chain input, its policy"]
    remedy:
      description: What opens it.
      type: str
      returned: success
      sample: ufw allow in on eth0 proto tcp from any to 192.0.2.10 port 80
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - nft 'insert rule inet filter input ip daddr 192.0.2.10 tcp dport 80 accept comment "openlvs 0a1b2c3d4e-4"'
openings:
  description: The openings that are there after the run, by tool, place and name.
  returned: success
  type: list
  elements: str
  sample: ["nftables inet filter input openlvs 0a1b2c3d4e-4"]
unused:
  description: Those of them that no listed passage needs, with O(purge=false).
  returned: success
  type: list
  elements: str
  sample: []
files:
  description: The files that bring openings back at boot, a table of nftables and a script.
  returned: success
  type: list
  elements: str
  sample: [/etc/openlvs/firewall.sh]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._firewall import run
from ansible_collections.openlvs.lvs.plugins.module_utils._packet_filter import DEPENDS, DROPS
from ansible_collections.openlvs.lvs.plugins.module_utils._passage import HOOKS, TRACKED, read_passages


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    some: dict[str, t.Any] = {"type": "list", "elements": "str", "default": []}
    passage = {
        "what": {"type": "str", "required": True},
        "hook": {"type": "str", "choices": [*HOOKS], "default": HOOKS[0]},
        "protocol": {"type": "str", "default": "tcp"},
        "destinations": some,
        "sources": some,
        "ports": some,
        "source_ports": some,
        "interface": {"type": "str"},
        "tracked": {"type": "str", "choices": [*TRACKED], "default": TRACKED[0]},
        "balanced": {"type": "bool", "default": False},
    }
    return {
        "passages": {"type": "list", "elements": "dict", "required": True, "no_log": False, "options": passage},
        "open": {"type": "bool", "default": False},
        "purge": {"type": "bool", "default": True},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        passages = read_passages(params["passages"])
        result, diff = run(passages, params["open"], params["purge"], module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for one in result["passages"]:
        if one["verdict"] == DROPS and not (params["open"] and module.check_mode):
            what = one["passage"] + (f", its {one['packets']}" if one["packets"] else "")
            module.warn(f"The firewall drops {what}: {' and '.join(one['by'])}. Remedy: {one['remedy']}")
        elif one["verdict"] == DEPENDS:
            module.log(f"Nobody can tell whether the firewall lets pass {one['passage']}: {' and '.join(one['by'])}")
    module.exit_json(**result, **({"diff": diff} if module._diff else {}))


if __name__ == "__main__":
    main()
