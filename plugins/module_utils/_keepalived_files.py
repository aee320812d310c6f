# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Where keepalived's files stand, and by what ours are known."""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils._engine_files import Engine

CONFIG = "/etc/keepalived/keepalived.conf"
SECRET = "/etc/keepalived/openlvs-auth.conf"  # the password, for root alone; CONFIG includes it
HEADER = "# Written by Ansible, role openlvs.lvs.keepalived."
UNIT = "keepalived.service"

# One that was killed has left its VIPs where nobody looks after them any more; it takes them off when it starts.
_RESTART = "[Service]\nRestart=on-failure\nRestartSec=2\n"

ENGINE = Engine("keepalived", UNIT, HEADER, CONFIG, {CONFIG: 0o644, SECRET: 0o600}, _RESTART)
