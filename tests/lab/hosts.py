# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One User-Mode-Linux kernel for each host: start it, see whether it lives, wait for it, end it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import access
import images
import namespace
import topology
from common import LAB, RUN, SHARE, Trouble, python_script, say
from images import Kernel
from topology import Host

HOSTS = LAB / "hosts"
MEMORY = Path("/dev/shm")  # where User-Mode Linux keeps what its guests believe to be their RAM
RESIDENT = 128  # MiB that a host really takes
COW_MAGIC = b"OOOM"
PATIENCE = 120  # seconds for a boot on a busy machine
QUICK = 15  # seconds for a host that ran before


def directory(host: Host) -> Path:
    return HOSTS / host.name


def known() -> list[Host]:
    """Hosts that were started and not taken down since."""
    found = (topology.find(path.name) for path in HOSTS.glob("*") if (path / "state.json").exists())
    return [host for host in found if host]


def _start_time(pid: int) -> str | None:
    """When the process began; None for one that is gone or only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def state(host: Host) -> dict[str, str]:
    try:
        return dict(json.loads((directory(host) / "state.json").read_text()))
    except (OSError, ValueError):
        return {}


def pid(host: Host) -> int | None:
    """The host's kernel, if it runs: that very process, not one that got its number later."""
    seen = state(host)
    number = int(seen.get("pid", 0))
    return number if number and _start_time(number) == seen["started"] else None


def check_room(hosts: Sequence[Host]) -> None:
    """Say before anything starts what this machine is too small for."""
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


def check_tun() -> None:
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as exc:
        remedy = "Load its module with: modprobe tun (in a container: give it the device /dev/net/tun)"
        if exc.errno == errno.EACCES:
            remedy = "Open it to every user, as Debian has it, with: chmod 666 /dev/net/tun (or run the lab as root)"
        raise Trouble(
            f"/dev/net/tun cannot be opened ({exc.strerror}), and every interface of a host needs it. {remedy}"
        ) from exc


def boot_script(host: Host, kernel: str) -> str:
    """What the host does early in each boot; it is read through hostfs."""
    lines = [
        f"mount --bind /run/lab/kernels/{kernel}/lib/modules /usr/lib/modules",
        "modprobe -q ipv6",
        "install -D -m 600 /run/lab/authorized_keys /root/.ssh/authorized_keys",
        f"echo {host.name} >/etc/hostname",
        f"sed -i '/^127.0.1.1/d; $ a 127.0.1.1 {host.name}' /etc/hosts",
        "ip link set lo up",
    ]
    for index, (_segment, addresses) in enumerate(host.interfaces):
        lines += [f"ip link set vec{index} name eth{index}", f"ip link set eth{index} up"]
        lines += [f"ip address add {address} dev eth{index}{' nodad' * (':' in address)}" for address in addresses]
    lines += [f"ip {'-6 ' * (':' in gateway)}route add default via {gateway}" for gateway in host.gateways]
    if host.group == "routers":
        lines += [f"echo 1 >/proc/sys/net/{name}" for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding")]
    if topology.serves_pages(host):
        lines += ["mkdir -p /var/www/html", f"echo {host.name} >/var/www/html/index.html"]
    return "\n".join(["#!/bin/sh", *lines, "exit 0", ""])


def start(host: Host, kernel: Kernel, image: Path) -> None:
    """Boot the host on its disk; a new one, or one of another image, gets a pristine disk."""
    home = directory(host)
    disk = home / "disk.cow"
    if disk.exists() and (state(host).get("built") != _built(image) or not _whole(disk)):
        say(f"{host.name} gets a pristine disk: its old one is of another image, or damaged")
        disk.unlink()
    for path in (home, SHARE / "boot", RUN / "uml"):
        path.mkdir(parents=True, exist_ok=True)
    (SHARE / "boot" / host.name).write_text(boot_script(host, kernel.name))
    shutil.rmtree(RUN / "uml" / host.name, ignore_errors=True)
    _end_strays(host)
    python_script(RUN / "uml-exec", "umlexec.py")
    command = [*namespace.within(), f"{RUN}/uml-exec", *kernel.arguments, f"mem={host.memory}M"]
    command += [f"umid={host.name}", f"uml_dir={RUN}/uml/", f"ubd0={disk},{image}", "root=/dev/ubda", "rootfstype=ext4"]
    command += ["rw", f"hostfs={SHARE}", "con=null", "con0=null,fd:1", "ssl=null", "quiet", "random.trust_cpu=on"]
    command += ["lab", f"systemd.hostname={host.name}", "systemd.show_status=no"]
    command += ["lab.web"] if topology.serves_pages(host) else []
    for index, _interface in enumerate(host.interfaces):
        device = f"transport=tap,ifname={host.tap(index)},depth=64,gro=1,mac={host.mac(index)}"
        command.append(f"vec{index}:{device}")
    environment = {**os.environ, "TMPDIR": str(MEMORY), "OPENLVS_LAB_UML": str(kernel.binary)}
    with (home / "console.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
        )
    seen = {"pid": process.pid, "started": _start_time(process.pid), "kernel": kernel.name}
    (home / "state.json").write_text(json.dumps({**seen, "image": str(image), "built": _built(image)}))


def _whole(disk: Path) -> bool:
    with disk.open("rb") as start_of_disk:
        return start_of_disk.read(len(COW_MAGIC)) == COW_MAGIC


def _built(image: Path) -> str:
    """A disk goes with this very build of its image."""
    return f"{image.name} {image.stat().st_mtime_ns}"


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
            _gone(number, _start_time(number))


def _gone(number: int, started: str | None) -> None:
    deadline = time.monotonic() + 5
    while started and _start_time(number) == started and time.monotonic() < deadline:
        time.sleep(0.02)


def kill(host: Host) -> None:
    """Cut the power: the kernel and all its guest processes are one process group."""
    access.forget(host)
    number = pid(host)
    if number:
        os.killpg(number, signal.SIGKILL)
        _gone(number, state(host)["started"])


def remove(host: Host) -> None:
    kill(host)
    shutil.rmtree(directory(host), ignore_errors=True)
    (SHARE / "boot" / host.name).unlink(missing_ok=True)


def silent(hosts: Sequence[Host]) -> list[Host]:
    """Those whose ssh server does not greet."""
    return namespace.ask(_silent, hosts) if hosts else []


def _silent(hosts: Sequence[Host]) -> list[Host]:
    with ThreadPoolExecutor(len(hosts)) as pool:
        return [host for host, greets in zip(hosts, pool.map(_greets, hosts)) if not greets]


def _greets(host: Host) -> bool:
    try:
        with socket.create_connection((host.management, 22), 1) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait(hosts: Iterable[Host], patience: float = PATIENCE) -> list[Host]:
    """Wait until ssh answers; the hosts that stay silent are returned. One that dies while booting is an error."""
    waiting, deadline = list(hosts), time.monotonic() + patience
    while waiting:
        waiting = silent(waiting)
        for host in waiting:
            if not pid(host):
                tail = (directory(host) / "console.log").read_text(errors="replace")[-600:]
                raise Trouble(f"{host.name} died; a pristine disk may help: lab reset {host.name}. Last words:\n{tail}")
        if time.monotonic() > deadline:
            break
        if waiting:
            time.sleep(0.1)
    return waiting


def settle(hosts: Sequence[Host], now: str) -> None:
    """Wait until the hosts have finished booting, and say how they are."""
    late = wait(hosts)
    if late:
        names = ", ".join(host.name for host in late)
        raise Trouble(f"{names} did not answer within {PATIENCE} s. See: lab log {late[0].name}")
    question = "systemctl is-system-running --wait; systemctl --failed --plain --no-legend"
    for host, answer in access.ask(hosts, question).items():
        health, *failed = answer.splitlines() or ["unreachable"]
        if health != "running":
            say(f"{host.name} is {health}: {', '.join(line.split()[0] for line in failed)}")
    if hosts:
        say(f"{now}: {', '.join(host.name for host in hosts)}")


def memory(host: Host) -> int:
    """MiB of memory the host takes now, its share of what is shared."""
    number, total = pid(host), 0
    if not number:
        return 0
    for child in namespace.pids():
        try:
            if os.getpgid(child) == number:
                rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total >> 10


def images_in_use() -> set[Path]:
    return {Path(state(host)["image"]) for host in known()}


def stale(host: Host, kernel: Kernel, image: Path) -> bool:
    """True for a host that runs on another kernel or image than a new one would."""
    return (state(host).get("kernel"), state(host).get("built")) != (kernel.name, _built(image))


def pristine(host: Host) -> None:
    """Give the host a pristine disk at its next start."""
    kill(host)
    (directory(host) / "disk.cow").unlink(missing_ok=True)


def suite() -> str:
    return os.environ.get("OPENLVS_LAB_SUITE") or "bookworm"


def wanted() -> tuple[Kernel, Path]:
    """The kernel and the image that a new host gets."""
    return images.kernel(os.environ.get("OPENLVS_LAB_KERNEL") or "auto"), images.image(suite())
