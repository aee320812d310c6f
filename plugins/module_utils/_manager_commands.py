# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What is done to network managers: their files, what they are told, and what they think of a draft."""

from __future__ import annotations

import glob
import os
import subprocess
import tempfile
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _writers
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._host import TOLD_BY, RemoveFile, Step, Tell, WriteFile
from ansible_collections.openlvs.lvs.plugins.module_utils._managers import NETPLAN, NETWORKD, NETWORKMANAGER

_UNITS = {
    NETWORKD: "systemd-networkd.service",
    NETPLAN: "systemd-networkd.service",
    NETWORKMANAGER: "NetworkManager.service",
}
_NETPLAN, _IFUPDOWN = "/etc/netplan/", "/etc/network/interfaces.d/"


def texts() -> dict[str, str]:
    """The files that are ours or in our way, by their paths."""
    paths = [path for pattern in _writers.PLACES for path in glob.glob(pattern)]
    return {path: _files.read(path) or "" for path in paths}


def do(step: Step) -> None:
    """Do the step, if it is one of files."""
    if isinstance(step, WriteFile):
        _write(step)
    elif isinstance(step, RemoveFile):
        _remove(step)
    elif isinstance(step, Tell):
        _tell(step)


def _write(step: WriteFile) -> None:
    """Write the file, with its directory."""
    try:
        os.makedirs(os.path.dirname(step.path), exist_ok=True)
        _files.write(step.path, step.content, step.mode)
    except OSError as exc:
        raise LvsError(f"File {step.path}: cannot write it: {exc.strerror}.") from exc


def _remove(step: RemoveFile) -> None:
    """Remove the file, and a drop-in directory that has nothing else in it."""
    folder = os.path.dirname(step.path)
    try:
        _files.remove(step.path)
        if folder.endswith(".network.d") and not os.listdir(folder):
            os.rmdir(folder)
    except OSError as exc:
        raise LvsError(f"File {step.path}: cannot remove it: {exc.strerror}.") from exc


def _tell(step: Tell) -> None:
    """Let the manager read its files; one that does not run reads them when it starts."""
    if _run("systemctl", "is-active", "--quiet", _UNITS[step.manager]).returncode:
        return
    for command in TOLD_BY[step.manager].split(" && "):
        done = _run(*command.split())
        if done.returncode:
            raise LvsError(f"{command}: {_said(done)}")


def faults(steps: t.Iterable[Step]) -> list[str]:
    """What the managers' own programs say of files that are about to be written; silent where a manager has none."""
    drafts = {step.path: step.content for step in steps if isinstance(step, WriteFile)}
    found = []
    for path, text in drafts.items():
        if path.startswith(_IFUPDOWN):
            found += _refused(["ifquery", "--list", "--all", "--interfaces"], path, text)
    netplans = {path: text for path, text in drafts.items() if path.startswith(_NETPLAN)}
    return found + (_netplan(netplans) if netplans else [])


def _refused(command: list[str], path: str, text: str) -> list[str]:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="openlvs-") as draft:
        draft.write(text)
        draft.flush()
        done = _run(*command, draft.name)
    said = _said(done).replace(draft.name, path)
    return [f"File {path}: {command[0]} refuses it: {said}"] if done.returncode else []


def _netplan(drafts: dict[str, str]) -> list[str]:
    """All of netplan's files together, in a place of their own, where it also writes what it makes of them."""
    with tempfile.TemporaryDirectory(prefix="openlvs-") as root:
        for folder in ("lib", "etc", "run"):
            source = f"/{folder}/netplan"
            for name in os.listdir(source) if os.path.isdir(source) else []:
                _draft(root, f"{source}/{name}", _files.read(f"{source}/{name}") or "")
        for path, text in drafts.items():
            _draft(root, path, text)
        done = _run("netplan", "generate", "--root-dir", root)
    said = _said(done).replace(root, "")
    return [f"Files {', '.join(drafts)}: netplan generate refuses them: {said}"] if done.returncode else []


def _draft(root: str, path: str, text: str) -> None:
    place = root + path
    os.makedirs(os.path.dirname(place), exist_ok=True)
    _files.write(place, text, 0o600)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    except OSError as exc:
        raise LvsError(f"{command[0]}: cannot run it: {exc.strerror}.") from exc


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr or done.stdout).strip().rstrip(".") + "."
