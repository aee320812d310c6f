# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes back at the next boot. Files are real, systemd is a value here."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _boot, _files
from ansible_collections.openlvs.lvs.plugins.module_utils._boot import Boot
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError, OptionError

TEXT = "[Service]\nExecStart=true\n"


class Systemd:
    """Answers as systemctl does, and remembers what it was told."""

    def __init__(self, units: Path) -> None:
        self.units = units
        self.state = {"UnitFileState": "", "ActiveState": "inactive", "NeedDaemonReload": "no"}
        self.told: list[str] = []
        self.refuses = ""

    def __call__(self, words: t.Sequence[str]) -> tuple[int, str, str]:
        line = " ".join(words)
        if words[1] == "show":
            return 0, "".join(f"{name}={value}\n" for name, value in self.state.items()), ""
        if words[0] == "systemd-analyze":
            text = Path(words[-1]).read_text(encoding="utf-8")
            return (1, "", f"{words[-1]}:1: nonsense") if "nonsense" in text else (0, "", "")
        if self.refuses and self.refuses in line:
            return 1, "", "Job failed."
        self.told.append(line)
        changes = {"enable": ("UnitFileState", "enabled"), "start": ("ActiveState", "active")}
        changes |= {"disable": ("UnitFileState", ""), "stop": ("ActiveState", "inactive")}
        if words[1] in changes:
            name, value = changes[words[1]]
            self.state[name] = value
        return 0, "", ""


class Place(t.NamedTuple):
    """A host as far as the next boot is concerned."""

    folder: Path
    systemd: Systemd

    def boot(self, **changes: t.Any) -> Boot:
        files = {str(self.folder / "one.conf"): "one = 1\n"}
        given = {"unit": "vip.service", "content": TEXT, "files": files, "units": str(self.systemd.units)}
        return Boot(**{**given, "masked": ("other.service",), "needs": (str(self.folder / "table"),), **changes})

    def run(self, check: bool = False, **changes: t.Any) -> dict[str, t.Any]:
        result, diff = _boot.run(self.boot(**changes), self.systemd, check)
        return {**result, "diff": diff}

    @property
    def there(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if not path.is_dir())


@pytest.fixture(name="place")
def fixture_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(_boot._manifest, "exclusive", contextlib.nullcontext)
    units = tmp_path / "units"
    units.mkdir()
    return Place(tmp_path, Systemd(units))


def words(result: dict[str, t.Any], place: Place) -> list[str]:
    return [change.replace(f"{place.folder}/", "") for change in result["changes"]]


FIRST = [
    "write one.conf",
    "mask other.service",
    "write units/vip.service",
    "systemctl daemon-reload",
    "systemctl enable vip.service",
    "systemctl start vip.service",
]


def test_the_first_run_makes_it_all_and_the_second_nothing(place: Place) -> None:
    checked = place.run(check=True)
    assert (words(checked, place), place.there, place.systemd.told) == (FIRST, [], [])
    done = place.run()
    assert {key: done[key] for key in checked} == checked
    assert (place.folder / "one.conf").read_text(encoding="utf-8") == "one = 1\n"
    assert (place.systemd.units / "vip.service").stat().st_mode & 0o777 == 0o644
    assert os.readlink(place.systemd.units / "other.service") == "/dev/null"
    assert place.run()["changes"] == []


def test_what_another_unit_does_for_its_sake_comes_and_goes(place: Place) -> None:
    place.run()
    folder = place.systemd.units / "nftables.service.d"
    files = {**place.boot().files, str(folder / "vip.conf"): "[Service]\nExecStartPost=-true\n"}
    come = ["write units/nftables.service.d/vip.conf", "systemctl daemon-reload"]
    assert words(place.run(files=files), place) == come and place.run(files=files)["changes"] == []
    gone = {**files, str(folder / "vip.conf"): ""}
    assert words(place.run(files=gone), place) == ["remove units/nftables.service.d/vip.conf", come[1]]
    assert not folder.exists()


def test_what_was_found_is_told(place: Place) -> None:
    found = place.run()["found"]
    assert found["unit"] == {"name": "vip.service", "present": False, "enabled": False, "active": False}
    assert [(one["present"], one["same"]) for one in found["files"]] == [
        (False, False),
        (False, False),
        (False, None),
        (False, False),
    ]
    (place.folder / "table").touch()
    found = place.run()["found"]
    assert found["unit"] == {"name": "vip.service", "present": True, "enabled": True, "active": True}
    assert [(one["present"], one["same"]) for one in found["files"]] == [
        (True, True),
        (True, True),
        (True, None),
        (True, True),
    ]


@pytest.mark.parametrize(
    ("spoil", "repairs"),
    [
        (lambda place: (place.folder / "one.conf").write_text("one = 2\n"), ["write one.conf"]),
        (lambda place: (place.folder / "one.conf").chmod(0o600), ["write one.conf"]),
        (lambda place: (place.folder / "one.conf").unlink(), ["write one.conf"]),
        (
            lambda place: (place.systemd.units / "vip.service").unlink(),
            ["write units/vip.service", "systemctl daemon-reload", "systemctl reenable vip.service"],
        ),
        (
            lambda place: (place.systemd.units / "other.service").unlink(),
            ["mask other.service", "systemctl daemon-reload"],
        ),
        (lambda place: place.systemd(["systemctl", "disable"]), ["systemctl enable vip.service"]),
        (lambda place: place.systemd(["systemctl", "stop"]), ["systemctl start vip.service"]),
        (lambda place: place.systemd.state.update(NeedDaemonReload="yes"), ["systemctl daemon-reload"]),
    ],
)
def test_what_has_drifted_is_repaired_and_nothing_else(
    place: Place, spoil: t.Callable[[Place], object], repairs: list[str]
) -> None:
    place.run()
    spoil(place)
    assert words(place.run(check=True), place) == repairs
    assert words(place.run(), place) == repairs
    place.systemd.state["NeedDaemonReload"] = "no"
    assert place.run()["changes"] == []


def test_a_file_without_text_is_no_file(place: Place) -> None:
    place.run()
    assert words(place.run(files={str(place.folder / "one.conf"): ""}), place) == ["remove one.conf"]
    assert place.there == ["other.service", "vip.service"]


def test_all_of_it_goes(place: Place) -> None:
    place.run()
    assert words(place.run(present=False), place) == [
        "systemctl disable vip.service",
        "systemctl stop vip.service",
        "remove one.conf",
        "unmask other.service",
        "remove units/vip.service",
        "systemctl daemon-reload",
    ]
    assert place.there == []
    assert place.run(present=False)["changes"] == []


def test_a_mask_that_is_not_ours_stays(place: Place) -> None:
    (place.systemd.units / "other.service").symlink_to("/dev/null")
    assert place.run(present=False)["changes"] == []


def test_a_run_that_was_cut_off_is_completed(place: Place) -> None:
    place.systemd.refuses = "enable"
    with pytest.raises(LvsError, match=r"systemctl enable vip\.service: Job failed\. .*journalctl") as caught:
        place.run()
    assert caught.value.details["applied"][-1] == "systemctl daemon-reload"
    place.systemd.refuses = ""
    assert words(place.run(), place) == FIRST[-2:]
    place.systemd.refuses = "stop"
    with pytest.raises(LvsError, match=r"systemctl stop vip\.service"):
        place.run(present=False)
    place.systemd.refuses = ""
    place.run(present=False)
    assert place.there == []


def test_a_draft_that_was_left_is_in_nobodys_way(place: Place) -> None:
    (place.folder / "one.conf.new-openlvs").write_text("half a li")
    place.run()
    assert (place.folder / "one.conf").read_text(encoding="utf-8") == "one = 1\n"
    _files.remove(str(place.folder / "one.conf"))
    assert place.there == ["other.service", "vip.service"]


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"content": "nonsense\n"}, "Unit vip.service: systemd-analyze verify refuses it: vip.service:1: nonsense"),
        ({"content": " \n"}, "Unit vip.service: its content is empty. To take it away, set state to absent"),
        ({"unit": "../vip.service"}, "Unit '../vip.service': the name must end with .service and have no slash"),
        ({"unit": "vip"}, "Unit 'vip': the name must end with .service and have no slash"),
        ({"masked": ("own.service",)}, "Unit own.service: .*/own.service is somebody's own version of it, .*"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    place: Place, changes: dict[str, t.Any], finding: str
) -> None:
    (place.systemd.units / "own.service").write_text(TEXT)
    with pytest.raises(OptionError, match=finding):
        place.run(**changes)
    assert (place.there, place.systemd.told) == (["own.service"], [])


def test_the_diff_shows_each_file_and_the_unit(place: Place) -> None:
    place.run()
    (place.folder / "one.conf").write_text("one = 2\n")
    place.systemd.state["UnitFileState"] = "disabled"
    file, unit = place.run(check=True)["diff"]
    assert (file["before"], file["after"]) == ("one = 2\n", "one = 1\n")
    assert unit["before"] == {"enabled": False, "active": True, "masked": ["other.service"]}
    assert unit["after"] == {"enabled": True, "active": True, "masked": ["other.service"]}


def test_lines_in_somebodys_file_come_and_go_and_the_rest_stays(place: Place) -> None:
    theirs = place.folder / "sysctl.conf"
    theirs.write_text("a = 1\n# the last line has no end")
    theirs.chmod(0o640)
    before = theirs.read_text(), theirs.stat().st_mode
    marked = {"files": {str(theirs): "b = 2\n"}, "marked": frozenset([str(theirs)])}
    assert words(place.run(**marked), place)[0] == "write sysctl.conf"
    assert theirs.read_text() == f"{before[0]}\n# BEGIN vip.service, written by Ansible\nb = 2\n# END vip.service\n"
    assert place.run(**marked)["changes"] == []
    marked["files"] = {str(theirs): "b = 3\n"}
    assert words(place.run(**marked), place) == ["write sysctl.conf"] and "b = 2" not in theirs.read_text()
    theirs.write_text(theirs.read_text() + "c = 3\n")
    place.run(present=False, **marked)
    assert (theirs.read_text(), theirs.stat().st_mode) == (f"{before[0]}\nc = 3\n", before[1])


def test_a_file_of_lines_of_ours_alone_goes_with_them(place: Place) -> None:
    made = place.folder / "sysctl.conf"
    marked = {"files": {str(made): "b = 2\n"}, "marked": frozenset([str(made)])}
    place.run(**marked)
    assert words(place.run(**{**marked, "files": {str(made): ""}}), place) == ["remove sysctl.conf"]
    assert not made.exists()


def test_marks_that_somebody_has_torn_are_a_finding(place: Place) -> None:
    theirs = place.folder / "sysctl.conf"
    theirs.write_text("# BEGIN vip.service, written by Ansible\nb = 2\n")
    with pytest.raises(OptionError, match=r"sysctl\.conf: the marks .* are not both there once"):
        place.run(files={str(theirs): "b = 2\n"}, marked=frozenset([str(theirs)]))
