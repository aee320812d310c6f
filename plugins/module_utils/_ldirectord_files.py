# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Where ldirectord's files stand, and by what ours are known."""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils._engine_files import Engine

CONFIG = "/etc/ha.d/ldirectord.cf"
HEADER = "# Written by Ansible, role openlvs.lvs.ldirectord."
UNIT = "ldirectord.service"
LOG = "/var/log/ldirectord.log"
PROGRAM = "/usr/sbin/ldirectord"
PID_FILE = "/run/ldirectord.ldirectord.pid"

# The distribution's unit is done with stopping before the daemon is, and a start in between starts none.
_UNIT = f"""[Service]
ExecStop=/bin/sh -c 'while test -e {PID_FILE}; do sleep 0.1; done'
TimeoutStopSec=30
Restart=on-failure
RestartSec=2
"""

ENGINE = Engine("ldirectord", UNIT, HEADER, CONFIG, {CONFIG: 0o600}, _UNIT)
