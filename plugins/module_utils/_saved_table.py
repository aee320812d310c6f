# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The file that brings the table back at boot: written whole, durable, and only for root."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

MARK = "# openlvs.lvs: "
HEADER = f"{MARK}written by the module ipvs_services, do not edit. Load it with: grep -v '^#' FILE | ipvsadm -R"
KEPT = ".before-openlvs"


def save(path: str, lines: t.Sequence[str], check_mode: bool) -> str | None:
    """Make the file hold these lines. A file that is not ours is kept beside it, and comes back when no line is left.

    :returns: what was done, or in check mode would be; None when there is nothing to do.
    """
    try:
        found = _read(path)
        ours = found is not None and found.startswith(MARK)
        if lines:
            content = "".join(f"{line}\n" for line in (HEADER, *lines))
            if found == content and os.stat(path).st_mode & 0o7777 == _MODE:
                return None
            if not check_mode:
                _write(path, content, keep=found is not None and not ours)
            return f"write {path}"
        if not ours:
            return None
        if os.path.exists(path + KEPT):
            if not check_mode:
                os.replace(path + KEPT, path)
                _sync(path)
            return f"bring back {path} from {path}{KEPT}"
        if not check_mode:
            os.unlink(path)
            _sync(path)
        return f"remove {path}"
    except OSError as exc:
        raise LvsError(f"File {path}: cannot save the table in it: {exc.strerror}. The kernel has it already.") from exc


_MODE = 0o600


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(path: str, content: str, keep: bool) -> None:
    draft = f"{path}.new-openlvs"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, _MODE)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    if keep and not os.path.exists(path + KEPT):
        os.link(path, path + KEPT)
    os.replace(draft, path)
    _sync(path)


def _sync(path: str) -> None:
    descriptor = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
