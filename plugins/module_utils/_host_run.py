# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""Doing a plan on this host, with every other run kept out."""

from __future__ import annotations

import errno
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _host_kernel, _interpreter, _manifest
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import KernelError, LibraryMissing, LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._work import Plan

_ATTEMPTS = 3
# There already, not there any more: somebody else has been at work since the host was read.
_MOVED = frozenset({errno.EEXIST, errno.ESRCH, errno.EADDRNOTAVAIL})


class Result(t.NamedTuple):
    """A module's result, and what a user should know beside it."""

    values: dict[str, t.Any]
    diff: dict[str, t.Any]
    warnings: tuple[str, ...]


class Done(t.NamedTuple):
    """The first plan, the last one, and what was done of them, or in check mode would be."""

    first: Plan
    last: Plan
    changes: list[str]


def run(plan: t.Callable[[], Plan], check_mode: bool) -> Done:
    """Plan and do it; in check mode only plan.

    :arg plan: reads the host and plans.
    """
    if check_mode:
        planned = plan()
        return Done(planned, planned, [str(step) for step in planned.steps])
    try:
        with _manifest.exclusive():
            return _apply(plan)
    except LibraryMissing:  # before the first step was done
        _interpreter.start_again_with("pyroute2")
        raise


def _apply(plan: t.Callable[[], Plan]) -> Done:
    """Again where somebody else was at work meanwhile."""
    first = last = plan()
    done: list[str] = []
    for attempt in range(_ATTEMPTS):
        try:
            _host_kernel.apply(last.steps, last.before)
            break
        except LvsError as exc:
            done += exc.details.get("applied", ())
            exc.details["applied"] = done
            moved = isinstance(exc, KernelError) and exc.errno in _MOVED
            if not moved or attempt == _ATTEMPTS - 1:
                raise
        last = plan()
    return Done(first, last, done + [str(step) for step in last.steps])
