"""The rules in force: how clients are let in, as one immutable value per web configuration."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from exporter.server.auth import Passwords


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

    tls: ssl.SSLContext | None = None
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

    def admits(self, client: ssl.SSLSocket) -> bool:
        """Tell whether the certificate of a client has one of the allowed names."""
        if not self.allowed_sans:
            return True
        certificate = client.getpeercert() or {}
        names = certificate.get("subjectAltName", ())
        return not self.allowed_sans.isdisjoint(_sans(names if isinstance(names, tuple) else ()))


def canonical(name: str) -> str:
    """Write an IP address in its one short form, and leave every other name as it is."""
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name


def _sans(names: tuple[object, ...]) -> Iterator[str]:
    for entry in names:
        match entry:
            case ("IP Address", str(address)):
                yield canonical(address)
            case ("DNS" | "email" | "URI", str(name)):
                yield name
