# Copyright: (c) 2026, The openlvs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: names and behaviour may change with every release.

"""The options of the IPVS modules: their argument specs, and values in their words."""

from __future__ import annotations

import typing as t

from ansible_collections.openlvs.lvs.plugins.module_utils._table import (
    FAMILIES,
    PROTOCOLS,
    TUNNEL_CHECKSUMS,
    TUNNEL_TYPES,
    RealServer,
    Service,
    ServiceKey,
)

FORWARD = ("dr", "nat", "tun")

Spec = dict[str, t.Any]


def identity_spec() -> Spec:
    """Options that name a virtual service."""
    return {
        "vip": {"type": "str"},
        "port": {"type": "int"},
        "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "tcp"},
        "mark": {"type": "int"},
        "family": {"type": "str", "choices": list(FAMILIES), "default": "ipv4"},
    }


def identity_rules() -> Spec:
    """What goes with what among the options that name a virtual service."""
    return {
        "mutually_exclusive": [("vip", "mark"), ("port", "mark")],
        "required_one_of": [("vip", "mark")],
        "required_together": [("vip", "port")],
    }


def service_spec() -> Spec:
    """Options of a virtual service that can be changed."""
    return {
        "scheduler": {"type": "str", "default": "wlc"},
        "scheduler_flags": {"type": "list", "elements": "str", "default": []},
        "persistent": {"type": "int"},
        "netmask": {"type": "str"},
        "pe": {"type": "str"},
        "ops": {"type": "bool", "default": False},
    }


def real_server_spec() -> Spec:
    """Options of a real server that can be changed."""
    return {
        "forward": {"type": "str", "choices": list(FORWARD), "default": "dr"},
        "weight": {"type": "int", "default": 1},
        "upper_threshold": {"type": "int", "default": 0},
        "lower_threshold": {"type": "int", "default": 0},
        "tunnel_type": {"type": "str", "choices": list(TUNNEL_TYPES), "default": "ipip"},
        "tunnel_port": {"type": "int"},
        "tunnel_checksum": {"type": "str", "choices": list(TUNNEL_CHECKSUMS), "default": "nocsum"},
    }


def services_spec() -> Spec:
    """The option O(services): virtual services with their real servers."""
    server = {
        "name": {"type": "str"},
        "address": {"type": "str", "required": True},
        "port": {"type": "int"},
        **real_server_spec(),
        "hold": {"type": "bool", "default": False},
    }
    options = {
        "name": {"type": "str"},
        **identity_spec(),
        **service_spec(),
        "real_servers": {"type": "list", "elements": "dict", "default": [], "options": server},
    }
    return {"type": "list", "elements": "dict", "required": True, "options": options, **identity_rules()}


def describe_key(key: ServiceKey) -> Spec:
    """What names a service, in the words of the options."""
    marked = key.protocol == "mark"
    return {
        "vip": None if marked else key.address,
        "port": None if marked else key.port,
        "protocol": None if marked else key.protocol,
        "mark": key.mark if marked else None,
        "family": key.family,
    }


def describe_service(service: Service) -> Spec:
    """A service, in the words of the options."""
    return {
        **describe_key(service.key),
        "scheduler": service.scheduler,
        "scheduler_flags": list(service.scheduler_flags),
        "persistent": service.persistent,
        "netmask": service.netmask,
        "pe": service.pe or None,
        "ops": service.ops,
    }


def describe_real_server(server: RealServer) -> Spec:
    """A real server, in the words of the options."""
    tunnel = server.forward == "tun"
    flags = server.tunnel_flags
    checksum = TUNNEL_CHECKSUMS[flags] if flags < len(TUNNEL_CHECKSUMS) else str(flags)
    return {
        "address": server.address,
        "port": server.port,
        "forward": server.forward,
        "weight": server.weight,
        "upper_threshold": server.upper_threshold,
        "lower_threshold": server.lower_threshold,
        "tunnel_type": server.tunnel_type if tunnel else None,
        "tunnel_port": server.tunnel_port or None,
        "tunnel_checksum": checksum if tunnel else None,
    }
