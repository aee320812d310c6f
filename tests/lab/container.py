# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is a systemd container of podman or docker. It shares this machine's kernel: directors need its ip_vs.

It may change its own network and nothing of the machine's: all other kernel settings are read-only to it, and it cannot
load modules; what clusters need is loaded before.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import access
import boot
import images
import namespace
import record
import topology
from common import HERE, LAB, RUN, SHARE, Trouble, need, python_script, run, say
from topology import Host

STORE = LAB / "containers"
SCHEDULERS = ["rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos"]
ID_MAP = Path("/proc/self/uid_map")
GET_VERSION = (
    "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)"
    ".getsockopt(socket.IPPROTO_IP, 1152, 64)"  # IP_VS_SO_GET_VERSION
)
INIT = (
    "mount --bind /proc/sys /proc/sys && mount --bind /proc/sys/net /proc/sys/net && "
    "mount -o remount,bind,ro /proc/sys && mount -o remount,rw /sys/fs/cgroup && "
    'exec setpriv --bounding-set -sys_module,-sys_time,-sys_rawio /sbin/init "$@"'
)


# ---- what this machine can do


@cache
def engine() -> tuple[str, ...]:
    """The command of the container engine: podman if it is there, else docker if its daemon answers, else nothing."""
    if shutil.which("podman"):
        RUN.mkdir(parents=True, exist_ok=True)
        return (str(shutil.copy(HERE / "podman", RUN / "podman-lab")),)
    if shutil.which("docker") and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return ("docker",)
    return ()


def engine_name() -> str:
    return "docker" if engine() == ("docker",) else "podman"


def is_root() -> bool:
    """True for the machine's root; that of a user namespace may not do enough."""
    return not os.geteuid() and ID_MAP.read_text().split() == ["0", "0", "4294967295"]


def has_ipvs() -> bool:
    """Ask ip_vs for its version, in a network namespace made for the question; load its modules if that is allowed."""
    if shutil.which("modprobe"):
        modules = ["ip_vs", *(f"ip_vs_{name}" for name in SCHEDULERS)]
        subprocess.run(["modprobe", "--quiet", "--all", *modules], capture_output=True, check=False)
    probe = ["unshare", "--net", sys.executable, "-c", GET_VERSION]
    return not subprocess.run(probe, capture_output=True, check=False).returncode


def can_direct() -> bool:
    """Whether whole clusters, directors included, can be containers of this machine."""
    return is_root() and bool(engine()) and has_ipvs()


def check(hosts: Sequence[Host]) -> None:
    """Say before anything starts what this machine lacks."""
    if not is_root():
        raise Trouble("Containers of the lab need the machine's root. Without it, use OPENLVS_LAB_DRIVER=uml.")
    if not engine():
        raise Trouble(
            "There is neither podman nor a docker daemon that answers. "
            "Install podman with: tests/lab/install-tools --containers"
        )
    directors = [host.name for host in hosts if topology.directs(host)]
    if directors and not has_ipvs():
        raise Trouble(
            f"{', '.join(directors)} would be a container, and this machine's kernel {platform.release()} has no ip_vs "
            "that modprobe could load. Use OPENLVS_LAB_DRIVER=mixed (directors get kernels of their own) or uml."
        )


# ---- images


@dataclass(frozen=True)
class Base:
    """What a new host runs on."""

    image: Path

    def __str__(self) -> str:
        return f"in containers of {engine_name()} on this machine's kernel"

    @property
    def kernel(self) -> str:
        return engine_name()

    @property
    def built(self) -> str:
        return images.built(self.image)

    @property
    def tag(self) -> str:
        return "openlvs-lab:" + self.built.replace(" ", "-")


def base() -> Base:
    """The same disk that other hosts start from, as an image of the engine."""
    need(["debugfs"])
    on = Base(images.image(images.suite()))
    if _engine("image", "inspect", on.tag, check=False).returncode:
        say(f"making a container image of {on.image.name}")
        tree = LAB / "build" / "container"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir(parents=True)
        run("debugfs", "-R", f"rdump / {tree}", on.image)
        for sticky in ("tmp", "var/tmp"):  # debugfs forgets that
            (tree / sticky).chmod(0o1777)
        with subprocess.Popen(["tar", "-C", tree, "--exclude=./lost+found", "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run([*engine(), "import", "-", on.tag], stdin=tar.stdout, capture_output=True, check=True)
        shutil.rmtree(tree)
        for old in _engine("images", "--format", "{{.Repository}}:{{.Tag}}", "openlvs-lab").stdout.split():
            if not old.endswith(on.tag):
                _engine("rmi", old, check=False)  # unless a container stands on it
    return on


def _engine(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*engine(), *words], check=False, text=True, capture_output=True)
    if check and done.returncode:
        raise Trouble(f"{Path(engine()[0]).name} {' '.join(words)}: {done.stderr.strip()}")
    return done


# ---- one host


def name(host: Host) -> str:
    return f"{namespace.NAME}-{host.name}"


def plug(hosts: Sequence[Host]) -> set[str]:
    return namespace.plug(hosts, make=False)  # a container's cables are made when it starts


def start(host: Host, on: Base) -> None:
    """Boot the host on what it has written; a new one, or one of another image, starts with the image alone."""
    _engine("stop", "--time", "0", name(host), check=False)  # one that the lab has lost sight of
    first = [f"until [ -e /sys/class/net/eth{len(host.interfaces) - 1} ]; do sleep 0.1; done"]
    script = record.boot_script(host)
    script.write_text(boot.script(host, first))
    script.chmod(0o755)
    absent = _engine("container", "inspect", name(host), check=False).returncode
    if absent or record.state(host).get("built") != on.built:
        _remove(name(host))
        _engine(*_create(host, on))
    python_script(RUN / "container-exec", "containerexec.py")
    cables = [
        (f"br-{segment}", host.tap(index), host.mac(index)) for index, (segment, _given) in enumerate(host.interfaces)
    ]
    task = {"container": name(host), "engine": engine(), "cables": cables, "within": namespace.within()}
    command = [str(RUN / "container-exec"), json.dumps(task)]
    with record.console(host).open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    record.remember(host, process, driver="container", kernel=on.kernel, image=str(on.image), built=on.built)


def _create(host: Host, on: Base) -> list[str]:
    words = ["create", "--name", name(host), "--hostname", host.name, "--network", "none", "--pids-limit", "-1"]
    for limit, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        most = min(value for value in (8192, resource.getrlimit(kind)[1]) if value > 0)
        words += ["--ulimit", f"{limit}={most}:{most}"]  # engines ask for more than a machine may allow
    words += ["--volume", f"{SHARE}:/run/lab:ro", "--volume", f"{record.boot_script(host)}:/usr/local/sbin/lab-boot:ro"]
    if Path("/lib/modules").is_dir():
        words += ["--volume", "/lib/modules:/usr/lib/modules:ro"]
    if engine_name() == "docker":
        words += ["--cgroupns", "private", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"]
        words += [f"--security-opt={part}=unconfined" for part in ("seccomp", "apparmor", "systempaths")]
        words += ["--cap-add=ALL", "--cap-drop=SYS_RESOURCE"]  # the latter may not be the daemon's to give
    else:  # only so it asks for no device filter, which takes more than some machines allow
        words += ["--systemd", "always", "--no-hosts", "--privileged"]
    return [*words, on.tag, "/bin/sh", "-c", INIT, "init", *boot.arguments(host)]


def kill(host: Host) -> None:
    """Cut the power; what the host has written is kept."""
    access.forget(host)
    number = record.pid(host)
    if number:
        os.killpg(number, signal.SIGKILL)
        record.await_end(number, record.state(host)["started"])
    _engine("stop", "--time", "0", name(host), check=False)


def erase(host: Host) -> None:
    """Forget what the host has written."""
    kill(host)
    _remove(name(host))


def _remove(container: str) -> None:
    _engine("stop", "--time", "0", container, check=False)
    _engine("rm", "--force", container, check=False)


def erase_all() -> None:
    """End the containers of this lab that it may have lost sight of."""
    if is_root() and engine():
        for stray in _engine("ps", "--all", "--quiet", "--filter", f"name=^{namespace.NAME}-").stdout.split():
            _remove(stray)


def processes(host: Host) -> list[int]:
    """What runs in the container: all that shares the process numbers of its init."""
    init = _engine("inspect", "--format", "{{.State.Pid}}", name(host), check=False).stdout.strip() or "0"

    def numbers(pid: str) -> str:
        try:
            return os.readlink(f"/proc/{pid}/ns/pid")
        except OSError:
            return ""

    theirs = numbers(init)
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if theirs and numbers(path.name) == theirs]
