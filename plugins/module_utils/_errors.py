# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What may go wrong below a module. Only a module's ``main`` turns these into ``fail_json``."""

from __future__ import annotations

import typing as t


class LvsError(Exception):
    """An error that a user can act on: the object first, then the act, the reason and the remedy.

    :arg message: one line, without a traceback and without a bare errno.
    :arg details: further keys of the module's result, such as what has been applied so far.
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details


class OptionError(LvsError):
    """What the user wrote cannot work.

    :arg findings: every finding, not just the first; each names the item, the value, what is allowed and why.
    """

    def __init__(self, findings: t.Sequence[str]) -> None:
        super().__init__("\n".join(findings), findings=list(findings))
        self.findings = list(findings)


class KernelError(LvsError):
    """The kernel refused a step.

    :arg message: which object, which act, and why in words.
    :arg errno: the kernel's error number, see errno(3).
    """

    def __init__(self, message: str, errno: int, **details: t.Any) -> None:
        super().__init__(message, **details)
        self.errno = errno


class LibraryMissing(LvsError):
    """The Python that the module runs under cannot import a library."""
