"""Which path is answered by what, and who may see the details."""

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NamedTuple

from exporter.server.request import Request, Response, plain

REFUSED: Final = (
    "The page and the inventory are only shown on a loopback address or to clients that authenticate: set "
    "basic_auth_users or client_auth_type: RequireAndVerifyClientCert in the file of --web.config.file, "
    "listen on 127.0.0.1, or lift this with --web.open-details. /metrics is not affected."
)
REBOUND: Final = (
    "The page and the inventory are only shown under localhost or an IP address here, so that no web site "
    "can read them through a name of its own; --web.open-details lifts this."
)


class Page(NamedTuple):
    """HTML with the policy that its own style and script need."""

    html: str
    content_security_policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The application: calls what makes the content and wraps it."""

    metrics: Callable[[str, str], tuple[str, str, bytes]]
    """From Accept and Accept-Encoding to content type, content encoding (or empty) and body."""
    page: Callable[[], Page]
    inventory: Callable[[], bytes]
    """The JSON document."""
    ailment: Callable[[], str]
    """Why the process should be restarted; empty while it is well."""
    unready: Callable[[], str]
    """Why there is nothing to serve yet; empty after the first scan."""
    opens_details: bool = False
    """The operator lets anybody see page and inventory."""
    _turn: threading.Lock = field(default_factory=threading.Lock)
    """Details are made one at a time: they cost more than a scrape, which shall not wait for many."""

    def __call__(self, request: Request) -> Response:
        """Answer a GET; 404 for every other path."""
        match request.path:
            case "/metrics":
                return self._metrics(request)
            case "/" | "/api/v1/inventory":
                return self._details(request)
            case "/healthz":
                return _verdict(self.ailment())
            case "/readyz":
                return _verdict(self.unready())
        return plain(HTTPStatus.NOT_FOUND, "not found")

    def _metrics(self, request: Request) -> Response:
        if reason := self.unready():
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, reason, {"Retry-After": "1"})
        accept, accept_encoding = (request.headers.get(name, "") for name in ("accept", "accept-encoding"))
        content_type, encoding, body = self.metrics(accept, accept_encoding)
        headers = {"Vary": "Accept, Accept-Encoding"} | ({"Content-Encoding": encoding} if encoding else {})
        return Response(body=body, content_type=content_type, headers=headers)

    def _details(self, request: Request) -> Response:
        if not (self.opens_details or request.is_authenticated):
            if not request.is_local:
                return plain(HTTPStatus.FORBIDDEN, REFUSED)
            if not _names_an_address(request.headers.get("host", "")):
                return plain(HTTPStatus.FORBIDDEN, REBOUND)
        if reason := self.unready():
            return plain(HTTPStatus.SERVICE_UNAVAILABLE, reason, {"Retry-After": "1"})
        with self._turn:
            if request.path == "/":
                page = self.page()
                policy = {"Content-Security-Policy": page.content_security_policy}
                body = page.html.encode("utf-8", "replace")
                return Response(body=body, content_type="text/html; charset=utf-8", headers=policy)
            return Response(body=self.inventory(), content_type="application/json")


def _verdict(reason: str) -> Response:
    return plain(HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK, reason or "ok")


def _names_an_address(host: str) -> bool:
    """Tell a Host that DNS cannot point elsewhere; a client that names none is no browser."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not name or name.lower() == "localhost":
        return True
    try:
        return bool(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return False
