#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_keepalived
short_description: Manage keepalived on an LVS director
description:
  - Brings C(/etc/keepalived/keepalived.conf) and the unit C(keepalived.service) to what is described, and waits until
    keepalived works with it. The role C(openlvs.lvs.keepalived) writes the text and calls this module.
  - A new text is judged by C(keepalived --config-test) before it takes the place of the old one; a text with an error
    never reaches the daemon. The daemon is reloaded, not restarted.
  - Keepalived changes the kernel's table when a server fails or comes back, and never looks whether the table is still
    what it has made of it. This module does; it asks keepalived which servers are well, and mends what others have
    changed. A server that keepalived has taken out stays out.
  - What M(openlvs.lvs.ipvs_services) and M(openlvs.lvs.lvs_vip) have put there for the same services and VIPs is taken
    over as it stands, without a gap. O(hand_over) is the way back.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
requirements:
  - Root on the host, systemd, and keepalived 2.2 or later. Check mode does without keepalived.
  - The Python library pyroute2 0.5.14 or later on the host, in the distributions C(python3-pyroute2).
options:
  config:
    description:
      - Text of C(/etc/keepalived/keepalived.conf). Its first line must be the one of the role's files, by which they
        are told from others. A file of somebody else's is kept beside it, and comes back in the end.
      - With an empty one keepalived is stopped and disabled, and its files leave.
    type: str
    required: true
  secret:
    description: Text of C(/etc/keepalived/openlvs-auth.conf), which O(config) includes. Only root can read the file.
    type: str
    default: ""
  services:
    description:
      - The table as it is when all servers are well, as O(openlvs.lvs.ipvs_services#module:services) has it. A service
        may have a C(sorry_server), written like a real server.
    type: list
    elements: dict
    default: []
  vips:
    description: The VIPs that VRRP moves to this host and away from it.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: The VIP.
        type: str
        required: true
      prefix:
        description: Length of its prefix.
        type: int
        required: true
      interface:
        description: The interface where it stands while it is here.
        type: str
        required: true
  sync:
    description:
      - The sync daemon that O(config) asks for. One that runs otherwise, as a keepalived that was killed leaves it, or
        one that is reloaded with other words, is brought to that. Without it, what keepalived had started is stopped.
    type: dict
    suboptions:
      interface:
        description: Where the other directors are.
        type: str
        required: true
      id:
        description: The number by which they know each other's messages.
        type: int
        required: true
  checks:
    description:
      - What the collection's own checker looks at, which O(config) has run by its path
        C(/usr/local/lib/openlvs/check-keepalived); for each service, by its VIP or mark and its port, a list of checks.
        It is installed with them, and leaves with the last one.
    type: dict
    default: {}
  check_user:
    description: As whom the checker works. Never root.
    type: str
    default: nobody
  hand_over:
    description:
      - Whether, with an empty O(config), the table and the VIPs stay in the kernel when keepalived goes, as those of
        the role C(openlvs.lvs.director), which has to run next. A director that does not have the VIPs at that moment
        leaves nothing behind.
    type: bool
    default: false
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_vip
  - name: keepalived.conf(5)
    description: What the file may say.
    link: https://www.keepalived.org/manpage.html
"""

EXAMPLES = r"""
- name: Look after one real server
  openlvs.lvs.lvs_keepalived:
    config: |
      # Written by Ansible, role openlvs.lvs.keepalived. Changes made here do not last.
      virtual_server 192.0.2.10 80 {
        lvs_sched wlc
        protocol TCP
        real_server 192.0.2.11 80 {
          weight 1
          lvs_method DR
          TCP_CHECK {
          }
        }
      }
    services:
      - vip: 192.0.2.10
        port: 80
        real_servers:
          - address: 192.0.2.11

- name: Let it go, and let the role director have the table as it stands
  openlvs.lvs.lvs_keepalived:
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
    - write /etc/keepalived/keepalived.conf
    - systemctl reload keepalived.service
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
          sample: keepalived.service
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
          sample: /etc/keepalived/keepalived.conf
        present:
          description: Whether it is there.
          type: bool
        same:
          description: Whether it is as described.
          type: bool
diff:
  description: The text of keepalived.conf, before and after; never that of O(secret).
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
from ansible_collections.openlvs.lvs.plugins.module_utils import _engine_args, _keepalived, _moved
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LibraryMissing, LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._interpreter import start_again_with
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import Daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import CONFIG
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_sync import Sync
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    sync = {"interface": {"type": "str", "required": True}, "id": {"type": "int", "required": True}}
    return {
        "config": {"type": "str", "required": True},
        "secret": {"type": "str", "default": "", "no_log": True},
        "services": {"type": "list", "elements": "dict", "default": []},
        "vips": _moved.OPTION,
        "sync": {"type": "dict", "options": sync},
        "checks": {"type": "dict", "default": {}},
        "check_user": {"type": "str", "default": "nobody"},
        "hand_over": {"type": "bool", "default": False},
    }


def request(params: t.Mapping[str, t.Any]) -> _keepalived.Request:
    """What the options ask for."""
    return _keepalived.Request(
        config=params["config"],
        secret=params["secret"],
        described=_engine_args.described(params["services"]),
        sorry=_engine_args.sorry_servers(params["services"]),
        vips=_moved.records(params["vips"], announced=True),
        sync=Sync(**params["sync"]) if params["sync"] else None,
        hand_over=params["hand_over"],
        checks=params["checks"],
        user=params["check_user"],
    )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        asked = request(module.params)
        work = _keepalived.run(asked, Daemon(module.run_command), Ipvs(), Control(), module.check_mode)
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
        found=_keepalived.told(work, asked),
        **(shown if module._diff and diff["before"] != diff["after"] else {}),
    )


if __name__ == "__main__":
    main()
