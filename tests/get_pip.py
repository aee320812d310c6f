# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand in for get-pip.py: install the pip that Python brings along, then the packages asked for."""

from __future__ import annotations

import subprocess
import sys

packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
if packages:
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", *packages])
