#!/bin/sh
# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Print all of this host that the collection could change, a line each, in a stable order. /etc/hosts is the lab's.
{
  find /etc /usr/local /root /srv /var/lib/openlvs -xdev -type f ! -path '*/__pycache__/*' ! -path /root/.ansible/\* \
    ! -path /etc/ld.so.cache ! -path /etc/hosts -exec sha256sum {} + 2>/dev/null | sed 's/^\([0-9a-f]*\)  \(.*\)/file \2 \1/'
  find /etc /usr/local -xdev -type l -printf 'link %p %l\n'
  find /etc/systemd /etc/sysctl.d /etc/modules-load.d /etc/ipvsadm.rules /etc/keepalived /etc/ha.d /var/lib/openlvs -xdev -printf 'mode %p %m %u\n' 2>/dev/null
  dpkg-query --show --showformat 'package ${Package} ${Version}\n'
  lsmod | awk 'NR > 1 && /^ip_vs/ { print "module", $1 }'
  systemctl list-unit-files --no-legend 'openlvs*' 'ipvsadm*' 'keepalived*' 'ldirectord*' | awk '{ print "unit", $1, $2 }'
  ip -o address show | sed 's/^[0-9]*: /address /; s/ *\\.*//'
  ip -o link show up | sed 's/^[0-9]*: \([^:@]*\).*/link up \1/'
  ip -o neighbour show nud permanent | sed 's/^/neighbour /'
  ip -6 -o neighbour show nud permanent | sed 's/^/neighbour /'
  nft -s list ruleset 2>/dev/null | sed 's/^/rules /'
  ip -o route show table all | grep -v ' proto kernel ' | sed 's/^/route /'
  ip -6 -o route show table all | grep -v ' proto kernel ' | sed 's/^/route6 /'
  for name in /proc/sys/net/ipv4/conf/*/arp_* /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/ip_forward; do
    echo "sysctl $name $(cat "$name")"
  done
  grep -Hv '^0$' /proc/sys/net/ipv4/vs/expire_nodest_conn 2>/dev/null | sed 's/^/sysctl /' # the kernel's own is 0
  if [ -e /proc/net/ip_vs ] && command -v ipvsadm >/dev/null; then
    ipvsadm --save --numeric | sed 's/^/table /'
    ipvsadm --list --numeric --thresholds | awk '$1 == "->" { print "thresholds", $2, $3, $4 }' # not the counters
  fi
} | sort
