#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_settings
short_description: Manage the kernel settings of an LVS director
description:
  - Sets what a director needs of its running kernel, and gives it back. The value found before the first write is
    recorded in C(/var/lib/openlvs/manifest.json).
  - "Whoever masquerades must forward before the first request comes, and as long as connections are open. So call it
    twice: before M(openlvs.lvs.ipvs_services), and after it with O(purge=true)."
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
options:
  ip_forward:
    description:
      - V(true) lets the kernel forward IPv4 packets between networks (C(net.ipv4.ip_forward=1)). NAT needs it; direct
        routing does not.
      - V(false) asks for nothing.
    type: bool
    default: false
  ipv6_forward:
    description:
      - The same for IPv6 (C(net.ipv6.conf.all.forwarding=1)).
      - A host that becomes a router forgets what other routers have told it, its default route, too. Where it listens
        to them, C(net.ipv6.conf.*.accept_ra) becomes V(2) before, with which it goes on to.
    type: bool
    default: false
  no_redirects:
    description:
      - Interfaces by which no ICMP redirect may leave (C(net.ipv4.conf.*.send_redirects=0) on them and on C(all)). A
        director that masquerades into the network where its VIP is needs it; real servers would answer past it.
    type: list
    elements: str
    default: []
  ipvs_settings:
    description:
      - Settings of IPVS by the names that they have below C(net.ipv4.vs). They are set at once, for which ip_vs is
        loaded.
      - V(conn_tab_bits), the size of the connection table as a power of two, is a parameter of the kernel module. It
        cannot be set while ip_vs is loaded, so it is only judged, and there is a warning where another value runs.
    type: dict
    default: {}
  purge:
    description:
      - Whether settings that this module has made and that are no longer asked for become again what they were. One
        that somebody else has changed since stays, with a warning.
    type: bool
    default: false
requirements:
  - Root on the host.
notes:
  - The kernel turns other settings when forwarding is turned on or off, such as C(accept_redirects) on C(all). They
    are recorded and come back with it.
  - Only one run of this collection works on a host at a time; another one waits up to a minute.
  - The running kernel is changed. What is to be set at the next boot is in RV(settings).
seealso:
  - module: openlvs.lvs.ipvs_services
  - module: openlvs.lvs.lvs_vip
  - name: Settings of IPVS
    description: Which are worth setting, and why.
    link: https://github.com/openlvs/ansible-lvs/blob/main/docs/settings.md
"""

EXAMPLES = r"""
- name: Forward packets, and let no real server learn to go past, before the table changes
  openlvs.lvs.lvs_settings:
    ip_forward: true
    no_redirects: [eth0]

- name: Answer clients of a real server that is gone, and nothing else any more
  openlvs.lvs.lvs_settings:
    ipvs_settings:
      expire_nodest_conn: 1
    purge: true

- name: Give everything back
  openlvs.lvs.lvs_settings:
    purge: true
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - "# record: net.ipv4.ip_forward was 0"
    - sysctl -w net.ipv4.ip_forward=1
settings:
  description: The settings that must hold, with their values; for sysctl.d(5).
  returned: success
  type: dict
  sample:
    net.ipv4.ip_forward: "1"
found:
  description: What is recorded as changed, with the values found before.
  returned: success
  type: dict
  sample:
    net.ipv4.ip_forward: "0"
applied:
  description: What of the changes was done before a step failed. The next run completes the rest.
  returned: when the kernel refused a step
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
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._settings_run import run


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    return {
        "ip_forward": {"type": "bool", "default": False},
        "ipv6_forward": {"type": "bool", "default": False},
        "no_redirects": {"type": "list", "elements": "str", "default": []},
        "ipvs_settings": {"type": "dict", "default": {}},
        "purge": {"type": "bool", "default": False},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    for warning in result.warnings:
        module.warn(warning)
    module.exit_json(**result.values, **({"diff": result.diff} if module._diff else {}))


if __name__ == "__main__":
    main()
