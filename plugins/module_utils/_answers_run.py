# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""What the module ``lvs_gateway`` does: parameters in, result out."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils import _answers, _manifest, _policy_routing
from ansible_collections.openlvs.lvs.plugins.module_utils._answers import Route, Rule, State
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError

_FAMILY = {4: "-4", 6: "-6"}


def run(
    answers: t.Sequence[t.Mapping[str, t.Any]], purge: bool, check_mode: bool
) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The module's result and its diff."""
    findings = _answers.findings(answers)
    if findings:
        raise OptionError(findings)
    want = _answers.wanted(answers)
    with contextlib.nullcontext() if check_mode else _manifest.exclusive():
        have = _policy_routing.read()
        steps = _answers.plan(have, want, purge)
        if not check_mode:
            _policy_routing.apply(steps)
    after = want if purge else State(have.rules | want.rules, have.routes | want.routes)
    result = {
        "changed": bool(steps),
        "changes": [str(step) for step in steps],
        "rules": _shown(after.rules),
        "routes": _shown(after.routes),
    }
    return result, {"before": {"answers": have.answers()}, "after": {"answers": after.answers()}}


def _shown(things: t.Iterable[Rule | Route]) -> list[dict[str, str]]:
    found = [{"family": _FAMILY[thing.version], "words": thing.words()} for thing in things]
    return sorted(found, key=lambda one: (one["family"], one["words"]))
