# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was measured to the tables that are shown. Everything here is pure.

Machines are noisy, so nothing is compared across repetitions: a ratio is made of two figures of one repetition, and of
all repetitions the median is shown, with the smallest and the largest.
"""

from __future__ import annotations

import statistics
import typing as t


class Row(t.NamedTuple):
    """A line of the table: what is measured, against what, and what is aimed at."""

    what: str
    ours: t.Sequence[float]
    against: str
    theirs: t.Sequence[float]
    aims: t.Sequence[float] = ()
    """Ratios not to be passed, the loosest first."""


def spread(values: t.Sequence[float], digits: int = 2) -> str:
    """The median, the smallest and the largest."""
    middle = statistics.median(values)
    return f"{middle:.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def reached(value: float, aims: t.Sequence[float], unit: str = "") -> str:
    """Each aim with its answer: ``1: yes, 0.5: no``."""
    return ", ".join(f"{aim:g}{unit}: {'yes' if value <= aim else 'NO'}" for aim in aims) or "-"


def ratios(rows: t.Iterable[Row]) -> list[str]:
    """The table of ratios, in Markdown."""
    lines = [
        "| what | seconds | against | seconds | ratio | aim: reached |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        shares = [ours / theirs for ours, theirs in zip(row.ours, row.theirs)]
        cells = (row.what, spread(row.ours), row.against, spread(row.theirs), f"**{spread(shares)}**")
        lines.append(f"| {' | '.join(cells)} | {reached(statistics.median(shares), row.aims)} |")
    return lines


def linear(costs: t.Mapping[str, t.Mapping[int, t.Sequence[float]]], aim: float) -> list[str]:
    """Milliseconds per thousand real servers, in Markdown.

    :arg costs: what -> number of real servers -> seconds of each repetition.
    :arg aim: how many times its share in the smallest table a thousand may cost in the largest.
    """
    sizes = sorted(next(iter(costs.values())))
    heads = [f"{size:,}" for size in sizes]
    lines = [
        f"| milliseconds per 1,000 of | {' | '.join(heads)} | last : first | aim: reached |",
        f"| --- |{' --- |' * len(sizes)} --- | --- |",
    ]
    for what, by_size in costs.items():
        each = {size: [1e6 * value / size for value in by_size[size]] for size in sizes}
        growth = [last / first for last, first in zip(each[sizes[-1]], each[sizes[0]])]
        cells = [what, *(spread(each[size], 1) for size in sizes), f"**{spread(growth)}**"]
        lines.append(f"| {' | '.join(cells)} | {reached(statistics.median(growth), [aim])} |")
    return lines
