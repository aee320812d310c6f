#!/usr/bin/python
# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: proof
short_description: Say in plain words what holds of LVS clusters
description:
  - Judges the clusters by what other tasks have seen on the hosts and as clients, prints a line for each claim, and
    fails when one does not hold. The playbook C(openlvs.lvs.verify) does it all.
  - A claim that nobody could look at fails too, unless the host is outside of the run's limit. What cannot be asked,
    such as a request over UDP, is said to be unasked. Of more than 500 claims, only those that do not hold are printed.
  - This action runs on the controller and connects to no host. Run it once.
  - "It reads these variables of the hosts: the facts of M(openlvs.lvs.lvs_host_facts); results registered as
    C(lvs_table) and C(lvs_table_after), of M(openlvs.lvs.ipvs_info) on directors before and after the requests;
    C(lvs_answers), of M(openlvs.lvs.lvs_arp_probe) on all members; C(lvs_requests), of M(openlvs.lvs.lvs_connect) on
    the hosts of the group C(lvs_clients); and what the roles have registered, which the playbook runs in check mode
    before."
options:
  cluster:
    description: What M(openlvs.lvs.cluster) has returned.
    type: dict
    required: true
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes.reading
seealso:
  - module: openlvs.lvs.cluster
  - module: openlvs.lvs.lvs_host_facts
  - module: openlvs.lvs.lvs_arp_probe
  - module: openlvs.lvs.lvs_connect
"""

EXAMPLES = r"""
- name: Say what holds
  openlvs.lvs.proof:
    cluster: "{{ lvs_cluster }}"
  run_once: true
"""

RETURN = r"""
lines:
  description: Every claim in the order in which it was printed.
  returned: always
  type: list
  elements: dict
  contains:
    subject:
      description: The service, VIP or host that it is about.
      type: str
    claim:
      description: What should hold.
      type: str
    holds:
      description: Whether it does; none if it could not be asked.
      type: bool
    why:
      description: What was seen instead, or why it could not be asked.
      type: str
  sample:
    - subject: 192.0.2.10
      claim: only lvs1 (02:00:5e:10:00:01) answers ARP for it
      holds: true
      why: ''
"""
