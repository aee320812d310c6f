# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of ldirectord from the role's variables; documented in the file of the same name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord import files


def ldirectord_files(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the module lvs_ldirectord takes."""
    if not isinstance(settings, t.Mapping):
        raise AnsibleFilterError("ldirectord_files takes a dictionary: the variables of the role without their prefix")
    try:
        return files(settings)
    except OptionError as exc:
        head = f"Findings in what ldirectord shall do: {len(exc.findings)}. Nothing was changed."
        raise AnsibleFilterError("\n".join([head, *exc.findings])) from exc


class FilterModule:
    """What Ansible asks a filter plugin for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"ldirectord_files": ldirectord_files}
