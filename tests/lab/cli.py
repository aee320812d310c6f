# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several machines on Ethernet segments, each a Linux kernel of its own, inside one network namespace.

    client --front-- router --lan-- lvs1 lvs2 rs1 rs2

The machine that runs the lab never gets an address: ssh and ansible come in through a proxy command, so
    ansible-playbook -i $(tests/lab/lab inventory) playbooks/site.yml
works from outside without a wrapper.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import access
import hosts
import images
import namespace
import record
import topology
from common import LAB, RUN, Trouble, need, say
from topology import Host

ON_DEMAND = "on demand rs3 ... rs40, lvs3 ... lvs9, and kernel and nest, the guests of the kernel and nested tests."
EPILOG = f"""Hosts are {", ".join(topology.DEFAULT_HOSTS)}; {ON_DEMAND}

environment:
  OPENLVS_LAB_DIR      images, kernels, disks and keys (default: openlvs-lab in $XDG_CACHE_HOME or ~/.cache)
  OPENLVS_LAB_DRIVER   auto (containers where this kernel has ip_vs, and podman or docker is there, else uml), uml,
                       container, or mixed: directors are uml, all others containers. A host keeps its kind until
                       it is reset or taken down.
  OPENLVS_LAB_KERNEL   of uml hosts: auto (own if built, else debian), own (the newest in Debian), debian,
                       or a version like 6.1 or 6.12; make lab-kernel KERNEL=6.1 builds it
  OPENLVS_LAB_SUITE    the guests' Debian: {", ".join(images.SUITES)} (default: bookworm)
"""


def _named(names: Iterable[str]) -> list[Host]:
    found = {name: topology.find(name) for name in names}
    unknown = ", ".join(name for name, host in found.items() if not host)
    if unknown:
        known = ", ".join(topology.DEFAULT_HOSTS)
        raise Trouble(f"No such host: {unknown}. There are {known}, and {ON_DEMAND}")
    return [host for host in found.values() if host]


def _cluster() -> list[Host]:
    """The six hosts and those started besides, except the guests in which tests make their own."""
    return sorted({*_named(topology.DEFAULT_HOSTS), *(h for h in record.known() if h.cables)}, key=topology.order)


def _running(names: Iterable[str]) -> list[Host]:
    """The named hosts, all of which have to run."""
    namespace.require()
    chosen = _named(names)
    for host in chosen:
        if not record.pid(host):
            raise Trouble(f"{host.name} is not running. Start it with: tests/lab/lab up {host.name}")
    return chosen


def _list(chosen: Iterable[Host]) -> str:
    return ", ".join(host.name for host in chosen)


def _check(chosen: Iterable[Host]) -> None:
    """Say what this machine lacks before anything starts."""
    need(("ip", "ssh", "ssh-keygen"))
    hosts.check([host for host in chosen if not record.pid(host)])


# ---- commands that change the lab; one of them at a time


def up(names: Iterable[str]) -> None:
    """Start the hosts (default: the six), or repair what is broken of them."""
    chosen = _named(names or topology.DEFAULT_HOSTS)
    _check(chosen)
    hosts.prepare(host for host in chosen if not record.pid(host))
    access.ensure_key()
    RUN.mkdir(parents=True, exist_ok=True)
    namespace.make()
    torn = hosts.plug(chosen)
    for host in chosen:
        if host.name in torn and record.pid(host):
            say(f"{host.name} had lost an interface and is started anew")
            hosts.kill(host)
    running = [host for host in chosen if record.pid(host)]
    stopped = [host for host in chosen if host not in running]
    access.write(sorted({*_cluster(), *record.known(), *chosen}, key=topology.order))
    stale = _list(hosts.stale(running))
    if stale:
        say(f"{stale} keep running on an older kernel or image. Renew them with: lab reset {stale.replace(',', '')}")
    hosts.start(stopped)
    silent = hosts.wait(running, hosts.QUICK)
    for host in silent:
        say(f"{host.name} does not answer and is started anew")
        hosts.kill(host)
    hosts.start(silent)
    hosts.settle([*stopped, *silent], "up")
    images.drop_old_images(record.images_in_use())


def down(names: Iterable[str]) -> None:
    for host in _named(names) or record.known():
        hosts.remove(host)
    if not names:
        hosts.remove_strays()
        shutil.rmtree(RUN, ignore_errors=True)
        say(f"the lab is gone; images and kernels are kept in {LAB}")


def kill(names: Iterable[str]) -> None:
    for host in _running(names):
        hosts.kill(host)


def reset(names: Iterable[str]) -> None:
    chosen = _named(names) or _cluster()
    for host in chosen:
        hosts.remove(host)
    up([host.name for host in chosen])


def reboot(names: Iterable[str]) -> None:
    chosen = _running(names)
    boot = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat"  # the kernel, and when its init began
    before = access.ask(chosen, boot)
    access.ask(chosen, "systemctl reboot")
    waiting, deadline = chosen, time.monotonic() + hosts.PATIENCE
    while waiting:
        if time.monotonic() > deadline:
            raise Trouble(f"{_list(waiting)} did not come back. See: lab log {waiting[0].name}")
        for host in waiting:
            access.forget(host)
        time.sleep(0.5)
        silent = hosts.silent(waiting)
        now = access.ask([host for host in waiting if host not in silent], boot)
        waiting = [host for host in waiting if now.get(host, "") in ("", before[host])]
    hosts.settle(chosen, "back")


CHANGES: dict[str, Callable[[Iterable[str]], None]] = {
    "up": up,
    "start": up,
    "down": down,
    "kill": kill,
    "reset": reset,
    "reboot": reboot,
}


def change(given: argparse.Namespace) -> int:
    LAB.mkdir(parents=True, exist_ok=True)
    with (LAB / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        namespace.exists()  # refuses before anything is done
        CHANGES[given.command](given.hosts)
    return 0


def link(given: argparse.Namespace) -> int:
    namespace.cable(_named([given.host])[0], given.segment, given.state)
    return 0


# ---- commands that use it


def execute(given: argparse.Namespace) -> int:
    """One word is a shell line, several words are quoted."""
    host = _running([given.host])[0]
    return access.ssh(host, given.words[0] if len(given.words) == 1 else shlex.join(given.words))


def shell(given: argparse.Namespace) -> int:
    return access.ssh(_running([given.host])[0])


def in_namespace(given: argparse.Namespace) -> int:
    words = given.words or [os.environ.get("SHELL", "/bin/sh")]
    return subprocess.run([*namespace.within(), *words], check=False).returncode


# ---- commands that look


def status(_given: argparse.Namespace) -> int:
    print(f"new hosts are {hosts.choice()}")
    if not namespace.exists():
        print("the lab is down")
        return 0
    everybody = sorted({*_cluster(), *record.known()}, key=topology.order)
    silent = hosts.silent([host for host in everybody if record.pid(host)])
    for host in everybody:
        if record.pid(host):
            health = "silent" if host in silent else "up"
            now = f"{health:7}{hosts.memory(host):4} MiB  {record.state(host)['kernel']}"
        else:
            now = "dead" if record.state(host) else "down"
        addresses = [a.split("/")[0] for _segment, given in host.cables for a in given if ":" not in a]
        print(f"{host.name:8}{host.management:12}{now:44}{' '.join(addresses)}")
    return 0


def log(given: argparse.Namespace) -> int:
    console = record.console(_named([given.host])[0])
    if not console.exists():
        raise Trouble(f"{given.host} was not started yet.")
    print(console.read_text(errors="replace"), end="")
    return 0


def inventory(_given: argparse.Namespace) -> int:
    print(access.INVENTORY)
    return 0


def check(_given: argparse.Namespace) -> int:
    _check(_named(topology.DEFAULT_HOSTS))
    return 0


def image(_given: argparse.Namespace) -> int:
    print(images.image(images.suite()))
    return 0


def cache(given: argparse.Namespace) -> int:
    if given.what == "image":
        print(images.image_path(given.which or images.suite()))
    else:
        print(images.built_prefix(given.which or "own") if given.what else LAB)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, act: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(act=act)
        return added

    def one_host(name: str, text: str, act: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        added = command(name, text, act)
        added.add_argument("host", metavar="HOST")
        return added

    for name, many, text in (
        ("up", "*", "start hosts (default: the six) or repair what is broken"),
        ("down", "*", "remove hosts and their disks (default: the whole lab)"),
        ("kill", "+", "cut the power, keep the disk"),
        ("start", "+", "switch on again"),
        ("reboot", "+", "reboot from inside and wait until the hosts are back"),
        ("reset", "*", "start hosts anew on pristine disks (default: all but kernel and nest)"),
    ):
        command(name, text, change).add_argument("hosts", nargs=many, metavar="HOST")
    plug = one_host("link", "pull or plug a cable: HOST mgmt|front|lan up|down", link)
    plug.add_argument("segment")
    plug.add_argument("state", choices=("up", "down"))
    one_host("exec", "run a command on a host", execute).add_argument("words", nargs=argparse.REMAINDER)
    one_host("shell", "open a shell on a host", shell)
    inside = command("sh", "run a command in the lab's namespace: tcpdump -ni br-lan arp", in_namespace)
    inside.add_argument("words", nargs=argparse.REMAINDER)
    command("status", "show hosts, memory, kernels, addresses", status)
    one_host("log", "show a host's console", log)
    command("inventory", "print the path of the generated inventory", inventory)
    command("check", "find out whether this machine can run the lab, before long work for it", check)
    command("image", "build the disk image, unless it is there", image)
    kept = command("cache", "print where things are kept", cache)
    kept.add_argument("what", nargs="?", choices=("image", "kernel"))
    kept.add_argument("which", nargs="?", help="the suite or the version")
    return parser


def main() -> int:
    given = _parser().parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return int(given.act(given))
    except Trouble as exc:
        print(f"lab: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
