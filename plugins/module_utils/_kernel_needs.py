# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What came to IPVS with which version of Linux, and what to say where the running kernel lacks it.

An older kernel takes a tunnel of a newer type in silence and builds one of IP in IP, so that is judged by the version
before anything is sent. Schedulers and engines are modules, which a kernel of any version may lack: there the kernel is
asked, and the version only says whether to look for the module or for a newer kernel.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import REMOVE, Step

Version = tuple[int, int]

_TUNNELS: t.Mapping[str, Version] = {"gue": (5, 2), "gre": (5, 3)}
_SCHEDULERS: t.Mapping[str, Version] = {"fo": (3, 18), "ovf": (4, 3), "mh": (4, 18), "twos": (5, 12)}


def refuse_unknown_tunnels(steps: t.Iterable[Step]) -> None:
    """Refuse steps that the running kernel would do otherwise than they say.

    :raises OptionError: with all of them.
    """
    findings = []
    for step in steps:
        server = step.server
        if server is None or step.phase == REMOVE or server.forward != "tun":
            continue
        needed = _TUNNELS.get(server.tunnel_type)
        if needed is not None and _running() < needed:
            findings.append(
                f"{step.subject}: tunnel_type {server.tunnel_type} needs Linux {_text(needed)} or later, and this is"
                f" {os.uname().release}. Use tunnel_type: ipip."
            )
    if findings:
        raise OptionError(findings)


def no_scheduler(name: str) -> str:
    """Why the kernel has no such scheduler, and what helps."""
    needed = _SCHEDULERS.get(name)
    why = f"the kernel has no scheduler '{name}' (module ip_vs_{name})"
    if needed is not None and _running() < needed:
        return f"{why}: it came with Linux {_text(needed)}, and this is {os.uname().release}"
    return f"{why}: {_install(f'ip_vs_{name}')}"


def no_engine(name: str) -> str:
    """Why the kernel has no such persistence engine, and what helps."""
    return f"the kernel has no persistence engine '{name}' (module ip_vs_pe_{name}): {_install(f'ip_vs_pe_{name}')}"


def _install(module: str) -> str:
    return f"it is not installed for kernel {os.uname().release}, or 'modprobe {module}' fails"


def _running() -> Version:
    found = re.match(r"([0-9]+)\.([0-9]+)", os.uname().release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
