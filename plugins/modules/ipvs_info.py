#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_info
short_description: Look at the table of a Linux virtual server
description:
  - Returns the virtual services (IPVS) of the running kernel with their real servers, counters and rates, the timeouts,
    the sync daemons and the settings, and on request the connections. Works on the network namespace that the module
    runs in.
  - Loads no kernel module. On a host where C(ip_vs) is not loaded there is no service.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.reading
  - openlvs.lvs.ipvs
options:
  vip:
    description: Return only services of this address, and connections to it.
    type: str
  port:
    description: Return only services of this port, and connections to it.
    type: int
  protocol:
    description: Return only services of this protocol, and connections by it.
    type: str
    choices: [tcp, udp, sctp]
  mark:
    description:
      - Return only services of this firewall mark. The kernel shows the mark of persistence templates alone, so of the
        connections only those are returned.
    type: int
  family:
    description: Return only services of this family, and connections of their clients.
    type: str
    choices: [ipv4, ipv6]
  sort:
    description:
      - Order of the real servers of a service. V(added) is that in which they were added, which is the kernel's own
        (C(ipvsadm -L --nosort)), V(address) that of their addresses and ports (C(--sort)).
      - Services are always sorted by family, address, protocol and port, and then by mark; the kernel keeps no order of
        them.
    type: str
    choices: [added, address]
    default: added
  connections:
    description:
      - Return the connections, too (C(ipvsadm -Lc)). There may be millions of them, for the kernel remembers closed
        ones for a while.
    type: bool
    default: false
  connections_limit:
    description:
      - Return no more connections than this. RV(connections_total) counts them all.
      - Only looked at with O(connections=true).
    type: int
    default: 1000
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.ipvs_sync_daemon
  - module: openlvs.lvs.ipvs_timeouts
  - module: openlvs.lvs.ipvs_counters
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

- name: Look at who is connected to a service
  openlvs.lvs.ipvs_info:
    vip: 192.0.2.10
    port: 80
    protocol: tcp
    connections: true
    connections_limit: 100
  register: web

- name: Show which client stays with which real server
  ansible.builtin.debug:
    msg: "{{ item.client }} -> {{ item.address }} for {{ item.expires }} s"
  loop: "{{ web.connections | selectattr('template') }}"
  loop_control:
    label: "{{ item.client }}"

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
version:
  description: The version of IPVS that the kernel tells; none where it is not loaded.
  returned: success
  type: str
  sample: 1.2.1
connection_table_size:
  description:
    - How many places the kernel's table of connections has; none where it is not loaded. On kernels before 7.1 it is
      the module parameter C(conn_tab_bits) of C(ip_vs) that sets it; later ones resize it themselves up to there.
  returned: success
  type: int
  sample: 4096
timeouts:
  description:
    - For how many seconds the kernel remembers a connection in which nothing happens (C(ipvsadm -L --timeout)).
  returned: success
  type: dict
  contains:
    tcp:
      description: An established TCP connection.
      type: int
    tcp_fin:
      description: A TCP connection that one side has closed.
      type: int
    udp:
      description: A conversation by UDP.
      type: int
  sample: {tcp: 900, tcp_fin: 120, udp: 300}
daemons:
  description: The sync daemons that run (C(ipvsadm -L --daemon)), in the words of M(openlvs.lvs.ipvs_sync_daemon).
  returned: success
  type: list
  elements: dict
  sample:
    - {role: master, interface: eth1, syncid: 51, group: 224.0.0.81, port: 8848, ttl: 1, maxlen: 1472}
settings:
  description: What C(net.ipv4.vs) has, as text, and C(conn_tab_bits), the parameter of the kernel module.
  returned: success
  type: dict
  sample: {conn_reuse_mode: "1", conn_tab_bits: "12", expire_nodest_conn: "0"}
connections:
  description: The connections, in the kernel's order.
  returned: when O(connections=true)
  type: list
  elements: dict
  contains:
    protocol:
      description: V(tcp), V(udp) or V(sctp); V(mark) for a template of a service by mark.
      type: str
    client:
      description: Address of the client; for a template that of its network, as the service's C(netmask) says.
      type: str
    client_port:
      description: Port of the client; V(0) for a template.
      type: int
    vip:
      description: The address that the client asked for; none for a template of a service by mark.
      type: str
    port:
      description: The port that the client asked for; none for a template of a service by mark.
      type: int
    mark:
      description: The mark, for a template of a service by mark.
      type: int
    family:
      description: V(ipv4) or V(ipv6), that of the client.
      type: str
    address:
      description: Address of the real server.
      type: str
    server_port:
      description: Port of the real server.
      type: int
    state:
      description: The state of the connection, such as V(ESTABLISHED); V(NONE) for a template.
      type: str
    expires:
      description: In how many seconds it is forgotten when nothing happens.
      type: int
    template:
      description: Whether it is a persistence template, which binds a client's next connections to the real server.
      type: bool
    pe:
      description: The persistence engine that made the template; none for the address of the client.
      type: str
    pe_data:
      description: What the persistence engine knows the client by, such as a Call-ID.
      type: str
  sample:
    - protocol: tcp
      client: 203.0.113.9
      client_port: 40122
      vip: 192.0.2.10
      port: 80
      mark: null
      family: ipv4
      address: 198.51.100.11
      server_port: 80
      state: ESTABLISHED
      expires: 899
      template: false
      pe: null
      pe_data: null
connections_total:
  description: How many connections there are, those above O(connections_limit) too.
  returned: when O(connections=true)
  type: int
  sample: 1
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
    pe:
      description: Its persistence engine; none for clients told apart by their address.
      type: str
    ops:
      description: Whether every packet is scheduled by itself.
      type: bool
    stats: &stats
      description:
        - Counters since the service or real server was added, and rates. C(conns), C(inpkts), C(outpkts), C(inbytes)
          and C(outbytes); per second C(cps), C(inpps), C(outpps), C(inbps) and C(outbps), the last two in bytes.
        - They are exact, as with C(ipvsadm -L --stats --exact) and C(--rate), and of 64 bits.
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
        tunnel_type:
          description: V(ipip), V(gue) or V(gre); none unless RV(services[].real_servers[].forward=tun).
          type: str
        tunnel_port:
          description: UDP port of a tunnel of type V(gue); none for others.
          type: int
        tunnel_checksum:
          description: V(nocsum), V(csum) or V(remcsum); none unless RV(services[].real_servers[].forward=tun).
          type: str
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
      pe: null
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
          tunnel_type: null
          tunnel_port: null
          tunnel_checksum: null
          active_connections: 1
          inactive_connections: 11
          persistent_connections: 0
          stats: *sample
findings:
  description: What cannot be asked with these options, one line each.
  returned: when a value is refused
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_info import look
from ansible_collections.openlvs.lvs.plugins.module_utils._table import FAMILIES, PROTOCOLS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "vip": {"type": "str"},
            "port": {"type": "int"},
            "protocol": {"type": "str", "choices": list(PROTOCOLS)},
            "mark": {"type": "int"},
            "family": {"type": "str", "choices": list(FAMILIES)},
            "sort": {"type": "str", "choices": ["added", "address"], "default": "added"},
            "connections": {"type": "bool", "default": False},
            "connections_limit": {"type": "int", "default": 1000},
        },
        mutually_exclusive=[("vip", "mark"), ("port", "mark"), ("protocol", "mark")],
        supports_check_mode=True,
    )
    try:
        result = look(module.params)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
