# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Firewall marks by iptables: a chain of our own in the table mangle, which PREROUTING jumps to.

The chain is replaced as a whole by ``iptables-restore --noflush``, which the kernel takes or refuses as a whole. Two
files for each family tell whether anything is to do, as with nftables: the text that was loaded, and what iptables-save
said of it right after.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files, _manifest, _nft, _nft_host
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._nft_host import Run, execute

CHAIN = "OPENLVS"
JUMP = f"-A PREROUTING -j {CHAIN}"
PROGRAMS = {4: "iptables", 6: "ip6tables"}
_HEADER = "# Written by Ansible, module openlvs.lvs.lvs_iptables. Changes made here do not last.\n"
_MAX_PORTS = 15  # of one rule, where a range is two
_LENGTH = {4: 32, 6: 128}

Entries = t.Sequence[t.Mapping[str, t.Any]]


def render(marks: Entries, version: int) -> str:
    """The text that makes the chain hold these marks; empty without any of the family.

    :arg marks: judged by then.
    """
    rules = [
        f"-A {CHAIN} -d {address}/{_LENGTH[version]} -p {entry['protocol']} -m multiport --dports {chunk}"
        f" -j MARK --set-xmark 0x{entry['mark']:x}/0xffffffff"
        for entry in marks
        for address in map(_nft.address, entry["addresses"])
        if address.version == version
        for chunk in _chunks(entry["ports"])
    ]
    return _HEADER + "\n".join(["*mangle", f":{CHAIN} - [0:0]", *rules, "COMMIT", ""]) if rules else ""


def _chunks(ports: t.Iterable[object]) -> t.Iterator[str]:
    """As many ports as one rule can have."""
    chunk: list[str] = []
    taken = 0
    for first, last in map(_nft.ports, ports):
        cost = 1 if first == last else 2
        if taken + cost > _MAX_PORTS:
            yield ",".join(chunk)
            chunk, taken = [], 0
        chunk.append(str(first) if first == last else f"{first}:{last}")
        taken += cost
    yield ",".join(chunk)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the rules of one family are kept."""

    version: int
    etc: str = _nft_host.ETC
    state: str = _nft_host.STATE

    @property
    def program(self) -> str:
        return PROGRAMS[self.version]

    @property
    def text(self) -> str:
        """The file for the next boot."""
        return os.path.join(self.etc, f"director.{self.program}")

    @property
    def listing(self) -> str:
        return os.path.join(self.state, f"director.{self.program}.listing")


@dataclasses.dataclass(frozen=True)
class Found:
    """What was loaded last, what iptables-save said of it then, and what it says now."""

    text: str
    recorded: str
    now: str

    def is_as_wanted(self, text: str) -> bool:
        return self.text == text and self.recorded == self.now


class Iptables:
    """The commands of one family, with errors in words."""

    def __init__(self, place: Place, run: Run) -> None:
        self._place, self._run = place, run

    def there(self) -> bool:
        return self._find("") is not None

    def now(self) -> str:
        lines = self._call("-save", ["--table", "mangle"]).splitlines()
        return "".join(f"{line}\n" for line in lines if line.startswith(f"-A {CHAIN} ") or line == JUMP)

    def judge(self, text: str) -> None:
        self._call("-restore", ["--test", "--noflush"], text)

    def load(self, text: str) -> None:
        """The chain first, then the way into it, so that packets find all of it or nothing."""
        self._call("-restore", ["--noflush"], text)
        if JUMP not in self.now().splitlines():
            self._call("", ["--wait", "--table", "mangle", *JUMP.split()])

    def remove(self) -> None:
        for line in self.now().splitlines():
            if line == JUMP:
                self._call("", ["--wait", "--table", "mangle", *JUMP.replace("-A", "-D", 1).split()])
        saved = self._call("-save", ["--table", "mangle"])
        if f"\n:{CHAIN} " in saved:
            for act in ("--flush", "--delete-chain"):
                self._call("", ["--wait", "--table", "mangle", act, CHAIN])

    def _find(self, suffix: str) -> str | None:
        path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
        return shutil.which(self._place.program + suffix, path=path)

    def _call(self, suffix: str, words: t.Sequence[str], text: str = "") -> str:
        program = self._find(suffix)
        if program is None:
            raise LvsError(
                f"There is no command {self._place.program}{suffix} on this host. Install the package iptables."
            )
        code, output, error = self._run([program, *words], text)
        if code:
            said = " ".join((error or output).split())
            raise LvsError(f"Chain {CHAIN}: '{self._place.program}{suffix} {' '.join(words)}' failed: {said}")
        return output


def run(
    marks: Entries, check_mode: bool, execute: Run = execute
) -> tuple[dict[str, t.Any], list[dict[str, t.Any]], list[str]]:
    """Bring the chains to what shall be; in check mode only say how. The module's result, its diff and warnings.

    :raises OptionError: if they would not stay.
    """
    if marks and _is_flushed(execute):
        raise OptionError(
            [
                "marks: firewalld runs on this host, and flushes all rules of iptables whenever it reloads, these with"
                " them. Give marks by nftables (module openlvs.lvs.lvs_nft, in the description lvs_marks_by: nftables),"
                " whose tables of others it leaves alone."
            ]
        )
    changes: list[str] = []
    diff: list[dict[str, t.Any]] = []
    warnings: list[str] = []
    files = []
    with contextlib.nullcontext() if check_mode else _manifest.exclusive():
        for version in PROGRAMS:
            place, text = Place(version), render(marks, version)
            files += [place.text] if text else []
            iptables = Iptables(place, execute)
            found = _look(place, text, iptables)
            if found.is_as_wanted(text):
                continue
            changes += _changes(place, text)
            diff += _diff(place, found, text)
            if check_mode and not iptables.there():
                warnings.append(
                    f"There is no command {place.program} on this host yet, so nobody has judged the rules."
                )
                continue
            if text:
                iptables.judge(text)
            if not check_mode:
                _apply(place, text, iptables)
    return {"changed": bool(changes), "changes": changes, "files": files}, diff, warnings


def _is_flushed(execute: Run) -> bool:
    """Reloads of firewalld are its own affair: no unit hears of them that could bring the rules back."""
    return bool(shutil.which("systemctl")) and execute(["systemctl", "is-active", "--quiet", "firewalld"], "")[0] == 0


def _look(place: Place, text: str, iptables: Iptables) -> Found:
    """Where nothing is wanted and nothing was loaded, nobody asks the kernel."""
    loaded, recorded = (_files.read(path) or "" for path in (place.text, place.listing))
    return Found(loaded, recorded, iptables.now() if (text or loaded) and iptables.there() else "")


def _apply(place: Place, text: str, iptables: Iptables) -> None:
    """The text is written before it is loaded, and goes after the chain: a run that was cut off is found again."""
    _keep(place.listing, "")
    if text:
        _keep(place.text, text)
        iptables.load(text)
        _keep(place.listing, iptables.now())
    else:
        iptables.remove()
        _keep(place.text, "")


def _keep(path: str, text: str) -> None:
    folder = os.path.dirname(path)
    if text:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _files.write(path, text, 0o600)
    elif os.path.isdir(folder):
        _files.remove(path)
        with contextlib.suppress(OSError):  # somebody keeps something else in it
            os.rmdir(folder)


def _changes(place: Place, text: str) -> list[str]:
    if text:
        return [f"write {place.text}", f"{place.program}-restore --noflush {place.text}"]
    return [f"{place.program} --table mangle --delete-chain {CHAIN}", f"remove {place.text}"]


def _diff(place: Place, found: Found, text: str) -> list[dict[str, t.Any]]:
    texts = [(place.text, found.text, text)]
    if text and found.recorded != found.now:
        texts.append((f"{place.program}-save", found.now, found.recorded))
    return [
        {"before_header": name, "after_header": name, "before": old, "after": new}
        for name, old, new in texts
        if old != new
    ]
