# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of a request, on any host with Python and nothing else.

    answer.py answer NAME PORT... [ADDRESS...]    over TCP, UDP and SCTP: say NAME, from the address that was asked
    answer.py ask QUESTIONS    who answers: a JSON list of {protocol, address, port, count, keep, sources}

Servers of UDP that stand behind a VIP have to answer from it: what the kernel would take by itself is the host's first
address, from which clients expect nothing. Servers of SCTP that listen on all addresses tell their clients of all of
them, and both sides take what they like. So they listen on those that are named, which need not be there yet.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import selectors
import socket
import struct
import sys
from typing import Any

_SOCK = {"tcp": socket.SOCK_STREAM, "sctp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_PROTOCOL = {"tcp": socket.IPPROTO_TCP, "sctp": socket.IPPROTO_SCTP, "udp": socket.IPPROTO_UDP}
# linux/in.h, linux/in6.h: where a datagram was sent to, and from where an answer shall come.
_IP_PKTINFO, _IPV6_RECVPKTINFO, _IPV6_PKTINFO = 8, 49, 50
_FREEBIND = {socket.AF_INET: (socket.IPPROTO_IP, 15), socket.AF_INET6: (socket.IPPROTO_IPV6, 78)}
_TELL = {
    socket.AF_INET: (socket.IPPROTO_IP, _IP_PKTINFO),
    socket.AF_INET6: (socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO),
}
_PATIENCE = 5.0


def _listen(protocol: str, address: str, port: int) -> socket.socket:
    family = _family(address)
    opened = socket.socket(family, _SOCK[protocol], _PROTOCOL[protocol])
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if protocol == "udp":
        opened.setsockopt(*_TELL[family], 1)
    else:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(*_FREEBIND[family], 1)
    opened.bind((address, port))
    if protocol != "udp":
        opened.listen(1000)
    return opened


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def answer(name: str, ports: list[int], addresses: list[str]) -> None:
    """Until the process is killed."""
    line = name.encode()
    open_ones = selectors.DefaultSelector()
    everywhere = ["0.0.0.0", "::"]
    places = {"tcp": everywhere, "udp": everywhere, "sctp": addresses or everywhere}
    for protocol, port in itertools.product(places, ports):
        for address in places[protocol]:
            try:
                open_ones.register(_listen(protocol, address, port), selectors.EVENT_READ, protocol)
            except OSError as exc:
                if protocol != "sctp":
                    raise
                print(f"no sctp on {address}: {exc}", file=sys.stderr)
    kept = []
    print("ready", flush=True)
    while True:
        for key, _events in open_ones.select():
            if key.data == "udp":
                _answer_datagram(key.fileobj, line)  # type: ignore[arg-type]
            else:
                channel, _client = key.fileobj.accept()  # type: ignore[union-attr]
                with contextlib.suppress(OSError):  # who only wanted a connection has gone
                    channel.sendall(line)
                kept.append(channel)  # the client closes first
                kept = [one for one in kept[-1000:] if not _is_closed(one)]


def _is_closed(channel: socket.socket) -> bool:
    try:
        closed = channel.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        closed = True
    if closed:
        channel.close()
    return closed


def _answer_datagram(opened: socket.socket, line: bytes) -> None:
    _data, told, _flags, client = opened.recvmsg(2000, 200)
    back = []
    for level, kind, value in told:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            back = [(level, kind, struct.pack("=i4s4s", 0, value[8:12], bytes(4)))]
        elif (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            back = [(level, kind, value[:16] + bytes(4))]
    opened.sendmsg([line], back, 0, client)


def _ask(asked: dict[str, Any]) -> list[str]:
    """The names of those who answered, or why nobody did: so many requests from each source, one after another.

    With ``keep`` all connections stay open until the last one has been answered.
    """
    protocol, address = asked["protocol"], asked["address"]
    names, kept = [], []
    for source in asked.get("sources", [""]):
        for _number in range(asked.get("count", 1)):
            channel = socket.socket(_family(address), _SOCK[protocol], _PROTOCOL[protocol])
            channel.settimeout(_PATIENCE)
            try:
                if source:
                    channel.bind((source, 0))
                channel.connect((address, asked["port"]))
                if protocol == "udp":
                    channel.send(b"who")
                names.append(channel.recv(100).decode())
            except OSError as exc:
                names.append((exc.strerror or str(exc)).lower())
            kept.append(channel)
            if not asked.get("keep"):
                kept.pop().close()
    for channel in kept:
        channel.close()
    return names


if __name__ == "__main__":
    if sys.argv[1] == "answer":
        words = sys.argv[3:]
        ports = [int(word) for word in words if word.isdigit()]
        answer(sys.argv[2], ports, [word for word in words if not word.isdigit()])
    else:
        print(json.dumps([_ask(question) for question in json.loads(sys.argv[2])]))
