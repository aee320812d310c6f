# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What a running Corosync has loaded of its file, which may be an older one. Pure."""

from __future__ import annotations

import re
import typing as t

_BEGIN = re.compile(r"(\w+)\s*\{")
_PAIR = re.compile(r"(\w+)\s*:\s*(.*)")
_SHOWN = re.compile(r"(\S+) \(\w+\) = (.*)")
_FIXED = ("totem.version", "totem.cluster_name", "totem.transport")  # until it is started anew
_WHOLE = ("nodelist.node.", "quorum.")  # what the file does not name is not there


def is_loaded(config: str, shown: str) -> bool:
    """Whether the daemon works by this text.

    :arg config: of corosync.conf.
    :arg shown: what corosync-cmapctl(8) prints.
    """
    known = {match[1]: match[2] for match in map(_SHOWN.fullmatch, shown.splitlines()) if match}
    wanted = {name: value for name, value in _pairs(config) if name not in _FIXED}
    loaded = {name for name in known if name.startswith(_WHOLE)}
    return loaded <= wanted.keys() and all(known.get(name) == value for name, value in wanted.items())


def _pairs(config: str) -> t.Iterator[tuple[str, str]]:
    """Each setting by the daemon's own name for it; nodes are counted."""
    path: list[str] = []
    nodes = -1
    for line in map(str.strip, config.splitlines()):
        begin, pair = _BEGIN.fullmatch(line), _PAIR.fullmatch(line)
        if begin and begin[1] == "node":
            nodes += 1
            path.append(f"node.{nodes}")
        elif begin:
            path.append(begin[1])
        elif line == "}":
            path.pop()
        elif pair:
            yield ".".join([*path, pair[1]]), pair[2]
