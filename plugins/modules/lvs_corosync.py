#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_corosync
short_description: Manage Corosync and Pacemaker on an LVS director
description:
  - Brings C(/etc/corosync/corosync.conf), C(/etc/corosync/authkey) and the units C(corosync.service) and
    C(pacemaker.service) to what is described. The role C(openlvs.lvs.pacemaker) writes the text and calls this module.
  - A new text is judged by Corosync before it takes the place of the old one. RV(reload) tells whether the running
    cluster has to be told of it, by C(corosync-cfgtool -R), when every director has it.
  - What the cluster shall do is told by M(openlvs.lvs.lvs_pacemaker).
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, systemd, Corosync 3 and Pacemaker 2. Check mode does without them.
options:
  config:
    description:
      - Text of C(/etc/corosync/corosync.conf). Its first line must be the one of the role's file, by which it is told
        from others. The distribution's own is kept beside it, and comes back in the end. One of a cluster that somebody
        else has made is refused.
      - With an empty one Pacemaker and Corosync are stopped and disabled, and the files leave.
    type: str
    required: true
  authkey:
    description:
      - By what the directors of a cluster know each other, the same on all, at least 128 characters. Never shown.
    type: str
    default: ""
  vips:
    description: The VIPs that the cluster moves, with their C(address), C(prefix) and C(interface).
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
        description: Where it stands on the director that has it.
        type: str
        required: true
  hand_over:
    description:
      - Whether, with an empty O(config), VIPs that are here stay, as those of the role C(openlvs.lvs.director), which
        has to run next. The cluster must have let go of them, see O(openlvs.lvs.lvs_pacemaker#module:state).
    type: bool
    default: false
  stays:
    description: Whether, with an empty O(config), the cluster stays where it is, since others use it, too.
    type: bool
    default: false
seealso:
  - module: openlvs.lvs.lvs_pacemaker
  - name: corosync.conf(5)
    description: What the file may say.
    link: https://github.com/corosync/corosync/blob/main/man/corosync.conf.5.in
"""

EXAMPLES = r"""
- name: Be one of two directors that know each other
  openlvs.lvs.lvs_corosync:
    config: |
      # Written by Ansible, role openlvs.lvs.pacemaker. Changes made here do not last.
      totem {
          version: 2
          cluster_name: front
          transport: knet
          crypto_cipher: aes256
          crypto_hash: sha256
      }
      nodelist {
          node {
              name: lvs1
              nodeid: 1
              ring0_addr: 192.0.2.1
          }
          node {
              name: lvs2
              nodeid: 2
              ring0_addr: 192.0.2.2
          }
      }
      quorum {
          provider: corosync_votequorum
          two_node: 1
      }
    authkey: "{{ vaulted_key }}"
    vips:
      - {address: 192.0.2.10, prefix: 32, interface: eth1}

- name: Have no cluster here
  openlvs.lvs.lvs_corosync:
    config: ""
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - write /etc/corosync/corosync.conf
    - systemctl start corosync.service
reload:
  description: Whether the running cluster has to be told of a new file, of this run or of one that was cut off.
  returned: success
  type: bool
found:
  description: What was there before.
  returned: success
  type: dict
  contains:
    unit:
      description: Both units as one.
      type: dict
      contains:
        name:
          description: The name of Pacemaker's.
          type: str
          sample: pacemaker.service
        present:
          description: Whether its file is there.
          type: bool
        enabled:
          description: Whether both are started at boot.
          type: bool
        active:
          description: Whether both run.
          type: bool
    files:
      description: The files.
      type: list
      elements: dict
      contains:
        path:
          description: Where it stands.
          type: str
          sample: /etc/corosync/corosync.conf
        present:
          description: Whether it is there.
          type: bool
        same:
          description: Whether it is as described.
          type: bool
diff:
  description: The text of corosync.conf, before and after.
  returned: success and in diff mode
  type: dict
applied:
  description: What of the changes was done before a step failed. The next run completes the rest.
  returned: when a step failed
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
from ansible_collections.openlvs.lvs.plugins.module_utils import _corosync, _moved
from ansible_collections.openlvs.lvs.plugins.module_utils._corosync import CONFIG, COROSYNC, KEY, PACEMAKER
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    return {
        "config": {"type": "str", "required": True},
        "authkey": {"type": "str", "default": "", "no_log": True},
        "vips": _moved.OPTION,
        "hand_over": {"type": "bool", "default": False},
        "stays": {"type": "bool", "default": False},
    }


def request(params: t.Mapping[str, t.Any]) -> _corosync.Request:
    """What the options ask for."""
    vips = _moved.records(params["vips"], announced=False)
    return _corosync.Request(params["config"], params["authkey"], vips, params["hand_over"], params["stays"])


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        asked = request(module.params)
        work = _corosync.run(asked, _corosync.Daemons(module.run_command), module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    diff = {"before": work.texts.get(CONFIG, ""), "after": asked.config}
    shown = {"diff": {**diff, "before_header": CONFIG, "after_header": CONFIG}}
    wanted = {CONFIG: asked.config, KEY: asked.key} if asked.config else {}
    found = {
        "unit": {
            "name": PACEMAKER,
            "present": bool(work.units[PACEMAKER].get("UnitFileState")),
            "enabled": work.enabled(COROSYNC) and work.enabled(PACEMAKER),
            "active": work.active(COROSYNC) and work.active(PACEMAKER),
        },
        "files": [
            {"path": path, "present": path in work.texts, "same": path in work.texts and not work.differs(path, text)}
            for path, text in wanted.items()
        ],
    }
    module.exit_json(
        changed=bool(work.changes),
        changes=work.changes,
        reload=work.reload,
        found=found,
        **(shown if module._diff and work.changes and diff["before"] != diff["after"] else {}),
    )


if __name__ == "__main__":
    main()
