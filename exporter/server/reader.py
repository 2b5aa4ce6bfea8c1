"""Reads the head of a request from a socket, bounded in bytes and in time as a whole."""

import re
import socket
import time
from http import HTTPStatus
from typing import Final

from exporter.server.request import Refusal

MAX_LINE: Final = 8 << 10
MAX_HEAD: Final = 16 << 10

_END: Final = re.compile(rb"\r?\n\r?\n")


class HeadReader:
    """Takes one head after the other; what a client sent ahead waits for its turn."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._ahead = bytearray()

    def read(self, *, first: float, rest: float) -> bytes | Refusal | None:
        """Wait *first* seconds for a first byte, *rest* for all others; None where nobody asks any more."""
        deadline = time.monotonic() + (rest if self._ahead else first)
        while (end := self._end()) is None:
            if refusal := self._refusal(len(self._ahead)):
                return refusal
            is_first = not self._ahead
            try:
                self._client.settimeout(max(deadline - time.monotonic(), 1e-3))
                chunk = self._client.recv(4096)
            except TimeoutError:
                chunk = b""
                if not is_first:
                    return Refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time")
            if not chunk:
                return None
            if is_first:
                deadline = time.monotonic() + rest
            elif time.monotonic() >= deadline:
                return Refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not arrive in time")
            self._ahead += chunk
        head = bytes(self._ahead[:end])
        del self._ahead[:end]
        return self._refusal(end) or head

    def _end(self) -> int | None:
        while self._ahead.startswith((b"\r", b"\n")):  # RFC 9112, 2.2: empty lines before a request
            del self._ahead[0]
        found = _END.search(self._ahead)
        return found.end() if found else None

    def _refusal(self, size: int) -> Refusal | None:
        line = self._ahead.find(b"\n")
        if (line if line >= 0 else len(self._ahead)) > MAX_LINE and size > MAX_LINE:
            return Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, "the request line is too long")
        if size > MAX_HEAD:
            return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the header fields are too long")
        return None
