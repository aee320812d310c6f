# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""From every host's variables to plain data, each distinct value once.

The variables are those before templating. A list of ten thousand real servers that all hosts inherit from one group is
one object: it is read once, and only the templates in it are resolved, for each host, since they may differ there.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.border import kind_of
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings, did_you_mean
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.hosts import (
    DESCRIPTION_VARIABLES,
    HOST_VARIABLES,
)
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import Section

Variables = t.Mapping[str, t.Any]
Render = t.Callable[[str, str], t.Any]

_REFERENCE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_NEARLY_THE_SAME = 0.85
_MAX_REFERENCES = 20
_OURS = ("lvs_", "keepalived_", "ldirectord_", "pacemaker_")


def plain(value: t.Any, rendered: t.Mapping[str, t.Any] | None = None) -> t.Any:
    """The value without what Ansible attaches to it.

    :arg rendered: what templates in it have come out as.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = str(value)
        return rendered[text] if rendered and text in rendered else text
    if isinstance(value, int):
        return int(value)
    if isinstance(value, t.Mapping):
        return {str(key): plain(item, rendered) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, rendered) for item in value]
    return value


def templates_in(value: t.Any) -> dict[str, str]:
    """Every distinct string in a value that may be a template: its plain text, and itself as Ansible knows it."""
    found: dict[str, str] = {}
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            if "{{" in item or "{%" in item:
                found.setdefault(str(item), item)
        elif isinstance(item, t.Mapping):
            stack.extend(item.values())
        elif isinstance(item, (list, tuple)):
            stack.extend(item)
    return found


class Reader:
    """Reads variables of all hosts.

    :arg hosts: each host's variables before templating.
    :arg render: resolves one template with the variables of one host; raises what it likes.
    :attr unresolved: names of variables that some host has, with a template that does not resolve there.
    """

    def __init__(self, hosts: t.Mapping[str, Variables], render: Render, findings: Findings) -> None:
        self._hosts = hosts
        self._render = render
        self._findings = findings
        self.unresolved: set[str] = set()
        self._templates: dict[int, tuple[t.Any, dict[str, str]]] = {}
        self._plain: dict[tuple[int, str], t.Any] = {}

    def value(self, host: str, name: str) -> t.Any:
        """A variable of one host, resolved; the same object for all hosts where it is the same."""
        raw = self._follow(host, self._hosts[host].get(name))
        if raw is None:
            return None
        # The raw value is kept beside its id, which would be given to another object otherwise.
        _kept, templates = self._templates.setdefault(id(raw), (raw, templates_in(raw)))
        rendered = {text: plain(self._render(template, host)) for text, template in templates.items()}
        key = (id(raw), repr(rendered) if rendered else "")
        if key not in self._plain:
            self._plain[key] = plain(raw, rendered)
        return self._plain[key]

    def _follow(self, host: str, raw: t.Any) -> t.Any:
        """A template that only names another variable is that variable."""
        for _step in range(_MAX_REFERENCES):
            reference = _REFERENCE.fullmatch(raw.strip()) if isinstance(raw, str) else None
            if reference is None or reference[1] not in self._hosts[host]:
                break
            raw = self._hosts[host][reference[1]]
        return raw

    def host(self, name: str) -> dict[str, t.Any]:
        """The variables of a host that say something about the host itself, and its facts."""
        found: dict[str, t.Any] = {}
        for variable in (*HOST_VARIABLES, "ansible_host", "ansible_port"):
            try:
                found[variable] = self.value(name, variable)
            except Exception as exc:
                if variable in HOST_VARIABLES:
                    self._findings.add(name, f"{variable} cannot be resolved: {exc}")
        found["lvs_host"] = plain((self._hosts[name].get("ansible_facts") or {}).get("lvs_host"))
        return found

    def distinct(self, name: str) -> list[tuple[t.Any, list[str]]]:
        """Each distinct value of a variable, and the hosts that have it."""
        found: list[tuple[t.Any, list[str]]] = []
        failed: dict[str, str] = {}
        for host in self._hosts:
            try:
                value = self.value(host, name)
            except Exception as exc:
                failed[host] = str(exc)
                continue
            if value is None:
                continue
            for known, hosts in found:
                if known is value or known == value:
                    hosts.append(host)
                    break
            else:
                found.append((value, [host]))
        report = self._findings.warn if found else self._findings.add
        if failed:
            self.unresolved.add(name)
        for host, why in failed.items():
            report(host, f"{name} cannot be resolved: {why}")
        return found

    def sections(self) -> list[Section]:
        """Each distinct ``lvs_services`` with the defaults and the engine that the same hosts see."""
        defaults = self.distinct("lvs_service_defaults")
        engines = self.distinct("lvs_engine")
        services = self.distinct("lvs_services")
        found = []
        for value, hosts in services:
            label = "lvs_services" if len(services) == 1 else f"{hosts[0]}: lvs_services"
            belongs = {
                "lvs_service_defaults": self._one("lvs_service_defaults", defaults, label, hosts),
                "lvs_engine": self._one("lvs_engine", engines, label, hosts),
            }
            found.append(Section(label, value, belongs["lvs_service_defaults"], belongs["lvs_engine"]))
        return found

    def _one(self, name: str, values: list[tuple[t.Any, list[str]]], label: str, hosts: list[str]) -> t.Any:
        seen = [(value, [host for host in has if host in hosts]) for value, has in values]
        seen = [(value, has) for value, has in seen if has]
        lacking = [host for host in hosts if seen and not any(host in has for _value, has in seen)]
        remedy = "set it where lvs_services is set"
        if len(seen) > 1:
            differ = " and ".join(has[0] for _value, has in seen)
            self._findings.add(label, f"{name} is not the same on {differ}: {remedy}")
        elif lacking:
            self._findings.add(label, f"{name} is set on {seen[0][1][0]}, and not on {lacking[0]}: {remedy}")
        return seen[0][0] if seen else None

    def entries(self, name: str) -> list[t.Any]:
        """The entries of a list that several hosts may have; the same entry only once."""
        found: list[t.Any] = []
        for value, hosts in self.distinct(name):
            if isinstance(value, list):
                found += [one for one in value if one not in found]
            else:
                self._findings.add(name, f"must be a list, not {kind_of(value)}, as on {hosts[0]}")
        return found

    def warn_of_misspelt(self) -> None:
        """A variable that is nearly one of ours is read by nobody, and nobody would say so."""
        known = HOST_VARIABLES + DESCRIPTION_VARIABLES
        seen = {
            name: host
            for host, variables in self._hosts.items()
            for name in variables
            if isinstance(name, str) and name.startswith(_OURS)
        }
        for name, host in seen.items():
            hint = did_you_mean(name, known, _NEARLY_THE_SAME) if name not in known else ""
            if hint:
                self._findings.warn(host, f"variable {name} is read by nothing{hint}")
