"""The head of a response, with the fields that protect a browser."""

import time
from collections.abc import Mapping
from typing import Final

import h11

from exporter.server.request import Response

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def encode(
    protocol: h11.Connection,
    response: Response,
    configured: Mapping[str, str],
    *,
    keeps_alive: bool,
    now: float,
) -> bytes:
    """Write status line and header fields; what the operator configured wins, and blank removes."""
    fields = {
        "Server": "kube-pki-exporter",
        "Date": http_date(now),
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Connection": "" if keeps_alive else "close",
        **HEADERS,
        **response.headers,
        **configured,
    }
    return protocol.send(
        h11.Response(
            status_code=response.status.value,
            reason=response.status.phrase,
            headers=[(name, value.strip()) for name, value in fields.items() if value.strip()],
        )
    )


def http_date(now: float) -> str:
    """Write a Unix time as HTTP does (RFC 9110, 5.6.7), whatever the locale."""
    moment = time.gmtime(now)
    day, month = _DAYS[moment.tm_wday], _MONTHS[moment.tm_mon - 1]
    return time.strftime(f"{day}, %d {month} %Y %H:%M:%S GMT", moment)
