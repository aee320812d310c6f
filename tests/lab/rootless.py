# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an ordinary user has in place of root: user namespaces. The user is root in them, and nobody outside."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from common import Trouble, need

# what forbids user namespaces to ordinary users -> its value then, and one that allows them
OBSTACLES = {
    "user.max_user_namespaces": ("0", "15000"),
    "kernel.unprivileged_userns_clone": ("0", "1"),  # Debian
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),  # Ubuntu
}
RANGES = (Path("/etc/subuid"), Path("/etc/subgid"))
SIZE = 65536  # ids of a whole system


def _try(*options: str) -> list[str]:
    words = ["unshare", "--map-root-user", *options]
    done = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"An ordinary user cannot be root in a namespace here ({done.stderr.strip()}). {_remedy()}")
    return words


def _remedy() -> str:
    for name, (forbidding, allowing) in OBSTACLES.items():
        setting = Path("/proc/sys", name.replace(".", "/"))
        if setting.exists() and setting.read_text().strip() == forbidding:
            return f"{name} is {forbidding}: run this as root, or allow it with: sysctl -w {name}={allowing}"
    return "Something else than a setting forbids it (a container, perhaps): run this as root."


def check() -> None:
    """Say what keeps an ordinary user from having a network namespace."""
    if os.getuid():
        _try("--net")


def as_root() -> list[str]:
    """What to put before a command that mounts, and makes files of several owners."""
    if not os.getuid():
        return []
    check()  # first: where it fails, unshare --map-auto leaves a process that waits for ever
    need(["newuidmap"])
    _check_ranges(pwd.getpwuid(os.getuid()).pw_name)
    return _try("--map-auto", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def _check_ranges(user: str) -> None:
    given = [[line.split(":") for line in path.read_text().split()] if path.exists() else [] for path in RANGES]
    if all(any(line[0] in (user, str(os.getuid())) for line in lines) for lines in given):
        return
    first = max([100000, *(int(line[1]) + int(line[2]) for lines in given for line in lines)])
    both = f"{first}-{first + SIZE - 1}"
    raise Trouble(
        f"{user} has no ids to give to the users inside an image: it needs a range in "
        f"{' and in '.join(map(str, RANGES))}. "
        f"Grant it with: usermod --add-subuids {both} --add-subgids {both} {user}"
    )
