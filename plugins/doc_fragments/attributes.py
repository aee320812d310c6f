# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of the modules. Use the base together with either ``.changing`` or ``.reading``."""

    # For every module of the collection.
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/openlvs.lvs.ipvs) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - openlvs.lvs.ipvs
  platform:
    description: Target operating systems that the module works on.
    support: full
    platforms: linux
"""

    # For a module that changes the host.
    CHANGING = r"""
options: {}
attributes:
  check_mode:
    description: Says what would be changed without changing anything.
    support: full
  diff_mode:
    description: Shows what is changed, or in check mode what would be changed, as before and after.
    support: full
  idempotent:
    description: A second run with the same options changes nothing and says so.
    support: full
"""

    # For a module that only looks.
    READING = r"""
options: {}
attributes:
  check_mode:
    description: Says what would be changed without changing anything.
    details:
      - The module changes nothing, so it does the same in check mode.
    support: full
  diff_mode:
    description: Shows what is changed, or in check mode what would be changed, as before and after.
    details:
      - The module changes nothing, so there is nothing to show.
    support: N/A
  idempotent:
    description: A second run with the same options changes nothing and says so.
    details:
      - The module changes nothing.
    support: full
"""
