# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of module runs on a real kernel; after every step ipvsadm shows what the model says.

``make test-random STEPS=10000`` runs many; without STEPS there are a few hundred.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import guest
from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from guest import sh
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from model import Model, Params, Server, name, server_name

STEPS = int(os.environ.get("STEPS") or 300)
IN_ONE_GO = 40
ROUND = 500  # steps in one process: Hypothesis grows with all that it has drawn, until it stands still
MODULES = "ansible_collections.openlvs.lvs.plugins.modules."
NAMES = ("ipvs_service", "ipvs_real_server", "ipvs_services", "ipvs_sync_daemon", "ipvs_timeouts")
COUNT = {"steps": 0, "changed": 0, "refused": 0, "failed": 0}


def run(module: str, params: Params, check: bool = False) -> Params:
    """The module in this process: ten times as many runs in the same time."""
    arguments = {**params, "_ansible_check_mode": check, "_ansible_diff": True}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        importlib.import_module(MODULES + module).main()
    warnings._global_warnings.clear()  # a module's last act is to end its process, so nobody else does
    COUNT["steps"] += 1
    return dict(json.loads(out.getvalue()))


def enough() -> bool:
    """Hypothesis counts sequences, not steps; and it repeats what failed until it has found the shortest sequence."""
    return COUNT["steps"] >= min(STEPS, ROUND) and not COUNT["failed"]


@contextlib.contextmanager
def noted() -> Iterator[None]:
    try:
        yield
    except AssertionError as exc:
        if not COUNT["failed"]:
            print(
                f"a difference at step {COUNT['steps']}; looking for the shortest sequence that shows it\n{exc}",
                flush=True,
            )
        COUNT["failed"] += 1
        raise


def shown() -> dict[str, Any]:
    """What ipvsadm shows, thresholds beside the real servers they belong to."""
    parts = sh(
        "ipvsadm -Sn; echo =; ipvsadm -Ln --thresholds; echo =; ipvsadm -L --daemon; echo =; ipvsadm -L --timeout"
    ).split("=\n")
    limits = [line.split() for line in parts[1].splitlines()[3:] if line.strip().startswith("->")]
    table = set()
    for line in parts[0].splitlines():
        words = line.rstrip()
        if words.startswith("-a"):
            _arrow, place, upper, lower = limits.pop(0)[:4]
            assert place in words.split()
            words += f" {(int(upper), int(lower))}"
        table.add(words)
    return {
        "table": table,
        "daemons": set("=".join(parts[2:-1]).strip().splitlines()) - {""},
        "timeouts": [int(word) for word in parts[-1].split(":")[1].split()],
    }


# ---- so few that steps meet each other

SERVICES = [
    {"vip": "192.0.2.10", "port": 80},
    {"vip": "192.0.2.10", "port": 80, "protocol": "udp"},
    {"vip": "192.0.2.10", "port": 53, "protocol": "udp"},
    {"vip": "2001:db8::10", "port": 80},
    {"vip": "2001:db8::10", "port": 80, "protocol": "sctp"},
    {"mark": 3},
    {"mark": 3, "family": "ipv6"},
    {"mark": 4294967},
]
SCHEDULING = [
    {},
    *({"scheduler": word} for word in ("rr", "lblcr", "twos", "ovf")),
    {"scheduler": "sh", "scheduler_flags": ["sh-port", "sh-fallback"]},
    {"scheduler": "mh", "scheduler_flags": ["mh-fallback"]},
]
TUNNELS = [
    {},
    {"tunnel_type": "gre", "tunnel_checksum": "csum"},
    {"tunnel_type": "gre"},
    *({"tunnel_type": "gue", "tunnel_port": 6080, "tunnel_checksum": word} for word in ("nocsum", "csum", "remcsum")),
]


def six(service: Params) -> bool:
    return service.get("family") == "ipv6" or ":" in service.get("vip", "")


@st.composite
def services(draw: st.DrawFn) -> Params:
    service = {**draw(st.sampled_from(SERVICES)), **draw(st.sampled_from(SCHEDULING))}
    datagrams = "mark" in service or service.get("protocol") == "udp"
    if draw(st.booleans()):
        service["persistent"] = draw(st.sampled_from([1, 360, 2678400]))
        if draw(st.booleans()):
            masks = ["64", "1", "128"] if six(service) else ["255.255.255.0", "128.0.0.0", "255.255.255.255"]
            service["netmask"] = draw(st.sampled_from(masks))
        if datagrams and draw(st.booleans()):
            service["pe"] = "sip"
    if datagrams and draw(st.booleans()):
        service["ops"] = True
    return service


@st.composite
def servers(draw: st.DrawFn, service: Params, port: str = "port") -> Params:
    number = draw(st.integers(1, 4))
    server: Params = {"address": f"2001:db8:1::{number}" if six(service) else f"198.51.100.{number}"}
    server["forward"] = draw(st.sampled_from(["dr", "nat", "tun"]))
    if server["forward"] == "nat" and draw(st.booleans()):
        server[port] = 8080
    if server["forward"] == "tun":
        server.update(draw(st.sampled_from(TUNNELS)))
    if draw(st.booleans()):
        server["weight"] = draw(st.sampled_from([0, 1, 2, 65535, 2147483647]))
    if draw(st.booleans()):
        server.update(upper_threshold=100, lower_threshold=draw(st.sampled_from([0, 50, 100])))
    return server


@st.composite
def described(draw: st.DrawFn) -> Params:
    """A service with its real servers, as ipvs_services has them."""
    service = draw(services())
    some = draw(st.lists(servers(service), max_size=4, unique_by=lambda server: server_name(service, server)))
    service["real_servers"] = [{**server, "hold": draw(st.integers(0, 3)) == 0} for server in some]
    return service


STATE = st.sampled_from([{}, {}, {"state": "absent"}])
OFTEN_NOT = st.sampled_from([False, False, True])


class Directors(RuleBasedStateMachine):
    """Tasks, check runs, mistakes, and somebody with ipvsadm, in any order."""

    @initialize()
    def nothing_is_there(self) -> None:
        sh("ipvsadm -C; ipvsadm --set 900 120 300; rm -f /var/lib/openlvs/*")
        for role in ("master", "backup"):
            sh(f"ipvsadm --stop-daemon {role} 2>/dev/null", check=False)
        self.model = Model()

    @noted()
    def task(self, module: str, params: Params, check: bool, act: Callable[[Model], Any]) -> None:
        """Run it, and see that the kernel and the answer are what the model says."""
        if enough():
            return
        before, after = self.model, self.model.copy()
        works = act(after) is not False
        result = run(module, params, check)
        note = (module, params, check, result)
        if works or check:
            assert not result.get("failed"), note
            assert result["changed"] is (before != after if works else True), note
        else:
            assert result["failed"] and result["msg"], note
        COUNT["changed"] += bool(result.get("changed"))
        if works and not check:
            self.model = after
        assert shown() == self.model.shown(), note

    @rule(service=services(), state=STATE, check=OFTEN_NOT)
    def service(self, service: Params, state: Params, check: bool) -> None:
        params = {**service, **state}
        self.task("ipvs_service", params, check, lambda model: model.ipvs_service(params))

    @rule(data=st.data(), service=st.sampled_from(SERVICES), state=STATE, check=OFTEN_NOT)
    def real_server(self, data: st.DataObject, service: Params, state: Params, check: bool) -> None:
        params = {**service, **data.draw(servers(service, "server_port")), **state}
        self.task("ipvs_real_server", params, check, lambda model: model.ipvs_real_server(params))

    @rule(
        listed=st.lists(described(), max_size=4, unique_by=name),
        switches=st.fixed_dictionaries({word: OFTEN_NOT for word in ("purge", "purge_real_servers", "keep_weights")}),
        owner=st.sampled_from([None, "one", "two"]),
        check=OFTEN_NOT,
    )
    def table(self, listed: list[Params], switches: Params, owner: str | None, check: bool) -> None:
        params = {"services": listed, **switches, **({"owner": owner} if owner else {})}
        self.task("ipvs_services", params, check, lambda model: model.ipvs_services(params))

    @rule(
        role=st.sampled_from(["master", "backup", "both"]),
        state=STATE,
        said=st.fixed_dictionaries(
            {},
            optional={
                "syncid": st.sampled_from([0, 255]),
                "group": st.sampled_from(["224.0.0.81", "ff05::51"]),
                "port": st.sampled_from([1, 8848]),
                "ttl": st.sampled_from([1, 255]),
                "maxlen": st.sampled_from([1024, 1400]),
            },
        ),
        check=OFTEN_NOT,
    )
    def sync_daemon(self, role: str, state: Params, said: Params, check: bool) -> None:
        params = {"role": role, "interface": "wire", **said, **state}
        self.task("ipvs_sync_daemon", params, check, lambda model: model.ipvs_sync_daemon(params))

    @rule(
        said=st.fixed_dictionaries(
            {"tcp": st.sampled_from([0, 900, 7300])}, optional={"udp": st.sampled_from([0, 60])}
        ),
        check=OFTEN_NOT,
    )
    def timeouts(self, said: Params, check: bool) -> None:
        self.task("ipvs_timeouts", said, check, lambda model: model.ipvs_timeouts(said))

    @rule(service=services(), wrong=st.sampled_from([{"persistent": 0}, {"scheduler": "best"}, {"netmask": "x"}]))
    @noted()
    def mistake(self, service: Params, wrong: Params) -> None:
        if enough():
            return
        result = run("ipvs_services", {"services": [{**service, **wrong}], "purge": True, "owner": "one"})
        assert result["failed"] and result["findings"], result
        COUNT["refused"] += 1
        assert shown() == self.model.shown()

    @rule(data=st.data(), service=services(), what=st.sampled_from(["add", "edit", "remove", "weight"]))
    @noted()
    def somebody_else(self, data: st.DataObject, service: Params, what: str) -> None:
        """Who knows nothing of these modules."""
        key = name(service)
        if enough():
            return
        if what == "remove" and key in self.model.services:
            sh(f"ipvsadm -D {key}")
            del self.model.services[key], self.model.servers[key]
        elif what in ("add", "edit"):
            there = key in self.model.services
            self.model.ipvs_service(service)
            sh(f"ipvsadm -{'E' if there else 'A'} {key} {self.model.services[key]}")
        elif self.model.servers.get(key):
            place = data.draw(st.sampled_from(sorted(self.model.servers[key])))
            self.model.servers[key][place] = Server("-m", 7, "", (0, 0))
            sh(f"ipvsadm -e {key} -r {place} -m -w 7")
        assert shown() == self.model.shown()


def one_round(_number: int) -> dict[str, int]:
    profile = settings(
        max_examples=20 + 2 * ROUND // IN_ONE_GO,  # the first ones are short
        stateful_step_count=IN_ONE_GO,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    while not enough():
        run_state_machine_as_test(Directors, settings=profile)
    return COUNT


def test_random_sequences_leave_what_the_model_says():
    guest.sh("ip link add wire type dummy && ip address add 198.51.100.10/24 dev wire")
    guest.sh("ip -6 address add 2001:db8:1::10/64 dev wire nodad && ip link set wire multicast on up")
    total: Counter[str] = Counter()
    start = time.monotonic()
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as processes:
        for count in processes.imap(one_round, range(-(-STEPS // ROUND))):
            total.update(count)
            print(f"{total['steps']} module runs, {time.monotonic() - start:.0f} s", flush=True)
    print(f"{total['steps']} module runs, {total['changed']} changed something, {total['refused']} were refused,")
    print(f"no difference, {time.monotonic() - start:.0f} s")
    assert total["changed"] > total["steps"] // 10  # else it has shown nothing
