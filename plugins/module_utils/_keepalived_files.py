# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Where keepalived's files stand, and by what ours are known."""

from __future__ import annotations

CONFIG = "/etc/keepalived/keepalived.conf"
SECRET = "/etc/keepalived/openlvs-auth.conf"  # the password, for root alone; CONFIG includes it
KEPT = CONFIG + ".before-openlvs"  # somebody else's CONFIG, which comes back in the end
HEADER = "# Written by Ansible, role openlvs.lvs.keepalived."
DROP_IN = "/etc/systemd/system/keepalived.service.d/openlvs.conf"
MODES = {CONFIG: 0o644, SECRET: 0o600, DROP_IN: 0o644}

# One that was killed has left its VIPs where nobody looks after them any more; it takes them off when it starts.
RESTART = f"""{HEADER} Changes made here do not last.
[Service]
Restart=on-failure
RestartSec=2
"""
