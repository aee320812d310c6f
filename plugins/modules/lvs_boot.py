#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_boot
short_description: Manage what brings a host's part of an LVS cluster back
description:
  - Keeps a unit of systemd and the files that go with it as described, enabled and active, so that tables, VIPs and
    settings are back after a reboot. Does so in one task, in an order that a run which was cut off can be repeated in.
  - A new text of the unit is judged by C(systemd-analyze verify) before anything is written. Files are replaced whole,
    and so that a power cut leaves the old one or the new one.
  - Where the unit is active already, a new text is loaded but not started again, for what it does at boot stands there
    already.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, and systemd.
options:
  unit:
    description: Name of the unit, which ends with V(.service). It stands in C(/etc/systemd/system).
    type: str
    required: true
  content:
    description: Text of the unit. Required when O(state=present).
    type: str
  files:
    description:
      - Files that belong to the unit alone, such as one for sysctl.d(5), or what another unit does for its sake, in
        C(/etc/systemd/system/UNIT.service.d). They are root's, readable for everybody.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where the file stands.
        type: path
        required: true
      content:
        description: Text of the file. With an empty one there is no file.
        type: str
        required: true
      marked:
        description:
          - Whether the file is somebody else's, such as V(/etc/sysctl.conf). Then the text stands between two marks in
            it, goes together with them, and everything else stays as it is.
        type: bool
        default: false
  needs:
    description:
      - Files that the unit reads and another task writes. They are only looked at, see RV(found).
    type: list
    elements: path
    default: []
  masked:
    description:
      - Units that must not start, because they would undo what O(unit) does. They are masked, whether they are
        installed or not.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) means that the files are there and the unit is enabled and active.
      - V(absent) means that none of it is there, and that nothing is masked any longer as long as O(unit) was there
        to show that it was masked for its sake.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: openlvs.lvs.lvs_rs_arp
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_vip
  - name: systemd.unit(5)
    description: What a unit may say.
    link: https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html
"""

EXAMPLES = r"""
- name: Silence ARP and hold the VIP after a reboot
  openlvs.lvs.lvs_boot:
    unit: vip.service
    content: |
      [Unit]
      Description=VIP of this real server
      After=systemd-sysctl.service

      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=/sbin/ip address replace 192.0.2.10/32 dev lo

      [Install]
      WantedBy=multi-user.target
    files:
      - path: /etc/sysctl.d/zz-vip.conf
        content: |
          net.ipv4.conf.all.arp_ignore = 1
          net.ipv4.conf.all.arp_announce = 2

- name: Bring the table back by a unit of one's own, never by the distribution's
  openlvs.lvs.lvs_boot:
    unit: table.service
    content: |
      [Unit]
      Description=Table of this director
      After=network.target

      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=/bin/sh -c 'test -n "$(ipvsadm -Sn)" || grep -v "^#" /etc/ipvsadm.rules | ipvsadm -R'

      [Install]
      WantedBy=multi-user.target
    needs: [/etc/ipvsadm.rules]
    masked: [ipvsadm.service]

- name: Let nothing come back
  openlvs.lvs.lvs_boot:
    unit: table.service
    masked: [ipvsadm.service]
    state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - write /etc/sysctl.d/zz-vip.conf
    - write /etc/systemd/system/vip.service
    - systemctl daemon-reload
    - systemctl enable vip.service
    - systemctl start vip.service
found:
  description: What was there before.
  returned: success
  type: dict
  contains:
    unit:
      description: The unit.
      type: dict
      contains:
        name:
          description: Its name.
          type: str
          sample: vip.service
        present:
          description: Whether its file is there.
          type: bool
        enabled:
          description: Whether it is started at boot.
          type: bool
        active:
          description: Whether it has done its work since the last boot.
          type: bool
    files:
      description: The files, the unit's own among them, and the links that mask other units.
      type: list
      elements: dict
      contains:
        path:
          description: Where it stands.
          type: str
          sample: /etc/systemd/system/vip.service
        present:
          description: Whether it is there.
          type: bool
        same:
          description:
            - Whether it is as described; for the link of a masked unit, whether it masks it.
            - Null for O(needs), for what is in them is another task's work.
          type: bool
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
from ansible_collections.openlvs.lvs.plugins.module_utils._boot import Boot, run
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    file = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "required": True},
        "marked": {"type": "bool", "default": False},
    }
    return {
        "unit": {"type": "str", "required": True},
        "content": {"type": "str"},
        "files": {"type": "list", "elements": "dict", "default": [], "options": file},
        "needs": {"type": "list", "elements": "path", "default": []},
        "masked": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "present", ["content"])],
        supports_check_mode=True,
    )
    params = module.params
    boot = Boot(
        unit=params["unit"],
        content=params["content"] or "",
        files={file["path"]: file["content"] for file in params["files"]},
        marked=frozenset(file["path"] for file in params["files"] if file["marked"]),
        needs=tuple(params["needs"]),
        masked=tuple(params["masked"]),
        present=params["state"] == "present",
    )
    try:
        result, diff = run(boot, module.run_command, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(**result, **({"diff": diff} if module._diff else {}))


if __name__ == "__main__":
    main()
