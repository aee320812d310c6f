# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""An option with ten thousands of values, past AnsibleModule where AnsibleModule would leave it as it is.

AnsibleModule copies every value of every item several times, converts it, looks for secrets in it, writes it to the
log, and sends it back: for a large table that takes many times as long as the kernel does. An item whose values have
all the types that its spec asks for needs none of it. Such items are set aside before AnsibleModule sees the arguments.
It gets the others, and only they can need conversion or be refused: that is done by it, in its words.
"""

from __future__ import annotations

import gc
import json
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule

Spec = t.Mapping[str, t.Any]

_TYPES: t.Mapping[str, type] = {"str": str, "int": int, "bool": bool, "list": list}
_MORE = 3
"""The verbosity at which people ask to see the arguments."""


class BulkModule(AnsibleModule):  # type: ignore[misc]
    """AnsibleModule for a spec with one option that may be large.

    :arg bulk: its name. It is a list of dictionaries.
    """

    def __init__(self, bulk: str, argument_spec: Spec, **arguments: t.Any) -> None:
        # All that a run makes lives until its end, which comes soon: a search for what is no longer needed finds none.
        gc.disable()
        self._bulk = bulk
        self._aside = _set_aside(bulk, Plain(argument_spec[bulk]))
        super().__init__(argument_spec=argument_spec, **arguments)

    def items(self) -> list[t.Any]:
        """The items of the option in their order. Those that were set aside lack the options that nobody wrote."""
        rest = iter(self.params[self._bulk])
        return [next(rest) if item is None else item for item in self._aside] + list(rest)

    @property
    def invocation(self) -> dict[str, t.Any]:
        """For the result: the arguments, with what the option says only where people ask to see it."""
        items = self.items()
        shown = items if self._verbosity >= _MORE else f"{len(items)} items, which are shown with -vvv"
        return {"module_args": {**self.params, self._bulk: shown}}

    def _log_invocation(self) -> None:
        rest = {name: value for name, value in self.params.items() if name != self._bulk}
        said = " ".join(f"{name}={value}" for name, value in rest.items())
        self.log(f"Invoked with {self._bulk}=({len(self.items())} items) {said}")


def _set_aside(name: str, plain: Plain) -> list[t.Any]:
    """Take plain items out of the arguments that AnsibleModule is going to read.

    :returns: all items of the option, None in the place of those that are left there.
    """
    try:
        arguments = json.loads(basic._ANSIBLE_ARGS)
        items = arguments["ANSIBLE_MODULE_ARGS"][name]
        aside = [item if plain.is_plain(item) else None for item in items] if isinstance(items, list) else []
    except (AttributeError, TypeError, ValueError, KeyError):
        return []  # it is run in another way, or without the option: AnsibleModule knows what to say
    if any(item is not None for item in aside):
        arguments["ANSIBLE_MODULE_ARGS"][name] = [item for item, kept in zip(items, aside) if kept is None]
        basic._ANSIBLE_ARGS = json.dumps(arguments).encode()
        return aside
    return []


_Check = t.Callable[[t.Any], bool]


class Plain:
    """Tells dictionaries that AnsibleModule would give back as they are, but for defaults.

    Most items of a table have the same names in the same order. What the names alone decide is found out once for them.

    :arg spec: of the option, with its suboptions. Of what specs can say it knows what the IPVS modules use.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._seen: dict[tuple[str, ...], tuple[tuple[type, ...], list[tuple[int, _Check]]] | None] = {}

    def is_plain(self, item: t.Any) -> bool:
        """Whether it is such a dictionary."""
        if not isinstance(item, dict):
            return False
        names = tuple(item)
        if names not in self._seen:
            self._seen[names] = self._judge(names)
        wanted = self._seen[names]
        if wanted is None:
            return False
        types, checks = wanted
        values = tuple(item.values())
        if tuple(map(type, values)) != types:
            return False
        return False not in [check(values[place]) for place, check in checks]

    def _judge(self, names: tuple[str, ...]) -> tuple[tuple[type, ...], list[tuple[int, _Check]]] | None:
        """The types that the values of these names must have, and what else there is to ask of which one."""
        options, spec = self._spec["options"], self._spec
        together = (
            options.keys() >= set(names)
            and all(name in names for name, option in options.items() if option.get("required"))
            and all(any(name in names for name in some) for some in spec.get("required_one_of", ()))
            and all(sum(name in names for name in some) <= 1 for some in spec.get("mutually_exclusive", ()))
            and all(sum(name in names for name in some) in (0, len(some)) for some in spec.get("required_together", ()))
        )
        if not together:
            return None
        checks = ((place, _check(options[name])) for place, name in enumerate(names))
        return (
            tuple(_TYPES[options[name]["type"]] for name in names),
            [(place, check) for place, check in checks if check is not None],
        )


def _check(option: Spec) -> _Check | None:
    """What there is to ask of a value of the right type."""
    if "options" in option:
        inner = Plain(option)
        return lambda items: all(map(inner.is_plain, items))
    if option["type"] == "list":
        element = _TYPES[option["elements"]]
        return lambda items: {element}.issuperset(map(type, items))
    return frozenset(option["choices"]).__contains__ if "choices" in option else None
