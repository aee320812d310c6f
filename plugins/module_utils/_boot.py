# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What brings a cluster's part of a host back at the next boot: a unit of systemd and the files that go with it.

Looking, planning and doing are apart: ``look`` reads, ``plan`` is pure, ``apply`` writes. The unit's own file comes
last and goes last: what is not ours without it, such as a masked unit, is found again by a run after one that was cut
off.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import tempfile
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _block, _files, _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError

UNITS = "/etc/systemd/system"
MODE = 0o644
_OFF = "/dev/null"  # a unit that links to it cannot be started

Run = t.Callable[[t.Sequence[str]], tuple[int, str, str]]  # a command; its exit code, output and errors


@dataclasses.dataclass(frozen=True)
class Boot:
    """What shall be.

    :arg unit: the name of the unit that does the work at boot.
    :arg content: its text.
    :arg files: path -> text of the files of ours that go with it; an empty text is no file.
    :arg marked: those of them that are somebody else's, where only lines between marks are ours.
    :arg needs: files that the unit reads and somebody else writes.
    :arg masked: units that must never start beside ours.
    :arg present: whether anything shall come back at all.
    """

    unit: str
    content: str
    files: t.Mapping[str, str]
    marked: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    present: bool = True
    units: str = UNITS

    def path(self, unit: str) -> str:
        """Where an administrator's version of a unit stands."""
        return os.path.join(self.units, unit)

    def is_systemds(self, path: str) -> bool:
        """Whether systemd reads the file: what is ours of another unit stands in UNIT.service.d."""
        return path.startswith(self.units + os.sep)

    @property
    def texts(self) -> dict[str, str]:
        """What our files shall hold, in the order of their coming; an empty text is no file."""
        texts = {**self.files, self.path(self.unit): self.content}
        return texts if self.present else dict.fromkeys(texts, "")


@dataclasses.dataclass(frozen=True)
class Found:
    """What is there.

    :attr texts: path -> text of the files of ours that are there.
    :attr odd: those whose text would do and whose mode or owner would not.
    :attr torn: those where the marks of our lines are not in order.
    :attr present: which of the files that others write, and of the masked units' own, are there.
    :attr off: the units that are masked.
    :attr state: what systemd says of our unit: UnitFileState, ActiveState, NeedDaemonReload.
    """

    texts: t.Mapping[str, str]
    odd: frozenset[str] = frozenset()
    torn: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    state: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def enabled(self) -> bool:
        return self.state.get("UnitFileState") == "enabled"

    @property
    def active(self) -> bool:
        return self.state.get("ActiveState") == "active"


@dataclasses.dataclass(frozen=True)
class Step:
    """One change: a file written or removed, a unit masked or not, a word to systemd."""

    act: str
    what: str

    def __str__(self) -> str:
        return f"{self.act} {self.what}".strip()


# ---- looking


def look(boot: Boot, run: Run) -> Found:
    """What is there now."""
    try:
        texts = {path: text for path, text in ((path, _files.read(path)) for path in boot.texts) if text is not None}
        odd = frozenset(path for path in texts if path not in boot.marked and _odd(os.lstat(path)))
        torn = frozenset(path for path in boot.marked & texts.keys() if not _block.whole(texts[path], boot.unit))
        texts.update({path: _block.ours(texts[path], boot.unit) for path in boot.marked & texts.keys()})
    except OSError as exc:
        raise LvsError(f"File {exc.filename}: cannot read it: {exc.strerror}. The module must run as root.") from exc
    return Found(
        texts={path: text for path, text in texts.items() if text or path not in boot.marked},
        odd=odd,
        torn=torn,
        present=frozenset(path for path in (*boot.needs, *map(boot.path, boot.masked)) if os.path.lexists(path)),
        off=frozenset(unit for unit in boot.masked if os.path.realpath(boot.path(unit)) == _OFF),
        state=_state(boot.unit, run),
    )


def _odd(status: os.stat_result) -> bool:
    return not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != MODE or status.st_uid != os.geteuid()


def _state(unit: str, run: Run) -> dict[str, str]:
    words = ("UnitFileState", "ActiveState", "NeedDaemonReload")
    output = _systemctl(["show", f"--property={','.join(words)}", unit], run)
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


# ---- planning


def check(boot: Boot, found: Found, run: Run) -> None:
    """Refuse what cannot work, before anything is written.

    :raises OptionError: with every finding.
    """
    findings = [
        f"Unit '{name}': the name must end with .service and have no slash"
        for name in (boot.unit, *boot.masked)
        if not name.endswith(".service") or "/" in name
    ]
    findings += [
        f"File {path}: the marks '# BEGIN {boot.unit}' and '# END {boot.unit}' of our lines are not both there once."
        " Remove what is left of them"
        for path in sorted(found.torn)
    ]
    if boot.present and not boot.content.strip():
        findings.append(f"Unit {boot.unit}: its content is empty. To take it away, set state to absent")
    findings += [
        f"Unit {name}: {boot.path(name)} is somebody's own version of it, and it must not start beside {boot.unit}."
        " Move that file away"
        for name in boot.masked
        if boot.present and name not in found.off and boot.path(name) in found.present
    ]
    if boot.present and not findings and found.texts.get(boot.path(boot.unit)) != boot.content:
        findings += _faults(boot, run)
    if findings:
        raise OptionError(findings)


def _faults(boot: Boot, run: Run) -> list[str]:
    """What systemd itself thinks of the unit; the draft has the unit's name, for it says what kind of unit it is."""
    with tempfile.TemporaryDirectory(prefix="openlvs-") as folder:
        draft = os.path.join(folder, boot.unit)
        with open(draft, "w", encoding="utf-8") as file:
            file.write(boot.content)
        code, output, error = run(["systemd-analyze", "verify", "--man=no", draft])
    said = (error or output).replace(folder + os.sep, "").strip()
    return [f"Unit {boot.unit}: systemd-analyze verify refuses it: {said}"] if code else []


def plan(boot: Boot, found: Found) -> list[Step]:
    """The steps from what is there to what shall be."""
    return _coming(boot, found) if boot.present else _going(boot, found)


def _coming(boot: Boot, found: Found) -> list[Step]:
    unit = boot.path(boot.unit)
    steps = [step for path, text in boot.files.items() for step in _file(path, text, found)]
    masks = [Step("mask", name) for name in boot.masked if name not in found.off]
    written = _file(unit, boot.content, found)
    systemds = masks + written + [step for step in steps if boot.is_systemds(step.what)]
    steps += masks + written
    if systemds or found.state.get("NeedDaemonReload") == "yes":
        steps.append(Step("systemctl daemon-reload", ""))
    if not found.enabled:
        steps.append(Step("systemctl enable", boot.unit))
    elif written:
        steps.append(Step("systemctl reenable", boot.unit))  # it may be wanted at another point of the boot now
    if not found.active:
        steps.append(Step("systemctl start", boot.unit))
    return steps


def _file(path: str, text: str, found: Found) -> list[Step]:
    if not text:
        return [Step("remove", path)] if path in found.texts else []
    return [Step("write", path)] if found.texts.get(path) != text or path in found.odd else []


def _going(boot: Boot, found: Found) -> list[Step]:
    unit = boot.path(boot.unit)
    ours = unit in found.texts  # without our unit a mask is not ours
    steps = []
    if ours and found.enabled:
        steps.append(Step("systemctl disable", boot.unit))
    if found.active:
        steps.append(Step("systemctl stop", boot.unit))
    steps += [Step("remove", path) for path in boot.files if path in found.texts]
    if ours:
        steps += [Step("unmask", name) for name in boot.masked if name in found.off]
        steps += [Step("remove", unit), Step("systemctl daemon-reload", "")]
    return steps


# ---- doing


def apply(boot: Boot, steps: t.Sequence[Step], run: Run) -> None:
    """Do the steps in order. The first that fails ends the work; the error's details tell what is done."""
    done: list[str] = []
    for step in steps:
        try:
            _do(step, boot, run)
        except OSError as exc:
            raise LvsError(f"File {exc.filename}: cannot {step}: {exc.strerror}.", applied=done) from exc
        except LvsError as exc:
            exc.details["applied"] = done
            raise
        done.append(str(step))


def _do(step: Step, boot: Boot, run: Run) -> None:
    if step.what in boot.marked:
        _write_lines(step.what, boot.unit, boot.texts[step.what])
    elif step.act == "write":
        if boot.is_systemds(step.what):
            os.makedirs(os.path.dirname(step.what), exist_ok=True)
        _files.write(step.what, boot.texts[step.what], MODE)
    elif step.act == "remove":
        _files.remove(step.what)
        if boot.is_systemds(step.what):
            with contextlib.suppress(OSError):  # others have something there, too
                os.rmdir(os.path.dirname(step.what))
    elif step.act == "mask":
        os.symlink(_OFF, boot.path(step.what))
        _files.sync(boot.path(step.what))
    elif step.act == "unmask":
        _files.remove(boot.path(step.what))
    else:
        _systemctl(str(step).split()[1:], run)


def _write_lines(path: str, unit: str, lines: str) -> None:
    """Our lines in somebody's file, which keeps its mode; a file with nothing in it is none."""
    text = _files.read(path)
    new = _block.replaced(text or "", unit, lines)
    if new:
        _files.write(os.path.realpath(path), new, MODE if text is None else stat.S_IMODE(os.stat(path).st_mode))
    else:
        _files.remove(path)


def _systemctl(words: t.Sequence[str], run: Run) -> str:
    code, output, error = run(["systemctl", *words])
    if code:
        raise LvsError(
            f"systemctl {' '.join(words)}: {(error or output).strip().rstrip('.')}. "
            f"'systemctl status {words[-1]}' and 'journalctl --unit {words[-1]}' tell more."
        )
    return output


# ---- all of it


def run(boot: Boot, execute: Run, check_mode: bool) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
    """Bring the host to what shall be; in check mode only say how. The module's result, and its diff."""
    with contextlib.nullcontext() if check_mode else _manifest.exclusive():
        found = look(boot, execute)
        check(boot, found, execute)
        steps = plan(boot, found)
        if not check_mode:
            apply(boot, steps, execute)
    changes = [str(step) for step in steps]
    return {"changed": bool(changes), "changes": changes, "found": _told(boot, found)}, _diff(boot, found, steps)


def _diff(boot: Boot, found: Found, steps: t.Sequence[Step]) -> list[dict[str, t.Any]]:
    """What changes: the text of each file, then how the unit stands."""
    texts = [(path, found.texts.get(path, ""), text) for path, text in boot.texts.items()]
    shown: list[tuple[str, t.Any, t.Any]] = [(path, before, after) for path, before, after in texts if before != after]
    if any(step.act not in ("write", "remove") for step in steps):
        on = boot.present
        before = {"enabled": found.enabled, "active": found.active, "masked": sorted(found.off)}
        after = {"enabled": on, "active": on, "masked": sorted(boot.masked) if on else []}
        shown.append((boot.unit, before, after))
    return [{"before_header": name, "after_header": name, "before": old, "after": new} for name, old, new in shown]


def _told(boot: Boot, found: Found) -> dict[str, t.Any]:
    """What was there before the run, for whoever judges it."""
    wanted = {path: text for path, text in boot.texts.items() if text or path in found.texts}
    files: list[tuple[str, bool, bool | None]] = [
        (path, path in found.texts, found.texts.get(path) == text and path not in found.odd)
        for path, text in wanted.items()
    ]
    files += [(path, path in found.present, None) for path in boot.needs]
    files += [(boot.path(name), boot.path(name) in found.present, name in found.off) for name in boot.masked]
    return {
        "unit": {
            "name": boot.unit,
            "present": boot.path(boot.unit) in found.texts,
            "enabled": found.enabled,
            "active": found.active,
        },
        "files": [{"path": path, "present": present, "same": same} for path, present, same in files],
    }
