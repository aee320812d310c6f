# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that put VIPs on a host have in common."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - Root on the host.
  - The Python library pyroute2 0.5.14 or later on the host, in the distributions C(python3-pyroute2). Check mode, and a
    run that finds nothing to change, do without it.
  - Where Ansible runs a Python that lacks the library, the module goes on under the system's own, C(/usr/bin/python3).
notes:
  - "What the module makes is recorded in C(/var/lib/openlvs/manifest.json), which only root can read: the VIPs, and the
    settings found before the first write. The record is written before what it is about and goes after it, so a run
    that was cut off, even by a power cut, is completed by the next one."
  - An address that stands there exactly as described counts as one of ours from then on and leaves like any other.
    Every other address that the record does not know is somebody else's and is never touched.
  - Only one run of this collection works on a host at a time; another one waits up to a minute.
  - The running kernel is changed, not the network configuration of the next boot. The roles of this collection see to
    that as well.
"""
