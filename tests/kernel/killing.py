# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill a run of ipvs_services before any of its effects: each command to the kernel, each act on a file."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import guest
import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _netlink, _netlink_family

_FILES = ("makedirs", "unlink", "fsync", "link", "replace", "rmdir")  # of os: by these files come, change and go


def kill(options: Mapping[str, Any], effects: int) -> str | None:
    """Run it and kill it after so many effects: which one it was killed before, None if it came to its end."""
    with tempfile.NamedTemporaryFile("w+") as last, pytest.MonkeyPatch.context() as patch:
        left = [effects]

        def before(act: Callable[..., Any], tell: Callable[..., str]) -> Callable[..., Any]:
            def wrapped(*args: Any, **kwargs: Any) -> Any:
                if not left[0]:
                    last.write(tell(*args))
                    last.flush()
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return act(*args, **kwargs)

            return wrapped

        patch.setattr(_netlink, "BATCH", 1)
        patch.setattr(_netlink_family.Family, "command", before(_netlink_family.Family.command, _command))
        for name in _FILES:
            patch.setattr(os, name, before(getattr(os, name), lambda *args, name=name: f"{name} {_path(args[-1])}"))
        try:
            guest.run_module("ipvs_services", options)
        except AssertionError as error:
            assert "gave no result" in str(error)
            last.seek(0)
            return last.read()
        return None


def _command(_family: _netlink_family.Family, requests: Any) -> str:
    return "ipvsadm " + " ".join(str(request.args[0]) for request in requests)


def _path(name: Any) -> str:
    return os.readlink(f"/proc/self/fd/{name}") if isinstance(name, int) else str(name)
