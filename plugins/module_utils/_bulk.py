# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""An option with ten thousands of values, past AnsibleModule where AnsibleModule would leave it as it is.

AnsibleModule copies every value of every item several times, converts it, looks for secrets in it, writes it to the
log, and sends it back: for a large table that takes many times as long as the kernel does. An item whose values have
all the types that its spec asks for needs none of it. So AnsibleModule gets an empty list in place of the option. Items
that need conversion or refusal are checked one by one by what it checks with, and refused in its words, but by name.
"""

from __future__ import annotations

import gc
import json
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

Spec = t.Mapping[str, t.Any]

_TYPES: t.Mapping[str, type] = {"str": str, "int": int, "bool": bool, "list": list}
_MORE = 3
"""The verbosity at which people ask to see the arguments."""
_NAMES = ("name", "vip", "port", "mark", "address")
"""Options by which people know an item."""


class BulkModule(AnsibleModule):  # type: ignore[misc]
    """AnsibleModule for a spec with one option that may be large.

    :arg bulk: its name. It is a list of dictionaries.
    """

    def __init__(self, bulk: str, argument_spec: Spec, **arguments: t.Any) -> None:
        # All that a run makes lives until its end, which comes soon: a search for what is no longer needed finds none.
        gc.disable()
        self._bulk = bulk
        given = _take_out(bulk)
        wrong: list[str] = []
        self._items: list[t.Any] | None = None
        if given is not None:
            self._items, wrong = _Checked(bulk, argument_spec[bulk])(given)
        super().__init__(argument_spec=argument_spec, **arguments)
        if wrong:
            self.fail_json(msg="\n".join(wrong), invocation=self.invocation)

    def items(self) -> list[t.Any]:
        """The items of the option in their order. Most lack the options that nobody wrote."""
        found: list[t.Any] = self.params[self._bulk] if self._items is None else self._items
        return found

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


def _take_out(name: str) -> list[t.Any] | None:
    """Take the items of an option out of the arguments that AnsibleModule is going to read, if there is a list."""
    try:
        arguments = json.loads(basic._ANSIBLE_ARGS)
        items = arguments["ANSIBLE_MODULE_ARGS"][name]
    except (AttributeError, TypeError, ValueError, KeyError):
        return None  # it is run in another way, or without the option: AnsibleModule knows what to say
    if not isinstance(items, list):
        return None
    arguments["ANSIBLE_MODULE_ARGS"][name] = []
    basic._ANSIBLE_ARGS = json.dumps(arguments).encode()
    return items


class _Checked:
    """Checks items as AnsibleModule does.

    :arg name: of the option.
    :arg spec: of the option, with its suboptions.
    """

    def __init__(self, name: str, spec: Spec) -> None:
        self._name = name
        self._spec = spec
        self._plain = Plain(spec)
        self._validator = ArgumentSpecValidator({name: spec})
        self._inner = {key: _Checked(key, option) for key, option in spec["options"].items() if "options" in option}

    def __call__(self, items: list[t.Any]) -> tuple[list[t.Any], list[str]]:
        """The items as they are used, and what is wrong with which one."""
        if self._plain.are_plain(items):
            return items, []
        found, wrong = [], []
        for number, item in enumerate(items):
            result = None if self._plain.are_plain([item]) else self._validator.validate({self._name: [item]})
            if result is None or result.error_messages:
                found.append(item)
            else:
                found += result.validated_parameters[self._name]
            if result and result.error_messages:
                where = f"{self._name}[{number}]{_name_of(item)}"
                wrong += [f"{where}{text}" for text in self._wrong(item)]
        return found, wrong

    def _wrong(self, item: t.Any) -> t.Iterator[str]:
        """Everything, where one thing keeps AnsibleModule from looking at the next."""
        lists = [name for name in self._inner if isinstance(item, dict) and isinstance(item.get(name), list)]
        bare = {**item, **{name: [] for name in lists}} if lists else item
        for error in self._validator.validate({self._name: [bare]}).errors:
            unsupported = isinstance(error, UnsupportedError)
            yield f": Unsupported parameters: {error.msg}" if unsupported else f": {error.msg}"
        for name in lists:
            yield from (f", {text}" for text in self._inner[name](item[name])[1])


def _name_of(item: t.Any) -> str:
    """By what people know it."""
    said = [f"{name} {item[name]}" for name in _NAMES if name in item] if isinstance(item, dict) else []
    return f" ({', '.join(said)})" if said else ""


_Check = t.Callable[[t.Sequence[t.Any]], bool]


class Plain:
    """Tells dictionaries that AnsibleModule would give back as they are, but for defaults.

    Most items of a table have the same names in the same order. Those are looked at together, option by option.

    :arg spec: of the option, with its suboptions. Of what specs can say it knows what the IPVS modules use.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._seen: dict[tuple[str, ...], list[_Check] | None] = {}

    def are_plain(self, items: t.Iterable[t.Any]) -> bool:
        """Whether all of them are such dictionaries."""
        alike: dict[tuple[str, ...], list[t.Any]] = {}
        for item in items:
            if not isinstance(item, dict):
                return False
            alike.setdefault(tuple(item), []).append(item.values())
        return all(self._hold(names, zip(*values)) for names, values in alike.items())

    def _hold(self, names: tuple[str, ...], columns: t.Iterable[t.Sequence[t.Any]]) -> bool:
        if names not in self._seen:
            self._seen[names] = self._judge(names)
        checks = self._seen[names]
        return checks is not None and all(check(column) for check, column in zip(checks, columns))

    def _judge(self, names: tuple[str, ...]) -> list[_Check] | None:
        """What there is to ask of the values of these names; None where the names alone do not fit."""
        options, spec = self._spec["options"], self._spec
        together = (
            options.keys() >= set(names)
            and all(name in names for name, option in options.items() if option.get("required"))
            and all(any(name in names for name in some) for some in spec.get("required_one_of", ()))
            and all(sum(name in names for name in some) <= 1 for some in spec.get("mutually_exclusive", ()))
            and all(sum(name in names for name in some) in (0, len(some)) for some in spec.get("required_together", ()))
        )
        return [_check(options[name]) for name in names] if together else None


def _check(option: Spec) -> _Check:
    """What there is to ask of the values of an option."""
    wanted = {_TYPES[option["type"]]}
    if "options" in option:
        inner = Plain(option)
        return lambda lists: wanted.issuperset(map(type, lists)) and all(map(inner.are_plain, lists))
    if option["type"] == "list":
        element = {_TYPES[option["elements"]]}
        return lambda lists: (
            wanted.issuperset(map(type, lists)) and all(element.issuperset(map(type, items)) for items in lists)
        )
    if "choices" in option:
        choices = frozenset(option["choices"])
        return lambda values: wanted.issuperset(map(type, values)) and choices.issuperset(values)
    return lambda values: wanted.issuperset(map(type, values))
