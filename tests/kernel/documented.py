# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a module's result is what the module's documentation says it returns."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

EVERY = {"changed", "failed", "msg", "warnings", "deprecations", "invocation", "exception", "diff"}  # of every module
KINDS = {"str": str, "int": int, "bool": bool, "float": float, "list": list, "dict": dict}

Keys = Mapping[str, Mapping[str, Any]]


@functools.cache
def _documented(module: Path) -> Keys:
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["RETURN"]:
            return dict(yaml.safe_load(ast.literal_eval(node.value)))
    return {}


def differences(module: Path, result: Mapping[str, Any]) -> list[str]:
    """Keys that are not documented, or are missing, or of another type than is documented."""
    documented = _documented(module)
    if not documented:
        return []
    due = {"always"} if result.get("failed") else {"always", "success"}
    found = {key: value for key, value in result.items() if key not in EVERY}
    wanted = {key for key, told in documented.items() if told["returned"] in due}
    return _compared({key: told for key, told in documented.items() if key not in EVERY}, found, wanted - EVERY, "")


def _compared(documented: Keys, found: Mapping[str, Any], wanted: set[str], place: str) -> list[str]:
    told = [f"{place}{key}: not documented" for key in found if key not in documented]
    told += [f"{place}{key}: documented, and not returned" for key in sorted(wanted) if key not in found]
    for key, value in found.items():
        if key in documented and value is not None:
            told += _of_its_kind(documented[key], value, place + key)
    return told


def _of_its_kind(documented: Mapping[str, Any], value: Any, place: str) -> list[str]:
    kind = documented["type"]
    if value.__class__ is not KINDS[kind]:
        return [f"{place}: {value!r} is not of type {kind}"]
    if kind == "list":
        elements = {**documented, "type": documented["elements"]}
        return [line for one in value for line in _of_its_kind(elements, one, f"{place}[]")]
    inner = documented.get("contains")
    return _compared(inner, value, set(inner), f"{place}.") if inner else []
