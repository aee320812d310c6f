# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that stay open, with a request over each of them twice a second; runs on the client.

Arguments: the VIP, how many. Ends when standard input does, and prints how many have had all their answers.
"""

import http.client
import sys
import threading

PAUSE, PATIENCE = 0.5, 20.0  # seconds; TCP sends again after 0.2, 0.4, 0.8, 1.6, 3.2 and 6.4 s
vip, count = sys.argv[1], int(sys.argv[2])
done = threading.Event()
cut: list[BaseException] = []


def stay(connection: http.client.HTTPConnection) -> None:
    try:
        while not done.wait(PAUSE):
            connection.request("GET", "/")
            connection.getresponse().read()
    except (OSError, http.client.HTTPException) as exc:
        cut.append(exc)


connections = [http.client.HTTPConnection(vip, timeout=PATIENCE) for _number in range(count)]
for connection in connections:
    connection.connect()
    connection.auto_open = 0
threads = [threading.Thread(target=stay, args=[connection]) for connection in connections]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.read()
done.set()
for thread in threads:
    thread.join()
print(count - len(cut))
