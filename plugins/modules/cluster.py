#!/usr/bin/python
# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Check the description of LVS clusters
description:
  - Reads the description of the clusters, C(lvs_services), and what belongs to it from the inventory, checks it against
    itself and against what is known of the hosts, and tells what each host has to do.
  - All findings come out at once, each with the item, the value, what is allowed and why. Nothing is changed.
  - This action runs on the controller and connects to no host. It reads the variables of all hosts, so run it once.
options:
  live:
    description:
      - Whether to judge by what is known of the hosts too, and to fail when there are findings.
      - V(false) looks at the description alone, to learn which hosts M(openlvs.lvs.lvs_host_facts) should look at.
        It never fails, and returns neither RV(views) nor RV(services).
    type: bool
    default: true
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes.reading
seealso:
  - module: openlvs.lvs.lvs_host_facts
  - module: openlvs.lvs.proof
"""

EXAMPLES = r"""
- name: Check the description against itself and the hosts
  openlvs.lvs.cluster:
  run_once: true
  register: lvs_cluster

- name: Show what this host has to do
  ansible.builtin.debug:
    var: lvs_cluster.views[inventory_hostname]
"""

RETURN = r"""
members:
  description:
    - Hosts that the description names, hosts of the groups C(lvs_directors), C(lvs_real_servers) and
      C(lvs_routers), and hosts known to hold VIPs or services of this collection. Sorted.
  returned: success
  type: list
  elements: str
  sample: [lvs1, rs1, rs2]
directors:
  description: Hosts that direct a service.
  returned: success
  type: list
  elements: str
  sample: [lvs1]
real_servers:
  description: Hosts of the inventory that serve a service.
  returned: success
  type: list
  elements: str
  sample: [rs1, rs2]
routers:
  description: Hosts that have static neighbour entries for VIPs, M(openlvs.lvs.lvs_neighbours), or shall have some.
  returned: success with O(live=true)
  type: list
  elements: str
  sample: []
handing_over:
  description:
    - Directors that hold VIPs which others shall have, with those others. They let go when the others have taken them.
  returned: success with O(live=true)
  type: dict
  sample: {}
leaving:
  description: Hosts that hold, as real servers, VIPs which the description does not give them any more.
  returned: success with O(live=true)
  type: list
  elements: str
  sample: []
directors_leaving:
  description: Hosts that direct nothing any more, but still hold VIPs or services as a director.
  returned: success with O(live=true)
  type: list
  elements: str
  sample: []
views:
  description: For each member what it has to do, by the names of the roles' variables.
  returned: success with O(live=true)
  type: dict
  sample:
    lvs1:
      director_services:
        - name: web
          vip: 192.0.2.10
          port: 80
          protocol: tcp
          scheduler: wlc
          real_servers:
            - {name: rs1, address: 192.0.2.11, port: 80, weight: 2, forward: dr}
      director_marks: []
      director_handed_on: []
      director_vips:
        - {address: 192.0.2.10, prefix: 32, interface: eth0}
      director_ip_forward: false
      director_send_redirects: true
      director_ipvs_settings: {}
      director_purge_real_servers: true
      realserver_vips: []
      realserver_arp_interfaces: []
services:
  description:
    - The virtual services as the kernel knows them, with the name of the described service, the VIPs whose packets come
      to each, and where a client can ask, as M(openlvs.lvs.lvs_connect) takes it.
  returned: success with O(live=true)
  type: list
  elements: dict
  sample:
    - name: web
      director: lvs1
      vip: 192.0.2.10
      port: 80
      protocol: tcp
      scheduler: wlc
      real_servers:
        - {name: rs1, address: 192.0.2.11, port: 80, weight: 2, forward: dr}
      vips: [192.0.2.10]
      targets:
        - {vip: 192.0.2.10, port: 80, protocol: tcp}
targets:
  description: Where a client can ask at all, over TCP and SCTP, as M(openlvs.lvs.lvs_connect) takes it.
  returned: success with O(live=true)
  type: list
  elements: dict
  sample:
    - {vip: 192.0.2.10, port: 80, protocol: tcp}
findings:
  description: What is wrong in the description. With O(live=true) the action fails when there is any.
  returned: always
  type: list
  elements: str
  sample: []
"""
