# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a web server on a clock until standard input ends; runs on the lab's client, with nothing but Python.

    asking.py ADDRESS PORT RATE [HOLD]      so many new connections a second, whatever has become of those before; each
                                            is open for HOLD seconds before it asks

Each answer, or its trouble, becomes a line: seconds since the start, who answered, what went wrong.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time

PATIENCE = 6.0  # longer than the kernel takes to try a third time


def ask(address: str, port: int, hold: float) -> str:
    """The one line of the page."""
    with socket.create_connection((address, port), PATIENCE) as connection:
        time.sleep(hold)
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while part := connection.recv(4096):
            answer += part
    head, _empty, page = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise OSError("no page")
    return page.decode().strip()


def note(start: float, address: str, port: int, hold: float) -> None:
    due, server, trouble = time.monotonic() - start, "", ""
    try:
        server = ask(address, port, hold)
    except OSError as exc:
        trouble = str(exc)
    print(json.dumps([round(due, 2), server, trouble]), flush=True)


def main() -> None:
    address, port, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    hold = float(sys.argv[4]) if sys.argv[4:] else 0.0
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    start = time.monotonic()
    threads = []
    while not ended.is_set():
        time.sleep(max(0.0, start + len(threads) / rate - time.monotonic()))
        threads.append(threading.Thread(target=note, args=(start, address, port, hold)))
        threads[-1].start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
