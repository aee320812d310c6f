#!/usr/bin/python

# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lvs_step_down
short_description: Let another director take the VIPs of this one
description:
  - Has keepalived fall silent on a director that has VIPs, so that another director takes them, and starts it again as
    the backup. The VIPs are answered all the time; by this director, until the other one does it.
  - This director goes on with the connections that it has begun. For their sake the VIPs stand on C(lo) as long as
    another director sends their packets here, see M(openlvs.lvs.lvs_relay).
  - When nobody takes the VIPs in time, this director keeps them, and the module fails.
  - VIPs of a cluster of Pacemaker are moved by M(openlvs.lvs.lvs_pacemaker), between O(state=ready) and
    O(state=settled).
  - The playbook C(openlvs.lvs.failover) uses it.
author:
  - The openlvs contributors (@openlvs)
extends_documentation_fragment:
  - openlvs.lvs.attributes
  - openlvs.lvs.attributes.changing
options:
  state:
    description:
      - V(down) has keepalived let another director take the VIPs. Nothing is done where there are none.
      - V(ready) only puts the VIPs on C(lo), so that they are answered while a cluster moves them.
      - V(settled) takes the VIPs off C(lo), when no connection needs this director any more.
    type: str
    choices: [down, ready, settled]
    default: down
  patience:
    description: For how many seconds to wait until another director has the VIPs.
    type: float
    default: 30
requirements:
  - Root on the host, and for O(state=down) systemd, and keepalived as M(openlvs.lvs.lvs_keepalived) has set it up.
seealso:
  - module: openlvs.lvs.lvs_relay
  - module: openlvs.lvs.lvs_keepalived
  - module: openlvs.lvs.lvs_pacemaker
"""

EXAMPLES = r"""
- name: Let the other director take the VIPs
  openlvs.lvs.lvs_step_down:

- name: Forget the connections that were open
  openlvs.lvs.lvs_step_down:
    state: settled
"""

RETURN = r"""
changes:
  description: What was done, or in check mode would be done, in this order, as command lines.
  returned: success
  type: list
  elements: str
  sample:
    - ip address add 192.0.2.10/32 dev lo
    - systemctl kill keepalived.service
    - ip address del 192.0.2.10/32 dev eth0
    - systemctl start keepalived.service
"""

import contextlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest, _step_down
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_daemon import Daemon


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["down", "ready", "settled"], "default": "down"},
            "patience": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    try:
        with contextlib.nullcontext() if module.check_mode else _manifest.exclusive():
            if module.params["state"] == "down":
                changes = _step_down.step_down(Daemon(module.run_command), module.params["patience"], module.check_mode)
            elif module.params["state"] == "ready":
                changes = _step_down.get_ready(module.check_mode)
            else:
                changes = _step_down.settle(module.check_mode)
    except LvsError as exc:
        module.fail_json(msg=str(exc), **exc.details)
    diff = {"before": "", "after": "".join(f"{line}\n" for line in changes)}
    module.exit_json(changed=bool(changes), changes=changes, **({"diff": diff} if module._diff and changes else {}))


if __name__ == "__main__":
    main()
