"""Opens the socket of a listen address."""

import contextlib
import ipaddress
import socket
from typing import Final

from exporter.address import ListenAddress
from exporter.server.web_values import ConfigurationError

BACKLOG: Final = 1024
"""A burst beyond it would cost the next client a second, the time until TCP tries again."""


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
