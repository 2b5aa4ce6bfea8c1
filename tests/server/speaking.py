"""Clients for the server's tests: real sockets on loopback, and certificates of a throwaway PKI."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPMessage, HTTPSConnection
from pathlib import Path

from exporter.address import parse_address
from exporter.demo import pki
from exporter.server import Application, Page, Response, Routes, Server, WebConfig
from exporter.server.request import Request

BODY = b"kubepki_build_info 1\n"
PATIENCE = 30.0
"""Seconds after which a test gives up; far beyond what anything here takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes


def routes(
    *,
    ailment: str = "",
    unready: str = "",
    opens_details: bool = False,
    metrics: Callable[[str, str], tuple[str, str, bytes]] = lambda _accept, _encoding: (
        "text/plain",
        "",
        BODY,
    ),
    page: str = "<p>page</p>",
) -> Routes:
    """Make an application whose answers are known."""
    return Routes(
        metrics=metrics,
        page=lambda: Page(page, "default-src 'none'"),
        inventory=lambda: b"{}",
        ailment=lambda: ailment,
        unready=lambda: unready,
        opens_details=opens_details,
    )


@contextmanager
def serving(
    application: Application | None = None, *, address: str = "127.0.0.1:0", config: Path | None = None
) -> Iterator[Server]:
    """Serve until the block ends."""
    web_config = WebConfig(str(config) if config else None)
    server = Server(parse_address(address), application or routes(), web_config)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def ask(
    server: Server,
    path: str = "/metrics",
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Ask once over a connection of its own."""
    with closing(connect(server, tls)) as client:
        return ask_again(client, path, method, headers)


def connect(server: Server, tls: ssl.SSLContext | None = None) -> HTTPConnection:
    """Open a connection that stays."""
    if tls:
        return HTTPSConnection("127.0.0.1", server.port, timeout=PATIENCE, context=tls)
    return HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)


def ask_again(
    client: HTTPConnection, path: str = "/metrics", method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
    """Ask over a connection that is open."""
    client.request(method, path, headers=headers or {})
    response = client.getresponse()
    return Answer(response.status, response.headers, response.read())


def say(server: Server, sent: bytes) -> bytes:
    """Send bytes as they are, and take all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(sent)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        return received


def echo(request: Request) -> Response:
    """Answer with the path."""
    return Response(body=request.path.encode())


class Pki:
    """Files of a server pair, a client pair and their CAs, and contexts that use them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.now = datetime.fromtimestamp(time.time(), UTC)
        self.authority = pki.make_ca("exporter-ca", now=self.now)
        self.clients = pki.make_ca("client-ca", now=self.now)
        (directory / "ca.crt").write_bytes(self.authority.pem)
        (directory / "clients.crt").write_bytes(self.clients.pem)
        self.issue()

    def issue(self, cn: str = "exporter") -> pki.Issued:
        """Put a new pair in place of the server's."""
        issued = pki.make_leaf(self.authority, cn, now=self.now, sans=["127.0.0.1", "localhost"])
        (self.directory / "tls.crt").write_bytes(issued.pem)
        (self.directory / "tls.key").write_bytes(issued.key_pem)
        return issued

    def config(self, text: str) -> Path:
        """Write a web configuration that serves the pair, with *text* after it."""
        path = self.directory / "web.yml"
        path.write_text(f"tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n{text}")
        return path

    def context(self, client: pki.Issued | None = None) -> ssl.SSLContext:
        """Trust the server's CA, and show a client certificate."""
        context = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        if client:
            path = self.directory / "client.pem"
            path.write_bytes(client.pem + client.key_pem)
            context.load_cert_chain(path)
        return context

    def client(self, *sans: str, authority: pki.Issued | None = None) -> pki.Issued:
        """Issue a client certificate."""
        return pki.make_leaf(
            authority or self.clients, "prometheus", now=self.now, sans=sans, usages=("clientAuth",)
        )
