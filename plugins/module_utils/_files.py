# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Files that a power cut leaves as they were or as they shall be, never in between."""

from __future__ import annotations

import contextlib
import os

_DRAFT = ".new-openlvs"  # no daemon reads a file of this name


def read(path: str) -> str | None:
    """What the file holds; None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(path: str, content: str, mode: int) -> None:
    """Put the file there, or in the place of the one that is there."""
    draft = path + _DRAFT
    with contextlib.suppress(FileNotFoundError):
        os.unlink(draft)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)
    os.replace(draft, path)
    sync(path)


def remove(path: str) -> None:
    """Remove the file, or the link, where there is one, and what a run that was cut off left of it."""
    for name in (path, path + _DRAFT):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    sync(path)


def sync(path: str) -> None:
    """Make it last that the file is there under this name, or is not."""
    descriptor = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
