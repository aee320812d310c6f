#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_host_facts
short_description: Facts of a host of an LVS cluster
description:
  - Tells what the cluster's checks need to know of a host; its addresses and interfaces, what on it is ours, and which
    VIPs it holds silently at this moment.
  - Quick, since it runs on every host at every run. Needs nothing but Python, and loads nothing into the kernel.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.reading
attributes:
  facts:
    description: Adds the fact C(lvs_host) to C(ansible_facts).
    support: full
requirements:
  - Root on the host, for only root can read the record of what is ours.
seealso:
  - module: openlvs.lvs.lvs_rs_arp
  - module: openlvs.lvs.lvs_vip
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: Look at the host
  openlvs.lvs.lvs_host_facts:

- name: Say which VIPs it holds silently
  ansible.builtin.debug:
    var: ansible_facts.lvs_host.silent
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: success
  type: dict
  contains:
    lvs_host:
      description: What is known of this host.
      returned: success
      type: dict
      contains:
        distribution:
          description:
            - The name of the distribution, and its family as the roles of this collection know it, V(Debian) or
              V(RedHat), or none.
          type: dict
          sample: {family: RedHat, name: AlmaLinux 9.6 (Sage Margay)}
        addresses:
          description: Every address of the host, IPv4 and IPv6.
          type: list
          elements: dict
          sample:
            - {address: 198.51.100.11, interface: eth0, label: eth0, prefix: 24, scope: global}
        links:
          description:
            - Every interface by name, with its MAC and MTU, whether it is up, and whether it is a loopback interface.
          type: dict
          sample: {eth0: {loopback: false, mac: "02:00:5e:10:00:0b", mtu: 1500, up: true}}
        vips:
          description:
            - The VIPs that are recorded as ours, with the side that each serves, V(real_server), V(director) or
              V(vrrp), whether it has been announced to the neighbours, and whether it is there at this moment.
          type: list
          elements: dict
          sample:
            - address: 192.0.2.10
              announced: false
              here: true
              host_route: true
              interface: lo
              label: lo:0
              prefix: 32
              side: real_server
        services:
          description: The virtual services that are recorded as ours, by their owner.
          type: dict
          sample: {director: ["tcp 192.0.2.10:80"]}
        arp:
          description: The settings C(arp_ignore) and C(arp_announce) on C(all) and on every interface.
          type: dict
          sample: {all: {arp_announce: 2, arp_ignore: 1}, eth0: {arp_announce: 0, arp_ignore: 0}}
        managers:
          description:
            - Which network manager looks after which interface at somebody's wish; V(networkd), V(networkmanager),
              V(netplan), V(ifupdown) or V(ifcfg), and the file, profile or definition that tells it to. Interfaces
              that none looks after are left out.
          type: dict
          sample: {eth0: {manager: networkd, owner: /etc/systemd/network/10-lan.network}}
        gateways:
          description: The gateways of all routes of the host, IPv4 and IPv6.
          type: list
          elements: str
          sample: [198.51.100.1]
        answers:
          description: Which answers of this host leave by a gateway of their own, as M(openlvs.lvs.lvs_gateway) has it.
          type: list
          elements: dict
          sample: [{address: 198.51.100.11, gateway: 198.51.100.2, port: 80, protocol: tcp}]
        ip_forward:
          description: The setting C(net.ipv4.ip_forward).
          type: int
          sample: 0
        ipv6_forward:
          description: The setting C(net.ipv6.conf.all.forwarding); 0 where there is no IPv6.
          type: int
          sample: 0
        ip_vs_loaded:
          description: Whether IPVS is in the kernel at this moment.
          type: bool
          sample: false
        held:
          description:
            - The recorded VIPs of the real-server side that are there at this moment, alone (/32 or /128) on an
              interface where nobody can ask.
          type: list
          elements: str
          sample: [192.0.2.10]
        silent:
          description: Those of C(held) about which no other interface of the host would answer or tell.
          type: list
          elements: str
          sample: [192.0.2.10]
        silenced:
          description: The VIPs that rules of M(openlvs.lvs.lvs_nft) keep from ARP at this moment.
          type: list
          elements: str
          sample: []
        tunnels:
          description:
            - The tunnels that are recorded as ours, as M(openlvs.lvs.lvs_tunnel) takes them, and in C(receiving) the
              VIPs whose packets come out of it at this moment; its device is up, its port is open, C(rp_filter) lets
              them pass.
          type: list
          elements: dict
          sample:
            - address: 198.51.100.11
              receiving: [192.0.2.10]
              tunnel_checksum: nocsum
              tunnel_port: null
              tunnel_type: ipip
              vips: [192.0.2.10]
        neighbours:
          description:
            - The static neighbour entries that are recorded as ours, with the MAC of the one that is there at this
              moment; null where none is. See M(openlvs.lvs.lvs_neighbours).
          type: list
          elements: dict
          sample: [{address: 192.0.2.10, interface: eth0, mac: "02:00:5e:10:00:0b"}]
        missing:
          description:
            - What the roles would install; V(ipvsadm), the program, which directors need, V(nft), the program, which
              hosts with rules of nftables need, V(iptables), which directors that mark by it need, and V(pyroute2), the
              library for Python, which every host needs.
          type: list
          elements: str
          sample: [pyroute2]
        keepalived:
          description:
            - The C(version) of the installed keepalived, and the C(config) that was written by the role
              C(openlvs.lvs.keepalived); null for each that is not there.
          type: dict
          sample: {config: null, version: 2.2.7}
        ldirectord:
          description:
            - Whether ldirectord is V(installed), and the C(config) that was written by the role
              C(openlvs.lvs.ldirectord), or null.
          type: dict
          sample: {config: null, installed: false}
        pacemaker:
          description:
            - Whether Corosync and Pacemaker are V(installed); the C(config) of Corosync that was written by the role
              C(openlvs.lvs.pacemaker), or null, and the C(name) of the cluster in it; whether it is that of a cluster
              which somebody else has made, C(foreign); and the C(fencing_devices) of our cluster.
          type: dict
          sample: {config: null, fencing_devices: [], foreign: false, installed: false, name: null}
        senders:
          description:
            - The MAC addresses by which this director knows others that hand on to it, see the option
              O(openlvs.lvs.lvs_nft#module:handed_on) of M(openlvs.lvs.lvs_nft).
          type: list
          elements: str
          sample: []
        firewalls:
          description:
            - The kinds of packet filters in which there are rules of others, V(nftables) and V(iptables), the tables of
              the kernel's older half. M(openlvs.lvs.lvs_firewall) looks at them.
          type: list
          elements: str
          sample: [nftables]
        openings:
          description: The rules in the host's firewall that are recorded as ours, see M(openlvs.lvs.lvs_firewall).
          type: list
          elements: str
          sample: []
        rules:
          description:
            - The roles that have rules of nftables here, see M(openlvs.lvs.lvs_nft), and V(iptables) where there are
              those of M(openlvs.lvs.lvs_iptables).
          type: list
          elements: str
          sample: [director]
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _host_kernel
from ansible_collections.openlvs.lvs.plugins.module_utils._corosync import facts as pacemaker_facts
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._host_facts import facts
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import facts as keepalived_facts
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_daemon import facts as ldirectord_facts


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        host = _host_kernel.read()
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    daemons = {
        "keepalived": keepalived_facts(module.run_command),
        "ldirectord": ldirectord_facts(),
        "pacemaker": pacemaker_facts(module.run_command),
    }
    found = {**facts(host), **daemons}
    module.exit_json(changed=False, ansible_facts={"lvs_host": found})


if __name__ == "__main__":
    main()
