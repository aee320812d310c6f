# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""For how long IPVS remembers a connection in which nothing happens. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import words_for_numbers

MAX = 31 * 24 * 60 * 60


class Timeouts(t.NamedTuple):
    """Seconds."""

    tcp: int
    tcp_fin: int
    """After the client or the real server closed its side."""
    udp: int

    def __str__(self) -> str:
        """The ipvsadm(8) command line that sets them."""
        return f"--set {self.tcp} {self.tcp_fin} {self.udp}"


# What a kernel starts with, and every new network namespace in it.
DEFAULTS = Timeouts(900, 120, 300)


def read(params: t.Mapping[str, t.Any]) -> Timeouts:
    """The timeouts that the options describe; 0 where nothing is to change.

    :raises OptionError: with everything that cannot work.
    """
    values = {name: params[name] or 0 for name in Timeouts._fields}
    findings = [f"Timeouts: {text}" for text in words_for_numbers({name: params[name] for name in Timeouts._fields})]
    findings += [
        f"Timeouts: {name} {value} is out of range. Use 1 to {MAX} seconds, or leave it out to change nothing."
        for name, value in values.items()
        if not 0 <= value <= MAX
    ]
    if findings:
        raise OptionError(findings)
    return Timeouts(**values)


def change(have: Timeouts, want: Timeouts) -> Timeouts:
    """What to set; 0 where it is right already or nothing is wanted."""
    return Timeouts(*(new if new != old else 0 for old, new in zip(have, want)))


def after(have: Timeouts, step: Timeouts) -> Timeouts:
    """What the kernel has when this was set."""
    return Timeouts(*(new or old for old, new in zip(have, step)))
