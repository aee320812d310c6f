# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The file that brings the table back at boot: written whole, durable, and only for root."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError

MARK = "# openlvs.lvs: "
HEADER = f"{MARK}written by the module ipvs_services, do not edit. Load it with: grep -v '^#' FILE | ipvsadm -R"
KEPT = ".before-openlvs"
_MODE = 0o600


def judge(path: str) -> None:
    """Whether a file can be kept there at all, before anything is changed.

    :raises OptionError: when it cannot.
    """
    where = f"save_to {path!r}"
    if not os.path.isabs(path):
        raise OptionError(
            [f"{where}: use a whole path, such as /etc/ipvsadm.rules; what else it starts from is chance."]
        )
    if not os.path.isdir(os.path.dirname(path)):
        raise OptionError([f"{where}: there is no directory {os.path.dirname(path)} on this host. Make it first."])
    if os.path.exists(path) and not os.path.isfile(path):
        raise OptionError([f"{where}: something else than a file stands there. Name another path."])


def save(path: str, lines: t.Sequence[str], check_mode: bool) -> str | None:
    """Make the file hold these lines. A file that is not ours is kept beside it, and comes back when no line is left.

    :returns: what was done, or in check mode would be; None when there is nothing to do.
    """
    try:
        found = _files.read(path)
        ours = found is not None and found.startswith(MARK)
        if lines:
            content = "".join(f"{line}\n" for line in (HEADER, *lines))
            if found == content and os.stat(path).st_mode & 0o7777 == _MODE:
                return None
            if not check_mode:
                if found is not None and not ours and not os.path.exists(path + KEPT):
                    os.link(path, path + KEPT)
                _files.write(path, content, _MODE)
            return f"write {path}"
        if not ours:
            return None
        if os.path.exists(path + KEPT):
            if not check_mode:
                os.replace(path + KEPT, path)
                _files.sync(path)
            return f"bring back {path} from {path}{KEPT}"
        if not check_mode:
            os.unlink(path)
            _files.sync(path)
        return f"remove {path}"
    except OSError as exc:
        raise LvsError(f"File {path}: cannot save the table in it: {exc.strerror}. The kernel has it already.") from exc
