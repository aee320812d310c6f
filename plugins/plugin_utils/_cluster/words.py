# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The words and limits of the description."""

from __future__ import annotations

from ansible_collections.openlvs.lvs.plugins.module_utils._table import flag_names

ENGINES = ("kernel", "keepalived", "ldirectord", "pacemaker")
AFFINITIES = ("none", "mark", "client")
FORWARDS = ("dr", "nat", "tun", "fullnat")
# The director takes the answers and hands them on.
MASQUERADES = ("nat", "fullnat")
GATEWAYS = ("director",)
MARKS_BY = ("nftables", "iptables")
FIREWALL = ("name", "open")  # what is done about a host's firewall
# What a real server must be for each way in which packets can reach it.
READY = {
    "dr": "it has the VIPs, silently",
    "nat": "its answers come back through the director",
    "tun": "it has the VIPs, silently, and takes packets out of the tunnel",
    "fullnat": "it answers",
}
# With these a real server has the VIPs itself and answers clients straight.
DIRECT = ("dr", "tun")
# These look after the real servers, and build the table by what they see.
DAEMONS = ("keepalived", "ldirectord")
# These move VIPs between directors, each of which has a table.
MOVING_ENGINES = ("keepalived", "pacemaker")
# These do not: a VIP stands on one director.
LONE_ENGINES = ("kernel", "ldirectord")
ARP_BY_ROUTER = "router"
ARP = ("sysctl", "nftables", ARP_BY_ROUTER)
# Of these keepalived is told, so it asks nobody; the other daemons know nothing of them.
TOLD = ("file", "bfd")
CHECK_TYPES = ("ping", "tcp", "udp", "http", "https", "dns", "smtp", "script", *TOLD)

SCHEDULER_FLAGS = flag_names("sh")[:2] + flag_names("mh")[:2]
DEFAULT_SCHEDULER = "wlc"
# What ipvsadm takes for -p alone: all ports of a client together are nothing without persistence.
DEFAULT_PERSISTENT = 360
# The kernel takes more, keepalived does not.
MAX_WEIGHT = 65535
