"""One HTTP request and its answer as values."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import h11

_ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for."""

    method: str
    path: str
    """As sent: not decoded, not normalized, without the query."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """By lower-case name; may hold a password."""
    has_body: bool = False
    is_local: bool = True
    """The address that is listened on can be reached from this machine only."""
    is_authenticated: bool = False
    """The client showed a password or a verified certificate."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why bytes are no request that can be answered."""

    status: HTTPStatus
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is handed out."""

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = field(repr=False)
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Added to the ones that every response has, or in place of them."""


Application = Callable[[Request], Response]


def plain(status: HTTPStatus, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with one line of text."""
    return Response(status=status, body=f"{sentence}\n".encode(), headers=headers or {})


def request_of(event: h11.Request) -> Request | Refusal:
    """Take what the application needs from a head that h11 has read."""
    if event.http_version not in {b"1.0", b"1.1"}:
        return Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    target = _ABSOLUTE.sub("", event.target.decode("ascii"), count=1)
    return Request(
        method=event.method.decode("ascii"),
        path=re.split(r"[?#]", target, maxsplit=1)[0],
        headers=MappingProxyType(headers),
        has_body=int(headers.get("content-length", "0")) != 0 or "transfer-encoding" in headers,
    )
