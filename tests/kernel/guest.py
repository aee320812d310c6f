# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kernel tests stand on: namespaces of their own, the real modules, plain commands.

Everything here happens inside the lab's guest `kernel`, as root. A test runs in network and mount namespaces of its
own: IPVS tables, addresses, network sysctls, /var/lib, /etc/openlvs and the lock are its own and gone after it.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import runpy
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils import basic
from documented import differences

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = CHECKOUT / "plugins" / "modules"
PACKAGES = Path("/usr/lib/python3/dist-packages")
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def sh(command: str, check: bool = True) -> str:
    """Run a shell line in the test's namespaces; what it printed. A failure shows all of its words."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _call(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


@contextlib.contextmanager
def fresh_host() -> Iterator[None]:
    """Network and mount namespaces of one's own, as a host after boot: no table, no addresses, no traces."""
    kinds = {"net": _CLONE_NEWNET, "mnt": _CLONE_NEWNS}
    home, directory = {kind: os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in kinds}, Path.cwd()
    _call(_LIBC.unshare(_CLONE_NEWNET | _CLONE_NEWNS), "unshare")
    try:
        sh("mount --make-rprivate / && mount -t sysfs none /sys && ip link set lo up")
        sh("mount -t tmpfs none /var/lib && mkdir -m 700 /var/lib/openlvs && rm -f /run/openlvs.lock")
        sh("mkdir -p /etc/openlvs && mount -t tmpfs none /etc/openlvs")
        yield
    finally:
        for kind, descriptor in home.items():
            _call(_LIBC.setns(descriptor, kinds[kind]), f"setns {kind}")
            os.close(descriptor)
        os.chdir(directory)


# ---- modules


def run_module(
    name: str, params: Mapping[str, Any], check: bool = False, diff: bool = True, fresh: bool = False
) -> dict[str, Any]:
    """Run the real module file with these parameters; its result, also when it failed (`failed: True`, `msg`).

    It runs in a forked process, so nothing it does or leaves behind is seen by the test; `fresh` takes a new
    interpreter instead, which has imported nothing yet (for tests that take libraries away).
    """
    arguments = {**params, "_ansible_check_mode": check, "_ansible_diff": diff}
    payload = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
    if fresh:
        command = [sys.executable, __file__, name]
        done = subprocess.run(command, input=payload, capture_output=True, text=True, check=False)
        return _result(name, done.stdout, done.stderr)
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(open(os.memfd_create(end), "w+")) for end in ("out", "err")]
        child = os.fork()
        if not child:
            _in_child(name, payload, ends[0], ends[1])
        os.waitpid(child, 0)
        texts = []
        for end in ends:
            end.seek(0)
            texts.append(end.read())
    return _result(name, *texts)


def _in_child(name: str, payload: str, out: io.TextIOBase, err: io.TextIOBase) -> None:
    """The forked child: never returns into pytest."""
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    try:
        _main(name, payload)
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(0)


def _main(name: str, payload: str) -> None:
    basic._ANSIBLE_ARGS = payload.encode()
    basic._ANSIBLE_PROFILE = "legacy"
    runpy.run_path(str(MODULES / f"{name}.py"), run_name="__main__")


def _result(name: str, out: str, err: str) -> dict[str, Any]:
    try:
        result = dict(json.loads(out))
    except ValueError:
        raise AssertionError(f"module {name} gave no result:\n{out}{err}") from None
    wrong = differences(MODULES / f"{name}.py", result)
    assert not wrong, f"module {name} does not return what it documents: {wrong}"
    return result


# ---- a host before its first run


@contextlib.contextmanager
def without_pyroute2() -> Iterator[None]:
    """The same system without the pyroute2 library (run modules with fresh=True)."""
    places = {PACKAGES, *(Path(entry) for entry in sys.path if Path(entry, "pyroute2").exists())}
    with contextlib.ExitStack() as stack:
        for place in places:
            stack.enter_context(_without_pyroute2(place))
        yield


@contextlib.contextmanager
def _without_pyroute2(place: Path) -> Iterator[None]:
    kept = Path(f"/run/packages{place}")
    sh(f"mkdir -p {kept} && mount --bind {place} {kept} && mount -t tmpfs none {place}")
    try:
        for entry in kept.iterdir():
            if not entry.name.startswith("pyroute2"):
                (place / entry.name).symlink_to(entry)
        yield
    finally:
        sh(f"umount {place} && umount {kept}")


def unload_ip_vs() -> None:
    """Take ip_vs and its companions out of the kernel; namespaces that just ended may hold it for a moment."""
    deadline = time.monotonic() + 20
    while loaded := [name for name in lsmod() if name.startswith(("ip_vs", "xt_ipvs"))]:
        for name in loaded:
            sh(f"rmmod {name} 2>/dev/null", check=False)
        assert time.monotonic() < deadline, f"still in use: {loaded}"
        time.sleep(0.05)


def lsmod() -> set[str]:
    """Names of the loaded kernel modules."""
    return {line.split()[0] for line in Path("/proc/modules").read_text().splitlines()}


if __name__ == "__main__":
    _main(sys.argv[1], sys.stdin.read())
