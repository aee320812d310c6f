# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""keepalived.conf from typed data. Pure: data in; text out, or everything that cannot work."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._keepalived_files import HEADER, SECRET
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived import servers, tracked, vrrp
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.password import password_problem
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.servers import remembered_by
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.words import runs_scripts
from ansible_collections.openlvs.lvs.plugins.plugin_utils._keepalived.writer import Writer, seconds
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch import checker, known
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch import servers as watch
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch.checker import remembers

Data = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Rendering:
    """:attr secret: text of the file SECRET; empty without a password."""

    config: str
    secret: str
    watch: watch.Watch


GARP_REFRESH = 10  # seconds


def files(settings: Data) -> dict[str, t.Any]:
    """What the module takes: an empty text if keepalived has nothing to do.

    :raises OptionError: with everything that cannot work.
    """
    virtual_servers = settings.get("virtual_servers") or ()
    ready, held = known.sorted_out(virtual_servers, settings, servers.REAL_SERVER)
    instances = settings.get("instances") or ()
    if not virtual_servers and not instances:
        return {"config": "", "secret": "", "services": [], "sync": None, "vips": [], "held": [], "checks": {}}
    rendering = render({**settings, "virtual_servers": ready})
    return {
        "config": rendering.config,
        "secret": rendering.secret,
        "services": watch.told(rendering.watch),
        "sync": {key: settings["sync"][key] for key in ("interface", "id")} if settings.get("sync") else None,
        "vips": [_vip(vip, one) for one in instances for vip in [*one["vips"], *(one.get("excluded_vips") or ())]],
        "held": held,
        "checks": checker.told((one.where, one.key, remembered_by(one)) for one in rendering.watch.services),
    }


def _vip(vip: Data, instance: Data) -> dict[str, t.Any]:
    address = str(vip["address"])
    prefix = int(vip.get("prefix") or (128 if ":" in address else 32))
    return {"address": address, "prefix": prefix, "interface": str(vip.get("interface") or instance["interface"])}


def render(settings: Data) -> Rendering:
    """The files of a host.

    :arg settings: the role's variables without their prefix.
    :raises OptionError: with everything that cannot work.
    """
    writer = Writer(_version(settings.get("version")))
    password = settings.get("auth_pass")
    if password is not None and password_problem(str(password)):
        writer.findings.append(f"keepalived_auth_pass {password_problem(str(password))}")
    writer.line(f"{HEADER} Changes made here do not last.")
    _write_globals(writer, settings)
    tracked.write_tracked(writer, settings)
    vrrp.write_groups(writer, settings)
    vrrp.write_instances(writer, settings, SECRET if password else None)
    try:
        watched = watch.read(settings.get("virtual_servers") or (), writer.findings)
    except OptionError as exc:
        raise OptionError([*writer.findings, *exc.findings]) from exc
    tracked.write_for_checks(writer, watched.services, settings.get("bfds") or ())
    for one in watched.services:
        servers.write_virtual_server(writer, one, watched.description.table)
    if writer.findings:
        raise OptionError(writer.findings)
    extra = str(settings.get("extra") or "").strip("\n")
    secret = f"authentication {{\n  auth_type PASS\n  auth_pass {password}\n}}\n" if password else ""
    return Rendering(str(writer) + (f"\n{extra}\n" if extra else ""), secret, watched)


def _version(text: object) -> tuple[int, ...] | None:
    return tuple(int(part) for part in str(text).split(".")) if text else None


def _write_globals(writer: Writer, settings: Data) -> None:
    with writer.block("global_defs"):
        writer.line("router_id", writer.string("keepalived_router_id", "it", settings["router_id"]))
        for key, keyword in (("multicast_group", "vrrp_mcast_group4"), ("multicast_group_ipv6", "vrrp_mcast_group6")):
            if settings.get(key):
                writer.line(keyword, settings[key])
        if settings.get("instances"):
            # Two directors that could not hear each other both have told where the VIPs are; if the one that has told
            # it last hears the other first, it leaves without the other's noticing, and nobody would correct it.
            writer.line("vrrp_garp_master_refresh", GARP_REFRESH)
        if settings.get("sync"):
            vrrp.write_sync(writer, settings["sync"], settings.get("instances") or ())
        _write_notification(writer, settings.get("notification") or {})
        if _runs_scripts(settings):
            user = settings.get("script_user") or "nobody"
            if user == "root":
                writer.wrong("keepalived_script_user", "scripts never run as root. Name a user without rights")
            writer.line("script_user", writer.name("keepalived_script_user", "user", user))
            writer.line("enable_script_security")


def _runs_scripts(settings: Data) -> bool:
    servers = settings.get("virtual_servers") or ()
    places = [*servers, *(server for one in servers for server in one.get("real_servers", ()))]
    checks = [check for place in places for check in place.get("checks", ())]
    told = [*places, *(settings.get("instances") or ())]
    scripts = any(check["type"] == "script" or remembers(check) for check in checks)
    return bool(settings.get("scripts")) or scripts or runs_scripts(told)


def _write_notification(writer: Writer, notification: Data) -> None:
    if not notification.get("to"):
        return
    where = "keepalived_notification"
    with writer.block("notification_email"):
        for address in notification["to"]:
            writer.line(writer.string(where, "to", address))
    if notification.get("from"):
        writer.line("notification_email_from", writer.string(where, "from", notification["from"]))
    writer.line("smtp_server", writer.string(where, "smtp_server", notification.get("smtp_server") or "127.0.0.1"))
    writer.line("smtp_connect_timeout", seconds(notification.get("smtp_timeout") or 30))
