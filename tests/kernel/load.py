# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An open load: requests start on a clock, whatever has become of those before, and each is timed from when it was due.

Four kinds of requests: `tcp` opens a connection for each, `kept` uses a connection for some twenty requests, `udp`
sends one packet, once, and `http` asks a web server for a page. What the kernel sends again by itself, as TCP does, is
counted beside.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

Target = tuple[str, str, int]  # kind, address, port

_USES = 20  # of a kept connection
_KEPT = 10  # connections to each target
_TOTAL_RETRANS = 100  # its place in struct tcp_info of linux/tcp.h


@dataclass(frozen=True)
class Request:
    """What came of one: when it was due, how long it took, who answered, or why nobody did."""

    kind: str
    port: int
    due: float
    seconds: float
    server: str = ""
    trouble: str = ""
    resent: int = 0


class Load:
    """The requests of a generator that runs, or ran."""

    def __init__(self, path: Path, rate: int) -> None:
        self._path = path
        self.rate = rate

    def requests(self) -> list[Request]:
        """Those that have ended."""
        *lines, _begun = self._path.read_text().split("\n")
        return [Request(**json.loads(line)) for line in lines]

    def lost(self) -> list[Request]:
        """Those that nobody answered."""
        return [request for request in self.requests() if request.trouble]

    def __str__(self) -> str:
        requests = self.requests()
        times = sorted(request.seconds * 1000 for request in requests)
        lost = sum(bool(request.trouble) for request in requests)
        resent = sum(request.resent for request in requests)
        return (
            f"{len(requests)} requests, {self.rate} a second: {lost} lost; half of them took {_at(times, 0.5):.0f} ms,"
            f" 99 % up to {_at(times, 0.99):.0f} ms, the longest {_at(times, 1):.0f} ms; {resent} packets sent again"
        )


def _at(times: list[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)]


# ---- seen from a test


def _start(namespace: str, *words: str) -> subprocess.Popen[bytes]:
    command = ["ip", "netns", "exec", namespace, sys.executable, __file__, *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@contextlib.contextmanager
def answering(places: dict[str, tuple[str, int]]) -> Iterator[None]:
    """On each of these network namespaces somebody answers at an address and port, by TCP and UDP, with his name."""
    running = [_start(name, "answer", name, address, str(port)) for name, (address, port) in places.items()]
    try:
        for process in running:
            assert process.stdout and process.stdout.readline() == b"ready\n"
        yield
    finally:
        for process in running:
            process.kill()
            process.communicate()


@contextlib.contextmanager
def load(namespace: str, targets: list[Target], rate: int, patience: float, path: Path) -> Iterator[Load]:
    """So many requests a second from a network namespace, to one target after the other; who waits longer has lost.

    Each of them becomes a line of the file.
    """
    path.touch()
    process = _start(namespace, "ask", str(path), str(rate), str(patience), json.dumps(targets))
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield Load(path, rate)
        process.stdin.close()
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()


# ---- in the network namespaces


async def _answer(name: str, address: str, port: int) -> None:
    line = f"{name}\n".encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.readline():
                writer.write(line)
        writer.close()

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            self.transport.sendto(line, addr)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Datagrams, (address, port))
    server = await asyncio.start_server(talk, address, port, backlog=1000)
    print("ready", flush=True)
    await server.serve_forever()


class _Connection:
    """One to a target; used again until it is worn out."""

    def __init__(self, address: str, port: int, uses: int) -> None:
        self._place = (address, port)
        self._uses = uses
        self._left = 0
        self._turn = asyncio.Lock()
        self._socket = socket.socket()

    async def ask(self) -> tuple[str, int]:
        async with self._turn:
            loop = asyncio.get_running_loop()
            if not self._left:
                self._socket.close()
                self._socket = _nonblocking(socket.SOCK_STREAM)
                self._left = self._uses
                self._resent = 0
                await loop.sock_connect(self._socket, self._place)
            self._left -= 1
            await loop.sock_sendall(self._socket, b"who\n")
            answer = await loop.sock_recv(self._socket, 100)
            if not answer:
                raise ConnectionError("closed by the other side")
            before, self._resent = self._resent, _resent(self._socket)
            if not self._left:
                self._socket.close()
            return answer.decode().strip(), self._resent - before

    def drop(self) -> None:
        """After trouble the next request has a new connection."""
        self._left = 0
        self._socket.close()


def _nonblocking(kind: int) -> socket.socket:
    opened = socket.socket(type=kind)
    opened.setblocking(False)
    return opened


def _resent(opened: socket.socket) -> int:
    info = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    return int(struct.unpack_from("=I", info, _TOTAL_RETRANS)[0])


async def _page(address: str, port: int) -> tuple[str, int]:
    """The last line of a web server's page."""
    with _nonblocking(socket.SOCK_STREAM) as opened:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(opened, (address, port))
        await loop.sock_sendall(opened, b"GET / HTTP/1.0\r\n\r\n")
        page = b""
        while part := await loop.sock_recv(opened, 4096):
            page += part
        if not page:
            raise ConnectionError("closed by the other side")
        return page.decode().strip().rpartition("\n")[2], _resent(opened)


async def _datagram(address: str, port: int) -> tuple[str, int]:
    with _nonblocking(socket.SOCK_DGRAM) as opened:
        opened.connect((address, port))
        opened.send(b"who\n")
        answer = await asyncio.get_running_loop().sock_recv(opened, 100)
        return answer.decode().strip(), 0


async def _ask(path: str, rate: float, patience: float, targets: list[Target]) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(0, ended.set)
    kept = [[_Connection(*target[1:], _USES) for _number in range(_KEPT)] for target in targets]
    running: set[asyncio.Task[None]] = set()

    async def request(kind: str, port: int, due: float, act: Callable[[], Awaitable[tuple[str, int]]]) -> None:
        server, resent, trouble = "", 0, ""
        try:
            server, resent = await asyncio.wait_for(act(), patience)
        except asyncio.TimeoutError:
            trouble = f"no answer for {patience:g} s"
        except OSError as exc:
            trouble = str(exc)
        done = Request(kind, port, due, time.monotonic() - start - due, server, trouble, resent)
        file.write(json.dumps(asdict(done)) + "\n")

    async def through(connection: _Connection) -> tuple[str, int]:
        try:
            return await connection.ask()
        except BaseException:
            connection.drop()
            raise

    with open(path, "w", buffering=1, encoding="utf-8") as file:
        print("ready", flush=True)
        start, number = time.monotonic(), 0
        while not ended.is_set():
            due = number / rate
            await asyncio.sleep(start + due - time.monotonic())
            turn, which = divmod(number, len(targets))
            kind, address, port = targets[which]
            if kind == "udp":
                act = request(kind, port, due, lambda place=(address, port): _datagram(*place))
            elif kind == "http":
                act = request(kind, port, due, lambda place=(address, port): _page(*place))
            else:
                one = kept[which][turn % _KEPT] if kind == "kept" else _Connection(address, port, 1)
                act = request(kind, port, due, lambda one=one: through(one))
            task = loop.create_task(act)
            running.add(task)
            task.add_done_callback(running.discard)
            number += 1
        await asyncio.gather(*running)


if __name__ == "__main__":
    if sys.argv[1] == "answer":
        asyncio.run(_answer(sys.argv[2], sys.argv[3], int(sys.argv[4])))
    else:
        asyncio.run(_ask(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), json.loads(sys.argv[5])))
