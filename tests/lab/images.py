# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk images and kernels: which one fits this checkout, is it whole, and if not, make it.

Their names carry a hash of everything they are made from, so that a change builds a new one and going back finds the
old one again. They are finished under another name and then renamed: what has its name is whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common import HERE, LAB, SHARE, Trouble, need, say
from rootless import as_root

IMAGES = LAB / "images"
KERNELS = SHARE / "kernels"
SUITES = ("bullseye", "bookworm", "trixie")
DEBIAN_MODULES = Path("/usr/lib/uml/modules")


def digest(files: Iterable[Path], *words: str) -> str:
    """A short hash of names, modes and contents."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(files):
        executable = os.access(path, os.X_OK)
        total.update(f"\0{path.name}\0{executable}\0".encode() + path.read_bytes())
    return total.hexdigest()[:8]


# ---- disk images


def suite() -> str:
    return os.environ.get("OPENLVS_LAB_SUITE") or "bookworm"


def image_path(suite: str) -> Path:
    if suite not in SUITES:
        raise Trouble(f"OPENLVS_LAB_SUITE is {suite}; it can be {', '.join(SUITES)}.")
    parts = [HERE / "build-image", HERE / "customize-image", *(p for p in (HERE / "guest").rglob("*") if p.is_file())]
    return IMAGES / f"{suite}-{digest(parts, suite)}.ext4"


def whole(image: Path) -> bool:
    """True for a complete ext4 image: as long as its superblock says."""
    try:
        with image.open("rb") as disk:
            disk.seek(1024)
            superblock = disk.read(1024)
        blocks, size = int.from_bytes(superblock[4:8], "little"), 1024 << int.from_bytes(superblock[24:28], "little")
        return superblock[56:58] == b"\x53\xef" and image.stat().st_size == blocks * size
    except (OSError, OverflowError):
        return False


def image(suite: str) -> Path:
    """The image of the suite, built when there is none or when it is damaged."""
    path = image_path(suite)
    if whole(path):
        return path
    if path.exists():
        say(f"{path} is damaged and is built again")
        path.unlink()
    need(("mmdebstrap", "mke2fs"))
    if subprocess.run([*as_root(), HERE / "build-image", suite], check=False).returncode or not whole(path):
        raise Trouble(f"{HERE}/build-image {suite} failed, see above.")
    return path


def built(image: Path) -> str:
    """A disk goes with this very build of its image."""
    return f"{image.name} {image.stat().st_mtime_ns}"


def drop_old_images(in_use: Iterable[Path]) -> None:
    """Remove images that neither this checkout nor a host has a use for."""
    keep = {*in_use, *map(image_path, SUITES)}
    for path in IMAGES.glob("*.ext4"):
        if path not in keep:
            path.unlink()


# ---- kernels


@dataclass(frozen=True)
class Kernel:
    """A kernel that hosts can run; its modules lie in `KERNELS/name/lib/modules`."""

    name: str
    binary: Path
    arguments: tuple[str, ...] = ()


def built_prefix(version: str) -> Path:
    """Where build-kernel puts the kernel `own`, 6.1, ...; the version of its source is added to the name."""
    options = [line for line in (HERE / "kernel.config").read_text().splitlines() if line.startswith("CONFIG_")]
    return KERNELS / f"{version}-{digest([], *sorted(options))}"


def kernel(wanted: str = "auto") -> Kernel:
    """The kernel asked for by OPENLVS_LAB_KERNEL: auto takes the own one if it is built, else Debian's."""
    if not re.fullmatch(r"auto|own|debian|\d+\.\d+", wanted):
        raise Trouble(f"OPENLVS_LAB_KERNEL is {wanted}; it can be auto, own, debian or a version like 6.1.")
    if wanted != "debian":
        version = "own" if wanted == "auto" else wanted
        built = sorted(KERNELS.glob(f"{built_prefix(version).name}-*/linux"), key=lambda path: path.stat().st_mtime)
        if built:
            return Kernel(built[-1].parent.name, built[-1], ("seccomp=auto",))  # kernels before 6.16 take no notice
        if wanted != "auto":
            others = {path.parent.name.split("-")[0] for path in KERNELS.glob(f"{built_prefix('*').name}-*/linux")}
            raise Trouble(
                f"Kernel {wanted} is not built; {', '.join(sorted(others)) or 'none'} and debian are at hand. "
                f"Build it with: make lab-kernel KERNEL={wanted}"
            )
    need(["linux.uml"])
    return _debian()


def _debian() -> Kernel:
    """Debian's ready kernel; of its modules only what hosts can use is copied to where they see it."""
    found = sorted(DEBIAN_MODULES.glob("*"))
    if not found:
        raise Trouble(f"{DEBIAN_MODULES} is empty. Install it with: apt-get install --reinstall user-mode-linux")
    release, target = found[-1].name, KERNELS / f"debian-{found[-1].name}"
    if not target.exists():
        need(["depmod"])
        new = LAB / "build" / target.name
        shutil.rmtree(new, ignore_errors=True)
        modules = new / "lib/modules" / release
        for part in ("net", "lib", "crypto", "fs/fuse", "fs/overlayfs", "drivers/net"):
            if (found[-1] / "kernel" / part).is_dir():
                shutil.copytree(found[-1] / "kernel" / part, modules / "kernel" / part)
        for listing in (*found[-1].glob("modules.builtin*"), found[-1] / "modules.order"):
            shutil.copy(listing, modules)
        subprocess.run(["depmod", "-b", new, release], check=True, stderr=subprocess.DEVNULL)
        KERNELS.mkdir(parents=True, exist_ok=True)
        new.rename(target)
    binary = shutil.which("linux.uml")
    assert binary
    return Kernel(target.name, Path(binary))
