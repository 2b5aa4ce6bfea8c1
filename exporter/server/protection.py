"""The rules in force: how clients are let in, as one immutable value per web configuration."""

import ipaddress
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from exporter.server.auth import Passwords


class Tls(Protocol):
    """What TLS does for a connection; its library is loaded only where it is configured."""

    def wrap(self, client: socket.socket) -> socket.socket:
        """Put TLS over a socket, without a word to the client yet."""

    def shake_hands(self, client: socket.socket) -> frozenset[str]:
        """Do the handshake within the socket's timeout, and tell the names in the client's certificate."""

    def part(self, client: socket.socket) -> None:
        """Tell the client that this was all, without waiting for its answer."""


class Limiter:
    """A token bucket over all clients, as exporter-toolkit's ``rate_limit``."""

    def __init__(self, interval: float, burst: int) -> None:
        self._interval = interval
        self._burst = burst
        self._tokens = float(burst)
        self._filled: float | None = None
        self._lock = threading.Lock()

    def allows(self, now: float) -> bool:
        """Take a token where there is one; *now* is in seconds of any clock that only goes forward."""
        with self._lock:
            since = now - (now if self._filled is None else self._filled)
            self._tokens = min(self._tokens + since / self._interval, float(self._burst))
            self._filled = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What a client has to go through; without configuration nothing."""

    tls: Tls | None = None
    requires_certificate: bool = False
    allowed_sans: frozenset[str] = frozenset()
    """Names of which a client certificate must have one; empty admits every verified one."""
    passwords: Passwords | None = None
    limiter: Limiter | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def authenticates(self) -> bool:
        """Nobody gets an answer without a password or a verified certificate."""
        return self.passwords is not None or self.requires_certificate

    @property
    def guards(self) -> bool:
        """TLS or a password stands between a client and the answers."""
        return self.tls is not None or self.passwords is not None

    def admits(self, names: frozenset[str]) -> bool:
        """Tell whether a client whose certificate has these names is one of those allowed."""
        return not self.allowed_sans or not self.allowed_sans.isdisjoint(names)


def canonical(name: str) -> str:
    """Write an IP address in its one short form, and leave every other name as it is."""
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name
