# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's share: check a description, template what a director gets, make the module's payload.

To be imported once Ansible's plugin loader is there, by which Python finds the collection.
"""

from __future__ import annotations

import gc
import time
import typing as t

import tables
from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import module_loader
from ansible.template import Templar, trust_as_template
from ansible_collections.openlvs.lvs.plugins.module_utils._ipvs_args import read_services
from ansible_collections.openlvs.lvs.plugins.module_utils._plan import plan
from ansible_collections.openlvs.lvs.plugins.module_utils._table import Table
from ansible_collections.openlvs.lvs.plugins.plugin_utils import _cluster
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.findings import Findings
from ansible_collections.openlvs.lvs.plugins.plugin_utils._cluster.services import Section

MODULE = "openlvs.lvs.ipvs_services"
# As playbooks/site.yml hands a director its services.
_TEMPLATE = "{{ lvs_cluster.views[inventory_hostname].director_services | openlvs.lvs.hold_unready({}) }}"

Services = list[tables.Item]
_T = t.TypeVar("_T")


def check(services: Services) -> Services:
    """What the action `cluster` does with a description: the services of its one director."""
    findings = Findings()
    source = _cluster.Source(
        sections=[Section("lvs_services", services)],
        vrrp=[],
        hosts={tables.DIRECTOR: tables.host()},
        groups={"all": [tables.DIRECTOR], "lvs_directors": [tables.DIRECTOR]},
    )
    result = _cluster.build(source, findings, live=True)
    if findings.findings:
        raise SystemExit("\n".join(findings.findings))
    return t.cast(Services, result["views"][tables.DIRECTOR]["director_services"])


def template(services: Services) -> Services:
    """The value of the module's option, as a task of site.yml gets it."""
    variables = {
        "inventory_hostname": tables.DIRECTOR,
        "lvs_cluster": {"views": {tables.DIRECTOR: {"director_services": services}}},
    }
    return t.cast(Services, Templar(DataLoader(), variables).template(trust_as_template(_TEMPLATE)))


def payload(services: Services) -> bytes:
    """What Ansible sends to the host: the module, all that it imports, and its arguments."""
    path = module_loader.find_plugin(MODULE)
    built = modify_module(
        module_name=MODULE,
        module_path=path,
        module_args={"services": services, "_ansible_check_mode": False, "_ansible_diff": False},
        templar=Templar(DataLoader(), {}),
        task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
        module_compression="ZIP_DEFLATED",
    )
    return t.cast(bytes, built.b_module_data)


def timed(act: t.Callable[[], _T]) -> tuple[float, _T]:
    """How many seconds of processor time it takes, and what comes of it."""
    start = time.process_time()
    result = act()
    return time.process_time() - start, result


def timed_as_in_the_module(act: t.Callable[[], object]) -> float:
    """The same where nobody looks for what is not needed any more, and would find all that was measured before."""
    gc.disable()
    seconds, _result = timed(act)
    gc.enable()
    return seconds


def plan_of(services: Services) -> t.Callable[[], object]:
    """The pure plan for these services, once onto an empty table and once onto themselves."""
    want = read_services(services).table
    return lambda: (plan(Table(), want), plan(want, want, purge=True, purge_real_servers=True))
