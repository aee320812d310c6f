#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_service
short_description: Manage a virtual service of a Linux virtual server
description:
  - Adds, edits or removes one virtual service (IPVS) in the running kernel's table of the network namespace that the
    module runs in. The table is gone after a reboot.
  - A service is edited in place, so its real servers, connections and counters stay. With another O(scheduler) it
    refuses new connections for the few milliseconds in which the kernel has none for it.
  - For several services, or for services with their real servers, M(openlvs.lvs.ipvs_services) does it all in one task.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
  - openlvs.lvs.ipvs
  - openlvs.lvs.ipvs.identity
options:
  state:
    description:
      - V(present) adds the service or makes it as described; V(absent) removes it together with its real servers.
    type: str
    choices: [present, absent]
    default: present
  scheduler:
    description:
      - How real servers are chosen (C(ipvsadm -s)).
      - One of V(rr), V(wrr), V(lc), V(wlc), V(fo), V(ovf), V(lblc), V(lblcr), V(dh), V(sh), V(mh), V(sed), V(nq),
        V(twos). V(mh) needs Linux 4.18 and V(twos) Linux 5.12.
    type: str
    default: wlc
  scheduler_flags:
    description:
      - Flags of the scheduler (C(-b)). V(sh-fallback) and V(sh-port) for V(sh), V(mh-fallback) and V(mh-port) for
        V(mh).
    type: list
    elements: str
    default: []
  persistent:
    description:
      - For how many seconds a client stays with its real server (C(-p)). V(1) to V(2678400).
      - Without it the service is not persistent.
    type: int
  netmask:
    description:
      - Which part of a client's address counts for O(persistent) (C(-M)), as V(255.255.255.0) or V(24) for IPv4, or a
        prefix length such as V(64) for IPv6.
      - Without it the whole address counts.
    type: str
  pe:
    description:
      - Persistence engine that tells clients apart by what is in their packets, instead of by their address
        (C(--pe)). The kernel has V(sip), which goes by the Call-ID. Needs O(persistent) and UDP.
      - Without it a client is its address.
    type: str
  ops:
    description: Schedule every packet by itself (one-packet scheduling, C(-o)). For UDP only.
    type: bool
    default: false
notes:
  - In check mode nothing is written or loaded. A host where C(ip_vs) is not loaded counts as one with an empty table.
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.ipvs_real_server
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: A web service
  openlvs.lvs.ipvs_service:
    vip: 192.0.2.10
    port: 80
    scheduler: wlc

- name: The same service with another scheduler; connections stay
  openlvs.lvs.ipvs_service:
    vip: 192.0.2.10
    port: 80
    scheduler: mh
    scheduler_flags: [mh-fallback, mh-port]

- name: All ports of an IPv6 address; a network of clients stays with its real server for ten minutes
  openlvs.lvs.ipvs_service:
    vip: 2001:db8::10
    port: 0
    persistent: 600
    netmask: 64

- name: DNS, every packet scheduled by itself
  openlvs.lvs.ipvs_service:
    vip: 192.0.2.53
    port: 53
    protocol: udp
    scheduler: rr
    ops: true

- name: SIP over UDP; the packets of a call stay with their real server
  openlvs.lvs.ipvs_service:
    vip: 192.0.2.50
    port: 5060
    protocol: udp
    scheduler: rr
    persistent: 300
    pe: sip

- name: Whatever the firewall marks with 3
  openlvs.lvs.ipvs_service:
    mark: 3
    family: ipv6

- name: Remove the web service and its real servers
  openlvs.lvs.ipvs_service:
    vip: 192.0.2.10
    port: 80
    state: absent
"""

RETURN = r"""
service:
  description: The service's name in messages.
  returned: success
  type: str
  sample: tcp 192.0.2.10:80
changes:
  description: What was done, or in check mode would be, as C(ipvsadm) command lines.
  returned: success
  type: list
  elements: str
  sample:
    - -E -t 192.0.2.10:80 -s mh -b mh-fallback,mh-port
diff:
  description: The service, as lines of C(ipvsadm -S) completed by C(-x) and C(-y), when it changes.
  returned: success and in diff mode
  type: dict
  contains:
    before:
      description: How it is.
      type: str
    after:
      description: How it becomes.
      type: str
findings:
  description: What cannot work in the described service, one line each.
  returned: when a value is refused
  type: list
  elements: str
applied:
  description: The steps that were done when the kernel refused one, also others of its kind behind it.
  returned: when the kernel refuses a step
  type: list
  elements: str
"""

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._converge import converge
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_key, read_service
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import (
    identity_rules,
    identity_spec,
    service_spec,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import Step, plan
from ansible_collections.openlvs.lvs.plugins.module_utils._table import Service, ServiceKey, Table

Planner = t.Callable[[Table], t.Sequence[Step]]


def planner(params: t.Mapping[str, t.Any]) -> tuple[ServiceKey, Planner]:
    """The service that the options name, and what to do about it."""
    if params["state"] == "absent":
        key = read_key(params)
        return key, lambda have: plan(have, Table(), owned=[key])
    service: Service = read_service(params)
    return service.key, lambda have: plan(have, Table.of([(service, ())]))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            **identity_spec(),
            **service_spec(),
        },
        supports_check_mode=True,
        **identity_rules(),
    )
    try:
        key, make_plan = planner(module.params)
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            outcome = converge(Ipvs(), make_plan, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    shown = {"diff": outcome.diff} if module._diff else {}
    module.exit_json(changed=bool(outcome.changes), service=str(key), changes=outcome.changes, **shown)


if __name__ == "__main__":
    main()
