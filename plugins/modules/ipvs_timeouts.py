#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ipvs_timeouts
short_description: Manage the timeouts of a Linux virtual server
description:
  - Sets for how long the running kernel (IPVS) remembers a connection in which nothing happens, in the network
    namespace that the module runs in. The kernel starts with 900, 120 and 300 seconds again after a reboot.
  - Connections that exist keep the time that they have got until their next packet.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
  - openlvs.lvs.ipvs
options:
  tcp:
    description:
      - Seconds for an established TCP connection, up to V(2678400) (C(ipvsadm --set)).
      - Left out or V(0), nothing is changed.
    type: int
  tcp_fin:
    description:
      - Seconds for a TCP connection that one side has closed, up to V(2678400).
      - Left out or V(0), nothing is changed.
    type: int
  udp:
    description:
      - Seconds for a conversation by UDP, up to V(2678400).
      - Left out or V(0), nothing is changed.
    type: int
notes:
  - A kernel whose clock ticks a thousand times a second takes no more than 2147483 seconds.
  - In check mode nothing is written or loaded. A host where C(ip_vs) is not loaded counts as one with the timeouts with
    which the kernel starts.
seealso:
  - module: openlvs.lvs.ipvs_info
"""

EXAMPLES = r"""
- name: Remember idle connections for two hours, as keepalive of TCP expects it
  openlvs.lvs.ipvs_timeouts:
    tcp: 7300

- name: Forget closed connections and DNS soon
  openlvs.lvs.ipvs_timeouts:
    tcp_fin: 30
    udp: 10

- name: Back to what the kernel starts with
  openlvs.lvs.ipvs_timeouts:
    tcp: 900
    tcp_fin: 120
    udp: 300
"""

RETURN = r"""
timeouts:
  description: The timeouts, or in check mode what they would be.
  returned: success
  type: dict
  contains:
    tcp:
      description: Seconds for an established TCP connection.
      type: int
    tcp_fin:
      description: Seconds for a TCP connection that one side has closed.
      type: int
    udp:
      description: Seconds for a conversation by UDP.
      type: int
  sample: {tcp: 7300, tcp_fin: 120, udp: 300}
changes:
  description: What was done, or in check mode would be, as C(ipvsadm) command line.
  returned: success
  type: list
  elements: str
  sample:
    - --set 7300 0 0
diff:
  description: The timeouts, as the command line that sets them, when they change.
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
  description: What cannot work in what is described, one line each.
  returned: when a value is refused
  type: list
  elements: str
"""

import contextlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest, _timeouts
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._netlink_control import Control


def main() -> None:
    module = AnsibleModule(
        argument_spec={name: {"type": "int"} for name in _timeouts.Timeouts._fields},
        required_one_of=[_timeouts.Timeouts._fields],
        supports_check_mode=True,
    )
    try:
        wanted = _timeouts.read(module.params)
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            control = Control()
            have = control.timeouts()
            step = _timeouts.change(have, wanted)
            if any(step) and not module.check_mode:
                control.set_timeouts(step)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    result = _timeouts.after(have, step)
    shown = {"diff": {"before": f"{have}\n", "after": f"{result}\n"}} if module._diff else {}
    changes = [str(step)] if any(step) else []
    module.exit_json(changed=bool(changes), timeouts=result._asdict(), changes=changes, **shown)


if __name__ == "__main__":
    main()
