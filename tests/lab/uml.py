# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is a User-Mode-Linux kernel: it needs nothing of this machine's kernel but /dev/net/tun."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import access
import boot
import images
import namespace
import record
import rootless
from common import RUN, SHARE, Trouble, python_script, say
from images import Kernel
from topology import Host

MEMORY = Path("/dev/shm")  # where User-Mode Linux keeps what its guests believe to be their RAM
RESIDENT = 128  # MiB that a host really takes
COW_MAGIC = b"OOOM"


@dataclass(frozen=True)
class Base:
    """What a new host runs on."""

    linux: Kernel
    image: Path

    def __str__(self) -> str:
        return f"on kernel {self.kernel}"

    @property
    def kernel(self) -> str:
        return self.linux.name

    @property
    def built(self) -> str:
        return images.built(self.image)


def base() -> Base:
    return Base(images.kernel(os.environ.get("OPENLVS_LAB_KERNEL") or "auto"), images.image(images.suite()))


def check(hosts: Sequence[Host]) -> None:
    """Say before anything starts what this machine lacks."""
    rootless.check()
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as exc:
        remedy = "Load its module with: modprobe tun (in a container: give it the device /dev/net/tun)"
        if exc.errno == errno.EACCES:
            remedy = "Open it to every user, as Debian has it, with: chmod 666 /dev/net/tun (or run the lab as root)"
        raise Trouble(
            f"/dev/net/tun cannot be opened ({exc.strerror}), and every interface of a host needs it. {remedy}"
        ) from exc
    room = os.statvfs(MEMORY)
    if room.f_flag & os.ST_NOEXEC:
        raise Trouble(f"User-Mode Linux cannot use {MEMORY}, it is mounted noexec: mount -o remount,exec {MEMORY}")
    wanted, free = sum(host.memory for host in hosts), room.f_bavail * room.f_frsize >> 20
    if wanted > free:
        raise Trouble(
            f"{MEMORY} has {free} MiB left and {len(hosts)} hosts can take {wanted} MiB. "
            f"Make it larger with: mount -o remount,size={wanted + 256}M {MEMORY}"
        )
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(lines["MemAvailable"].split()[0]) >> 10
    if len(hosts) * RESIDENT > available:
        raise Trouble(f"{available} MiB of memory are free and {len(hosts)} hosts need {len(hosts) * RESIDENT} MiB.")


def plug(hosts: Sequence[Host]) -> set[str]:
    return namespace.plug(hosts)


def start(host: Host, on: Base) -> None:
    """Boot the host on its disk; a new one, or one of another image, gets a pristine disk."""
    home = record.directory(host)
    disk = home / "disk.cow"
    if disk.exists() and (record.state(host).get("built") != on.built or not _whole(disk)):
        say(f"{host.name} gets a pristine disk: its old one is of another image, or damaged")
        disk.unlink()
    (RUN / "uml").mkdir(exist_ok=True)
    first = [f"mount --bind /run/lab/kernels/{on.kernel}/lib/modules /usr/lib/modules", "modprobe -q ipv6"]
    first += [f"ip link set vec{index} name eth{index}" for index, _interface in enumerate(host.interfaces)]
    record.boot_script(host).write_text(boot.script(host, first))
    shutil.rmtree(RUN / "uml" / host.name, ignore_errors=True)
    _end_strays(host)
    python_script(RUN / "uml-exec", "umlexec.py")
    command = [*namespace.within(), f"{RUN}/uml-exec", *on.linux.arguments, f"mem={host.memory}M"]
    command += [f"umid={host.name}", f"uml_dir={RUN}/uml/", f"ubd0={disk},{on.image}", "root=/dev/ubda"]
    command += ["rootfstype=ext4", "rw", f"hostfs={SHARE}", "con=null", "con0=null,fd:1", "ssl=null", "quiet"]
    command += ["random.trust_cpu=on", *boot.arguments(host)]
    for index, _interface in enumerate(host.interfaces):
        device = f"transport=tap,ifname={host.tap(index)},depth=64,gro=1,mac={host.mac(index)}"
        command.append(f"vec{index}:{device}")
    environment = {**os.environ, "TMPDIR": str(MEMORY), "OPENLVS_LAB_UML": str(on.linux.binary)}
    with record.console(host).open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
        )
    record.remember(host, process, driver="uml", kernel=on.kernel, image=str(on.image), built=on.built)


def _whole(disk: Path) -> bool:
    with disk.open("rb") as start_of_disk:
        return start_of_disk.read(len(COW_MAGIC)) == COW_MAGIC


def _end_strays(host: Host) -> None:
    """A kernel of this host that the lab has lost sight of would keep its taps and its disk."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if {f"umid={host.name}".encode(), f"uml_dir={RUN}/uml/".encode()} <= {*words}:
            number = int(process.name)
            os.kill(number, signal.SIGKILL)
            record.await_end(number, record.start_time(number))


def kill(host: Host) -> None:
    """Cut the power: the kernel and all its guest processes are one process group."""
    access.forget(host)
    number = record.pid(host)
    if number:
        os.killpg(number, signal.SIGKILL)
        record.await_end(number, record.state(host)["started"])


def erase(host: Host) -> None:
    """Give the host a pristine disk at its next start."""
    kill(host)
    (record.directory(host) / "disk.cow").unlink(missing_ok=True)


def processes(host: Host) -> list[int]:
    number, found = record.pid(host), []
    for child in namespace.pids() if number else []:
        try:
            if os.getpgid(child) == number:
                found.append(child)
        except OSError:
            continue
    return found
