# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes past AnsibleModule comes out as AnsibleModule would have given it; what does not is told in its words."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openlvs.lvs.plugins.module_utils._bulk import BulkModule, Plain
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_specs import services_spec
from hypothesis import given
from hypothesis import strategies as st

SERVER = {"address": "198.51.100.1", "weight": 3, "name": "rs1"}
SERVICE = {"vip": "192.0.2.10", "port": 80, "scheduler_flags": ["sh-port"], "real_servers": [SERVER]}
SPEC = {"services": services_spec(), "purge": {"type": "bool", "default": False}}
WORDS = ["dr", "tcp", "1", 1, 0, True, None, "no", ["x"], [1], {}, [SERVER], [{**SERVER, "weight": "7"}], 2.0]


@pytest.fixture(name="arguments")
def fixture_arguments(monkeypatch):
    """arguments(services, **others): what Ansible hands to the module."""

    def set_them(services, **others):
        payload = json.dumps({"ANSIBLE_MODULE_ARGS": {"services": services, **others}}).encode()
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", payload)
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)

    return set_them


def end(act) -> dict:
    with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        act()
    return json.loads(out.getvalue())


def outcome(items):
    """What services come of, or what is said against them."""
    try:
        return read_services(items)
    except OptionError as exc:
        return exc.findings


def validated(services):
    return ArgumentSpecValidator(SPEC).validate({"services": services})


@given(st.dictionaries(st.sampled_from([*services_spec()["options"], "unknown"]), st.sampled_from(WORDS), max_size=4))
def test_a_plain_service_is_taken_as_it_is(changes):
    service = {**SERVICE, **changes}
    if Plain(services_spec()).are_plain([service]):
        result = validated([service])
        assert not result.error_messages
        assert outcome([service]) == outcome(result.validated_parameters["services"])


@given(
    st.dictionaries(
        st.sampled_from([*services_spec()["options"]["real_servers"]["options"], "unknown"]),
        st.sampled_from(WORDS),
        max_size=4,
    )
)
def test_a_plain_real_server_is_taken_as_it_is(changes):
    service = {**SERVICE, "real_servers": [SERVER, {**SERVER, "address": "198.51.100.2", **changes}]}
    if Plain(services_spec()).are_plain([service]):
        result = validated([service])
        assert not result.error_messages
        assert outcome([service]) == outcome(result.validated_parameters["services"])


@pytest.mark.parametrize(
    "service",
    [
        SERVICE,
        {"mark": 3, "family": "ipv6"},
        {**SERVICE, "real_servers": []},
        {**SERVICE, "protocol": "udp", "ops": True, "scheduler": "anything"},
    ],
)
def test_what_people_write_is_plain(service):
    assert Plain(services_spec()).are_plain([service])


@pytest.mark.parametrize(
    "service",
    [
        "vip=192.0.2.10 port=80",
        {"vip": "192.0.2.10"},
        {"port": 80},
        {**SERVICE, "mark": 3},
        {**SERVICE, "port": "80"},
        {**SERVICE, "ops": 1},
        {**SERVICE, "persistent": True},
        {**SERVICE, "netmask": None},
        {**SERVICE, "protocol": "icmp"},
        {**SERVICE, "scheduler_flags": ["sh-port", 1]},
        {**SERVICE, "real_servers": [SERVER, {"weight": 1}]},
        {**SERVICE, "real_servers": [{**SERVER, "forward": "masq"}]},
        {**SERVICE, "wieght": 1},
    ],
)
def test_what_needs_conversion_or_refusal_is_not_plain(service):
    assert not Plain(services_spec()).are_plain([service])


def test_items_come_back_in_their_order_with_those_that_were_converted(arguments):
    written = {"vip": "192.0.2.10", "port": "81", "real_servers": [{"address": "198.51.100.1", "weight": "7"}]}
    arguments([SERVICE, written, {**SERVICE, "port": 82}], purge="yes")
    module = BulkModule(bulk="services", argument_spec=SPEC)
    assert [item["port"] for item in module.items()] == [80, 81, 82]
    assert module.items()[1]["real_servers"][0]["weight"] == 7
    assert module.params["purge"] is True


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({**SERVICE, "wieght": 1}, "services[1] (vip 192.0.2.10, port 80): Unsupported parameters: services.wieght."),
        ({"port": 80}, "services[1] (port 80): one of the following is required: vip, mark found in services"),
        (
            {**SERVICE, "real_servers": [SERVER, {"weight": 1}]},
            "services[1] (vip 192.0.2.10, port 80), real_servers[1]: missing required arguments: address found in"
            " real_servers",
        ),
        (
            {**SERVICE, "name": "web", "real_servers": [{**SERVER, "weight": "much"}]},
            "services[1] (name web, vip 192.0.2.10, port 80), real_servers[0] (name rs1, address 198.51.100.1):"
            " argument 'weight' is of type",
        ),
        (
            {**SERVICE, "protocol": "icmp"},
            "services[1] (vip 192.0.2.10, port 80): value of protocol must be one of: tcp, udp, sctp, got: icmp",
        ),
        ("vip=192.0.2.10", "services[1]: "),
    ],
)
def test_what_is_wrong_among_thousands_is_told_by_name(arguments, wrong, said):
    arguments([SERVICE, wrong, SERVICE])
    told = end(lambda: BulkModule(bulk="services", argument_spec=SPEC))
    assert told["failed"] and any(line.startswith(said) for line in told["msg"].splitlines())
    assert told["invocation"]["module_args"]["services"] == "3 items, which are shown with -vvv"


def test_all_that_is_wrong_is_told_at_once(arguments):
    broken = {"mark": 3, "protocol": "icmp", "real_servers": [{"weight": 1}, SERVER, {**SERVER, "forward": "x"}]}
    arguments([SERVICE, broken, {"port": 80}])
    lines = end(lambda: BulkModule(bulk="services", argument_spec=SPEC))["msg"].splitlines()
    assert [*dict.fromkeys(line.partition(": ")[0] for line in lines)] == [
        "services[1] (mark 3)",
        "services[1] (mark 3), real_servers[0]",
        "services[1] (mark 3), real_servers[2] (name rs1, address 198.51.100.1)",
        "services[2] (port 80)",
    ]


def test_what_is_no_list_and_what_is_missing_is_told_as_ever(arguments):
    arguments({"vip": "192.0.2.10"})
    told = end(lambda: BulkModule(bulk="services", argument_spec=SPEC))
    assert told["failed"] and "services" in told["msg"]
    basic._ANSIBLE_ARGS = b'{"ANSIBLE_MODULE_ARGS": {}}'
    assert "missing required arguments: services" in end(lambda: BulkModule(bulk="services", argument_spec=SPEC))["msg"]


def test_the_log_and_the_result_say_how_many_and_with_vvv_the_result_says_all(arguments, monkeypatch):
    logged = []
    monkeypatch.setattr(BulkModule, "log", lambda self, text: logged.append(text))
    for verbosity, shown in ((0, "2 items, which are shown with -vvv"), (3, [SERVICE, SERVICE])):
        arguments([SERVICE, SERVICE], _ansible_verbosity=verbosity)
        module = BulkModule(bulk="services", argument_spec=SPEC)
        assert module.invocation == {"module_args": {"services": shown, "purge": False}}
    assert logged == ["Invoked with services=(2 items) purge=False"] * 2
