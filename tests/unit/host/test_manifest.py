# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import Manifest, VipRecord


def vip(side: str = _manifest.REAL_SERVER, interface: str = "lo") -> VipRecord:
    label = f"{interface}:0"
    return VipRecord(side=side, interface=interface, prefix=32, label=label, host_route=True, announced=False)


@pytest.fixture(name="path")
def fixture_path(tmp_path: Path) -> str:
    return str(tmp_path / "openlvs" / "manifest.json")


FULL = (
    Manifest()
    .with_services("director", ["tcp 192.0.2.10:80", "mark 3 ipv6"])
    .with_vips({"192.0.2.10": vip(), "2001:db8::10": {**vip(), "prefix": 128, "label": None, "host_route": False}})
    .with_settings({"net.ipv4.conf.all.arp_ignore": "0"})
)


def test_what_is_saved_is_loaded(path: str) -> None:
    _manifest.save(FULL, path)
    assert _manifest.load(path) == FULL


def test_a_host_without_manifest_has_an_empty_one(path: str) -> None:
    assert _manifest.load(path) == Manifest()
    assert Manifest().empty and not FULL.empty
    assert not os.path.exists(os.path.dirname(path))


def test_only_root_reads_it(path: str) -> None:
    os.umask(0)
    try:
        _manifest.save(FULL, path)
    finally:
        os.umask(0o022)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_a_lax_directory_is_tightened(path: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755)
    _manifest.save(FULL, path)
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_an_empty_manifest_leaves_nothing(path: str) -> None:
    _manifest.save(FULL, path)
    _manifest.save(Manifest(), path)
    _manifest.save(Manifest(), path)
    assert not os.path.exists(os.path.dirname(path))


def test_somebody_elses_file_keeps_the_directory(path: str) -> None:
    _manifest.save(FULL, path)
    other = Path(path).with_name("other")
    other.write_text("theirs", encoding="utf-8")
    _manifest.save(Manifest(), path)
    assert other.exists() and not os.path.exists(path)


def test_a_draft_of_a_killed_run_is_no_obstacle(path: str) -> None:
    _manifest.save(FULL, path)
    Path(f"{path}.new-openlvs").write_text("{half", encoding="utf-8")
    assert _manifest.load(path) == FULL
    _manifest.save(FULL.with_services("web", ["tcp 192.0.2.11:80"]), path)
    assert not os.path.exists(f"{path}.new-openlvs")


def test_everything_is_on_disk_before_the_rename(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), real_fsync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda *args: (order.append("rename"), real_replace(*args))[1])
    _manifest.save(FULL, path)
    assert order[-3:] == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not JSON"),
        ("[]", "does not look like a manifest"),
        ('{"version": 99}', "its version is 99"),
        ('{"version": 1, "services": {}}', "a part is missing"),
        ('{"version": 1, "services": {}, "settings": {}, "vips": {"192.0.2.1": {"side": "left"}}}', "wrong kind"),
    ],
)
def test_a_broken_manifest_is_named_with_its_remedy(path: str, text: str, why: str) -> None:
    os.makedirs(os.path.dirname(path))
    Path(path).write_text(text, encoding="utf-8")
    with pytest.raises(LvsError) as error:
        _manifest.load(path)
    assert path in str(error.value) and why in str(error.value) and "backup" in str(error.value)


def test_changes_give_new_values() -> None:
    assert FULL.without_vips(FULL.vips).vips == {} and len(FULL.vips) == 2
    assert FULL.with_services("director", []).services == {}
    assert FULL.without_settings(FULL.settings).settings == {}
    assert FULL.vips_of(_manifest.DIRECTOR) == {} and list(FULL.vips_of(_manifest.REAL_SERVER)) == list(FULL.vips)


def test_the_value_found_first_stays() -> None:
    again = FULL.with_settings({"net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "0"})
    assert again.settings == {"net.ipv4.conf.all.arp_ignore": "0", "net.ipv4.conf.all.arp_announce": "0"}


def hold(path: str, held: t.Any, release: t.Any) -> None:
    with _manifest.exclusive(path):
        held.set()
        release.wait(10)


def test_two_runs_exclude_each_other(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    held, release = multiprocessing.Event(), multiprocessing.Event()
    other = multiprocessing.Process(target=hold, args=(path, held, release))
    other.start()
    assert held.wait(10)
    with pytest.raises(LvsError, match="another run has held it"), _manifest.exclusive(path, timeout=0.2):
        pass
    release.set()
    with _manifest.exclusive(path, timeout=10):
        pass
    other.join()


def test_a_lock_file_planted_as_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LvsError, match="cannot open it"), _manifest.exclusive(str(tmp_path / "lock")):
        pass
    assert not (tmp_path / "elsewhere").exists()
