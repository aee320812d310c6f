# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A role's tables of nftables on a host: what is there, and how it becomes what shall be.

Two files tell whether anything is to do. One holds the text that was loaded, which a unit loads again at boot; the
other what nft said of the tables right after that, in its own words, which differ from version to version. A change of
somebody else's shows in the second, a change of ours in the first. The text is written before it is loaded and removed
after the tables are gone, and the second file goes first and comes last: a run that was cut off is found again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _manifest, _nft, _nft_purposes
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

ETC, STATE = "/etc/openlvs", os.path.dirname(_manifest.PATH)
_SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))

Run = t.Callable[[t.Sequence[str], str], tuple[int, str, str]]  # a command, its input; exit code, output, errors


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a role keeps what it has loaded."""

    role: str
    etc: str = ETC
    state: str = STATE

    @property
    def text(self) -> str:
        """The file for the next boot."""
        return os.path.join(self.etc, f"{self.role}.nft")

    @property
    def listing(self) -> str:
        return os.path.join(self.state, f"{self.role}.nft.listing")

    @property
    def tables(self) -> list[str]:
        return [f"{family} {_nft.table_name(self.role)}" for family in _nft.FAMILIES[self.role]]


@dataclasses.dataclass(frozen=True)
class Found:
    """What is there.

    :attr text: what was loaded last; empty if nothing was.
    :attr recorded: how nft showed that; None where a run was cut off before it could ask.
    :attr tables: those of ours that the kernel has, and how nft shows them now.
    """

    text: str
    recorded: str | None
    tables: t.Mapping[str, str]

    @property
    def listing(self) -> str:
        return "".join(self.tables.values())


def execute(words: t.Sequence[str], text: str) -> tuple[int, str, str]:
    """Run a command and give it a text to read."""
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(words, input=text, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


class Nft:
    """The command, with errors in words."""

    def __init__(self, run: Run = execute, path: str | None = None) -> None:
        self._run = run
        self.path = path or shutil.which("nft", path=_SEARCH)

    def tables(self, mine: t.Sequence[str]) -> dict[str, str]:
        """Those of these tables that the kernel has, with what is in them and without what it counts."""
        lines = self._call(["list", "tables"], "", "The kernel's tables").splitlines()
        there = [name for name in mine if f"table {name}" in lines]
        return {name: self._call(["-s", "list", "table", *name.split()], "", f"Table {name}") for name in there}

    def judge(self, text: str, what: str) -> None:
        """Whether nft and the kernel would take the text. Loads nothing."""
        self._call(["-c", "-f", "-"], text, what)

    def load(self, text: str, what: str) -> None:
        self._call(["-f", "-"], text, what)

    def _call(self, words: t.Sequence[str], text: str, what: str) -> str:
        if self.path is None:
            raise LvsError(f"{what}: there is no command nft on this host. Install the package nftables.")
        code, output, error = self._run([self.path, *words], text)
        if code:
            said = " ".join((error or output).split())
            remedy = "" if text else ". Does this kernel have nf_tables ('modprobe nf_tables')?"
            raise LvsError(f"{what}: 'nft {' '.join(words)}' failed: {said}{remedy}")
        return output


def look(place: Place, text: str, nft: Nft) -> Found:
    """:arg text: what is wanted; where nothing is, and nothing was loaded, nobody asks the kernel."""
    try:
        loaded, recorded = _files.read(place.text) or "", _files.read(place.listing)
    except OSError as exc:
        raise LvsError(f"File {exc.filename}: cannot read it: {exc.strerror}. The module must run as root.") from exc
    asked = bool(text or loaded) and nft.path is not None
    return Found(loaded, recorded, nft.tables(place.tables) if asked else {})


def silenced() -> frozenset[str]:
    """The VIPs about which rules of ours keep a real server silent at this moment."""
    place = Place(_nft.REALSERVER)
    text = _files.read(place.text) if os.path.exists(place.text) else None
    vips = _nft_purposes.silenced(text or "")
    if not vips or not text:
        return frozenset()
    return vips if is_as_wanted(look(place, text, Nft()), text) else frozenset()


def senders() -> frozenset[str]:
    """The MAC addresses by which a director that is a real server too knows the others, by the rules it has."""
    place = Place(_nft.DIRECTOR)
    return _nft_purposes.senders((_files.read(place.text) if os.path.exists(place.text) else None) or "")


def is_as_wanted(found: Found, text: str) -> bool:
    if not text:
        return not found.text and not found.tables
    return found.text == text and found.recorded == found.listing


def gone(found: Found, text: str) -> list[str]:
    """Tables of ours that the text does not replace."""
    return [name for name in found.tables if f"table {name} {{" not in text]


def transaction(found: Found, text: str) -> str:
    return "".join(f"delete table {name}\n" for name in gone(found, text)) + text


def apply(place: Place, found: Found, text: str, nft: Nft) -> None:
    """Load the text, and remember it for the next boot and for the next run."""
    try:
        _remember(place, text or found.text, None)
        try:
            nft.load(transaction(found, text), f"Table {_nft.table_name(place.role)}")
        except LvsError:
            _remember(place, found.text, found.recorded)
            raise
        _remember(place, text, "".join(nft.tables(place.tables).values()) if text else None)
    except OSError as exc:
        raise LvsError(f"File {exc.filename}: cannot write it: {exc.strerror}.") from exc


def _remember(place: Place, text: str, listing: str | None) -> None:
    """A listing stands there only beside the text that it belongs to."""
    _remove(place.listing)
    for path, content in ((place.text, text), (place.listing, listing)):
        if content:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            _files.write(path, content, 0o600)
        else:
            _remove(path)


def _remove(path: str) -> None:
    folder = os.path.dirname(path)
    if os.path.isdir(folder):
        _files.remove(path)
        with contextlib.suppress(OSError):  # somebody keeps something else in it
            os.rmdir(folder)


def run(
    place: Place, text: str, nft: Nft, check_mode: bool
) -> tuple[dict[str, t.Any], list[dict[str, t.Any]], list[str]]:
    """Bring the tables to what shall be; in check mode only say how. The module's result, its diff and warnings."""
    warnings: list[str] = []
    with contextlib.nullcontext() if check_mode else _manifest.exclusive():
        found = look(place, text, nft)
        changed = not is_as_wanted(found, text)
        if changed and check_mode and nft.path is None:
            warnings.append("There is no command nft on this host yet, so nobody has judged the rules.")
        elif changed:
            nft.judge(transaction(found, text), f"Table {_nft.table_name(place.role)}")
            if not check_mode:
                apply(place, found, text, nft)
    result = {"changed": changed, "changes": _changes(place, found, text) if changed else []}
    return {**result, "file": place.text if text else None}, _diff(place, found, text) if changed else [], warnings


def _changes(place: Place, found: Found, text: str) -> list[str]:
    deleted = [f"nft delete table {name}" for name in gone(found, text)]
    if not text:
        return [*deleted, *([f"remove {place.text}"] if found.text else [])]
    written = [f"write {place.text}"] if found.text != text else []
    return [*written, *deleted, f"nft -f {place.text}"]


def _diff(place: Place, found: Found, text: str) -> list[dict[str, t.Any]]:
    """What is loaded otherwise, and what somebody else has changed since it was loaded."""
    texts = [(place.text, found.text, text)]
    if text and found.recorded != found.listing:
        texts.append(("nft -s list table", found.listing, found.recorded or ""))
    return [
        {"before_header": name, "after_header": name, "before": old, "after": new}
        for name, old, new in texts
        if old != new
    ]
