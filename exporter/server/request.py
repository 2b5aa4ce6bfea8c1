"""One HTTP request and its answer as values; the head of a request from bytes (RFC 9112)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

MAX_HEADERS: Final = 100

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VERSION: Final = re.compile(r"HTTP/(\d)\.(\d)\Z")
_ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SINGLE: Final = frozenset({"authorization", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for."""

    method: str
    path: str
    """As sent: not decoded, not normalized, without the query."""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """By lower-case name; may hold a password."""
    keeps_alive: bool = True
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


def parse_head(head: bytes) -> Request | Refusal:
    """Read request line and header fields, strictly: what is ambiguous is refused (RFC 9112, 2 to 5)."""
    first, *lines = head.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_HEADERS:
        return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too many header fields")
    headers = _headers(lines)
    if headers is None:
        return Refusal(HTTPStatus.BAD_REQUEST, "malformed header field")
    return _request(first, headers)


def _request(first: str, headers: Mapping[str, str]) -> Request | Refusal:
    parts = first.split(" ")
    if len(parts) != 3 or not _TOKEN.match(parts[0]) or not parts[1] or _CONTROL.search(first):  # noqa: PLR2004 - method, target, version
        return Refusal(HTTPStatus.BAD_REQUEST, "malformed request line")
    method, target, protocol = parts
    if not (version := _VERSION.match(protocol)):
        return Refusal(HTTPStatus.BAD_REQUEST, "malformed request line")
    if version[1] != "1":
        return Refusal(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    is_current = version[2] != "0"
    if is_current and "host" not in headers:
        return Refusal(HTTPStatus.BAD_REQUEST, "no Host header field")
    options = {option.strip().lower() for option in headers.get("connection", "").split(",")}
    return Request(
        method=method,
        path=re.split(r"[?#]", _ABSOLUTE.sub("", target, count=1), maxsplit=1)[0],
        headers=headers,
        keeps_alive="close" not in options if is_current else "keep-alive" in options,
        has_body=headers.get("content-length", "0") != "0" or "transfer-encoding" in headers,
    )


def _headers(lines: list[str]) -> Mapping[str, str] | None:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.match(name) or _CONTROL.search(value):
            return None
        name, value = name.lower(), value.strip(" \t")
        if name in headers and name in _SINGLE:
            return None
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return MappingProxyType(headers)
