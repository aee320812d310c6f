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
import subprocess
import sys
import time

import access
import hosts
import images
import namespace
import topology
from common import LAB, RUN, Trouble, need, say
from topology import Host

ON_DEMAND = "on demand rs3 ... rs40, lvs3 ... lvs9, and kernel, the guest of the kernel tests."
EPILOG = f"""Hosts are {', '.join(topology.DEFAULT_HOSTS)}; {ON_DEMAND}

environment:
  OPENLVS_LAB_DIR      images, kernels, disks and keys (default: openlvs-lab in $XDG_CACHE_HOME or ~/.cache)
  OPENLVS_LAB_KERNEL   auto (own if built, else debian), own or debian
  OPENLVS_LAB_SUITE    the guests' Debian (default: bookworm)

"""


def _named(names: list[str], default: list[Host] | None = None) -> list[Host]:
    if not names and default is not None:
        return default
    found = [topology.find(name) for name in names]
    unknown = [name for name, host in zip(names, found) if not host]
    if unknown:
        known = ", ".join(topology.DEFAULT_HOSTS)
        raise Trouble(f"No such host: {', '.join(unknown)}. There are {known}, and {ON_DEMAND}")
    return [host for host in found if host]


def _names(chosen: list[Host]) -> str:
    return ", ".join(host.name for host in chosen)


def _cluster() -> list[Host]:
    """The six hosts and those started besides, except the guest of the kernel tests."""
    return sorted({*_named(list(topology.DEFAULT_HOSTS)), *(h for h in hosts.known() if h.cables)}, key=topology.order)


def _running(names: list[str]) -> list[Host]:
    """The named hosts, all of which have to run."""
    chosen = _named(names)
    namespace.require()
    for host in chosen:
        if not hosts.pid(host):
            raise Trouble(f"{host.name} is not running. Start it with: tests/lab/lab up {host.name}")
    return chosen


# ---- commands


def up(names: list[str]) -> None:
    """Start hosts (default: all six), or repair what is broken of them."""
    chosen = _named(names, _named(list(topology.DEFAULT_HOSTS)))
    if os.getuid():
        raise Trouble("The lab needs root: it makes a network namespace, and nothing outside of it is configured.")
    need(("ip", "ssh", "ssh-keygen"))
    hosts.check_tun()
    kernel, image = hosts.wanted()
    RUN.mkdir(parents=True, exist_ok=True)
    access.ensure_key()
    namespace.make()
    torn = namespace.plug(chosen)
    for host in chosen:
        if host.name in torn and hosts.pid(host):
            say(f"{host.name} had lost an interface and is started anew")
            hosts.kill(host)
    running = [host for host in chosen if hosts.pid(host)]
    stopped = [host for host in chosen if host not in running]
    hosts.check_room(stopped)
    access.write(sorted({*_cluster(), *hosts.known(), *chosen}, key=topology.order))
    for host in running:
        if hosts.stale(host, kernel, image):
            say(f"{host.name} keeps running on {hosts.state(host)['kernel']}; renew it with: lab reset {host.name}")
    if stopped:
        say(f"starting {_names(stopped)} on kernel {kernel.name}")
    for host in stopped:
        hosts.start(host, kernel, image)
    silent = hosts.wait(running, hosts.QUICK)
    for host in silent:
        say(f"{host.name} does not answer and is started anew")
        hosts.kill(host)
        hosts.start(host, kernel, image)
    hosts.settle([*stopped, *silent], "is up")
    images.drop_old_images(hosts.images_in_use())


def _named_one(name: str) -> Host:
    return _named([name])[0]


def down(names: list[str]) -> None:
    """Remove hosts and their disks; without names, the whole lab."""
    for host in _named(names, hosts.known()):
        hosts.remove(host)
    if not names:
        namespace.remove()
        shutil.rmtree(RUN, ignore_errors=True)
        say("the lab is gone; images and kernels are kept in " + str(LAB))


def kill(names: list[str]) -> None:
    """Cut the power of hosts; their disks stay."""
    for host in _running(names):
        hosts.kill(host)


def reset(names: list[str]) -> None:
    """Start hosts anew on pristine disks (default: the six hosts and those started besides)."""
    chosen = _named(names, _cluster())
    for host in chosen:
        hosts.pristine(host)
    up([host.name for host in chosen])


def reboot(names: list[str]) -> None:
    """Reboot hosts from inside and wait until they are back."""
    chosen = _running(names)
    boot_id = "cat /proc/sys/kernel/random/boot_id"
    before = access.ask(chosen, boot_id)
    access.ask(chosen, "systemctl reboot")
    waiting, deadline = chosen, time.monotonic() + hosts.PATIENCE
    while waiting:
        if time.monotonic() > deadline:
            raise Trouble(f"{_names(waiting)} did not come back. See: lab log {waiting[0].name}")
        for host in waiting:
            access.forget(host)
        time.sleep(0.5)
        now = access.ask([host for host in waiting if hosts.answers(host)], boot_id)
        waiting = [host for host in waiting if now.get(host, "") in ("", before[host])]
    hosts.settle(chosen, "is back")


def execute(host: str, command: list[str]) -> int:
    """Run a command on a host: one word is a shell line, several are quoted."""
    chosen = _running([host])[0]
    return access.ssh(chosen, command[0] if len(command) == 1 else shlex.join(command)).returncode


def status() -> None:
    """Show the hosts, their addresses, kernels and memory."""
    if not namespace.exists():
        print("the lab is down")
        return
    for host in sorted({*_cluster(), *hosts.known()}, key=topology.order):
        if hosts.pid(host):
            health, kernel = "up" if hosts.answers(host) else "silent", hosts.state(host)["kernel"]
            now = f"{health:7}{hosts.memory(host):4} MiB  {kernel}"
        else:
            now = "dead" if hosts.state(host) else "down"
        addresses = [a.split("/")[0] for _segment, on in host.interfaces[1:] for a in on if ":" not in a]
        print(f"{host.name:8}{host.management:12}{now:44}{' '.join(addresses)}")


def in_namespace(command: list[str]) -> None:
    """Run a command in the lab's namespace, for example: tcpdump -ni br-lan arp."""
    namespace.require()
    sys.stdout.flush()
    os.execvp("ip", ["ip", "netns", "exec", namespace.NAME, *(command or [os.environ.get("SHELL", "/bin/sh")])])


def log(host: str) -> None:
    """Show a host's console."""
    subprocess.run(["cat", hosts.directory(_named_one(host)) / "console.log"], check=False)


def cache(what: str | None, suite: str) -> None:
    """Print where the lab is kept, or the image or kernel that fits this checkout."""
    print({"image": images.image_path(suite), "kernel": images.own_prefix()}.get(what or "", LAB))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, *arguments: tuple[str, dict[str, object]]) -> None:
        added = commands.add_parser(name, help=text)
        for argument, options in arguments:
            added.add_argument(argument, **options)  # type: ignore[arg-type]

    some = ("names", {"nargs": "*", "metavar": "HOST"})
    named = ("names", {"nargs": "+", "metavar": "HOST"})
    one = ("host", {"metavar": "HOST"})
    words = ("words", {"nargs": argparse.REMAINDER, "metavar": "COMMAND"})
    command("up", "start hosts (default: all six) or repair what is broken", some)
    command("down", "remove hosts and their disks (default: the whole lab)", some)
    command("kill", "cut the power, keep the disk", named)
    command("start", "switch on again", named)
    command("reboot", "reboot from inside and wait for the hosts to be back", named)
    command("reset", "start hosts anew on pristine disks (default: all but kernel)", some)
    command("exec", "run a command on a host", one, words)
    command("shell", "open a shell on a host", one)
    command("sh", "run a command in the lab's namespace, e.g. tcpdump -ni br-lan arp", words)
    command("status", "show hosts, memory, kernels, addresses")
    command("log", "show a host's console", one)
    command("link", "pull or plug a cable", one, ("segment", {}), ("state", {"choices": ("up", "down")}))
    command("inventory", "print the path of the generated inventory")
    command("image", "build the disk image, unless it is there")
    what = ("what", {"nargs": "?", "choices": ("image", "kernel")})
    command("cache", "print where things are kept", what, ("suite", {"nargs": "?", "default": "bookworm"}))
    return parser


def dispatch(given: argparse.Namespace) -> int:
    name = given.command
    if name in ("up", "start", "down", "kill", "reset", "reboot"):
        LAB.mkdir(parents=True, exist_ok=True)
        with (LAB / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            namespace.exists()  # refuses before anything is done
            {"up": up, "start": up, "down": down, "kill": kill, "reset": reset, "reboot": reboot}[name](given.names)
    elif name == "exec":
        return execute(given.host, given.words)
    elif name == "shell":
        access.shell(_running([given.host])[0])
    elif name == "sh":
        in_namespace(given.words)
    elif name == "status":
        status()
    elif name == "log":
        log(given.host)
    elif name == "link":
        namespace.cable(_named_one(given.host), given.segment, given.state)
    elif name == "inventory":
        print(access.INVENTORY)
    elif name == "image":
        print(images.image(os.environ.get("OPENLVS_LAB_SUITE", "bookworm")))
    elif name == "cache":
        cache(given.what, given.suite)
    return 0


def main() -> int:
    try:
        return dispatch(_parser().parse_args())
    except Trouble as exc:
        print(f"lab: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
