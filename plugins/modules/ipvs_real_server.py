#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_real_server
short_description: Manage a real server of a Linux virtual server
description:
  - Adds, edits or removes one real server of a virtual service (IPVS) in the running kernel's table of the network
    namespace that the module runs in. The table is gone after a reboot.
  - A real server is edited in place, so its connections and counters stay. To drain it, set O(weight=0).
  - The service has to be there; M(openlvs.lvs.ipvs_service) makes it. For all real servers of all services
    M(openlvs.lvs.ipvs_services) does it in one task.
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
      - V(present) adds the real server or makes it as described; V(absent) removes it. Connections to a removed real
        server hang or break, so drain it before.
    type: str
    choices: [present, absent]
    default: present
  address:
    description: Address of the real server.
    type: str
    required: true
  server_port:
    description:
      - Port of the real server. Only with O(forward=nat) can it differ from the service's.
      - By default the service's port. For a service by mark that is V(0), the port that the client asked for.
    type: int
  weight:
    description:
      - Its share of new connections (C(ipvsadm -w)), V(0) to V(2147483647).
      - V(0) drains it. It gets no new connections, and those that it has go on. Clients that a persistent service binds
        to it keep coming, unless C(net.ipv4.vs.expire_quiescent_template) is 1.
    type: int
    default: 1
  forward:
    description:
      - How packets get to the real server. Directly on the same network (V(dr), C(-g)), with the addresses translated
        (V(nat), C(-m)), or through a tunnel (V(tun), C(-i)), for which the real server may be of the other family.
    type: str
    choices: [dr, nat, tun]
    default: dr
  upper_threshold:
    description: No new connections above this number of connections (C(-x)). V(0) is no limit.
    type: int
    default: 0
  lower_threshold:
    description: New connections again below this number (C(-y)). V(0) is three quarters of O(upper_threshold).
    type: int
    default: 0
  tunnel_type:
    description:
      - How packets are wrapped with O(forward=tun) (C(--tun-type)). In IP (V(ipip)), in UDP (V(gue), needs Linux 5.2)
        or in GRE (V(gre), needs Linux 5.3). The real server has to unwrap the same.
    type: str
    choices: [ipip, gue, gre]
    default: ipip
  tunnel_port:
    description: UDP port of the real server for O(tunnel_type=gue), which needs it (C(--tun-port)).
    type: int
  tunnel_checksum:
    description:
      - Checksum of the wrapping (C(--tun-nocsum), C(--tun-csum), C(--tun-remcsum)). V(csum) is for O(tunnel_type=gue)
        and O(tunnel_type=gre). V(remcsum), remote checksum offload, is for O(tunnel_type=gue). Both need
        Linux 5.3.
    type: str
    choices: [nocsum, csum, remcsum]
    default: nocsum
notes:
  - In check mode nothing is written or loaded. There a service that is missing counts as one that an earlier task
    makes.
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.ipvs_service
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: The service that the real servers belong to
  openlvs.lvs.ipvs_service:
    vip: 192.0.2.10
    port: 80

- name: A real server by direct routing
  openlvs.lvs.ipvs_real_server:
    vip: 192.0.2.10
    port: 80
    address: 198.51.100.11
    weight: 2

- name: One by NAT on another port, with at most 1000 connections
  openlvs.lvs.ipvs_real_server:
    vip: 192.0.2.10
    port: 80
    address: 203.0.113.21
    server_port: 8080
    forward: nat
    upper_threshold: 1000

- name: One through a tunnel in UDP, over IPv6
  openlvs.lvs.ipvs_real_server:
    vip: 192.0.2.10
    port: 80
    address: 2001:db8::31
    forward: tun
    tunnel_type: gue
    tunnel_port: 6080
    tunnel_checksum: csum

- name: Drain it
  openlvs.lvs.ipvs_real_server:
    vip: 192.0.2.10
    port: 80
    address: 198.51.100.11
    weight: 0

- name: Remove it
  openlvs.lvs.ipvs_real_server:
    vip: 192.0.2.10
    port: 80
    address: 198.51.100.11
    state: absent
"""

RETURN = r"""
service:
  description: The service's name in messages.
  returned: success
  type: str
  sample: tcp 192.0.2.10:80
real_server:
  description: Address and port of the real server.
  returned: success
  type: str
  sample: 198.51.100.11:80
changes:
  description: What was done, or in check mode would be, as C(ipvsadm) command lines.
  returned: success
  type: list
  elements: str
  sample:
    - -e -t 192.0.2.10:80 -r 198.51.100.11:80 -g -w 0
diff:
  description:
    - The service with its real servers, as lines of C(ipvsadm -S) completed by C(-x) and C(-y), when it changes.
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
  description: What cannot work in the described real server, one line each.
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
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import (
    read_key,
    read_real_server,
    read_real_server_key,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import (
    identity_rules,
    identity_spec,
    real_server_spec,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import (
    Step,
    plan_no_real_server,
    plan_real_server,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    RealServerKey,
    ServiceKey,
    Table,
    endpoint,
)

Planner = t.Callable[[Table], t.Sequence[Step]]


def planner(params: t.Mapping[str, t.Any], check_mode: bool) -> tuple[ServiceKey, RealServerKey, Planner]:
    """The real server that the options name in its service, and what to do about it."""
    key = read_key(params)
    if params["state"] == "absent":
        name = read_real_server_key(params, key)
        return key, name, lambda have: plan_no_real_server(have, key, name)
    server = read_real_server(params, key)

    def make_plan(have: Table) -> t.Sequence[Step]:
        if key not in have.services and not check_mode:
            raise LvsError(f"Service {key}: it is not in the table, so it can have no real server. Add it first.")
        return plan_real_server(have, key, server)

    return key, server.key, make_plan


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            **identity_spec(),
            "address": {"type": "str", "required": True},
            "server_port": {"type": "int"},
            **real_server_spec(),
        },
        supports_check_mode=True,
        **identity_rules(),
    )
    try:
        key, name, make_plan = planner(module.params, module.check_mode)
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            outcome = converge(Ipvs(), make_plan, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    was, then = (table.servers(key).get(name) for table in (outcome.before, outcome.after))
    if was and then and was.forward != then.forward:
        module.warn(
            f"Service {key}, real server {endpoint(*name)}: it was reached by {was.forward}, and now is by"
            f" {then.forward}, which breaks its open connections. A task that does not say forward asks for dr."
        )
    shown = {"diff": outcome.diff} if module._diff else {}
    module.exit_json(
        changed=bool(outcome.changes),
        service=str(key),
        real_server=endpoint(*name),
        changes=outcome.changes,
        **shown,
    )


if __name__ == "__main__":
    main()
