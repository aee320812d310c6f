# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Firewalls as somebody has them: ssh gets in, the rest is dropped. Each is back after a reboot by its own service."""

from __future__ import annotations

import typing as t

_NFT = """#!/usr/sbin/nft -f
flush ruleset
table inet filter {
    set dead {
        type ipv4_addr
        elements = { 203.0.113.9 }
    }
    chain input {
        type filter hook input priority 0; policy drop;
        ct state vmap { established : accept, related : accept, invalid : drop }
        iif lo accept
        ip saddr @dead drop
        tcp dport 22 accept
        icmp type echo-request accept
        meta l4proto ipv6-icmp accept
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established accept
    }
}
"""
_IPTABLES = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:theirs - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -j theirs
-A INPUT -j REJECT --reject-with icmp-port-unreachable
-A theirs -p tcp -m tcp --dport 22 -j ACCEPT
-A theirs -p icmp -j ACCEPT
COMMIT
*mangle
-A PREROUTING -d 203.0.113.7/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x9/0xffffffff
COMMIT
"""
_IPTABLES_UNIT = """[Unit]
Description=Rules of somebody else
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/{program}-restore /etc/iptables.rules
ExecReload=/usr/sbin/{program}-restore /etc/iptables.rules
[Install]
WantedBy=multi-user.target
"""
_INSTALL = (
    "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update; apt-get -qq -y --no-install-recommends install {}"
)


class Firewall(t.NamedTuple):
    """One firewall.

    :attr files: what it reads, by path.
    :attr start: what has it work, now and at each boot.
    :attr again: what has it load its rules anew.
    :attr rules: what shows its rules.
    :attr named: how it is named where it drops something.
    :attr marks_by: what gives packets their marks there.
    :attr by_hand: what loads all its rules anew without anybody being told, and takes ours along.
    :attr ours: which of the lines that show its rules are ours.
    :attr flushes: whether it flushes all rules of iptables whenever it likes, so that no marks can be there.
    """

    files: dict[str, str]
    start: str
    again: str
    rules: str
    named: str
    marks_by: str = "nftables"
    by_hand: str = ""
    ours: str = "(?i)openlvs"
    flushes: bool = False


def _iptables(program: str) -> Firewall:
    unit = "/etc/systemd/system/iptables.service"
    return Firewall(
        files={"/etc/iptables.rules": _IPTABLES, unit: _IPTABLES_UNIT.format(program=program)},
        start=f"update-alternatives --quiet --set iptables /usr/sbin/{program}; systemctl daemon-reload; "
        "systemctl enable --now iptables",
        again="systemctl reload iptables",
        rules=f"{program}-save | grep -v -e ^# -e '^\\*' -e ^COMMIT | sed 's/ \\[.*//'",
        named=f"{program} table filter, chain INPUT, its rule '-A INPUT -j REJECT",
        marks_by="iptables",
        by_hand=f"{program}-restore /etc/iptables.rules",
    )


FIREWALLS = {
    "nftables": Firewall(
        files={"/etc/nftables.conf": _NFT},
        start="systemctl enable --now nftables",
        again="systemctl reload nftables",
        rules="nft -s list table inet filter",
        named="nftables table inet filter, chain input, its policy",
        by_hand="nft -f /etc/nftables.conf",
    ),
    "iptables-legacy": _iptables("iptables-legacy"),
    "iptables-nft": _iptables("iptables-nft"),
    "firewalld": Firewall(
        files={},
        start=_INSTALL.format("firewalld") + "; firewall-cmd --state",
        again="firewall-cmd --reload",
        # without the chains of our policies
        rules="nft -s list table inet firewalld | sed '/chain .*openlvs/,/^\t}/d; /^$/d'; find /etc/firewalld -type f",
        named="firewalld, nftables table inet firewalld, chain filter_IN_public, its rule 'reject",
        flushes=True,
    ),
    # the lab's kernel lacks what ufw wants for IPv6
    "ufw": Firewall(
        files={},
        start=_INSTALL.format("ufw")
        + "; sed -i s/^IPV6=.*/IPV6=no/ /etc/default/ufw; ufw allow 22/tcp; ufw --force enable",
        again="ufw reload",
        rules="iptables-save -t filter | grep -v -e ^# -e '^\\*' -e ^COMMIT | sed 's/ \\[.*//'; "
        "grep -v '^$' /etc/ufw/user.rules",
        named="ufw, iptables-legacy table filter, chain INPUT, its policy",
        marks_by="iptables",
        # ufw keeps comments in its own file alone, and not in plain letters
        ours="OPENLVS|192\\.168\\.|comment=",
    ),
}
