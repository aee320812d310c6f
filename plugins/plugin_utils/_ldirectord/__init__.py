# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""ldirectord.cf from typed data. Pure: data in; text out, or everything that cannot work."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._errors import OptionError
from ansible_collections.openlvs.lvs.plugins.module_utils._ldirectord_files import HEADER, LOG
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord.checks import interval_of, remembered_by
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord.servers import REAL_SERVER, write_virtual
from ansible_collections.openlvs.lvs.plugins.plugin_utils._ldirectord.writer import Writer
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch import checker, known
from ansible_collections.openlvs.lvs.plugins.plugin_utils._watch import servers as watch

Data = t.Mapping[str, t.Any]

_STATUSES = ("all", "none", "starting", "running", "stopping", "reloading")
_NEVER = 10  # seconds between looks at servers that nobody checks


def files(settings: Data) -> dict[str, t.Any]:
    """What the module takes: an empty text if ldirectord has nothing to do.

    :arg settings: the role's variables without their prefix.
    :raises OptionError: with everything that cannot work.
    """
    virtual_servers = settings.get("virtual_servers") or ()
    ready, held = known.sorted_out(virtual_servers, settings, REAL_SERVER)
    if not virtual_servers:
        return {"config": "", "services": [], "held": [], "checks": {}}
    writer = Writer()
    watched = watch.read(ready, writer.findings)
    config = _render(writer, settings, watched)
    checks = checker.told((one.where, one.key, remembered_by(one)) for one in watched.services)
    return {"config": config, "services": watch.told(watched), "held": held, "checks": checks}


def _render(writer: Writer, settings: Data, watched: watch.Watch) -> str:
    writer.line(f"{HEADER} Changes made here do not last.")
    intervals = sorted({interval_of(one) or _NEVER for one in watched.services})
    writer.line(f"checkinterval={intervals[0]}")
    if len(intervals) > 1:
        writer.line("fork=yes")  # else there is one interval for all
    writer.line("autoreload=no")  # it is told when the file has been judged
    writer.line("cleanstop=no")  # clients are served while it does not run
    writer.line("readdquiescent=yes")  # a new server gets nothing before its first check
    writer.line(f'logfile="{LOG}"')
    _write_notification(writer, settings.get("notification") or {})
    for one in watched.services:
        write_virtual(writer, one, watched.description.table, len(intervals) > 1)
    if settings.get("check_user") == "root" and any(remembered_by(one) for one in watched.services):
        writer.wrong("ldirectord_check_user", "checks never run as root. Name a user without rights")
    extra = str(settings.get("extra") or "").strip("\n")
    if writer.findings:
        raise OptionError(writer.findings)
    return str(writer) + (f"\n{extra}\n" if extra else "")


def _write_notification(writer: Writer, notification: Data) -> None:
    if not notification.get("to"):
        return
    where = "ldirectord_notification"
    writer.line(f'emailalert="{writer.text(where, "to", ", ".join(map(str, notification["to"])))}"')
    for key, keyword in (("from", "emailalertfrom"), ("smtp_server", "smtp")):
        if notification.get(key):
            writer.line(f"{keyword}={writer.text(where, key, notification[key])}")
    if notification.get("repeat"):
        writer.line(f"emailalertfreq={int(notification['repeat'])}")
    statuses = notification.get("when") or ()
    for status in statuses:
        if status not in _STATUSES:
            writer.wrong(where, f"when {status!r} is unknown: one of {', '.join(_STATUSES)}")
    if statuses:
        writer.line(f"emailalertstatus={','.join(statuses)}")
