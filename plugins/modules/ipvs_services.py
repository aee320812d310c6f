#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_services
short_description: Manage the whole table of a Linux virtual server
description:
  - Brings the virtual services (IPVS) of a host, with all their real servers, to what is described, in one task.
    Works on the running kernel's table of the network namespace that the module runs in.
  - Adds come before edits and edits before removals. Services and real servers are edited in place, so connections
    and counters stay; nothing is ever flushed, and no service with real servers is left without one on the way.
  - A service in use that gets another O(services[].scheduler) refuses new connections for the few milliseconds in which
    the kernel has none for it.
  - By default nothing is removed that is not described. O(purge_real_servers), O(owner) and O(purge) each widen that.
  - Values that the kernel takes in silence and that cannot work are refused before anything is changed, all of them
    at once.
  - The table is gone after a reboot. O(save_to) writes it to a file from which it can be brought back.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
  - openlvs.lvs.ipvs
options:
  services:
    description:
      - The virtual services that shall be there.
      - A service is named by O(services[].vip), O(services[].port) and O(services[].protocol), or by
        O(services[].mark) and O(services[].family). Those never change in place; another value is another service.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What to call the service in messages.
        type: str
      vip:
        description:
          - Address of the virtual service, IPv4 or IPv6, without a prefix length.
          - The address has to be on the host for clients to reach it; M(openlvs.lvs.lvs_vip) puts it there.
          - Either O(services[].vip) or O(services[].mark) is needed.
        type: str
      port:
        description:
          - Port of the virtual service. Needed with O(services[].vip).
          - V(0) stands for all ports and is for persistent services only.
        type: int
      protocol:
        description:
          - Protocol of the virtual service (C(-t), C(-u), C(--sctp-service)). Only looked at with O(services[].vip).
        type: str
        choices: [tcp, udp, sctp]
        default: tcp
      mark:
        description:
          - Firewall mark (C(-f)) that makes up the virtual service, instead of an address. V(1) to V(4294967295).
          - The packets get their mark from the firewall, for example from C(nft).
        type: int
      family:
        description:
          - Family of the packets that carry the mark. The same mark can stand for a service of each family.
          - Only looked at with O(services[].mark).
        type: str
        choices: [ipv4, ipv6]
        default: ipv4
      scheduler:
        description:
          - How real servers are chosen (C(-s)).
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
          - Which part of a client's address counts for O(services[].persistent) (C(-M)), as V(255.255.255.0) or V(24)
            for IPv4, or a prefix length such as V(64) for IPv6.
          - Without it the whole address counts.
        type: str
      pe:
        description:
          - Persistence engine that tells clients apart by what is in their packets, instead of by their address
            (C(--pe)). The kernel has V(sip), which goes by the Call-ID. Needs O(services[].persistent) and UDP.
          - Without it a client is its address.
        type: str
      ops:
        description: Schedule every packet by itself (one-packet scheduling, C(-o)). For UDP only.
        type: bool
        default: false
      real_servers:
        description:
          - The real servers of the service. New ones are added in this order, which matters to the scheduler V(sh).
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: What to call the real server in messages.
            type: str
          address:
            description: Address of the real server.
            type: str
            required: true
          port:
            description:
              - Port of the real server. Only with O(services[].real_servers[].forward=nat) can it differ from the
                service's.
              - By default the service's port. For a service by mark that is V(0), the port that the client asked for.
            type: int
          weight:
            description:
              - Its share of new connections (C(-w)), V(0) to V(2147483647).
              - V(0) drains it. It gets no new connections, and those that it has go on. Clients that
                O(services[].persistent) binds to it keep coming, unless C(net.ipv4.vs.expire_quiescent_template) is 1.
            type: int
            default: 1
          forward:
            description:
              - How packets get to the real server. Directly on the same network (V(dr), C(-g)), with the addresses
                translated (V(nat), C(-m)), or through a tunnel (V(tun), C(-i)), for which the real server may be of
                the other family.
            type: str
            choices: [dr, nat, tun]
            default: dr
          upper_threshold:
            description: No new connections above this number of connections (C(-x)). V(0) is no limit.
            type: int
            default: 0
          lower_threshold:
            description:
              - New connections again below this number (C(-y)). V(0) is three quarters of
                O(services[].real_servers[].upper_threshold).
            type: int
            default: 0
          tunnel_type:
            description:
              - How packets are wrapped with O(services[].real_servers[].forward=tun) (C(--tun-type)). In IP (V(ipip)),
                in UDP (V(gue), needs Linux 5.2) or in GRE (V(gre), needs Linux 5.3). The real server has to unwrap the
                same.
            type: str
            choices: [ipip, gue, gre]
            default: ipip
          tunnel_port:
            description:
              - UDP port of the real server for O(services[].real_servers[].tunnel_type=gue), which needs it
                (C(--tun-port)).
            type: int
          tunnel_checksum:
            description:
              - Checksum of the wrapping (C(--tun-nocsum), C(--tun-csum), C(--tun-remcsum)). V(csum) is for
                O(services[].real_servers[].tunnel_type=gue) and O(services[].real_servers[].tunnel_type=gre).
                V(remcsum), remote checksum offload, is for O(services[].real_servers[].tunnel_type=gue). Both need
                Linux 5.3.
            type: str
            choices: [nocsum, csum, remcsum]
            default: nocsum
          hold:
            description:
              - Do not add the real server if it is not in the table yet, for example because it is not ready. If it
                is there it is kept as described.
              - Where this would leave a service with nobody, the real servers that it has stay.
            type: bool
            default: false
  purge:
    description: Remove every service of this host that is not listed, no matter who made it.
    type: bool
    default: false
  purge_real_servers:
    description:
      - Remove real servers that are not listed from the services that are.
      - Connections to a removed real server hang or break, so drain it before, by
        O(services[].real_servers[].weight=0).
    type: bool
    default: false
  keep_weights:
    description:
      - Leave the weights of real servers that are in the table as they are. Only real servers that are added get the
        weight that is described.
      - For tables in which an operator or a health checker sets weights, which a run would otherwise set back.
    type: bool
    default: false
  owner:
    description:
      - Name under which the services of this task are recorded on the host (in C(/var/lib/openlvs/manifest.json)).
      - Services that are recorded under this name and no longer listed are removed. Services of others stay.
      - Without it nothing is recorded, and only O(purge) removes services that are no longer listed.
    type: str
  purge_abandoned:
    description:
      - Whether services that are recorded for O(owner) and no longer listed leave.
      - With V(false) they stay until a task with V(true) comes, and stay recorded. So new services can be there before
        something else, such as a firewall mark, changes over to them.
    type: bool
    default: true
  save_to:
    description:
      - File to which the listed services are written, in the syntax of C(ipvsadm -S), thresholds included. Its first
        line is a comment, which C(ipvsadm -R) does not take, so load it with C(grep -v '^#' FILE | ipvsadm -R).
      - Real servers stand in it as in the table and in its order, also those that are not listed and stay there. Those
        that are held back and not in the table are left out.
      - A file that was there before is kept beside it, with C(.before-openlvs) at its end, and comes back when no
        service is listed any more.
    type: path
notes:
  - Only one run of this collection works on a host at a time; another one waits up to a minute.
  - When somebody else changes the table during the run, it is read and planned again.
  - In check mode nothing is written or loaded. A host where C(ip_vs) is not loaded counts as one with an empty table.
seealso:
  - module: openlvs.lvs.ipvs_service
  - module: openlvs.lvs.ipvs_real_server
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: Direct routing, two real servers
  openlvs.lvs.ipvs_services:
    services:
      - name: web
        vip: 192.0.2.10
        port: 80
        scheduler: wlc
        real_servers:
          - {address: 198.51.100.11, weight: 2}
          - {address: 198.51.100.12}

- name: Drain the first real server, and take out all that are not listed
  openlvs.lvs.ipvs_services:
    services:
      - vip: 192.0.2.10
        port: 80
        real_servers:
          - {address: 198.51.100.11, weight: 0}
          - {address: 198.51.100.12}
    purge_real_servers: true

- name: Own these services, dual stack, and write them to the file that is loaded at boot
  openlvs.lvs.ipvs_services:
    owner: dns
    save_to: /etc/ipvsadm.rules
    services:
      - vip: 192.0.2.53
        port: 53
        protocol: udp
        scheduler: rr
        ops: true
        real_servers:
          - {address: 198.51.100.53}
          - {address: 198.51.100.54}
      - vip: 2001:db8::53
        port: 53
        protocol: udp
        scheduler: rr
        ops: true
        real_servers:
          - {address: "2001:db8:1::53"}
          - {address: "2001:db8:1::54"}

- name: Several ports as one persistent service by firewall mark, forwarded by NAT
  openlvs.lvs.ipvs_services:
    services:
      - mark: 3
        persistent: 600
        netmask: 255.255.255.0
        real_servers:
          - {address: 203.0.113.21, forward: nat, upper_threshold: 1000, lower_threshold: 800}
          - {address: 203.0.113.22, forward: nat, upper_threshold: 1000, lower_threshold: 800}

- name: Nothing but these services on this host
  openlvs.lvs.ipvs_services:
    services:
      - vip: 192.0.2.10
        port: 443
        scheduler: mh
        scheduler_flags: [mh-port]
        real_servers:
          - {address: 198.51.100.11, forward: tun}
          - {address: 198.51.100.12, forward: tun}
    purge: true
    purge_real_servers: true

- name: Add a real server, and leave the weights of the others as an operator has set them
  openlvs.lvs.ipvs_services:
    services:
      - vip: 192.0.2.10
        port: 443
        scheduler: mh
        real_servers:
          - {address: 198.51.100.11, forward: tun}
          - {address: 198.51.100.12, forward: tun, tunnel_type: gue, tunnel_port: 6080}
          - {address: "2001:db8:1::13", forward: tun, tunnel_type: gre, tunnel_checksum: csum}
    keep_weights: true

- name: Remove what this owner has made here
  openlvs.lvs.ipvs_services:
    owner: dns
    save_to: /etc/ipvsadm.rules
    services: []

- name: Remove every service of this host, whoever made it
  openlvs.lvs.ipvs_services:
    services: []
    purge: true
"""

RETURN = r"""
changes:
  description:
    - What was done, or in check mode would be, in its order. Changes of the table are C(ipvsadm) command lines.
  returned: success
  type: list
  elements: str
  sample:
    - -a -t 192.0.2.10:80 -r 198.51.100.12:80 -g -w 1
    - -e -t 192.0.2.10:80 -r 198.51.100.11:80 -g -w 0
    - write /etc/ipvsadm.rules
held:
  description: Real servers that were held back and are not in the table.
  returned: success
  type: list
  elements: str
  sample:
    - tcp 192.0.2.10:80, real server 198.51.100.13:80 (rs3)
diff:
  description: The services that change, as lines of C(ipvsadm -S) completed by C(-x) and C(-y).
  returned: success and in diff mode
  type: dict
  contains:
    before:
      description: How they are.
      type: str
    after:
      description: How they become.
      type: str
findings:
  description: What cannot work in the described services, one line each.
  returned: when a value is refused
  type: list
  elements: str
applied:
  description: The steps that were done when the kernel refused one, also others of its kind behind it.
  returned: when the kernel refuses a step
  type: list
  elements: str
"""

from ansible_collections.openlvs.lvs.plugins.module_utils._bulk import BulkModule
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_services import Request, run
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import services_spec
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs


def main() -> None:
    module = BulkModule(
        bulk="services",
        argument_spec={
            "services": services_spec(),
            "purge": {"type": "bool", "default": False},
            "purge_real_servers": {"type": "bool", "default": False},
            "keep_weights": {"type": "bool", "default": False},
            "owner": {"type": "str"},
            "purge_abandoned": {"type": "bool", "default": True},
            "save_to": {"type": "path"},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        request = Request(
            read_services(module.items()),
            params["purge"],
            params["purge_real_servers"],
            params["keep_weights"],
            params["owner"],
            params["purge_abandoned"],
            params["save_to"],
        )
        report = run(request, Ipvs(request.description.table), module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), invocation=module.invocation, **exc.details)
    for warning in report.warnings:
        module.warn(warning)
    shown = {"diff": report.outcome.diff} if module._diff else {}
    result = {"changed": bool(report.changes), "changes": report.changes, "held": report.held, **shown}
    module.exit_json(invocation=module.invocation, **result)


if __name__ == "__main__":
    main()
