#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_sync_daemon
short_description: Manage the sync daemons of a Linux virtual server
description:
  - Starts or stops the kernel's sync daemons (IPVS) in the network namespace that the module runs in. They tell other
    directors of the connections, so that those go on when another director takes over. They are gone after a reboot.
  - A daemon that runs as described goes on undisturbed. One that runs with other settings is stopped and started again,
    for the kernel cannot change it in place; the daemon of the other role is left alone.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
  - openlvs.lvs.ipvs
options:
  state:
    description:
      - V(present) starts the daemon or makes it run as described (C(ipvsadm --start-daemon)). V(absent) stops it
        (C(--stop-daemon)).
    type: str
    choices: [present, absent]
    default: present
  role:
    description:
      - V(master) sends, V(backup) receives, V(both) stands for one of each with the same settings.
      - A director that becomes master has its backup daemon stopped by a task of its own, as in the examples.
    type: str
    choices: [master, backup, both]
    required: true
  interface:
    description:
      - Interface on which the other directors are (C(--mcast-interface)). It has to be up and to have an address of the
        family of O(group). Needed to start a daemon.
      - Whoever can send on that network can make up connections, so keep it to directors.
    type: str
  syncid:
    description:
      - Number that a master sends with its messages, V(0) to V(255) (C(--syncid)). A backup takes only those with its
        own number; with V(0) it takes all.
    type: int
    default: 0
  group:
    description: Multicast address to send to and to listen on, IPv4 or IPv6 (C(--mcast-group)).
    type: str
    default: 224.0.0.81
  port:
    description: UDP port of the messages (C(--mcast-port)).
    type: int
    default: 8848
  ttl:
    description: How many routers a message may pass, and one more; V(1) to V(255) (C(--mcast-ttl)).
    type: int
    default: 1
  maxlen:
    description:
      - Longest message in bytes (C(--sync-maxlen)). For a backup at least V(1024), and never less than the master
        sends.
      - By default what fits in a packet of 1500 bytes, for a backup what fits in one of O(interface) if that is more.
    type: int
notes:
  - No sync daemon runs beside services that have real servers of the other family.
  - Messages take up to three seconds, so a planned takeover waits that long after the last new connection.
  - In check mode nothing is started, stopped or loaded.
seealso:
  - module: openlvs.lvs.ipvs_info
  - module: openlvs.lvs.ipvs_timeouts
"""

EXAMPLES = r"""
- name: Send connections to the other directors
  openlvs.lvs.ipvs_sync_daemon:
    role: master
    interface: eth1
    syncid: 51

- name: Receive them, in long messages by IPv6 through one router
  openlvs.lvs.ipvs_sync_daemon:
    role: backup
    interface: eth1
    syncid: 51
    group: ff05::51
    port: 8849
    ttl: 2
    maxlen: 8900

- name: Do both, on two directors that are active at once
  openlvs.lvs.ipvs_sync_daemon:
    role: both
    interface: eth1
    syncid: 51

- name: Become the only master, first step
  openlvs.lvs.ipvs_sync_daemon:
    role: backup
    state: absent

- name: Stop whatever runs
  openlvs.lvs.ipvs_sync_daemon:
    role: both
    state: absent
"""

RETURN = r"""
daemons:
  description: The sync daemons that run, or in check mode would.
  returned: success
  type: list
  elements: dict
  contains:
    role:
      description: V(master) or V(backup).
      type: str
    interface:
      description: Its interface.
      type: str
    syncid:
      description: Its number.
      type: int
    group:
      description: Its multicast address.
      type: str
    port:
      description: Its UDP port.
      type: int
    ttl:
      description: How far its messages go.
      type: int
    maxlen:
      description: Its longest message in bytes.
      type: int
  sample:
    - {role: master, interface: eth1, syncid: 51, group: 224.0.0.81, port: 8848, ttl: 1, maxlen: 1472}
changes:
  description: What was done, or in check mode would be, as C(ipvsadm) command lines.
  returned: success
  type: list
  elements: str
  sample:
    - --stop-daemon master
    - --start-daemon master --mcast-interface eth1 --syncid 51 --mcast-group 224.0.0.81 --mcast-port 8848 --mcast-ttl 1
      --sync-maxlen 1472
diff:
  description: The sync daemons, as the command lines that start them.
  returned: success and in diff mode
  type: dict
  contains:
    before:
      description: Those that run.
      type: str
    after:
      description: Those that will.
      type: str
findings:
  description: What cannot work in what is described, one line each.
  returned: when a value is refused
  type: list
  elements: str
applied:
  description: What was done before the kernel refused.
  returned: when the kernel refuses
  type: list
  elements: str
"""

import contextlib
import dataclasses

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest, _sync_daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._mixed_families import refuse_daemon
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control, mtu


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "choices": [*_sync_daemon.ROLES, "both"], "required": True},
            "interface": {"type": "str"},
            "syncid": {"type": "int", "default": _sync_daemon.SYNCID},
            "group": {"type": "str", "default": _sync_daemon.GROUP},
            "port": {"type": "int", "default": _sync_daemon.PORT},
            "ttl": {"type": "int", "default": _sync_daemon.TTL},
            "maxlen": {"type": "int"},
        },
        required_if=[("state", "present", ["interface"])],
        supports_check_mode=True,
    )
    try:
        wanted = _sync_daemon.read(module.params, mtu)
        if any(wanted.values()):
            refuse_daemon(module.params["role"], Ipvs().read())
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            outcome = _sync_daemon.converge(Control(), wanted, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    shown = {"diff": outcome.diff} if module._diff else {}
    daemons = [dataclasses.asdict(outcome.after[role]) for role in _sync_daemon.ROLES if role in outcome.after]
    module.exit_json(changed=bool(outcome.changes), daemons=daemons, changes=outcome.changes, **shown)


if __name__ == "__main__":
    main()
