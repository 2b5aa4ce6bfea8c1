"""One client's connection from its first byte to its last, in its own thread."""

import contextlib
import dataclasses
import logging
import socket
import time
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import h11

from exporter.server.auth import Verdict
from exporter.server.connections import Connection, Connections
from exporter.server.protection import Protection
from exporter.server.reader import RequestReader
from exporter.server.reply import encode
from exporter.server.request import Application, Refusal, Request, Response, plain
from exporter.server.web_config import WebConfig

logger = logging.getLogger(__name__)

FIRST_SECONDS: Final = 10.0
"""For the TLS handshake, and again until the whole of a request has arrived."""
IDLE_SECONDS: Final = 330.0
"""Between two requests; more than the 5 minutes after which Prometheus lets go by itself."""
SEND_SECONDS: Final = 30.0
"""For a whole response."""
LINGER_SECONDS: Final = 1.0
"""For a refused client to stop sending, so that it gets to read why."""
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
"""Need no password: the kubelet's probes have none, and they tell nothing."""

_TLS_RECORD: Final = b"\x16"
_SEEN_AT_MOST: Final = 64


@dataclasses.dataclass(frozen=True, slots=True)
class Desk:
    """What all conversations share."""

    application: Application
    web_config: WebConfig
    connections: Connections
    is_local: bool
    failures: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    """Paths and exceptions whose traceback is in the log already."""


class Conversation:
    """Reads requests, asks the application and sends what it says."""

    def __init__(self, connection: Connection, desk: Desk) -> None:
        self._connection = connection
        self._desk = desk
        self._protection = desk.web_config.current()

    def run(self) -> None:
        """Serve the client until one side has enough; never raises for what a client does."""
        try:
            self._connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._secure():
                reader = RequestReader(self._connection.socket)
                while self._exchange(reader):
                    pass
                if self._protection.tls:
                    self._protection.tls.part(self._connection.socket)
        except (
            OSError,
            ValueError,
            h11.ProtocolError,
        ) as error:  # ValueError: OpenSSL on a socket closed to make room
            logger.debug("connection ended", extra={"peer": self._connection.peer, "error": str(error)})
        finally:
            self._desk.connections.discard(self._connection)
            self._connection.close()

    def _secure(self) -> bool:
        if (tls := self._protection.tls) is None:
            return True
        client = self._connection.socket
        deadline = time.monotonic() + FIRST_SECONDS
        client.settimeout(FIRST_SECONDS)
        if client.recv(1, socket.MSG_PEEK) != _TLS_RECORD:
            self._refuse(h11.Connection(h11.SERVER), HTTPStatus.BAD_REQUEST, "this port speaks HTTPS")
            return False
        secured = tls.wrap(client)
        self._connection.replace(secured)
        secured.settimeout(max(deadline - time.monotonic(), 1e-3))
        if not self._protection.admits(tls.shake_hands(secured)):
            logger.info("client certificate not allowed", extra={"peer": self._connection.peer})
            return False
        return True

    def _exchange(self, reader: RequestReader) -> bool:
        first = IDLE_SECONDS if self._connection.has_served else FIRST_SECONDS
        request = reader.read(first=first, rest=FIRST_SECONDS)
        if request is None:
            return False
        protocol = reader.protocol
        if isinstance(request, Refusal):
            self._refuse(protocol, request.status, request.sentence)
            return False
        protection = self._desk.web_config.current()
        response = self._judge(request, protection)
        if not self._desk.connections.respond(self._connection):
            return False
        # A client let in under other rules has to show itself anew.
        keeps_alive = not request.has_body and protection.tls is self._protection.tls
        self._send(
            protocol,
            response or self._ask(request, protection),
            keeps_alive=keeps_alive,
            is_head=request.method == "HEAD",
            headers=protection.headers,
        )
        if request.has_body:
            self._linger()
        if not self._desk.connections.rest(self._connection) or protocol.our_state is not h11.DONE:
            return False
        protocol.start_next_cycle()
        return True

    def _refuse(self, protocol: h11.Connection, status: HTTPStatus, sentence: str) -> None:
        self._send(protocol, plain(status, sentence), keeps_alive=False)
        self._linger()

    def _judge(self, request: Request, protection: Protection) -> Response | None:
        """Say why the application is not even asked."""
        if request.method not in {"GET", "HEAD"}:
            return plain(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", {"Allow": "GET, HEAD"})
        if request.path in OPEN_PATHS:
            return None
        if protection.limiter is not None and not protection.limiter.allows(time.monotonic()):
            return plain(HTTPStatus.TOO_MANY_REQUESTS, "too many requests")
        return self._identify(request, protection)

    def _identify(self, request: Request, protection: Protection) -> Response | None:
        """Ask for a password where users are configured."""
        if protection.passwords is None:
            return None
        match protection.passwords.judge(request.headers.get("authorization", ""), self._connection.peer):
            case Verdict.GOOD:
                return None
            case Verdict.BUSY:
                return plain(
                    HTTPStatus.TOO_MANY_REQUESTS, "too many passwords to check", {"Retry-After": "1"}
                )
            case Verdict.BAD:
                challenge = {"WWW-Authenticate": 'Basic realm="kube-pki-exporter", charset="UTF-8"'}
                return plain(HTTPStatus.UNAUTHORIZED, "a user name and password are needed", challenge)

    def _ask(self, request: Request, protection: Protection) -> Response:
        asked = dataclasses.replace(
            request, is_local=self._desk.is_local, is_authenticated=protection.authenticates
        )
        try:
            return self._desk.application(asked)
        except Exception as error:  # noqa: BLE001 - a client never sees a traceback, the log sees it once
            self._log_failure(request.path, error)
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed; the exporter's log says why")

    def _log_failure(self, path: str, error: Exception) -> None:
        seen = self._desk.failures
        if (key := (path, type(error).__name__)) not in seen and len(seen) < _SEEN_AT_MOST:
            seen.add(key)
            logger.error("request failed", extra={"path": path}, exc_info=error)

    def _send(
        self,
        protocol: h11.Connection,
        response: Response,
        *,
        keeps_alive: bool,
        is_head: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        head = encode(protocol, response, headers, keeps_alive=keeps_alive, now=time.time())
        body = b"" if is_head else protocol.send(h11.Data(data=response.body))
        protocol.send(h11.EndOfMessage())
        deadline = time.monotonic() + SEND_SECONDS
        rest = memoryview(body)
        for part in (memoryview(head + rest[:16384]), rest[16384:]):
            left = part
            while left:
                self._connection.moved = now = time.monotonic()
                self._connection.socket.settimeout(max(deadline - now, 1e-3))
                left = left[self._connection.socket.send(left[:65536]) :]

    def _linger(self) -> None:
        """Take in what a refused client still sends: closing over it would reset what it should read."""
        deadline = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._connection.socket, socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._connection.socket.settimeout(left)
                if not socket.socket.recv(self._connection.socket, 65536):
                    return
