# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab refuses what could harm this machine, says what is missing, and finds its own builds again."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import access
import common
import connect
import images
import namespace
import pytest
import rootless
import topology
import uml
from common import Trouble, need

NOBODY = 65534
TEST = namespace.name(common.LAB / "test")
ordinary = {"user": NOBODY, "group": NOBODY} if not os.getuid() else {}
needs_user_namespaces = pytest.mark.skipif(
    subprocess.run(["unshare", "--user", "--map-root-user", "true"], check=False, **ordinary).returncode != 0,
    reason="this machine forbids user namespaces",
)


def wait_for(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def commands(monkeypatch):
    """The commands that would have changed a network."""
    seen = []
    monkeypatch.setattr(namespace, "run", lambda *words, **options: seen.append(words))
    monkeypatch.setattr(namespace.subprocess, "Popen", lambda words, **options: seen.append(words))
    monkeypatch.setattr(namespace.os, "kill", lambda *words: seen.append(words))
    return seen


# ---- what it refuses


@pytest.mark.parametrize("networks", [{"self": (4, 1)}, {"self": (4, 2), 1: (4, 1)}], ids=["ours", "the machine's"])
def test_a_network_that_is_not_the_labs_is_refused(commands, monkeypatch, networks):
    monkeypatch.setattr(connect, "holder", lambda name: 77)
    monkeypatch.setattr(namespace, "_network", {**networks, 77: (4, 1)}.get)
    for change in (
        namespace.make,
        lambda: namespace._batch(["link set lo down"]),
        lambda: namespace.plug([topology.find("rs1")]),
        lambda: namespace.cable(topology.find("rs1"), "lan", "down"),
        namespace.links,
        namespace.within,
        lambda: namespace.ask(print),
        namespace.remove,
    ):
        with pytest.raises(Trouble, match=r"Refused.* process 77"):
            change()
    assert commands == []


def test_nothing_is_changed_without_a_namespace(commands, monkeypatch):
    monkeypatch.setattr(connect, "holder", lambda name: None)
    assert not namespace.exists()
    for change in (lambda: namespace._batch(["link set lo down"]), namespace.within, lambda: namespace.ask(print)):
        with pytest.raises(Trouble, match="not up"):
            change()
    namespace.remove()
    assert commands == []


def test_only_a_process_of_ours_holds_the_lab():
    words = ["bash", "-c", 'exec -a "$0" sleep 10', TEST]
    for user, found in ((os.getuid(), True), *([(NOBODY, False)] if not os.getuid() else [])):
        with subprocess.Popen(words, user=user) as process:
            wait_for(lambda pid=process.pid: Path(f"/proc/{pid}/cmdline").read_bytes().startswith(TEST.encode()))
            assert (connect.holder(TEST) == process.pid) is found
            process.kill()
    assert connect.holder(TEST) is None


# ---- where it runs


def life_of_a_namespace() -> str:
    """What goes wrong when the namespace is made, used and removed."""
    outside, namespace.NAME = namespace._network("self"), TEST
    namespace.make()
    holder = namespace.require()
    found = {
        "bridges": {"br-mgmt", "br-front", "br-lan"} <= {*namespace.links()},
        "another network": namespace.ask(namespace._network, "self") == namespace._network(holder) != outside,
        "its address": namespace.ask(own_address_towards, "10.99.0.9") == "10.99.0.1",
        "still outside": namespace._network("self") == outside,
        "root in there": namespace.run(*namespace.within(), "id", "-u").stdout == "0\n",
        "made once": namespace.make() is None and namespace.require() == holder,
        "gone": namespace.remove() is None and not namespace.exists() and namespace._network(holder) is None,
    }
    return ", ".join(what for what, right in found.items() if not right)


def own_address_towards(address: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((address, 9))
        return asking.getsockname()[0]


@pytest.mark.parametrize(
    "user", ["whoever runs the tests", pytest.param("an ordinary user", marks=needs_user_namespaces)]
)
def test_the_namespace_is_made_used_and_removed(user):
    def become() -> None:
        if user == "an ordinary user" and not os.getuid():
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)

    with ProcessPoolExecutor(1, get_context("fork"), initializer=become) as pool:
        assert pool.submit(life_of_a_namespace).result() == ""


# ---- what it says


def test_a_missing_tool_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr("common.shutil.which", lambda tool: None if tool in ("mke2fs", "linux.uml") else tool)
    with pytest.raises(Trouble, match=r"mke2fs, linux.uml is missing.*apt-get install e2fsprogs user-mode-linux"):
        need(["ip", "mke2fs", "linux.uml"])


@pytest.mark.parametrize("options", [[], ["--kernel"], ["--containers"]])
def test_an_ordinary_user_is_told_at_once_what_root_has_to_install(tmp_path, options):
    for tool, act in (("id", "echo 1000"), ("dpkg-query", "false"), ("apt-get", f"touch {tmp_path}/called")):
        (tmp_path / tool).write_text(f"#!/bin/sh\n{act}\n")
        (tmp_path / tool).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [common.HERE / "install-tools", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert not (tmp_path / "called").exists()
    install = done.stderr.splitlines()[-1].split()
    assert {"apt-get", "install", "mmdebstrap", "uidmap", "flex"} <= {*install}
    assert ("podman" in install) == ("--containers" in options)


def test_a_missing_tun_device_is_said(monkeypatch):
    def absent(path, flags):
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(uml.os, "open", absent)
    with pytest.raises(Trouble, match=r"/dev/net/tun cannot be opened.*modprobe tun"):
        uml.check([])


def test_a_tun_device_for_root_alone_is_said(monkeypatch):
    def denied(path, flags):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(uml.os, "open", denied)
    with pytest.raises(Trouble, match=r"/dev/net/tun cannot be opened.*chmod 666 /dev/net/tun.*as root"):
        uml.check([])


@needs_user_namespaces
@pytest.mark.parametrize("use", ["check", "as_root"])
def test_forbidden_user_namespaces_are_said(use):
    """In a user namespace that may have no other inside."""
    code = f"import rootless; rootless.os.getuid = lambda: 1; rootless._check_ranges = print; rootless.{use}()"
    inside = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" -c "$1"'
    words = ["unshare", "--user", "--map-root-user", "sh", "-c", inside, sys.executable, code]
    done = subprocess.run(words, cwd=common.HERE, capture_output=True, text=True, check=False)
    assert re.search("cannot be root.*user.max_user_namespaces is 0.*sysctl -w", done.stderr), done.stderr


def test_a_user_without_subordinate_ids_is_told_how_to_get_free_ones(monkeypatch, tmp_path):
    ranges = (tmp_path / "subuid", tmp_path / "subgid")
    monkeypatch.setattr(rootless, "RANGES", ranges)
    ranges[0].write_text("ann:100000:65536\nbob:165536:65536\n")
    for granted in ("", "ann:300000:65536\n"):
        ranges[1].write_text(granted)
        free = 365536 if granted else 231072
        with pytest.raises(Trouble, match=f"bob has no ids.*--add-subuids {free}-{free + 65535} --add-subgids {free}-"):
            rootless._check_ranges("bob")
    ranges[1].write_text("bob:300000:65536\n")
    rootless._check_ranges("bob")


def test_too_little_room_is_said(monkeypatch):
    room = os.statvfs("/dev/shm")
    fields = list(room)[:10]
    six = [topology.find(name) for name in topology.DEFAULT_HOSTS]
    monkeypatch.setattr(uml.os, "statvfs", lambda path: os.statvfs_result([*fields[:4], 0, *fields[5:]]))
    with pytest.raises(Trouble, match=r"0 MiB left.*6 hosts can take 2048 MiB.*remount,size=2304M"):
        uml.check(six)
    monkeypatch.setattr(uml.os, "statvfs", lambda path: os.statvfs_result([*fields[:8], os.ST_NOEXEC, fields[9]]))
    with pytest.raises(Trouble, match="noexec"):
        uml.check(six)
    monkeypatch.setattr(uml.os, "statvfs", lambda path: room)
    monkeypatch.setattr(uml, "RESIDENT", 10**9)
    with pytest.raises(Trouble, match="MiB of memory are free"):
        uml.check(six)


def test_an_unknown_kernel_or_suite_is_refused_with_what_there_is():
    with pytest.raises(Trouble, match="is newest; it can be auto, own, debian or a version like"):
        images.kernel("newest")
    with pytest.raises(Trouble, match="is sarge; it can be bullseye, bookworm, trixie"):
        images.image("sarge")


def test_a_path_too_long_for_sockets_is_refused(monkeypatch):
    monkeypatch.setattr(access, "LAB", Path("/" + "x" * access.LONGEST))
    with pytest.raises(Trouble, match="OPENLVS_LAB_DIR"):
        access.ensure_key()


# ---- images and kernels


def test_the_key_follows_names_contents_modes_and_words(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("text")
    two.write_text("text")
    keys = [images.digest([one], "bookworm"), images.digest([one], "trixie"), images.digest([two], "bookworm")]
    one.chmod(0o755)
    keys.append(images.digest([one], "bookworm"))
    one.write_text("other")
    keys.append(images.digest([one], "bookworm"))
    assert len(set(keys)) == len(keys)
    assert images.digest([one, two]) == images.digest([two, one])


def ext4(path: Path, blocks: int, length: int) -> Path:
    superblock = bytearray(1024)
    superblock[4:8], superblock[24:28] = blocks.to_bytes(4, "little"), (2).to_bytes(4, "little")
    superblock[56:58] = b"\x53\xef"
    path.write_bytes(b"\0" * 1024 + superblock + b"\0" * (length - 2048))
    return path


def test_a_truncated_image_is_no_image(tmp_path):
    assert images.whole(ext4(tmp_path / "whole", blocks=4, length=4 * 4096))
    assert not images.whole(ext4(tmp_path / "truncated", blocks=4, length=3 * 4096))
    (tmp_path / "garbage").write_bytes(b"garbage")
    assert not images.whole(tmp_path / "garbage")
    assert not images.whole(tmp_path / "absent")


def test_a_damaged_image_is_built_again_and_a_whole_one_is_not(tmp_path, monkeypatch):
    built = []

    def build(command, check):
        built.append(command)
        ext4(images.image_path(command[1]), blocks=4, length=4 * 4096)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(images, "IMAGES", tmp_path)
    monkeypatch.setattr(images, "need", lambda tools: None)
    monkeypatch.setattr(images, "as_root", list)
    monkeypatch.setattr(images.subprocess, "run", build)
    path = images.image("bookworm")
    assert path == images.image("bookworm")
    assert len(built) == 1
    path.write_bytes(path.read_bytes()[:-1])
    assert images.whole(images.image("bookworm"))
    assert len(built) == 2


def test_images_of_the_past_go_unless_a_host_stands_on_them(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "IMAGES", tmp_path)
    now, used, old = images.image_path("bookworm"), tmp_path / "bookworm-1.ext4", tmp_path / "bookworm-2.ext4"
    other_suite, foreign = images.image_path("trixie"), tmp_path / "sarge-1.ext4"
    for path in (now, used, old, other_suite, foreign):
        path.touch()
    images.drop_old_images([used])
    assert sorted(tmp_path.iterdir()) == sorted([now, used, other_suite])


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """build(VERSION, SOURCE): pretend that build-kernel built it, one after the other; Debian's is built in none."""
    monkeypatch.setattr(images, "KERNELS", tmp_path)
    monkeypatch.setattr(images, "_debian", lambda: images.Kernel("debian", tmp_path))

    def build(prefix, source):
        binary = tmp_path / f"{prefix}-{source}" / "linux"
        binary.parent.mkdir()
        binary.touch()
        age = len(list(tmp_path.glob("*")))
        os.utime(binary, (age, age))

    return build


def test_the_own_kernel_is_the_last_that_was_built_of_this_configuration(kernels):
    own = images.built_prefix("own").name
    for prefix, source in ((own, "7.9.1-1"), (own, "7.10.1-1"), ("own-00000000", "9.9-1")):
        kernels(prefix, source)
    assert images.kernel().name == images.kernel("own").name == f"{own}-7.10.1-1"


def test_a_kernel_goes_with_the_options_and_not_with_the_words_about_them(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "HERE", tmp_path)
    prefixes = []
    for text in ("CONFIG_A=y\nCONFIG_B=m\n", "# why\nCONFIG_B=m\nCONFIG_A=y\n", "CONFIG_A=y\n# CONFIG_B=m\n"):
        (tmp_path / "kernel.config").write_text(text)
        prefixes.append(images.built_prefix("own"))
    assert prefixes[0] == prefixes[1] != prefixes[2]


def test_a_kernel_is_taken_only_for_the_version_asked_for(kernels):
    kernels(images.built_prefix("6.12").name, "6.12.107-1")
    assert images.kernel("6.12").name == images.built_prefix("6.12").name + "-6.12.107-1"
    assert images.kernel("auto").name == images.kernel("debian").name == "debian"
    with pytest.raises(Trouble, match=r"6\.1 is not built; 6.12 and debian are at hand.*make lab-kernel KERNEL=6.1"):
        images.kernel("6.1")
    with pytest.raises(Trouble, match="make lab-kernel KERNEL=own"):
        images.kernel("own")


# ---- addresses


def test_every_address_is_given_once():
    more = [*(f"rs{n}" for n in range(3, 41)), *(f"lvs{n}" for n in range(3, 10))]
    names = [*topology.DEFAULT_HOSTS, "kernel", "rsfar", *more]
    everybody = [topology.find(name) for name in names]
    addresses = [a for host in everybody for _segment, given in host.interfaces for a in given]
    vips = ["192.168.0.77/24", "192.168.1.200/24", "192.168.4.100/24"]
    assert len({*addresses, *vips}) == len(addresses) + len(vips)
    assert len({host.number for host in everybody}) == len(everybody)
    assert [topology.find(name) for name in ("rs41", "lvs10", "rs0", "rs01", "web")] == [None] * 5


def test_the_inventory_has_groups_and_no_guest_of_the_kernel_tests(tmp_path, monkeypatch):
    for name in ("RUN", "SSH_CONFIG", "INVENTORY"):
        monkeypatch.setattr(access, name, tmp_path / name)
    (tmp_path / "RUN").mkdir()
    access.write([topology.find(name) for name in (*topology.DEFAULT_HOSTS, "kernel", "rs3")])
    inventory = json.loads((tmp_path / "INVENTORY").read_text())["all"]
    members = {group: sorted(entry["hosts"]) for group, entry in inventory["children"].items()}
    assert members == {
        "lvs_directors": ["lvs1"],
        "lvs_real_servers": ["rs1", "rs2"],
        "lvs_clients": ["client"],
        "routers": ["router"],
        "spare": ["lvs2", "rs3"],
    }
    assert inventory["hosts"]["rs1"] == {"lvs_interface": "eth1"}
    assert inventory["hosts"]["client"] == {}
