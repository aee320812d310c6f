# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Look at a real server, and tell by its last results whether it counts as well: exit code 0, or 1.

Keepalived and ldirectord count failures in a row and forget them at the first success. This remembers.

    check-NAME VIP PORT SERVER PORT [NUMBER]

Ldirectord calls a check with these four words; a mark stands in place of a VIP, with port 0. What to look at stands in
/etc/openlvs/check-NAME.json; with a number that one of the checks is made, else all are. What was seen before stands in
/run/openlvs/check-NAME. Whoever starts it, it works as the user whom that directory belongs to.

It stands alone: this file is what is installed, so it uses nothing but Python's own library.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import pwd
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
import typing as t

CONFIG, STATE = "/etc/openlvs/{}.json", "/run/openlvs/{}"
ENOUGH = 1 << 20  # bytes of a page that are looked at

Check = t.Mapping[str, t.Any]


class Memory(t.NamedTuple):
    """What is known of a server.

    :attr well: how it counts.
    :attr seen: the last results, the newest last: ``+`` and ``-``.
    """

    well: bool
    seen: str


def remember(before: Memory | None, good: bool, check: Check) -> Memory:
    """What is known after one more result.

    With a window, a server is out when so many of its last results were failures, and back when so many were good: what
    lies in between changes nothing. Else so many in a row count. Of whom nothing is known counts what is seen first.
    """
    length = int(check.get("window") or max(check["fall"], check["rise"]))
    result = "+" if good else "-"
    if before is None:
        return Memory(good, result * length)
    seen = (before.seen + result)[-length:]
    if check.get("window"):
        failed, passed = (seen.count(one) >= check["failures"] for one in "-+")
    else:
        failed, passed = seen.endswith("-" * check["fall"]), seen.endswith("+" * check["rise"])
    return Memory(passed or (before.well and not failed), seen)


# ---- looking


def look(check: Check, server: str, port: int) -> bool:
    """Whether a server answers as it should, in time."""
    signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, check["timeout"])
    try:
        return _KINDS[check["type"]](check, server, int(check.get("port") or port))
    except (OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError):
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _too_late(_number: int, _frame: object) -> None:
    raise TimeoutError


def _tcp(check: Check, server: str, port: int) -> bool:
    socket.create_connection((server, port), check["timeout"]).close()
    return True


def _udp(check: Check, server: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.settimeout(check["timeout"])
        asked.connect((server, port))
        asked.send(bytes.fromhex(check.get("payload") or ""))
        reply = bytes.fromhex(check.get("reply") or "")
        try:
            answer = asked.recv(1 << 16)
        except (socket.timeout, TimeoutError):
            return not reply  # nobody refused it
        return reply in answer


def _http(check: Check, server: str, port: int) -> bool:
    name = check.get("host") or (f"[{server}]" if ":" in server else server)
    with socket.create_connection((server, port), check["timeout"]) as plain:
        asked = http.client.HTTPConnection(server, port)
        asked.sock = plain
        if check["type"] == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is whether it serves, not who it is
            asked.sock = context.wrap_socket(plain, server_hostname=check.get("host"))
        asked.request("GET", check["path"], headers={"Host": name, "Connection": "close"})
        answer = asked.getresponse()
        page = answer.read(ENOUGH)
    wanted = check.get("regex")
    return (
        any(low <= answer.status <= high for low, high in _ranges(check))
        and (not wanted or re.search(wanted.encode(), page) is not None)
        and check.get("digest") in (None, hashlib.md5(page, usedforsecurity=False).hexdigest())
    )


def _ranges(check: Check) -> t.Iterator[tuple[int, int]]:
    for status in check.get("status") or ("200-299",):
        low, _dash, high = str(status).partition("-")
        yield int(low), int(high or low)


def _script(check: Check, _server: str, _port: int) -> bool:
    with subprocess.Popen(shlex.split(check["path"]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        try:
            return run.wait() == 0
        finally:
            run.kill()


_KINDS: dict[str, t.Callable[[Check, str, int], bool]] = {
    "tcp": _tcp,
    "udp": _udp,
    "http": _http,
    "https": _http,
    "script": _script,
}


# ---- remembering


def read(path: str, check: Check) -> Memory | None:
    """What was known the last time; nothing where that is longer ago than its results tell of."""
    try:
        with open(path, encoding="ascii") as file:
            word, _space, seen = file.read().strip().partition(" ")
        age = time.time() - os.stat(path).st_mtime
    except (OSError, UnicodeDecodeError):
        return None
    lasts = 2 * len(seen) * (check["interval"] + check["timeout"])
    known = word in ("up", "down") and not seen.strip("+-") and age < lasts
    return Memory(word == "up", seen) if known else None


def write(path: str, memory: Memory) -> None:
    """Keep it for the next time."""
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="ascii") as file:
        file.write(f"{'up' if memory.well else 'down'} {memory.seen}\n")
    os.replace(draft, path)


def become(folder: str) -> None:
    """Let go of all rights but those of the user whom the directory belongs to."""
    owner = pwd.getpwuid(os.stat(folder).st_uid)
    if os.geteuid() == 0 and owner.pw_uid != 0:
        os.setgroups([])
        os.setgid(owner.pw_gid)
        os.setuid(owner.pw_uid)


def main(name: str, words: t.Sequence[str]) -> int:
    """:arg name: what this file is called."""
    service, server, port = f"{words[0].strip('[]')} {words[1]}", words[2].strip("[]"), int(words[3])
    folder = STATE.format(name)
    become(folder)
    with open(CONFIG.format(name), encoding="utf-8") as file:
        checks = json.load(file)[service]
    chosen = [int(words[4])] if words[4:] else range(len(checks))
    well = True
    for number in chosen:
        check = checks[number]
        path = os.path.join(folder, "_".join([*service.split(), server, str(port), str(number)]))
        memory = remember(read(path, check), look(check, server, port), check)
        write(path, memory)
        well = well and memory.well
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main(os.path.basename(sys.argv[0]), sys.argv[1:]))
