"""Who sees what: details, probes, passwords."""

import base64
import threading
from pathlib import Path

import bcrypt
import pytest

from exporter.server import ConfigurationError, Request
from exporter.server.auth import LANE_LENGTH, Passwords, Verdict, cost_of
from exporter.server.request import Response
from tests.server.speaking import PATIENCE, ask, routes, serving
from tests.waiting import eventually

DETAILS = ["/", "/api/v1/inventory"]
HASH = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()


def basic(user: str, password: str) -> dict[str, str]:
    """Make the header field of RFC 7617."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def request(path: str, **fields: bool) -> Request:
    """Make a request to judge without a socket."""
    return Request(method="GET", path=path, headers={"host": "10.0.0.1:9795"}, **fields)


@pytest.mark.parametrize("path", DETAILS)
def test_details_are_hidden_from_a_network_that_need_not_authenticate(path: str) -> None:
    """Page and inventory answer 403 with what to do; authentication or the flag opens them."""
    closed = routes()(request(path, is_local=False))
    assert closed.status == 403
    assert b"--web.open-details" in closed.body
    assert routes()(request(path, is_local=False, is_authenticated=True)).status == 200
    assert routes(opens_details=True)(request(path, is_local=False)).status == 200
    assert routes()(request(path, is_local=True)).status == 200


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_what_machines_read_is_not_a_detail(path: str) -> None:
    """Scrapes and probes are answered on every address."""
    assert routes()(request(path, is_local=False)).status == 200


def test_the_listening_address_decides_what_is_local() -> None:
    """A client on loopback of a server that listens everywhere sees no details either."""
    with serving(address="0.0.0.0:0") as server:
        assert ask(server, "/").status == 403
        assert (
            ask(server, "/", headers={"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}).status
            == 403
        )


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:9795", 200), ("127.0.0.1", 200), ("[::1]:9795", 200), ("evil.example:9795", 403)],
)
def test_no_web_site_reads_details_through_its_own_name(host: str, status: int) -> None:
    """A name that DNS can point to loopback is not answered (DNS rebinding)."""
    with serving() as server:
        assert ask(server, "/api/v1/inventory", headers={"Host": host}).status == status


def test_health_and_readiness_say_why_not() -> None:
    """Probes fail with the reason; before the first scan there are no metrics to take for complete."""
    with serving(routes(ailment="the loop is dead", unready="the first scan is not done")) as server:
        health, ready, metrics, page = (ask(server, p) for p in ("/healthz", "/readyz", "/metrics", "/"))
    assert (health.status, health.body) == (503, b"the loop is dead\n")
    assert (ready.status, ready.body) == (503, b"the first scan is not done\n")
    assert (metrics.status, page.status) == (503, 503)


def test_passwords_guard_everything_but_the_probes(tmp_path: Path) -> None:
    """With users configured a password opens metrics and details; the kubelet's probes need none."""
    config = tmp_path / "web.yml"
    config.write_text(f"basic_auth_users:\n  alice: {HASH}\n")
    with serving(address="0.0.0.0:0", config=config) as server:
        for path in ("/metrics", "/", "/nowhere"):
            answer = ask(server, path)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert ask(server, "/metrics", headers=basic("alice", "wrong")).status == 401
        assert ask(server, "/metrics", headers=basic("bob", "right")).status == 401
        assert ask(server, "/metrics", headers=basic("alice", "right")).status == 200
        assert ask(server, "/", headers=basic("alice", "right")).status == 200
        assert {ask(server, path).status for path in ("/healthz", "/readyz")} == {200}


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic YWxpY2U=", "Bearer YWxpY2U6cmlnaHQ=", "Basic YWxpY2U6cmlnaHQ"],
)
def test_a_malformed_field_is_a_wrong_password(authorization: str) -> None:
    """Whatever is no RFC 7617 field is refused without raising."""
    assert Passwords({"alice": HASH}).judge(authorization, "peer") is Verdict.BAD


def test_a_long_password_counts_by_its_first_72_bytes() -> None:
    """As bcrypt has it, and every tool that makes such hashes."""
    long = "x" * 100
    hashed = bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode()
    assert Passwords({"alice": hashed}).judge(basic("alice", long)["Authorization"], "peer") is Verdict.GOOD


def test_an_unknown_user_costs_as_much_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number of checks of the same cost, so that time tells no names."""
    costs: list[int | None] = []
    check = bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        costs.append(cost_of(hashed.decode()))
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    passwords = Passwords({"alice": bcrypt.hashpw(b"right", bcrypt.gensalt(5)).decode()})
    assert passwords.judge(basic("alice", "wrong")["Authorization"], "peer") is Verdict.BAD
    assert passwords.judge(basic("nobody", "wrong")["Authorization"], "peer") is Verdict.BAD
    assert costs == [5, 5]


def test_a_flood_of_guesses_delays_nobody_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """While guesses are checked, who was right before passes, and one guess too many is turned away."""
    passwords = Passwords({"alice": HASH})
    right, wrong = (basic("alice", word)["Authorization"] for word in ("right", "wrong"))
    assert passwords.judge(right, "prometheus") is Verdict.GOOD
    release = threading.Event()
    monkeypatch.setattr(bcrypt, "checkpw", lambda _password, _hashed: not release.wait(PATIENCE))
    verdicts: list[Verdict] = []

    def guess() -> None:
        verdicts.append(passwords.judge(wrong, "stranger"))

    guesses = [threading.Thread(target=guess) for _ in range(LANE_LENGTH + 1)]
    for thread in guesses:
        thread.start()
    try:
        assert eventually(lambda: verdicts == [Verdict.BUSY], PATIENCE)
        assert passwords.judge(right, "prometheus") is Verdict.GOOD
    finally:
        release.set()
        for thread in guesses:
            thread.join()
    assert verdicts == [Verdict.BUSY] + [Verdict.BAD] * LANE_LENGTH


def test_a_taken_port_is_a_configuration_error() -> None:
    """The operator hears which address and why."""
    with (
        serving() as server,
        pytest.raises(ConfigurationError, match=f"port {server.port}"),
        serving(address=f"127.0.0.1:{server.port}"),
    ):
        pass


def test_responses_never_show_their_body_in_a_log() -> None:
    """A body may name what an attacker should not know, a request may hold a password."""
    assert "secret" not in repr(Response(body=b"secret"))
    assert "secret" not in repr(Request(method="GET", path="/", headers={"authorization": "secret"}))
