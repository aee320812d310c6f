# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of a cluster of Pacemaker: what becomes of ours, and of everybody else's."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.openlvs.lvs.plugins.module_utils import _cib, _pacemaker
from ansible_collections.openlvs.lvs.plugins.module_utils._cib import CLONE, GROUP, Vip, plan, read_state
from ansible_collections.openlvs.lvs.plugins.module_utils._errors import LvsError

WEB, SIX, NEW = Vip("192.0.2.77", 32, "eth1"), Vip("2001:db8::77", 128, "eth1"), Vip("192.0.2.78", 32, "eth1")
OTHERS = """<cib epoch="3"><configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options">
    <nvpair id="x" name="dc-version" value="2.1.5"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="lvs1"/></nodes>
  <resources><primitive id="db" class="ocf" provider="heartbeat" type="Dummy"/>
    <primitive id="ipmi" class="stonith" type="fence_ipmilan"/></resources>
  <constraints><rsc_location id="cli-ban-openlvs-group-on-lvs1" rsc="openlvs-group" node="lvs1" score="-INFINITY"/>
    <rsc_location id="keep" rsc="db" node="lvs1" score="5"/></constraints>
</configuration></cib>"""
DAEMON = "openlvs-ldirectord"


def text_of(text: str | None, *vips: Vip, fencing: bool = False) -> str:
    found = plan(text, vips, fencing).text
    assert found is not None
    return found


def members(text: str) -> list[str | None]:
    group = ET.fromstring(text).find("configuration/resources/group")
    assert group is not None
    return [one.get("id") for one in group.iterfind("primitive")]


def test_ldirectord_everywhere_and_a_group_of_vips_where_it_runs() -> None:
    text = text_of(OTHERS, WEB, SIX)
    assert members(text) == ["openlvs-vip-192.0.2.77", "openlvs-vip-2001-db8--77"]
    root = ET.fromstring(text)
    (daemon,) = root.iterfind(f"configuration/resources/clone[@id='{CLONE}']/primitive")
    assert daemon.get("id") == DAEMON
    (order,) = root.iterfind("configuration/constraints/rsc_order")
    (place,) = root.iterfind("configuration/constraints/rsc_colocation")
    assert (order.get("first"), order.get("then"), order.get("kind")) == (CLONE, GROUP, "Optional")
    assert (place.get("rsc"), place.get("with-rsc"), place.get("score")) == (GROUP, CLONE, "INFINITY")
    settings = {one.get("name"): one.get("value") for one in root.iterfind(f".//*[@id='{SIX.id}-params']/nvpair")}
    assert settings.items() >= {"ip": "2001:db8::77", "cidr_netmask": "128", "nic": "eth1"}.items()
    assert (settings["nodad"], settings["preferred_lft"], settings["arp_bg"]) == ("true", "0", "true")
    assert len(root.findall(f".//*[@id='{WEB.id}-params']/nvpair")) == 3
    assert [one.get("value") for one in root.iterfind(".//nvpair[@name='stonith-enabled']")] == ["false"]
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))


def test_a_second_plan_changes_nothing() -> None:
    again = plan(text_of(OTHERS, WEB, SIX), [WEB, SIX], False)
    assert again.text is None and not again.changes and again.before == again.after


def test_fencing_leaves_the_option_to_the_cluster() -> None:
    assert "stonith-enabled" not in text_of(OTHERS, WEB, fencing=True)
    assert "stonith-enabled" not in text_of(text_of(OTHERS, WEB), WEB, fencing=True)


def test_new_vips_come_last_wherever_they_are_described() -> None:
    assert members(text_of(text_of(OTHERS, WEB, SIX), NEW, SIX, WEB)) == [WEB.id, SIX.id, NEW.id]


def test_a_vip_leaves_alone() -> None:
    found = plan(text_of(OTHERS, WEB, SIX), [WEB], False)
    assert found.changes == ("pacemaker: change openlvs-group",) and members(found.text or "") == [WEB.id]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('value="32"', 'value="24"'),
        ('name="monitor" interval="10s"', 'name="monitor" interval="60s"'),
        ('type="ldirectord"', 'type="nginx"'),
        ('value="INFINITY"', 'value="0"'),
        ('score="INFINITY"', 'score="100"'),
    ],
)
def test_what_was_changed_by_hand_is_mended(before: str, after: str) -> None:
    good = text_of(OTHERS, WEB)
    assert before in good
    found = plan(good.replace(before, after), [WEB], False)
    assert found.changes and ET.canonicalize(found.text or "") == ET.canonicalize(good)


def test_a_group_that_ldirectord_is_a_member_of_becomes_what_is_described() -> None:
    """As it was made when ldirectord ran where the VIPs were, and nowhere else."""
    root = ET.fromstring(text_of(OTHERS, WEB))
    resources, constraints = root.find("configuration/resources"), root.find("configuration/constraints")
    assert resources is not None and constraints is not None
    clone, group = resources[-2:]
    resources.remove(clone)
    group.insert(1, clone[-1])
    constraints[:] = []
    found = plan(ET.tostring(root, encoding="unicode"), [WEB], False)
    assert "pacemaker: change openlvs-group" in found.changes and members(found.text or "") == [WEB.id]


def test_what_is_somebody_elses_is_the_same_in_the_end() -> None:
    gone = ET.fromstring(text_of(text_of(OTHERS, WEB)))
    assert gone.find("configuration/resources/primitive[@id='db']") is not None
    assert [one.get("id") for one in gone.iterfind("configuration/constraints/*")] == ["keep"]
    ours = {one.get("id") for one in gone.iter() if "openlvs" in one.get("id", "")}
    assert ours == {"openlvs-options", "openlvs-options-stonith-enabled"}  # with which others start
    assert _cib.others(text_of(OTHERS, WEB)) == ["db", "ipmi"] and _cib.fencing_devices(OTHERS) == ["ipmi"]


def test_the_group_is_let_go_of_once() -> None:
    left = _cib.leave(text_of(OTHERS, WEB))
    assert left.text and left.text.count('name="is-managed" value="false"') == 2
    assert [one.split()[-1] for one in left.changes] == [f"{CLONE}-meta-is-managed", f"{GROUP}-meta-is-managed"]
    assert _cib.leave(left.text).text is None and _cib.leave(OTHERS).text is None
    assert plan(left.text, [WEB], False).changes  # who takes it up again looks after it again


def monitor(*resources: tuple[str, str, str], quorum: str = "true", waiting: str = "") -> str:
    """What crm_mon tells of resources: id, role and node."""
    shown = "".join(
        f'<resource id="{name}" role="{role}" failed="false"><node name="{node}" id="1"/></resource>'
        for name, role, node in resources
    )
    nodes = "".join(
        f'<node name="{name}" online="true" pending="false" standby="{str(name == waiting).lower()}"/>'
        for name in ("lvs1", "lvs2")
    )
    summary = f'<summary><current_dc present="true" with_quorum="{quorum}"/></summary>'
    return f"<result>{summary}<nodes>{nodes}</nodes><resources>{shown}</resources></result>"


def test_the_state_of_the_cluster() -> None:
    both = [(DAEMON, "Started", "lvs1"), (DAEMON, "Started", "lvs2")]
    state = read_state(monitor(*both, (WEB.id, "Started", "lvs1"), ("db", "Started", "lvs2")))
    assert state.quorate and state.settled and state.online == ("lvs1", "lvs2") and not state.waiting
    assert state.running == {DAEMON: ("lvs1", "lvs2"), WEB.id: ("lvs1",)}
    assert state.holders([WEB.id]) == ["lvs1"] and state.well([WEB.id])
    apart = read_state(monitor(*both, (WEB.id, "Started", "lvs1"), (NEW.id, "Started", "lvs2")))
    assert not apart.alone([WEB.id, NEW.id]) and not apart.holders([WEB.id, NEW.id])
    assert not read_state(monitor(*both, (WEB.id, "Stopping", "lvs1"))).well([WEB.id])


def test_a_director_that_is_not_ready_is_told_from_one_that_shall_not_be() -> None:
    resources = ((DAEMON, "Started", "lvs1"), (WEB.id, "Started", "lvs1"))
    state = read_state(monitor(*resources))
    assert state.alone([WEB.id]) and not state.well([WEB.id])
    assert read_state(monitor(*resources, waiting="lvs2")).well([WEB.id])


class Pretended:
    """A cluster that takes what it is given, and runs it if it can.

    :arg runs: whether it starts what is in its configuration.
    """

    def __init__(self, text: str | None, runs: bool = True) -> None:
        self.text, self.runs, self.calls = text, runs, []  # type: ignore[var-annotated]

    def __call__(self, words: t.Sequence[str]) -> tuple[int, str, str]:
        self.calls.append(words[:2])
        if self.text is None:
            return 102, "", "Connection to cluster failed"
        if words[:2] == ["cibadmin", "--query"]:
            return 0, self.text, ""
        if words[0] == "crm_diff":
            with open(words[-1], encoding="utf-8") as file:
                return 1, file.read(), ""
        if words[:2] == ["cibadmin", "--patch"]:
            with open(words[-1], encoding="utf-8") as file:
                self.text = file.read()
        if words[:2] == ["crm_resource", "--cleanup"]:
            self.runs = True
        if words[0] == "crm_mon":
            ours = [one.get("id", "") for one in ET.fromstring(self.text).iter("primitive")]
            role = "Started" if self.runs else "Stopped"
            places = [(name, role, "lvs1") for name in ours]
            return 0, monitor(*places, (DAEMON, role if DAEMON in ours else "Stopped", "lvs2")), ""
        return 0, "", ""


def converge(pretended: Pretended, *vips: Vip, check_mode: bool = False) -> _pacemaker.Done:
    return _pacemaker.converge(_pacemaker.Cluster(pretended), vips, False, check_mode)


def test_a_draft_is_judged_before_it_goes_in_at_one_blow() -> None:
    pretended = Pretended(OTHERS)
    done = converge(pretended, WEB)
    assert done.changes == (
        "pacemaker: remove cli-ban-openlvs-group-on-lvs1",
        "pacemaker: create openlvs-options",
        "pacemaker: create openlvs-ldirectord-clone",
        "pacemaker: create openlvs-group",
        "pacemaker: create openlvs-colocation",
        "pacemaker: create openlvs-order",
    )
    order = [words for words in pretended.calls if words[0] in ("crm_verify", "crm_diff", "cibadmin")]
    assert [words[0] for words in order] == ["cibadmin", "crm_verify", "crm_diff", "cibadmin"]
    assert not converge(pretended, WEB).changes


def test_nodes_are_waited_for_before_anything_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for ever: one may be dead."""
    monkeypatch.setattr(_pacemaker, "_JOINING", 0.0)
    for nodes in (["lvs1", "lvs2"], ["lvs1", "lvs2", "lvs3"]):
        pretended = Pretended(OTHERS)
        assert _pacemaker.converge(_pacemaker.Cluster(pretended), [WEB], False, False, nodes).changes
        asked = [words[0] for words in pretended.calls]
        assert asked[:3] == ["crm_mon", "crm_mon", "cibadmin"]


def test_a_cluster_that_prints_nothing_yet_does_not_answer() -> None:
    starting = _pacemaker.Cluster(lambda _words: (0, "\n", ""))
    assert starting.state() is None and starting.configuration() is None


def test_check_mode_only_tells() -> None:
    pretended = Pretended(OTHERS)
    assert converge(pretended, WEB, check_mode=True).changes and pretended.text == OTHERS
    assert converge(Pretended(None), WEB, check_mode=True).changes[-1] == "pacemaker: create openlvs-order"


def test_what_does_not_run_is_tried_again() -> None:
    pretended = Pretended(text_of(OTHERS, WEB), runs=False)
    assert converge(pretended, WEB).changes == (
        f"crm_resource --cleanup --resource {CLONE}",
        f"crm_resource --cleanup --resource {GROUP}",
    )


def test_a_cluster_without_a_quorum_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pacemaker, "_FORMING", 0.0)
    with pytest.raises(LvsError, match="Too few directors of the cluster hear each other"):
        converge(Pretended(None), WEB)


def test_a_group_that_does_not_start_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pacemaker, "_MOVING", 0.0)
    with pytest.raises(LvsError, match="none of ours runs"):
        converge(Pretended(OTHERS, runs=False), WEB)


def test_a_cluster_is_left_as_it_runs_unless_it_goes_on_for_others() -> None:
    alone = ET.fromstring(OTHERS)
    resources = alone.find("configuration/resources")
    assert resources is not None
    resources[:] = []
    pretended = Pretended(text_of(ET.tostring(alone, encoding="unicode"), WEB))
    done = _pacemaker.leave(_pacemaker.Cluster(pretended), False)
    assert [one.split()[1] for one in done.changes] == ["create", "create"] and not done.others
    done = _pacemaker.leave(_pacemaker.Cluster(Pretended(text_of(OTHERS, WEB))), False)
    assert "pacemaker: remove openlvs-group" in done.changes and done.others == ("db", "ipmi")


def test_nobody_moves_what_is_not_there() -> None:
    assert _pacemaker.move(_pacemaker.Cluster(Pretended(text_of(OTHERS, WEB))), "lvs2", False) == ()
    assert _pacemaker.move(_pacemaker.Cluster(Pretended(None)), "lvs1", False) == ()
