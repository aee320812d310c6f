# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""One run of a module for a daemon: what it does, or in check mode would do, and what it has written down."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _host_kernel, _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._manifest import Manifest


class Work:
    """What is to be done is told by its subclass.

    :attr changes: what was done, or in check mode would be, in this order.
    :attr host: as it was found, with what has been written down since.
    """

    def __init__(self, check_mode: bool) -> None:
        self._check_mode = check_mode
        self.changes: list[str] = []
        self.host = _host_kernel.read()

    def run(self) -> None:
        """:raises LvsError: when something refuses; the details tell what was done before."""
        try:
            self._converge()
        except LvsError as exc:
            exc.details.setdefault("applied", self.changes)
            raise

    def _converge(self) -> None:
        raise NotImplementedError

    @property
    def _manifest(self) -> Manifest:
        return self.host.manifest

    def _do(self, text: str, act: t.Callable[[], object]) -> None:
        self._do_all([text], act)

    def _do_all(self, texts: t.Sequence[str], act: t.Callable[[], object]) -> None:
        if texts and not self._check_mode:
            act()
        self.changes += texts

    def _record(self, manifest: Manifest, text: str) -> None:
        if manifest != self._manifest:
            self._do(text, lambda: _manifest.save(manifest))
            self.host = dataclasses.replace(self.host, manifest=manifest)


_W = t.TypeVar("_W", bound=Work)


def run(make: t.Callable[[bool], _W], check_mode: bool) -> _W:
    """Bring a daemon to what is asked; the work tells what was done."""
    if check_mode:
        work = make(True)
        work.run()
        return work
    with _manifest.exclusive():
        work = make(False)
        work.run()
        return work
