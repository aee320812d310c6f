# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The running keepalived and its unit: asked, started, reloaded, and left without its noticing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import time
import typing as t

from ansible.module_utils.common.process import get_bin_path
from ansible_collections.openlvs.lvs.plugins.module_utils import _files
from ansible_collections.openlvs.lvs.plugins.module_utils._engine_state import ServiceState
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import CONFIG, ENGINE, HEADER, UNIT
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_state import parse
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import PATIENCE, Run, Unit
from ansible_collections.openlvs.lvs.plugins.module_utils._table import ServiceKey

PROGRAM = "keepalived"
_PID_FILES = ("/run/checkers.pid", "/run/keepalived/checkers.pid", "/var/run/keepalived_checkers.pid")
_REPORT = "tmp/keepalived_check.data"
_RUNS = "/bin/true"  # what stands for the checker, which may not be there yet
_TICK = 0.05
# Keepalived 2.2.7 and before end so over users of scripts, whatever the file says: in a shell's words, and in Python's.
_TERMINATED = (143, -15)
_INSECURE = 6  # it misses the lines about script security
SCRIPT_SECURITY = re.compile(r"^ *(enable_script_security|(script_)?user .*)\n", re.MULTILINE)
_VERSION = re.compile(r"v(\d+(?:\.\d+)+)")


def program() -> str | None:
    """Where keepalived is; None if it is not installed."""
    try:
        return str(get_bin_path(PROGRAM))
    except ValueError:
        return None


class Daemon(Unit):
    """:arg run: executes a command."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, UNIT)

    def judge(self, config: str, secret: str, secret_path: str) -> None:
        """What keepalived itself thinks of a file, in a place of its own.

        :raises OptionError: when it refuses it.
        """
        where = program()
        if where is None:
            return
        with tempfile.TemporaryDirectory(prefix="openlvs-") as folder:
            drafts = {name: os.path.join(folder, name) for name in ("keepalived.conf", "auth.conf")}
            draft = config.replace(secret_path, drafts["auth.conf"]).replace(ENGINE.checker.program, _RUNS)
            texts = {"keepalived.conf": draft, "auth.conf": secret}
            code, said = self._judge(where, drafts, texts)
            if code in _TERMINATED:
                texts["keepalived.conf"] = SCRIPT_SECURITY.sub("", texts["keepalived.conf"])
                code, said = self._judge(where, drafts, texts)
                code = 0 if code == _INSECURE else code
        if code:
            said = said.replace(folder + os.sep, "").strip()
            raise OptionError([f"keepalived refuses its file (exit code {code}): {line}" for line in said.splitlines()])

    def _judge(self, where: str, drafts: t.Mapping[str, str], texts: t.Mapping[str, str]) -> tuple[int, str]:
        for name, path in drafts.items():
            with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(texts[name])
        code, output, error = self._run([where, "--config-test", "--use-file", drafts["keepalived.conf"]])
        return code, error or output or "it does not say why"

    def checkers(self) -> int | None:
        """The process that looks at the servers; None when there is none."""
        for path in _PID_FILES:
            with contextlib.suppress(OSError, ValueError):
                with open(path, encoding="ascii") as file:
                    number = int(file.read())
                with open(f"/proc/{number}/comm", encoding="ascii") as file:
                    if file.read().startswith(PROGRAM):
                        return number
        return None

    def states(self) -> dict[ServiceKey, ServiceState] | None:
        """What keepalived knows of its servers at this moment; None when it does not run, or looks at none."""
        number = self.checkers()
        if number is None:
            return None
        report = f"/proc/{number}/root/{_REPORT}"  # in its own view of the files, for a unit may have a /tmp of its own
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(report)
            os.kill(number, signal.SIGUSR1)
            text = _whole(report)
            os.unlink(report)
        except (FileNotFoundError, ProcessLookupError):
            return None
        return parse(text)

    def leave(self) -> None:
        """End it so that the kernel keeps all that it has made there.

        Stopped before they are killed, none of its processes can clean up when it sees another one end.
        """
        for name in ("SIGSTOP", "SIGKILL"):
            self.systemctl("kill", f"--signal={name}", UNIT)
        self.systemctl("stop", UNIT)
        with contextlib.suppress(LvsError):  # there may be no failure to forget
            self.systemctl("reset-failed", UNIT)


def _whole(path: str) -> str:
    """The text of a file that is being written, once it grows no more."""
    before = ""
    for _tick in range(int(PATIENCE / _TICK)):
        time.sleep(_TICK)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            continue
        if text and text == before:
            return text
        before = text
    text = f"keepalived did not report on its servers for {PATIENCE:g} s."
    raise LvsError(f"{text} 'systemctl status {UNIT}' tells more.")


def facts(run: Run) -> dict[str, str | None]:
    """What is installed, and what of it is ours."""
    where = program()
    if where is None:
        return {"version": None, "config": None}
    _code, output, error = run([where, "--version"])
    found = _VERSION.search(error + output)
    text = _files.read(CONFIG) or ""
    return {"version": found[1] if found else None, "config": text if text.startswith(HEADER) else None}
