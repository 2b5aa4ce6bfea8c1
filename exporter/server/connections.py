"""The open connections: a bounded number, so that those who only hold one never keep a scrape out."""

import contextlib
import math
import socket
import threading
import time
from typing import Final

LIMIT: Final = 64
SETTLED: Final = 1.0
"""Seconds after which a connection without a request counts as one that only holds its place."""
STALLED: Final = 0.1
"""Seconds in which a client takes nothing of its response before it gives way, when every place is taken."""
PATIENCE: Final = 2.0
"""Seconds that a response may take, however it moves, before it gives way in the same case."""
_POLL: Final = 0.02


class Connection:
    """An accepted socket and what it is doing."""

    __slots__ = ("_lock", "has_served", "is_closed", "is_responding", "moved", "peer", "since", "socket")

    def __init__(self, client: socket.socket, peer: str) -> None:
        self.socket = client
        self.peer = peer
        self.since = time.monotonic()
        self.moved = math.inf
        """When the client last took a part of the response that is being sent; never, where none is."""
        self.has_served = False
        self.is_responding = False
        self.is_closed = False
        self._lock = threading.Lock()

    def replace(self, client: socket.socket) -> None:
        """Go on with the socket that TLS made of it."""
        with self._lock:
            self.socket = client

    def interrupt(self) -> None:
        """End it from another thread; its own thread then closes it."""
        with self._lock, contextlib.suppress(OSError):
            # SSLSocket.shutdown would drop the TLS layer, and what arrived would be read as plain text.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        with self._lock:
            self.socket.close()


class Connections:
    """Makes room for a new connection by closing the one that is missed least."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._open: set[Connection] = set()
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        """Take it in; waits while all others respond, moving and not for long. False after ``close``."""
        with self._changed:
            while len(self._open) >= self._limit and not self._is_closed:
                if not self._evict():
                    self._changed.wait(_POLL)
            if not self._is_closed:
                self._open.add(connection)
            return not self._is_closed

    def respond(self, connection: Connection) -> bool:
        """Protect it while its response is made and sent; False where it had to give way before."""
        with self._changed:
            connection.is_responding = not connection.is_closed
            connection.since = time.monotonic()
            return connection.is_responding

    def rest(self, connection: Connection) -> bool:
        """Its response is sent and it waits for the next request; False where it shall end."""
        with self._changed:
            connection.is_responding = False
            connection.moved = math.inf
            connection.has_served = True
            connection.since = time.monotonic()
            self._changed.notify_all()
            return not (connection.is_closed or self._is_closed)

    def discard(self, connection: Connection) -> None:
        """Forget it: its thread ends."""
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Admit no more, end those that wait at once and the others after at most *seconds*."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            for connection in [c for c in self._open if not c.is_responding]:
                self._end(connection)
            while self._open and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            for connection in list(self._open):
                self._end(connection)

    def _evict(self) -> bool:
        now = time.monotonic()
        if waiting := [c for c in self._open if not c.is_responding]:
            self._end(min(waiting, key=lambda c: (_rank(c, now), c.since)))
            return True
        if slow := [c for c in self._open if now - c.moved > STALLED or now - c.since > PATIENCE]:
            self._end(min(slow, key=lambda c: c.moved))
            return True
        return False

    def _end(self, connection: Connection) -> None:
        connection.is_closed = True
        connection.interrupt()
        self._open.discard(connection)


def _rank(connection: Connection, now: float) -> int:
    """Who goes first: one that never asked for anything, then a client at rest, then a newcomer."""
    if connection.has_served:
        return 1
    return 0 if now - connection.since > SETTLED else 2
