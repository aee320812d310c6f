#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_ldirectord
short_description: Manage ldirectord on an LVS director
description:
  - Brings C(/etc/ha.d/ldirectord.cf) and the unit C(ldirectord.service) to what is described, and waits until
    ldirectord works with it. The role C(openlvs.lvs.ldirectord) writes the text and calls this module.
  - A new text is judged by ldirectord before it takes the place of the old one; a text with an error never reaches the
    daemon. The daemon is reloaded, not restarted.
  - Ldirectord changes the kernel's table when a server fails or comes back, and else never looks whether the table is
    still what it has made of it. This module does; ldirectord's log tells which servers it has taken out, and what
    others have changed is mended. A server that ldirectord has taken out stays out.
  - What M(openlvs.lvs.ipvs_services) has put there for the same services is taken over as it stands, without a gap.
    O(hand_over) is the way back.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, systemd, and ldirectord. Check mode does without ldirectord.
  - The Python library pyroute2 0.5.14 or later on the host, in the distributions C(python3-pyroute2).
options:
  config:
    description:
      - Text of C(/etc/ha.d/ldirectord.cf), which only root can read. Its first line must be the one of the role's file,
        by which it is told from others. A file of somebody else's is kept beside it, and comes back in the end.
      - With an empty one ldirectord is stopped and disabled, and its file leaves.
    type: str
    required: true
  services:
    description:
      - The table as it is when all servers are well, as O(openlvs.lvs.ipvs_services#module:services) has it. A service
        may have a C(sorry_server), written like a real server, and C(quiescent), whether its failed servers stay in the
        table with weight 0.
    type: list
    elements: dict
    default: []
  checks:
    description:
      - What the collection's own checker looks at, which O(config) has run by its path
        C(/usr/local/lib/openlvs/check-ldirectord); for each service, by its VIP or mark and its port, a list of checks.
        It is installed with them, and leaves with the last one.
    type: dict
    default: {}
  check_user:
    description: As whom the checker works. Never root.
    type: str
    default: nobody
  clustered:
    description:
      - Whether a cluster, M(openlvs.lvs.lvs_pacemaker), starts ldirectord after boot and looks whether it runs. Then
        systemd does not start it at boot.
    type: bool
    default: false
  hand_over:
    description:
      - Whether, with an empty O(config), the table stays in the kernel when ldirectord goes, as that of the role
        C(openlvs.lvs.director), which has to run next.
    type: bool
    default: false
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_keepalived
  - name: ldirectord(8)
    description: What the file may say.
    link: https://github.com/ClusterLabs/resource-agents/blob/main/ldirectord/ldirectord.in
"""

EXAMPLES = r"""
- name: Look after one real server
  openlvs.lvs.lvs_ldirectord:
    config: |
      # Written by Ansible, role openlvs.lvs.ldirectord. Changes made here do not last.
      checkinterval=6
      cleanstop=no
      readdquiescent=yes
      logfile="/var/log/ldirectord.log"
      virtual=192.0.2.10:80
          protocol=tcp
          scheduler=wlc
          checktype=connect
          real=192.0.2.11:80 gate 1
    services:
      - vip: 192.0.2.10
        port: 80
        real_servers:
          - address: 192.0.2.11

- name: Let it go, and let the role director have the table as it stands
  openlvs.lvs.lvs_ldirectord:
    config: ""
    hand_over: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order.
  returned: success
  type: list
  elements: str
  sample:
    - write /etc/ha.d/ldirectord.cf
    - systemctl reload ldirectord.service
    - -e -t 192.0.2.10:80 -r 192.0.2.11:80 -g -w 1
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
          sample: ldirectord.service
        present:
          description: Whether its file is there.
          type: bool
        enabled:
          description: Whether it is started at boot.
          type: bool
        active:
          description: Whether it runs.
          type: bool
    files:
      description: The files.
      type: list
      elements: dict
      contains:
        path:
          description: Where it stands.
          type: str
          sample: /etc/ha.d/ldirectord.cf
        present:
          description: Whether it is there.
          type: bool
        same:
          description: Whether it is as described.
          type: bool
diff:
  description: The text of ldirectord.cf, before and after.
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
from ansible_collections.openlvs.lvs.plugins.module_utils import _engine_args, _ldirectord
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LibraryMissing, LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._interpreter import start_again_with
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_daemon import Daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_files import CONFIG
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    return {
        "config": {"type": "str", "required": True},
        "services": {"type": "list", "elements": "dict", "default": []},
        "checks": {"type": "dict", "default": {}},
        "check_user": {"type": "str", "default": "nobody"},
        "clustered": {"type": "bool", "default": False},
        "hand_over": {"type": "bool", "default": False},
    }


def request(params: t.Mapping[str, t.Any]) -> _ldirectord.Request:
    """What the options ask for."""
    return _ldirectord.Request(
        config=params["config"],
        described=_engine_args.described(params["services"]),
        sorry=_engine_args.sorry_servers(params["services"]),
        hand_over=params["hand_over"],
        checks=params["checks"],
        user=params["check_user"],
        clustered=params["clustered"],
        quiescent=_engine_args.quiescent(params["services"]),
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        asked = request(module.params)
        work = _ldirectord.run(asked, Daemon(module.run_command), Ipvs(), module.check_mode)
    except LibraryMissing as exc:
        start_again_with("pyroute2")
        module.fail_json(msg=str(exc), **exc.details)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    diff = {"before": work.found.texts.get(CONFIG, ""), "after": asked.config}
    shown = {"diff": {**diff, "before_header": CONFIG, "after_header": CONFIG}}
    module.exit_json(
        changed=bool(work.changes),
        changes=work.changes,
        found=_ldirectord.told(work, asked),
        **(shown if module._diff and diff["before"] != diff["after"] else {}),
    )


if __name__ == "__main__":
    main()
