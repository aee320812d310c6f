# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What on this host is ours: services, VIPs, their files and devices, and the settings found before the first write.

The manifest is the one thing that tells our objects from everybody else's. It is written before what it records comes
into being and after what it records is gone, so that a run killed in between leaves nothing that the next run does not
know. It is durable: a power cut leaves the old manifest or the new one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import stat
import time
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _files
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._tunnels import Tunnel

PATH = "/var/lib/openlvs/manifest.json"
LOCK = "/run/openlvs.lock"  # in /run/lock anybody could make it first
VERSION = 1

REAL_SERVER = "real_server"
DIRECTOR = "director"
VRRP = "vrrp"  # keepalived moves it between directors


class VipRecord(t.TypedDict):
    """A VIP that is ours: which side it serves and how it stands on the device."""

    side: str
    interface: str
    prefix: int
    label: str | None
    host_route: bool
    announced: bool  # whether the neighbours have been told; always false on the real-server side, which stays silent


class NeighbourRecord(t.TypedDict):
    """A static neighbour entry that is ours."""

    address: str
    interface: str
    found: str | None  # the MAC of the static entry that was there before


class FileRecord(t.TypedDict):
    """A file of a network manager that is ours: whose VIPs on which interface it names."""

    side: str
    interface: str
    told: bool  # whether the manager has been told to read it


@dataclasses.dataclass(frozen=True)
class Manifest:
    """An immutable value; every change gives a new one.

    :arg services: owner -> names of its virtual services, in their order.
    :arg vips: address -> how it stands there.
    :arg moved: address -> how it stands while VRRP has it here. A real server that is a director too has it in both.
    :arg settings: sysctl -> the value found before our first write.
    :arg tunnels: from directors.
    :arg devices: a tunnel's device or port -> how it was found: V(absent), V(down) or V(up).
    :arg files: path -> whose VIPs it makes a network manager agree with.
    :arg dummies: the dummy devices that we have made for VIPs.
    :arg neighbours: static entries of a router for VIPs of directors.
    :arg openings: our rules among those of the host's firewall, by tool, place and name.
    """

    services: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    vips: t.Mapping[str, VipRecord] = dataclasses.field(default_factory=dict)
    moved: t.Mapping[str, VipRecord] = dataclasses.field(default_factory=dict)
    settings: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    tunnels: tuple[Tunnel, ...] = ()
    files: t.Mapping[str, FileRecord] = dataclasses.field(default_factory=dict)
    dummies: tuple[str, ...] = ()
    devices: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    neighbours: tuple[NeighbourRecord, ...] = ()
    openings: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing on this host is ours."""
        return not any(getattr(self, field.name) for field in dataclasses.fields(self))

    def vips_of(self, side: str) -> dict[str, VipRecord]:
        """The VIPs of one side, V(real_server), V(director) or V(vrrp), in the order of their coming."""
        if side == VRRP:
            return dict(self.moved)
        return {address: record for address, record in self.vips.items() if record["side"] == side}

    def with_services(self, owner: str, names: t.Iterable[str]) -> Manifest:
        """The owner's services are these and no others; none at all forgets the owner."""
        services = {**self.services, owner: tuple(names)}
        return dataclasses.replace(self, services={key: value for key, value in services.items() if value})

    def with_vips(self, vips: t.Mapping[str, VipRecord]) -> Manifest:
        """These VIPs are ours as described, beside those already recorded."""
        return dataclasses.replace(self, vips={**self.vips, **vips})

    def without_vips(self, addresses: t.Iterable[str]) -> Manifest:
        """These VIPs are no longer ours, but for what VRRP moves."""
        gone = set(addresses)
        return dataclasses.replace(self, vips={key: value for key, value in self.vips.items() if key not in gone})

    def with_moved(self, vips: t.Mapping[str, VipRecord]) -> Manifest:
        """VRRP moves these, too; what the director held for good before is among them no longer."""
        kept = {key: vip for key, vip in self.vips.items() if key not in vips or vip["side"] != DIRECTOR}
        return dataclasses.replace(self, vips=kept, moved={**self.moved, **vips})

    def without_moved(self, addresses: t.Iterable[str]) -> Manifest:
        """VRRP does not move these any more."""
        gone = set(addresses)
        return dataclasses.replace(self, moved={key: vip for key, vip in self.moved.items() if key not in gone})

    def with_settings(self, found: t.Mapping[str, str]) -> Manifest:
        """These values were found; what is recorded already stays, for it was found earlier."""
        return dataclasses.replace(self, settings={**found, **self.settings})

    def with_tunnels(self, tunnels: t.Iterable[Tunnel]) -> Manifest:
        """The tunnels are these and no others."""
        return dataclasses.replace(self, tunnels=tuple(tunnels))

    def with_devices(self, found: t.Mapping[str, str]) -> Manifest:
        """These were found so; what is recorded already stays, for it was found earlier."""
        return dataclasses.replace(self, devices={**found, **self.devices})

    def without_devices(self, names: t.Iterable[str]) -> Manifest:
        """These are as they were found."""
        gone = set(names)
        return dataclasses.replace(self, devices={key: one for key, one in self.devices.items() if key not in gone})

    def without_settings(self, names: t.Iterable[str]) -> Manifest:
        """These settings are as they were found."""
        gone = set(names)
        kept = {key: value for key, value in self.settings.items() if key not in gone}
        return dataclasses.replace(self, settings=kept)

    def files_of(self, side: str) -> dict[str, FileRecord]:
        """The files of one side."""
        return {path: record for path, record in self.files.items() if record["side"] == side}

    def with_dummies(self, names: t.Iterable[str]) -> Manifest:
        """These devices are of our making, too."""
        return dataclasses.replace(self, dummies=tuple(dict.fromkeys([*self.dummies, *names])))

    def without_dummies(self, names: t.Collection[str]) -> Manifest:
        """These devices are gone."""
        return dataclasses.replace(self, dummies=tuple(name for name in self.dummies if name not in names))

    def with_openings(self, keys: t.Iterable[str]) -> Manifest:
        """The openings are these and no others."""
        return dataclasses.replace(self, openings=tuple(sorted(keys)))

    def with_files(self, files: t.Mapping[str, FileRecord]) -> Manifest:
        """These files are ours, beside those already recorded."""
        return dataclasses.replace(self, files={**self.files, **files})

    def without_files(self, paths: t.Iterable[str]) -> Manifest:
        """These files are gone."""
        gone = set(paths)
        return dataclasses.replace(self, files={key: value for key, value in self.files.items() if key not in gone})


def load(path: str = PATH) -> Manifest:
    """The manifest of this host; an empty one where there is none. Never writes."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        return Manifest()
    except OSError as exc:
        raise LvsError(f"Manifest {path}: cannot read it: {exc.strerror}. The module must run as root.") from exc
    except ValueError as exc:
        raise _broken(path, f"it is not JSON ({exc})") from exc
    return _parse(data, path)


def save(manifest: Manifest, path: str = PATH) -> None:
    """Write the manifest so that a power cut leaves the old one or this one; an empty one leaves no trace."""
    directory = os.path.dirname(path)
    try:
        if manifest.empty:
            _remove(directory, path)
            return
        _make_directory(directory)
        _files.write(path, _format(manifest), 0o600)
    except OSError as exc:
        raise LvsError(f"Manifest {path}: cannot write it: {exc.strerror}. Nothing further was changed.") from exc


@contextlib.contextmanager
def exclusive(path: str = LOCK, timeout: float = 60.0) -> t.Iterator[None]:
    """Keep every other run on this host out; waits for one that is under way, but not for ever."""
    descriptor = _open_lock(path)
    try:
        _wait(descriptor, path, timeout)
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise LvsError(f"Lock {path}: cannot open it: {exc.strerror}. The module must run as root.") from exc
    status = os.fstat(descriptor)
    if status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise LvsError(
            f"Lock {path}: it belongs to user id {status.st_uid}, who could block every run. "
            "Find out who made it and remove it."
        )
    return descriptor


def _wait(descriptor: int, path: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LvsError(
                    f"Lock {path}: another run has held it for {timeout:g} s, and two runs at once would spoil "
                    f"each other's work. 'fuser -v {path}' shows which process it is."
                ) from None
            time.sleep(0.1)


def _format(manifest: Manifest) -> str:
    data = {"version": VERSION, **dataclasses.asdict(manifest)}
    return json.dumps(data, indent=2) + "\n"


def _broken(path: str, reason: str) -> LvsError:
    return LvsError(
        f"Manifest {path}: cannot use it: {reason}. Without it nobody knows what on this host is ours. Bring the file "
        "back from a backup; or move it away, after which all that stands on the host counts as somebody else's."
    )


def _parse(data: t.Any, path: str) -> Manifest:
    if not isinstance(data, dict) or "version" not in data:
        raise _broken(path, "it does not look like a manifest")
    if data["version"] != VERSION:
        raise _broken(path, f"its version is {data['version']!r}; this release of the collection knows {VERSION} only")
    try:
        return Manifest(
            services={str(owner): tuple(str(name) for name in names) for owner, names in data["services"].items()},
            vips={str(address): _parse_vip(record) for address, record in data["vips"].items()},
            moved={str(address): _parse_vip(record) for address, record in data.get("moved", {}).items()},
            settings={str(name): str(value) for name, value in data["settings"].items()},
            tunnels=tuple(_parse_tunnel(record) for record in data.get("tunnels", ())),
            devices={str(name): str(state) for name, state in data.get("devices", {}).items()},
            files={str(path): _parse_file(record) for path, record in data.get("files", {}).items()},
            dummies=tuple(str(name) for name in data.get("dummies", ())),
            neighbours=tuple(_parse_neighbour(record) for record in data.get("neighbours", ())),
            openings=tuple(str(key) for key in data.get("openings", ())),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise _broken(path, f"a part is missing or of the wrong kind ({exc!r})") from exc


def _parse_vip(record: t.Mapping[str, t.Any]) -> VipRecord:
    if record["side"] not in (REAL_SERVER, DIRECTOR, VRRP):
        raise ValueError(record["side"])
    return VipRecord(
        side=record["side"],
        interface=str(record["interface"]),
        prefix=int(record["prefix"]),
        label=None if record["label"] is None else str(record["label"]),
        host_route=bool(record["host_route"]),
        announced=bool(record["announced"]),
    )


def _parse_tunnel(record: t.Mapping[str, t.Any]) -> Tunnel:
    return Tunnel(
        type=str(record["type"]),
        address=str(record["address"]),
        vips=tuple(str(vip) for vip in record["vips"]),
        port=None if record["port"] is None else int(record["port"]),
        checksum=str(record["checksum"]),
    )


def _parse_neighbour(record: t.Mapping[str, t.Any]) -> NeighbourRecord:
    found = record["found"]
    return NeighbourRecord(
        address=str(record["address"]),
        interface=str(record["interface"]),
        found=None if found is None else str(found),
    )


def _parse_file(record: t.Mapping[str, t.Any]) -> FileRecord:
    return FileRecord(side=str(record["side"]), interface=str(record["interface"]), told=bool(record["told"]))


def _make_directory(directory: str) -> None:
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700)
        _files.sync(directory)
    os.chmod(directory, 0o700)


def _remove(directory: str, path: str) -> None:
    if not os.path.isdir(directory):
        return
    _files.remove(path)
    with contextlib.suppress(OSError):  # somebody keeps something else in it
        os.rmdir(directory)
