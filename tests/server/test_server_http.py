"""HTTP as clients meet it: methods, heads, keep-alive, limits and what browsers are told."""

import contextlib
import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.server.reader import RequestReader
from exporter.server.request import Refusal, Request, Response
from tests.server.speaking import BODY, PATIENCE, ask, ask_again, connect, echo, routes, say, serving


def test_metrics_are_handed_out_as_they_are() -> None:
    """A scrape gets the body with the headers that its negotiation led to."""
    seen: list[tuple[str, str]] = []

    def metrics(accept: str, encoding: str) -> tuple[str, str, bytes]:
        seen.append((accept, encoding))
        return "application/openmetrics-text; version=1.0.0; charset=utf-8", "gzip", b"\x1f\x8b"

    with serving(routes(metrics=metrics)) as server:
        answer = ask(server, headers={"Accept": "text/plain", "Accept-Encoding": "gzip"})
    assert (answer.status, answer.body) == (200, b"\x1f\x8b")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert seen == [("text/plain", "gzip")]


@pytest.mark.parametrize(
    "path", ["/metrics/", "/Metrics", "//metrics", "/%6detrics", "/metrics/../", "/x", "*"]
)
def test_every_other_path_is_not_found(path: str) -> None:
    """Paths are compared as sent: nothing is decoded or normalized."""
    with serving() as server:
        assert ask(server, path).status == 404


@pytest.mark.parametrize("path", ["/metrics?x=/healthz", "/metrics?", "http://anything/metrics?a#b"])
def test_a_query_does_not_change_the_answer(path: str) -> None:
    """Queries are ignored, and the absolute form names the same path (RFC 9112, 3.2.2)."""
    with serving() as server:
        assert ask(server, path).body == BODY


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "X"])
def test_only_get_and_head_are_allowed(method: str) -> None:
    """Other methods get 405 and hear which ones there are."""
    with serving() as server:
        answer = ask(server, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/metrics", "/", "/api/v1/inventory", "/healthz", "/nowhere"])
def test_head_is_get_without_the_body(path: str) -> None:
    """HEAD has the status and the length of GET, and the connection goes on after it."""
    with serving() as server, closing(connect(server)) as client:
        head, get = ask_again(client, path, "HEAD"), ask_again(client, path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Length"] == str(len(get.body))


def test_a_connection_serves_many_requests() -> None:
    """Prometheus keeps its connection over scrapes, and pipelined requests keep their order."""
    with serving(echo) as server:
        with closing(connect(server)) as client:
            ask_again(client, "/1")
            first = client.sock
            assert [ask_again(client, f"/{i}").body for i in range(2, 5)] == [b"/2", b"/3", b"/4"]
            assert client.sock is first
        sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(3))
        received = say(server, sent + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert [received.index(b"\r\n\r\n/%d" % i) for i in range(3)] == sorted(
        received.index(b"\r\n\r\n/%d" % i) for i in range(3)
    )
    assert received.endswith(b"\r\n\r\n/last")


def test_http_1_0_closes() -> None:
    """An old client sees the end of the body by the end of the connection."""
    with serving() as server:
        received = say(server, b"GET /metrics HTTP/1.0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close" in received.lower()


@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_a_body_is_never_taken_for_the_next_request(field: bytes) -> None:
    """A GET with a body is answered once and ends the connection."""
    with serving(echo) as server:
        sent = b"GET /1 HTTP/1.1\r\nHost: x\r\n" + field + b"\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"
        received = say(server, sent)
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
        (b"a" * 20000, b"414"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200000 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /\r\n\r\n", b"400"),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n folded\r\nHost: x\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\x00\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
    ],
)
def test_what_is_no_request_is_refused_and_the_client_hears_why(sent: bytes, status: bytes) -> None:
    """Oversized, ambiguous and foreign heads end with a status, also where the client sends on and on."""
    with serving() as server:
        received = say(server, sent)
        assert ask(server).body == BODY
    assert received.startswith(b"HTTP/1.1 " + status + b" ")
    assert b"Connection: close" in received


def read(sent: bytes) -> Request | Refusal | None:
    """Read what a client sent before it left."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        return RequestReader(ours).read(first=PATIENCE, rest=PATIENCE)


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda tail: b"GET / HTTP/1.1\r\n" + tail))
def test_any_bytes_are_a_request_or_a_refusal(sent: bytes) -> None:
    """The reader never raises, whatever arrives; half a head is nobody asking."""
    assert isinstance(read(sent + b"\r\n\r\n"), Request | Refusal)
    assert isinstance(read(sent), Request | Refusal | None)


@given(st.binary(max_size=80))
def test_no_header_value_reaches_another_line(value: bytes) -> None:
    """What is accepted as a value has nothing left that ends a line or a text."""
    found = read(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + value + b"\r\n\r\n")
    if isinstance(found, Request):
        assert not set(found.headers.get("a", "")) & set("\r\n\0")


def test_a_failing_application_is_a_plain_500_and_one_log_entry(caplog: pytest.LogCaptureFixture) -> None:
    """The client sees no traceback; the log has it once, not once per scrape."""

    def fail(_request: Request) -> Response:
        message = "the secret reason"
        raise RuntimeError(message)

    with serving(fail) as server:
        answers = [ask(server) for _ in range(3)]
    assert {answer.status for answer in answers} == {500}
    assert all(b"secret" not in answer.body for answer in answers)
    assert [record.message for record in caplog.records] == ["request failed"]


def test_browsers_are_told_to_trust_nothing() -> None:
    """Each answer has the headers that keep a page from being framed, sniffed, cached or scripted."""
    with serving() as server:
        for path in ("/metrics", "/", "/nowhere"):
            headers = ask(server, path).headers
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cache-Control"] == "no-store"


def test_stop_ends_waiting_clients() -> None:
    """An idle connection does not hold up the end, and nobody is let in afterwards."""
    with serving() as server:
        client = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        port = server.port
    with client, contextlib.suppress(ConnectionResetError):  # it may not even have been accepted
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE)
