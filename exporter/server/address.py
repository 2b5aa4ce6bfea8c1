"""Listen addresses as Go programs write them: ``:9795``, ``[::]:9795``, ``127.0.0.1:9795``."""

import contextlib
import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final

from exporter.server.web_values import ConfigurationError

BACKLOG: Final = 1024
"""A burst beyond it would cost the next client a second, the time until TCP tries again."""

_ADDRESS: Final = re.compile(r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^\[\]:]*)):(?P<port>\d{1,5})\Z")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen; an empty host is every address of both families."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Only this machine can reach it."""
        return self.host == "localhost" or is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether it is an IP address that never leaves the machine."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def parse_address(text: str) -> ListenAddress:
    """Read ``HOST:PORT``; raises ConfigurationError."""
    found = _ADDRESS.match(text.strip())
    if not found or int(found["port"]) > 65535:  # noqa: PLR2004 - the highest TCP port
        message = f"listen address {text!r} is not HOST:PORT, such as 127.0.0.1:9795, :9795 or [::1]:9795"
        raise ConfigurationError(message)
    return ListenAddress(found["ipv6"] or found["host"] or "", int(found["port"]))


def listen(address: ListenAddress) -> socket.socket:
    """Open the listening socket; raises ConfigurationError where the host has no such address."""
    family, where = _resolve(address)
    try:
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigurationError(_refused(address, error)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            is_any = ipaddress.ip_address(where.partition("%")[0]).is_unspecified
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if is_any else 1)
        listener.bind((where, address.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_refused(address, error)) from error
    return listener


def _refused(address: ListenAddress, error: OSError) -> str:
    return f"cannot listen on {address.host!r} port {address.port}: {error.strerror or error}"


def _resolve(address: ListenAddress) -> tuple[socket.AddressFamily, str]:
    if not address.host:
        return (socket.AF_INET6, "::") if _has_ipv6() else (socket.AF_INET, "0.0.0.0")  # noqa: S104 - asked for
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"listen address: no such host {address.host!r}"
        raise ConfigurationError(message) from error
    family, *_, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, str(where[0])


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind(("::", 0))
        return True
    return False
