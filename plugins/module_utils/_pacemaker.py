# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""A cluster of Pacemaker, brought to what its configuration shall be: judged before it counts, changed at one blow."""

from __future__ import annotations

import os
import tempfile
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils import _cib
from ansible_collections.openlvs.lvs.plugins.module_utils._cib import Plan, State, Vip
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError
from ansible_collections.openlvs.lvs.plugins.module_utils._systemd import Run, wait_until

_FORMING = 90.0  # seconds; a cluster that starts anew waits twenty for somebody who decides already
_JOINING = 60.0
_MOVING = 90.0
_TICK = 0.5
_DIFFERENT = 1  # what crm_diff ends with


class Cluster:
    """The running cluster, by its own commands.

    :arg run: executes a command.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def _call(self, *words: str, good: t.Collection[int] = (0,)) -> str:
        try:
            code, output, error = self._run(list(words))
        except OSError as exc:
            raise LvsError(f"{words[0]}: {exc.strerror}") from exc
        if code not in good:
            raise LvsError(f"{' '.join(words)}: {(error or output).strip()}")
        return output

    def _tried(self, *words: str) -> str | None:
        """None also for nothing at all, which is what commands may print of a cluster that is about to start."""
        try:
            return self._call(*words).strip() or None
        except LvsError:
            return None

    def configuration(self) -> str | None:
        """The CIB; None where no cluster answers."""
        return self._tried("cibadmin", "--query", "--local")

    def state(self) -> State | None:
        """None where no cluster answers."""
        text = self._tried("crm_mon", "--one-shot", "--output-as", "xml")
        return None if text is None else _cib.read_state(text)

    def change(self, before: str, after: str) -> None:
        """Judged first; then what differs goes in as one transaction, whatever else has changed there since."""
        with tempfile.TemporaryDirectory(prefix="openlvs-") as folder:
            old, new, draft, patch = (
                os.path.join(folder, name) for name in ("old.xml", "new.xml", "draft.xml", "patch.xml")
            )
            for path, text in ((old, before), (new, after), (draft, _cib.without_status(after))):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            self._call("crm_verify", "--xml-file", draft)
            words = ("crm_diff", "--no-version", "--original", old, "--new", new)
            differs = self._call(*words, good=(0, _DIFFERENT))
            with open(patch, "w", encoding="utf-8") as file:
                file.write(differs)
            self._call("cibadmin", "--patch", "--sync-call", "--xml-file", patch)

    def forget_failures(self) -> None:
        """So that what has failed is tried again."""
        for name in (_cib.CLONE, _cib.GROUP):
            self._call("crm_resource", "--cleanup", "--resource", name)

    def ban(self, node: str) -> None:
        """Have the group leave a node, for ten minutes at most."""
        words = ("crm_resource", "--ban", "--resource", _cib.GROUP, "--node", node, "--lifetime", "PT10M")
        self._call(*words)

    def unban(self, node: str) -> None:
        self._call("crm_resource", "--clear", "--resource", _cib.GROUP, "--node", node)


@dataclass(frozen=True)
class Done:
    """:attr changes: what was done, or in check mode would be.
    :attr state: of the cluster in the end; None where there is none.
    :attr others: resources of somebody else's.
    """

    changes: tuple[str, ...]
    plan: Plan
    state: State | None
    others: tuple[str, ...]


def converge(
    cluster: Cluster, vips: t.Sequence[Vip], fencing: bool, check_mode: bool, nodes: t.Collection[str] = ()
) -> Done:
    """Bring VIPs and ldirectord to what is described; without VIPs, away.

    :arg nodes: waited for a while: one that joins late may bring an older configuration back.
    :raises LvsError: when it does not run in the end.
    """
    names = [vip.id for vip in vips]
    if names and not check_mode:
        _wait_for(cluster, lambda state: state.settled and state.quorate, _FORMING, _has_no_quorum)
        wait_until(lambda: _all_there(cluster, nodes), _JOINING)
    text = cluster.configuration()
    planned = _cib.plan(text, vips, fencing)
    changes = list(planned.changes)
    if not check_mode and planned.text is not None and text is not None:
        cluster.change(text, planned.text)
    state = cluster.state()
    if names and state is not None and not planned.changes and not state.well(names):
        changes += [f"crm_resource --cleanup --resource {name}" for name in (_cib.CLONE, _cib.GROUP)]
        if not check_mode:
            cluster.forget_failures()
    if not check_mode and changes and text is not None:
        state = _wait_for(cluster, lambda now: now.well(names) if names else not now.running, _MOVING, _does_not_run)
    return Done(tuple(changes), planned, state, tuple(_cib.others(text)) if text else ())


def _all_there(cluster: Cluster, nodes: t.Collection[str]) -> bool:
    state = cluster.state()
    return state is not None and state.settled and set(nodes) <= set(state.online)


def leave(cluster: Cluster, check_mode: bool) -> Done:
    """Have the cluster look after VIPs and ldirectord no more, so that they go on when Pacemaker stops.

    It does not where others have resources, too: there ours leave at once.
    """
    text = cluster.configuration()
    if text and _cib.others(text):
        return converge(cluster, (), True, check_mode)
    planned = _cib.leave(text) if text else Plan(None, (), "", "")
    if not check_mode and planned.text is not None and text is not None:
        cluster.change(text, planned.text)
    return Done(planned.changes, planned, cluster.state(), tuple(_cib.others(text)) if text else ())


def move(cluster: Cluster, node: str, check_mode: bool) -> tuple[str, ...]:
    """Have another node take the group, if this one has it.

    :raises LvsError: when none does; then it is where it was.
    """
    state = cluster.state()
    names = [name for name in state.running if name != _cib.LDIRECTORD] if state else []
    if state is None or node not in state.holders(names):
        return ()
    if not [other for other in state.running.get(_cib.LDIRECTORD, ()) if other != node]:
        raise LvsError(f"Ldirectord runs on no other director of the cluster, so {node} keeps the VIPs.")
    if not check_mode:
        cluster.ban(node)
        try:
            _wait_for(cluster, lambda now: now.alone(names) and node not in now.holders(names), _MOVING, _does_not_run)
        finally:
            cluster.unban(node)
    return (f"crm_resource --ban --resource {_cib.GROUP} --node {node}",)


def _wait_for(
    cluster: Cluster, true: t.Callable[[State], bool], seconds: float, why: t.Callable[[State | None], str]
) -> State:
    end = time.monotonic() + seconds
    while True:
        state = cluster.state()
        if state is not None and true(state):
            return state
        if time.monotonic() > end:
            raise LvsError(why(state))
        time.sleep(_TICK)


def _has_no_quorum(state: State | None) -> str:
    there = f"There are {', '.join(state.online) or 'none'}" if state else "Pacemaker does not answer"
    text = f"Too few directors of the cluster hear each other. {there}. A cluster that starts waits until it has seen"
    return f"{text} all of them. 'corosync-cfgtool -s' and 'journalctl --unit corosync' tell more."


def _does_not_run(state: State | None) -> str:
    if state is None:
        return "Pacemaker does not answer any more. 'journalctl --unit pacemaker' tells why."
    runs = "; ".join(f"{name} runs on {' and '.join(nodes) or 'none'}" for name, nodes in state.running.items())
    failed = "; ".join(state.failures)
    return f"The cluster has not done it in time: {runs or 'none of ours runs'}. {failed or 'It tells no failure'}."
