#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_connect
short_description: Open connections to VIPs as a client does
description:
  - Opens connections to each target, one after another, and closes them in good order, so that the director's table
    can be looked at for who served them, see M(openlvs.lvs.ipvs_info).
  - Says nothing on the connections; an open connection is the answer.
  - UDP has no connections, so a datagram is sent there, and any datagram that comes back from the VIP is the answer.
    What to send is O(targets[].probe), or known for the port, 53 (DNS) and 123 (NTP). Where neither is, an empty
    datagram goes out, half a second each is given to refuse it (ICMP), and silence counts neither as an answer nor as
    an error.
  - Run it on a client. A connection from the director itself takes another way through the kernel, and a real server
    that holds the VIP reaches itself.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.reading
options:
  targets:
    description: Where to connect.
    type: list
    elements: dict
    required: true
    suboptions:
      vip:
        description: The VIP, IPv4 or IPv6.
        type: str
        required: true
      port:
        description: The port.
        type: int
        required: true
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, sctp, udp]
        default: tcp
      count:
        description:
          - How many connections to open. It ends early when nobody is there, that is after three in a row that get no
            answer in time or find no host.
        type: int
        default: 12
      timeout:
        description: For how many seconds to wait for each connection.
        type: float
        default: 3.0
      probe:
        description: For UDP, what to send, in hexadecimal; spaces do not matter.
        type: str
seealso:
  - module: openlvs.lvs.lvs_arp_probe
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: Connect twelve times
  openlvs.lvs.lvs_connect:
    targets:
      - vip: 192.0.2.10
        port: 80

- name: Connect to several services, a few times each
  openlvs.lvs.lvs_connect:
    targets:
      - {vip: 192.0.2.10, port: 443, count: 4}
      - {vip: "2001:db8::10", port: 443, count: 4, timeout: 1}
  register: connected

- name: Ask a UDP service what its clients ask
  openlvs.lvs.lvs_connect:
    targets:
      - {vip: 192.0.2.10, port: 7, protocol: udp, probe: 70 69 6e 67}

- name: All have answered
  ansible.builtin.assert:
    that: connected.targets | map(attribute='errors') | flatten | length == 0
"""

RETURN = r"""
targets:
  description: What came of each target, in the order of O(targets).
  returned: success
  type: list
  elements: dict
  contains:
    vip:
      description: The VIP.
      type: str
      sample: 192.0.2.10
    port:
      description: The port.
      type: int
      sample: 80
    protocol:
      description: The protocol.
      type: str
      sample: tcp
    known:
      description: Whether an answer was to be expected. For UDP without a question none is.
      type: bool
      sample: true
    asked:
      description: How many connections were tried, or datagrams sent.
      type: int
      sample: 12
    answered:
      description: How many of them were opened, or answered.
      type: int
      sample: 11
    errors:
      description: What went wrong with the others.
      type: list
      elements: dict
      sample:
        - {count: 1, message: connection refused}
findings:
  description: What cannot be asked with these options, one line each. Nothing was asked.
  returned: when an option was refused
  type: list
  elements: str
"""

import ipaddress
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils._connect import (
    PROTOCOLS,
    Target,
    connect,
    is_probe,
    once,
)
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError

_LAST_PORT = 65535


def argument_spec() -> dict[str, t.Any]:
    """The options."""
    target = {
        "vip": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "tcp"},
        "count": {"type": "int", "default": 12},
        "timeout": {"type": "float", "default": 3.0},
        "probe": {"type": "str"},
    }
    return {"targets": {"type": "list", "elements": "dict", "required": True, "options": target}}


def check(targets: t.Sequence[Target]) -> None:
    """Whether one can connect there at all."""
    findings = []
    for number, target in enumerate(targets):
        where = f"targets[{number}]"
        try:
            ipaddress.ip_address(target.vip)
        except ValueError:
            findings.append(f"{where} vip {target.vip!r}: it is neither an IPv4 nor an IPv6 address.")
        if not 1 <= target.port <= _LAST_PORT:
            findings.append(f"{where} port {target.port}: it is not within 1..{_LAST_PORT}.")
        if target.count < 1 or target.timeout <= 0:
            findings.append(f"{where}: count and timeout must be more than 0.")
        if target.probe is not None and not is_probe(target.probe):
            findings.append(f"{where} probe {target.probe!r}: it is not hexadecimal, two digits for each byte.")
        if target.probe is not None and target.protocol != "udp":
            findings.append(f"{where} probe: nothing is said on {target.protocol} connections. It is for udp.")
    if findings:
        raise OptionError(findings)


def ask(target: Target) -> dict[str, t.Any]:
    """What comes of a target."""
    outcome = connect(target, once)
    return {
        "vip": target.vip,
        "port": target.port,
        "protocol": target.protocol,
        "known": target.protocol != "udp" or target.question is not None,
        "asked": outcome.asked,
        "answered": outcome.answered,
        "errors": [{"message": message, "count": count} for message, count in sorted(outcome.errors.items())],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    targets = [Target(**option) for option in module.params["targets"]]
    try:
        check(targets)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    module.exit_json(changed=False, targets=[ask(target) for target in targets])


if __name__ == "__main__":
    main()
