# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as argv[0] of every host's kernel: starts it, and starts it again at each reboot of the guest.

User-Mode Linux reboots by execvp(argv[0]) in the same process. The tap descriptors leak through that exec, and dying
guest processes hold copies for a moment, so a new kernel could not open its interfaces. This script runs in between:
it closes what leaked, ends and reaps the children, then starts the kernel that OPENLVS_LAB_UML names.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

os.closerange(3, 4096)
with contextlib.suppress(OSError):
    for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
        with contextlib.suppress(OSError):
            os.kill(int(child), signal.SIGKILL)
            os.waitpid(int(child), 0)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
os.execvp(os.environ["OPENLVS_LAB_UML"], [os.path.abspath(__file__), *sys.argv[1:]])
