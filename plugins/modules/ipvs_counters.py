#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_counters
short_description: Set the counters of a Linux virtual server to zero
description:
  - Lets the running kernel (IPVS) count connections, packets and bytes from zero again, those of one virtual service
    with its real servers or those of all, in the network namespace that the module runs in.
  - Connections are not touched, nor is the number of those that are active. M(openlvs.lvs.ipvs_info) returns the
    counters.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
  - openlvs.lvs.ipvs
  - openlvs.lvs.ipvs.identity
attributes:
  idempotent:
    description: A second run with the same options changes nothing and says so.
    support: partial
    details:
      - Clients that connect between two runs are counted, so the second run sets that to zero again and says so.
options:
  state:
    description: V(zeroed) sets the counters to zero (C(ipvsadm -Z)).
    type: str
    choices: [zeroed]
    required: true
  vip:
    description:
      - Address of the virtual service, IPv4 or IPv6, without a prefix length.
      - Without O(vip) and O(mark) it is about all services.
    type: str
notes:
  - The kernel sums up its counters every two seconds or so; what it has not summed up yet is counted afterwards.
  - In check mode nothing is written or loaded, and a service that is missing counts as one that an earlier task makes.
seealso:
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: Count a service from zero again
  openlvs.lvs.ipvs_counters:
    state: zeroed
    vip: 192.0.2.10
    port: 80

- name: Count everything from zero again
  openlvs.lvs.ipvs_counters:
    state: zeroed
"""

RETURN = r"""
services:
  description: The services whose counters were not zero.
  returned: success
  type: list
  elements: str
  sample:
    - tcp 192.0.2.10:80
changes:
  description: What was done, or in check mode would be, as C(ipvsadm) command line.
  returned: success
  type: list
  elements: str
  sample:
    - -Z -t 192.0.2.10:80
diff:
  description: The counters that are not zero, a line for each service.
  returned: success and in diff mode
  type: dict
  contains:
    before:
      description: How they are.
      type: str
    after:
      description: How they become. Nothing.
      type: str
findings:
  description: What cannot work in what is described, one line each.
  returned: when a value is refused
  type: list
  elements: str
"""

import contextlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_key
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import identity_rules, identity_spec
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink import Ipvs, Observed
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control
from ansible_collections.openlvs.lvs.plugins.module_utils._rules import key_words
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey

# What the kernel's rates say is gone by itself.
COUNTERS = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")


def wanted(params: t.Mapping[str, t.Any]) -> ServiceKey | None:
    """The service that the options name; None for all."""
    return None if params["vip"] is None and params["mark"] is None else read_key(params)


def counting(key: ServiceKey | None, check_mode: bool) -> list[Observed]:
    """The services that have counted something since their counters were zero.

    :raises LvsError: when the service is not there.
    """
    found = Ipvs().observe(lambda one: key in (None, one))
    if key is not None and not found and not check_mode:
        raise LvsError(f"Service {key}: it is not in the table, so it has no counters.")
    return [
        one
        for one in found
        if any(stats[name] for stats in (one.stats, *(server[2] for server in one.servers)) for name in COUNTERS)
    ]


def line(observed: Observed) -> str:
    """A service's counters, for people."""
    return f"{observed.service.key}: " + ", ".join(f"{name} {observed.stats[name]}" for name in COUNTERS) + "\n"


def main() -> None:
    rules = identity_rules()
    del rules["required_one_of"]
    module = AnsibleModule(
        argument_spec={"state": {"type": "str", "choices": ["zeroed"], "required": True}, **identity_spec()},
        supports_check_mode=True,
        **rules,
    )
    try:
        key = wanted(module.params)
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            found = counting(key, module.check_mode)
            if found and not module.check_mode:
                Control().zero(key)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    changes = ["-Z" if key is None else f"-Z {key_words(key)}"] if found else []
    shown = {"diff": {"before": "".join(map(line, found)), "after": ""}} if module._diff else {}
    services = [str(one.service.key) for one in found]
    module.exit_json(changed=bool(changes), services=services, changes=changes, **shown)


if __name__ == "__main__":
    main()
