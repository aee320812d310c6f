#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_info
short_description: Look at the table of a Linux virtual server
description:
  - Returns the virtual services (IPVS) of the running kernel with their real servers, connections, counters and
    rates. Works on the network namespace that the module runs in.
  - Loads no kernel module. On a host where C(ip_vs) is not loaded there is no service.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.reading
  - openlvs.lvs.ipvs
options:
  vip:
    description: Return only services of this address.
    type: str
  mark:
    description: Return only services of this firewall mark, of both families.
    type: int
seealso:
  - module: openlvs.lvs.ipvs_services
"""

EXAMPLES = r"""
- name: Look at the whole table
  openlvs.lvs.ipvs_info:
  register: table

- name: Show how many connections each service has got
  ansible.builtin.debug:
    msg: "{{ item.service }} {{ item.stats.conns }}"
  loop: "{{ table.services }}"
  loop_control:
    label: "{{ item.service }}"

- name: Wait until a drained real server has no active connection left
  openlvs.lvs.ipvs_info:
    vip: 192.0.2.10
  register: table
  until: >-
    table.services | map(attribute='real_servers') | flatten
    | selectattr('address', 'equalto', '198.51.100.11') | sum(attribute='active_connections') == 0
  retries: 30
  delay: 2
"""

RETURN = r"""
available:
  description: Whether C(ip_vs) is loaded.
  returned: success
  type: bool
services:
  description: The services, by address and then by mark, in the words of M(openlvs.lvs.ipvs_services).
  returned: success
  type: list
  elements: dict
  contains:
    service:
      description: The service's name in messages, such as V(tcp 192.0.2.10:80) or V(mark 3 ipv4).
      type: str
    vip:
      description: Its address; none for a service by mark.
      type: str
    port:
      description: Its port; none for a service by mark.
      type: int
    protocol:
      description: Its protocol; none for a service by mark.
      type: str
    mark:
      description: Its firewall mark; none for a service by address.
      type: int
    family:
      description: V(ipv4) or V(ipv6).
      type: str
    scheduler:
      description: Its scheduler. V(none) while the kernel has not attached one.
      type: str
    scheduler_flags:
      description: The flags of its scheduler.
      type: list
      elements: str
    persistent:
      description: For how many seconds a client stays with its real server; none for a service without persistence.
      type: int
    netmask:
      description: Which part of a client's address counts for persistence; none for all of it.
      type: str
    ops:
      description: Whether every packet is scheduled by itself.
      type: bool
    stats: &stats
      description:
        - Counters since the service or real server was added, and rates. C(conns), C(inpkts), C(outpkts), C(inbytes)
          and C(outbytes); per second C(cps), C(inpps), C(outpps), C(inbps) and C(outbps), the last two in bytes.
        - The kernel sums them up every two seconds or so.
        - With direct routing and tunnels the answers do not pass the director, so the C(out) ones stay zero.
      type: dict
    real_servers:
      description: Its real servers in the order in which they were added.
      type: list
      elements: dict
      contains:
        address:
          description: Its address.
          type: str
        port:
          description: Its port.
          type: int
        forward:
          description: V(dr), V(nat) or V(tun); what others made can also be V(local) or V(bypass).
          type: str
        weight:
          description: Its weight.
          type: int
        upper_threshold:
          description: No new connections above this number; V(0) is no limit.
          type: int
        lower_threshold:
          description: New connections again below this number.
          type: int
        active_connections:
          description: Connections that are established.
          type: int
        inactive_connections:
          description: Connections in any other state, for example closed ones that are still remembered.
          type: int
        persistent_connections:
          description: Clients that persistence binds to the real server.
          type: int
        stats: *stats
  sample:
    - service: tcp 192.0.2.10:80
      vip: 192.0.2.10
      port: 80
      protocol: tcp
      mark: null
      family: ipv4
      scheduler: wlc
      scheduler_flags: []
      persistent: null
      netmask: null
      ops: false
      stats: &sample
        conns: 12
        inpkts: 72
        outpkts: 0
        inbytes: 4704
        outbytes: 0
        cps: 1
        inpps: 6
        outpps: 0
        inbps: 392
        outbps: 0
      real_servers:
        - address: 198.51.100.11
          port: 80
          forward: dr
          weight: 1
          upper_threshold: 0
          lower_threshold: 0
          active_connections: 1
          inactive_connections: 11
          persistent_connections: 0
          stats: *sample
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_address
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import describe_real_server, describe_service
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs, Observed, loaded
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey


def describe(observed: Observed) -> dict[str, t.Any]:
    return {
        "service": str(observed.service.key),
        **describe_service(observed.service),
        "stats": observed.stats,
        "real_servers": [
            {**describe_real_server(server), **connections, "stats": stats}
            for server, connections, stats in observed.servers
        ],
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={"vip": {"type": "str"}, "mark": {"type": "int"}},
        mutually_exclusive=[("vip", "mark")],
        supports_check_mode=True,
    )
    vip, mark = module.params["vip"], module.params["mark"]
    try:
        address = None if vip is None else read_address(vip, "vip")

        def wanted(key: ServiceKey) -> bool:
            return (address is None or key.address == address) and (mark is None or key.mark == mark)

        available = loaded()
        services = [describe(observed) for observed in Ipvs().observe(wanted)]
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(changed=False, available=available, services=services)


if __name__ == "__main__":
    main()
