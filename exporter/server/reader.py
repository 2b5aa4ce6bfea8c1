"""Reads the head of a request from a socket, bounded in bytes and in time as a whole."""

import socket
import time
from http import HTTPStatus
from typing import Final

import h11

from exporter.server.request import Refusal, Request, request_of

MAX_HEAD: Final = 16 << 10

_CHUNK: Final = 2048
_LATE: Final = Refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time")
_REFUSALS: Final = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "the request line is too long",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the header fields are too long",
    HTTPStatus.NOT_IMPLEMENTED: "unknown transfer coding",
}


class RequestReader:
    """Takes one head after the other; what a client sent ahead waits for its turn."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self.protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)

    def read(self, *, first: float, rest: float) -> Request | Refusal | None:
        """Wait *first* seconds for a first byte, *rest* for all others; None where nobody asks any more."""
        is_first = not self.protocol.trailing_data[0]
        deadline = time.monotonic() + (first if is_first else rest)
        while not isinstance(found := self._next(), Request | Refusal):
            try:
                self._client.settimeout(max(deadline - time.monotonic(), 1e-3))
                chunk = self._client.recv(_CHUNK)
            except TimeoutError:
                return None if is_first else _LATE
            if not chunk:
                return None
            if is_first:
                is_first, deadline = False, time.monotonic() + rest
            elif time.monotonic() >= deadline:
                return _LATE
            self.protocol.receive_data(chunk)
        return found

    def _next(self) -> Request | Refusal | None:
        """Say what arrived, if that is a whole head; a body is left unread."""
        try:
            event = self.protocol.next_event()
            if not isinstance(event, h11.Request):
                return None
            found = request_of(event)
            if isinstance(found, Request) and not found.has_body:
                self.protocol.next_event()  # the end of the message
        except h11.RemoteProtocolError as error:
            return self._refusal(HTTPStatus(error.error_status_hint))
        return found

    def _refusal(self, status: HTTPStatus) -> Refusal:
        is_line = b"\n" not in self.protocol.trailing_data[0]
        if status is HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE and is_line:
            status = HTTPStatus.REQUEST_URI_TOO_LONG
        return Refusal(status, _REFUSALS.get(status, "malformed request"))
