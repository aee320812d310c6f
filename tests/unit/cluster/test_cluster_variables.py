# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of all hosts to plain data: each list once, templates where they may differ."""

from __future__ import annotations

import re

import pytest
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.variables import Reader, plain, templates_in


class Tagged(str):
    """A string that carries something, as Ansible's do."""


class Renderer:
    """Resolves ``{{ name }}`` by the host's variables, and counts."""

    def __init__(self, hosts):
        self.hosts = hosts
        self.calls = []

    def __call__(self, template, host):
        self.calls.append((template, host))
        return re.sub(r"{{ (\w+).*? }}", lambda found: str(self.hosts[host][found[1]]), template)


def reader(hosts):
    findings = Findings()
    renderer = Renderer(hosts)
    return Reader(hosts, renderer, findings), renderer, findings


def test_plain_data_is_of_plain_types():
    value = {Tagged("a"): (Tagged("x"), 1, True, None, 1.5)}
    assert plain(value) == {"a": ["x", 1, True, None, 1.5]}
    assert [key.__class__ for key in plain(value)] == [str] and plain(value)["a"][0].__class__ is str


def test_templates_are_found_at_any_depth():
    value = [{"a": "{{ x }}", "b": ["{% if x %}", "c"]}, "{{ x }}"]
    assert set(templates_in(value)) == {"{{ x }}", "{% if x %}"}


def test_a_list_that_all_hosts_inherit_is_read_once():
    services = [{"name": "web"}]
    one, renderer, _findings = reader({name: {"lvs_services": services} for name in ("a", "b", "c")})
    assert one.distinct("lvs_services") == [(services, ["a", "b", "c"])]
    assert renderer.calls == []
    assert len({id(one.value(name, "lvs_services")) for name in ("a", "b", "c")}) == 1


def test_a_template_that_only_names_another_variable_is_that_variable():
    services = [{"name": "web"}]
    hosts = {name: {"lvs_services": "{{ mine }}", "mine": "{{ ours }}", "ours": services} for name in ("a", "b")}
    one, renderer, _findings = reader(hosts)
    assert one.distinct("lvs_services") == [(services, ["a", "b"])]
    assert renderer.calls == []


def test_variables_that_name_each_other_for_ever():
    one, renderer, _findings = reader({"a": {"lvs_services": "{{ x }}", "x": "{{ lvs_services }}"}})
    one.distinct("lvs_services")
    assert len(renderer.calls) == 1


def test_one_text_that_comes_out_differently():
    """Two sites share a description by group all; their VIP is a variable of each site."""
    services = [{"name": "web", "vip": "{{ site_vip | x }}"}]
    hosts = {name: {"lvs_services": services, "site_vip": vip} for name, vip in (("a", 1), ("b", 2), ("c", 1))}
    one, _renderer, _findings = reader(hosts)
    assert one.distinct("lvs_services") == [
        ([{"name": "web", "vip": "1"}], ["a", "c"]),
        ([{"name": "web", "vip": "2"}], ["b"]),
    ]


class TestWhatCannotBeResolved:
    SERVICES = ({"name": "web", "vip": "{{ site_vip | x }}"},)

    def test_on_one_host_it_is_left_out_there_with_a_warning(self):
        one, _renderer, findings = reader(
            {"a": {"lvs_services": self.SERVICES, "site_vip": 1}, "client": {"lvs_services": self.SERVICES}}
        )
        assert [hosts for _value, hosts in one.distinct("lvs_services")] == [["a"]]
        assert findings.findings == []
        assert findings.warnings == ["client: lvs_services cannot be resolved: 'site_vip'"]

    def test_on_all_hosts_it_is_a_finding(self):
        one, _renderer, findings = reader({"a": {"lvs_services": self.SERVICES}})
        assert one.distinct("lvs_services") == []
        assert findings.findings == ["a: lvs_services cannot be resolved: 'site_vip'"]

    def test_a_host_variable_is_a_finding(self):
        one, _renderer, findings = reader({"a": {"lvs_weight": "{{ heavy | x }}"}})
        one.host("a")
        assert findings.findings == ["a: lvs_weight cannot be resolved: 'heavy'"]


class TestSections:
    def test_several_clusters_each_with_its_defaults(self):
        hosts = {
            "a": {"lvs_services": [1], "lvs_service_defaults": {"scheduler": "rr"}},
            "b": {"lvs_services": [2], "lvs_engine": "kernel"},
        }
        one, _renderer, findings = reader(hosts)
        first, second = one.sections()
        assert (first.label, first.defaults, first.engine) == ("a: lvs_services", {"scheduler": "rr"}, None)
        assert (second.label, second.defaults, second.engine) == ("b: lvs_services", None, "kernel")
        assert findings.findings == []

    def test_an_engine_on_some_hosts_of_a_cluster(self):
        one, _renderer, findings = reader(
            {"a": {"lvs_services": [1]}, "b": {"lvs_services": [1], "lvs_engine": "keepalived"}, "c": {}}
        )
        assert [section.engine for section in one.sections()] == ["keepalived"]
        text = "lvs_services: lvs_engine is set on b, and not on a: set it where lvs_services is set"
        assert findings.findings == [text]

    def test_two_engines_for_one_cluster(self):
        hosts = {name: {"lvs_services": [1], "lvs_engine": engine} for name, engine in (("a", "kernel"), ("b", "x"))}
        one, _renderer, findings = reader(hosts)
        one.sections()
        text = "lvs_services: lvs_engine is not the same on a and b: set it where lvs_services is set"
        assert findings.findings == [text]


def test_vrrp_of_several_groups_is_put_together():
    one, _renderer, _findings = reader({"a": {"lvs_vrrp": [1, 2]}, "b": {"lvs_vrrp": [2, 3]}})
    assert one.entries("lvs_vrrp") == [1, 2, 3]


def test_an_instance_that_is_no_list_of_them():
    one, _renderer, findings = reader({"a": {"lvs_vrrp": {"name": "front"}}})
    assert one.entries("lvs_vrrp") == []
    assert findings.findings == ["lvs_vrrp: must be a list, not a dictionary, as on a"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("lvs_adresses", "lvs_addresses"), ("lvs_service", "lvs_services"), ("lvs_weights", "lvs_weight")],
)
def test_a_misspelt_variable_is_warned_of(name, meant):
    one, _renderer, findings = reader({"rs1": {name: 1}})
    one.warn_of_misspelt()
    assert findings.warnings == [f"rs1: variable {name} is read by nothing (did you mean '{meant}'?)"]


def test_variables_of_somebody_else_are_left_alone():
    one, _renderer, findings = reader({"rs1": {"lvs_cluster": 1, "lvs_table": 1, "lvs_host": 1, "lvs_weight": 1}})
    one.warn_of_misspelt()
    assert findings.warnings == []
