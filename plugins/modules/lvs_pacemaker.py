#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_pacemaker
short_description: Have Pacemaker move VIPs between LVS directors, and run ldirectord on them
description:
  - Brings a clone of ldirectord, and a group of the VIPs that is where ldirectord runs, to what is described in the
    configuration of a cluster of Pacemaker, the CIB, and waits until they run, the group on one of its nodes. Run it on
    one node; it counts for all.
  - A new configuration is judged by C(crm_verify) before it counts, and goes in as one transaction. What has been
    changed by hand in these is mended. What is not ours there, whose ids do not begin with C(openlvs-), is left
    alone.
  - Resources of ours that do not run are tried again.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, and Pacemaker 2 with C(pacemaker-cli-utils), as M(openlvs.lvs.lvs_corosync) has set it up. Check
    mode does without it.
options:
  state:
    description:
      - V(present) has VIPs and ldirectord run as described.
      - V(absent) stops and removes them.
      - V(left) has the cluster look after them no more, so that they go on when Pacemaker stops. In a cluster with
        resources of others, where it goes on, it is V(absent).
      - V(moved) has another node take the group from O(node).
    type: str
    choices: [present, absent, left, moved]
    default: present
  vips:
    description: The VIPs, for V(present), with their C(address), C(prefix) and C(interface).
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The address.
        type: str
        required: true
      prefix:
        description: Its prefix length.
        type: int
        required: true
      interface:
        description: The interface, the same on every node.
        type: str
        required: true
  fencing:
    description:
      - Whether a node that does not answer is switched off before another one takes its VIPs. The devices for that are
        yours to configure in the cluster. With V(false) two nodes that do not hear each other both have the VIPs.
    type: bool
    default: true
  node:
    description: Which node shall not have the group any more, for V(moved).
    type: str
    default: ""
  nodes:
    description: Which nodes to wait for, one minute at most, before the cluster is changed, for V(present).
    type: list
    elements: str
    default: []
seealso:
  - module: openlvs.lvs.lvs_corosync
  - module: openlvs.lvs.lvs_ldirectord
"""

EXAMPLES = r"""
- name: Have ldirectord on all directors, and a VIP on one of them
  openlvs.lvs.lvs_pacemaker:
    vips:
      - {address: 192.0.2.10, prefix: 32, interface: eth1}
    fencing: false

- name: Have another director take the VIP
  openlvs.lvs.lvs_pacemaker:
    state: moved
    node: lvs2

- name: Have nothing of ours in the cluster
  openlvs.lvs.lvs_pacemaker:
    state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample: ["pacemaker: create openlvs-ldirectord-clone", "pacemaker: create openlvs-group"]
others:
  description: Resources of others in this cluster, by their ids.
  returned: success
  type: list
  elements: str
  sample: []
state:
  description: What the cluster says of itself in the end; null where none answers.
  returned: success
  type: dict
  contains:
    quorate:
      description: Whether enough nodes hear each other, so that it runs resources.
      type: bool
    online:
      description: The nodes that are there.
      type: list
      elements: str
      sample: [lvs1, lvs2]
    waiting:
      description: Those of them that somebody has told to run nothing.
      type: list
      elements: str
      sample: []
    running:
      description: For each resource of ours, on which nodes it runs.
      type: dict
      sample: {openlvs-ldirectord: [lvs1, lvs2], openlvs-vip-192.0.2.10: [lvs1]}
    failures:
      description: What has failed, in words.
      type: list
      elements: str
diff:
  description: What is ours of the configuration, before and after.
  returned: success and in diff mode
  type: dict
"""

import dataclasses
import functools
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _moved, _pacemaker
from ansible_collections.openlvs.lvs.plugins.module_utils._cib import Vip
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    return {
        "state": {"type": "str", "choices": ["present", "absent", "left", "moved"], "default": "present"},
        "vips": _moved.OPTION,
        "fencing": {"type": "bool", "default": True},
        "node": {"type": "str", "default": ""},
        "nodes": {"type": "list", "elements": "str", "default": []},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "present", ["vips"]), ("state", "moved", ["node"])],
        supports_check_mode=True,
    )
    params, state = module.params, module.params["state"]
    cluster = _pacemaker.Cluster(functools.partial(module.run_command, handle_exceptions=False))
    vips = [Vip(vip["address"], vip["prefix"], vip["interface"]) for vip in params["vips"]]
    try:
        if state == "moved":
            changes = _pacemaker.move(cluster, params["node"], module.check_mode)
            module.exit_json(changed=bool(changes), changes=list(changes))
        if state == "left":
            done = _pacemaker.leave(cluster, module.check_mode)
        else:
            wanted = [] if state == "absent" else vips
            done = _pacemaker.converge(cluster, wanted, params["fencing"], module.check_mode, params["nodes"])
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    diff = {"before": done.plan.before, "after": done.plan.after, "before_header": "CIB", "after_header": "CIB"}
    module.exit_json(
        changed=bool(done.changes),
        changes=list(done.changes),
        others=list(done.others),
        state=dataclasses.asdict(done.state) if done.state else None,
        **({"diff": diff} if module._diff and diff["before"] != diff["after"] else {}),
    )


if __name__ == "__main__":
    main()
