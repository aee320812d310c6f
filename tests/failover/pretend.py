# Copyright: (c) 2026, The openlvs contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What checkers ask for, as far as they ask. Runs on a real server; wants a CERTIFICATE, and keeps MAILS."""

import socketserver
import ssl
import threading

CERTIFICATE = "/srv/pretend.pem"
MAILS = "/srv/mails"


class Tcp(socketserver.BaseRequestHandler):
    """Takes connections."""


class Smtp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 rs1 ESMTP\r\n")
        for line in self.rfile:
            word = line[:4].upper().strip()
            self.wfile.write({b"QUIT": b"221 bye\r\n", b"DATA": b"354 go on\r\n"}.get(word, b"250 rs1\r\n"))
            if word == b"DATA":
                self.keep()

    def keep(self) -> None:
        with open(MAILS, "ab") as mails:
            for line in iter(self.rfile.readline, b".\r\n"):
                mails.write(line)
        self.wfile.write(b"250 kept\r\n")


class Https(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nrs1\n")


class Udp(socketserver.DatagramRequestHandler):
    def handle(self) -> None:
        if self.rfile.read() == b"hi":
            self.wfile.write(b"ho")


class Dns(socketserver.DatagramRequestHandler):
    """Whatever is asked for has the address 192.0.2.1."""

    def handle(self) -> None:
        asked = self.rfile.read()
        end = asked.index(b"\0", 12) + 5
        answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x01"
        self.wfile.write(asked[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + asked[12:end] + answer)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


class TlsServer(Server):
    def get_request(self) -> tuple[ssl.SSLSocket, object]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        connection, client = super().get_request()
        return context.wrap_socket(connection, server_side=True), client


servers = [Server(("", 9001), Tcp), Server(("", 25), Smtp), TlsServer(("", 443), Https)]
servers += [socketserver.UDPServer(("", port), handler) for port, handler in ((9002, Udp), (53, Dns))]  # type: ignore[list-item]
for server in servers:
    threading.Thread(target=server.serve_forever).start()
