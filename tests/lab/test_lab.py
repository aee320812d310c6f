# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab refuses what could harm this machine, says what is missing, and finds its own builds again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import access
import hosts
import images
import namespace
import pytest
import topology
from common import Trouble, need


@pytest.fixture
def commands(monkeypatch):
    """The commands that would have changed a network."""
    seen = []
    monkeypatch.setattr(namespace, "run", lambda *words, **options: seen.append(words))
    return seen


# ---- what it refuses


def test_the_machines_own_network_is_refused(commands, monkeypatch):
    monkeypatch.setattr(namespace, "PATH", Path("/proc/self/ns/net"))
    for change in (
        namespace.make,
        lambda: namespace._batch(["link set lo down"]),
        lambda: namespace.plug([topology.find("rs1")]),
        lambda: namespace.cable(topology.find("rs1"), "lan", "down"),
        namespace.links,
        namespace.entered().__enter__,
        namespace.remove,
    ):
        with pytest.raises(Trouble, match="Refused"):
            change()
    assert commands == []


def test_nothing_is_changed_without_a_namespace(commands, tmp_path, monkeypatch):
    leftover = tmp_path / "name"
    leftover.touch()  # what a crash between making the name and the namespace leaves behind
    monkeypatch.setattr(namespace, "PATH", leftover)
    assert not namespace.exists()
    with pytest.raises(Trouble, match="not up"):
        namespace._batch(["link set lo down"])
    with pytest.raises(Trouble, match="not up"), namespace.entered():
        pass
    assert commands == []


# ---- what it says


def test_a_missing_tool_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr("common.shutil.which", lambda tool, path: None if tool in ("mke2fs", "linux.uml") else tool)
    with pytest.raises(Trouble, match=r"mke2fs, linux.uml is missing.*apt-get install e2fsprogs user-mode-linux"):
        need(["ip", "mke2fs", "linux.uml"])


def test_a_missing_tun_device_is_said(monkeypatch):
    def absent(path, flags):
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(hosts.os, "open", absent)
    with pytest.raises(Trouble, match=r"/dev/net/tun cannot be opened.*modprobe tun"):
        hosts.check_tun()


def test_too_little_room_is_said(monkeypatch):
    room = os.statvfs("/dev/shm")
    fields = list(room)[:10]
    six = [topology.find(name) for name in topology.DEFAULT_HOSTS]
    monkeypatch.setattr(hosts.os, "statvfs", lambda path: os.statvfs_result([*fields[:4], 0, *fields[5:]]))
    with pytest.raises(Trouble, match=r"0 MiB left.*6 hosts can take 1536 MiB.*remount,size=1792M"):
        hosts.check_room(six)
    monkeypatch.setattr(hosts.os, "statvfs", lambda path: os.statvfs_result([*fields[:8], os.ST_NOEXEC, fields[9]]))
    with pytest.raises(Trouble, match="noexec"):
        hosts.check_room(six)
    monkeypatch.setattr(hosts.os, "statvfs", lambda path: room)
    monkeypatch.setattr(hosts, "RESIDENT", 10**9)
    with pytest.raises(Trouble, match="MiB of memory are free"):
        hosts.check_room(six)


def test_an_unknown_kernel_is_refused():
    with pytest.raises(Trouble, match="auto, own or debian"):
        images.kernel("newest")


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
    monkeypatch.setattr(images.os, "getuid", lambda: 0)
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
    for path in (now, used, old):
        path.touch()
    images.drop_old_images([used])
    assert sorted(tmp_path.iterdir()) == sorted([now, used])


def test_the_own_kernel_is_taken_only_when_it_is_of_this_configuration(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "KERNELS", tmp_path)
    own = images.own_prefix()
    for name in ("own-00000000-9.9-1", own.name + "-7.1-1", own.name + "-7.2-1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "linux").touch()
        os.utime(tmp_path / name / "linux", (1, len(name) if "7.1" in name else 10**9))
    assert images.kernel().name == own.name + "-7.2-1"
    monkeypatch.setattr(images, "HERE", tmp_path)
    (tmp_path / "kernel.config").write_text("CONFIG_OTHER=y")
    with pytest.raises(Trouble, match="make lab-kernel"):
        images.kernel("own")


# ---- addresses


def test_every_address_is_given_once():
    names = [*topology.DEFAULT_HOSTS, "kernel", *(f"rs{n}" for n in range(3, 41)), *(f"lvs{n}" for n in range(3, 10))]
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
