"""Listen addresses as Go programs write them: ``:9795``, ``[::]:9795``, ``127.0.0.1:9795``."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

_ADDRESS: Final = re.compile(r"(?:\[(?P<ip>[^\[\]\s]*)\]|(?P<host>[^\[\]:\s\0]*)):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen; an empty host is every address of both families."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Only this machine can reach it."""
        ip = _ip(self.host)
        return self.host == "localhost" or (ip is not None and ip.is_loopback)


def parse_address(text: str) -> ListenAddress:
    """Read ``HOST:PORT``; raises ValueError naming what is allowed."""
    found = _ADDRESS.fullmatch(text.strip())
    if not found or int(found["port"]) > _HIGHEST_PORT or (found["ip"] and not _ip(found["ip"])):
        message = f"{text!r} is no address; allowed: HOST:PORT, :PORT or [IPV6]:PORT, such as 127.0.0.1:9795"
        raise ValueError(message)
    return ListenAddress(found["ip"] or found["host"] or "", int(found["port"]))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
