# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What came to IPVS with which version of Linux, and what to say where the running kernel lacks it.

An older kernel takes what it does not know of a tunnel in silence and builds one of IP in IP, so that is judged by the
version before anything is sent. Schedulers and engines are modules, which a kernel of any version may lack: where the
host knows its modules they are looked up before anything is sent, elsewhere the kernel is asked; the version only says
whether to look for the module or for a newer kernel. Whatever is not named here is in every kernel since 4.3.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import REMOVE, Step
from ansible_collections.openlvs.lvs.plugins.module_utils._table import TUNNEL_CHECKSUMS, RealServer

Version = tuple[int, int]

_TUNNELS: t.Mapping[str, Version] = {"gue": (5, 2), "gre": (5, 3)}
_CHECKSUMS: Version = (5, 3)
_SCHEDULERS: t.Mapping[str, Version] = {"fo": (3, 18), "ovf": (4, 3), "mh": (4, 18), "twos": (5, 12)}
_MODULES = "/lib/modules"


def refuse_missing(steps: t.Iterable[Step]) -> None:
    """Refuse steps that the running kernel cannot do, or would do otherwise than they say.

    :raises OptionError: with all of them.
    """
    wanted = [step for step in steps if step.phase != REMOVE]
    services = [step.service for step in wanted if step.server is None]
    schedulers = {name for name in {service.scheduler for service in services} if _not_installed(f"ip_vs_{name}")}
    engines = {name for name in {service.pe for service in services} if name and _not_installed(f"ip_vs_pe_{name}")}
    findings = []
    for step in wanted:
        if step.server is not None:
            findings += [f"{step.subject}: {what}." for what in _tunnel_lacks(step.server)]
            continue
        if step.service.scheduler in schedulers:
            findings.append(f"{step.subject}: {no_scheduler(step.service.scheduler)}.")
        if step.service.pe in engines:
            findings.append(f"{step.subject}: {no_engine(step.service.pe)}.")
    if findings:
        raise OptionError(findings)


def _tunnel_lacks(server: RealServer) -> t.Iterator[str]:
    if server.forward != "tun":
        return
    needed = _TUNNELS.get(server.tunnel_type)
    if needed is not None and _running() < needed:
        yield f"tunnel_type {server.tunnel_type} {_needs(needed)}. Use tunnel_type: ipip"
    elif server.tunnel_flags and _running() < _CHECKSUMS:
        yield f"tunnel_checksum {TUNNEL_CHECKSUMS[server.tunnel_flags]} {_needs(_CHECKSUMS)}. Leave it out"


def _not_installed(module: str) -> bool:
    """Whether the kernel cannot find the module, as far as that is known: in a container, for one, it is not."""
    if os.path.exists(f"/sys/module/{module}"):
        return False
    installed = ""
    for name in ("modules.dep", "modules.builtin"):
        try:
            with open(os.path.join(_MODULES, os.uname().release, name), encoding="utf-8") as file:
                installed += file.read()
        except OSError:
            return False
    return f"/{module}.ko" not in installed


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
    missing = f"it is not installed for kernel {os.uname().release}"
    return missing if _not_installed(module) else f"{missing}, or 'modprobe {module}' fails"


def _needs(version: Version) -> str:
    return f"needs Linux {_text(version)} or later, and this is {os.uname().release}"


def _running() -> Version:
    found = re.match(r"([0-9]+)\.([0-9]+)", os.uname().release)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
