"""Clients that hold connections, dribble or do not read never keep a scrape out."""

import socket
import threading
import time
from contextlib import ExitStack, closing

import pytest

from exporter.server import Server, connections, conversation
from exporter.server.connections import Connection, Connections
from tests.server.speaking import BODY, PATIENCE, ask, ask_again, connect, routes, serving
from tests.waiting import eventually


def crowd(server: Server, stack: ExitStack, number: int, sent: bytes = b"") -> list[socket.socket]:
    """Open connections that ask for nothing whole."""
    clients = []
    for _ in range(number):
        client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
        client.sendall(sent)
        clients.append(client)
    return clients


@pytest.mark.parametrize("sent", [b"", b"GET /metr"])
def test_200_idle_connections_do_not_keep_a_scrape_out(sent: bytes) -> None:
    """Each newcomer takes the place of one that only holds it."""
    with serving() as server, ExitStack() as stack:
        crowd(server, stack, 200, sent)
        assert [ask(server).body for _ in range(20)] == [BODY] * 20


def test_dribbling_clients_do_not_keep_a_scrape_out() -> None:
    """Bytes that trickle in do not make a connection younger."""
    with serving() as server, ExitStack() as stack:
        clients = crowd(server, stack, 100, b"GET / HTTP/1.1\r\nA:")
        done = threading.Event()

        def dribble() -> None:
            while not done.wait(0.01):
                for client in clients:
                    try:
                        client.send(b"a")
                    except OSError:  # closed to make room
                        continue

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            assert [ask(server).body for _ in range(20)] == [BODY] * 20
        finally:
            done.set()
            thread.join()


def test_a_dribbled_head_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for a head is for all of it, not for each byte."""
    monkeypatch.setattr(conversation, "FIRST_SECONDS", 0.3)
    with serving() as server, socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.settimeout(0.05)
        received = b""

        def is_told() -> bool:
            nonlocal received
            try:
                client.send(b"G")
                received += client.recv(1000)
            except TimeoutError:
                return False
            except OSError:
                return True
            return received.startswith(b"HTTP/1.1 408 ")

        assert eventually(is_told, PATIENCE)
        assert received.startswith(b"HTTP/1.1 408 ")


def test_clients_that_do_not_read_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """When every connection is in a response, those end that take nothing, however many wait for a place."""
    monkeypatch.setattr(connections, "PATIENCE", PATIENCE * 2)
    body = b"x" * (8 << 20)
    application = routes(metrics=lambda _accept, _encoding: ("text/plain", "", body))
    with serving(application) as server, ExitStack() as stack:
        crowd(server, stack, connections.LIMIT * 3, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        assert ask(server, "/healthz").body == b"ok\n"


@pytest.mark.parametrize("reason", ["stalled", "slow"])
def test_a_response_that_moves_outlives_one_that_does_not(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also an older one; and no response goes on for ever while others wait."""
    monkeypatch.setattr(connections, "PATIENCE", 100.0)
    places = Connections(limit=2)
    pairs = [socket.socketpair() for _ in range(3)]
    moving, other, newcomer = (Connection(ours, "peer") for ours, _ in pairs)
    for connection in (moving, other):
        assert places.admit(connection)
        assert places.respond(connection)
    now = time.monotonic()
    moving.since, moving.moved = now - 50, now + 50
    if reason == "stalled":
        other.moved = now - 1
    else:
        other.since = now - 200
    assert places.admit(newcomer)
    assert (moving.is_closed, other.is_closed) == (False, True)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_a_client_that_was_served_outlives_those_that_only_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prometheus keeps its connection while strangers push one another out."""
    monkeypatch.setattr(connections, "SETTLED", 0.0)
    with serving() as server, ExitStack() as stack, closing(connect(server)) as client:
        ask_again(client)
        kept = client.sock
        crowd(server, stack, 200)
        assert ask_again(client).body == BODY
        assert client.sock is kept


def test_a_response_in_progress_is_never_cut_for_a_newcomer() -> None:
    """Among waiting and responding connections a waiting one goes."""
    places = Connections(limit=2)
    pairs = [socket.socketpair() for _ in range(3)]
    responding, waiting, newcomer = (Connection(ours, "peer") for ours, _ in pairs)
    assert places.admit(responding)
    assert places.respond(responding)
    assert places.admit(waiting)
    assert places.admit(newcomer)
    assert (responding.is_closed, waiting.is_closed, newcomer.is_closed) == (False, True, False)
    assert not places.respond(waiting)
    places.close(0)
    assert responding.is_closed
    assert not places.admit(waiting)
    for ours, theirs in pairs:
        ours.close()
        theirs.close()
