"""What the started program answers, to whom, and how it can be locked."""

import base64
import contextlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import bcrypt
import pytest

from exporter.demo.pki import make_ca, make_leaf
from tests.e2e.running import Running, Scrape, running

CONTROL_PLANE = "kubeadm-1.36-control-plane"


@pytest.fixture
def program(unpacked: Callable[[str], Path]) -> Iterator[Running]:
    """The exporter on a recorded node, on a loopback address."""
    with running(unpacked(CONTROL_PLANE)) as program:
        yield program


@pytest.mark.parametrize(
    ("path", "content_type", "beginning"),
    [
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "# HELP kubepki_"),
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/api/v1/inventory", "application/json", '{"schema_version": 1'),
        ("/healthz", "text/plain; charset=utf-8", "ok"),
        ("/readyz", "text/plain; charset=utf-8", "ok"),
    ],
)
def test_each_page_is_served(path: str, content_type: str, beginning: str, program: Running) -> None:
    """With its type, and with a HEAD that tells the same without a body."""
    answer = program.ask(path)
    head = program.ask(path, method="HEAD")

    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.body.decode().lower().startswith(beginning.lower())
    assert (head.status, head.body, head.headers["Content-Type"]) == (200, b"", content_type)
    assert abs(int(head.headers["Content-Length"]) - len(answer.body)) < 100


def test_the_inventory_is_the_document_of_check(program: Running) -> None:
    """Both have the same schema."""
    document = json.loads(program.ask("/api/v1/inventory").body)

    assert len(document["certificates"]) == 21
    assert document["status"] == "ok"


def test_anything_else_is_refused(program: Running) -> None:
    """404 for what is not there, 405 with the methods that are, and the connection goes on."""
    with contextlib.closing(program.connect()) as connection:
        assert program.ask("/nothing", connection=connection).status == 404
        assert program.ask("/metrics/", connection=connection).status == 404
        refused = program.ask("/metrics", method="DELETE", connection=connection)
        assert (refused.status, set(refused.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})
        assert program.ask("/metrics", connection=connection).status == 200


def test_details_are_closed_on_an_open_address(unpacked: Callable[[str], Path]) -> None:
    """The page and the inventory tell an attacker too much; the metrics are for Prometheus."""
    with running(unpacked(CONTROL_PLANE), listen=":0") as program:
        statuses = {path: program.ask(path).status for path in ("/metrics", "/", "/api/v1/inventory")}

    assert statuses == {"/metrics": 200, "/": 403, "/api/v1/inventory": 403}


def test_details_are_opened_by_a_flag(unpacked: Callable[[str], Path]) -> None:
    """For a network of one's own."""
    with running(unpacked(CONTROL_PLANE), "--web.open-details", listen="0.0.0.0:0") as program:
        assert [program.ask(path).status for path in ("/", "/api/v1/inventory")] == [200, 200]


def test_tls_and_a_password_protect_all_of_it(unpacked: Callable[[str], Path], tmp_path: Path) -> None:
    """With the file of Prometheus' exporter-toolkit; who is known may see the details on any address."""
    now = datetime.fromtimestamp(int(time.time()), UTC)
    ca = make_ca("web-ca", now=now)
    leaf = make_leaf(ca, "web", now=now, sans=("127.0.0.1",))
    (tmp_path / "web.crt").write_bytes(leaf.pem)
    (tmp_path / "web.key").write_bytes(leaf.key_pem)
    hashed = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4)).decode()
    config = tmp_path / "web.yml"
    config.write_text(
        "tls_server_config: {cert_file: web.crt, key_file: web.key}\n"
        f"basic_auth_users: {{prometheus: '{hashed}'}}\n",
        encoding="utf-8",
    )
    trust = ssl.create_default_context(cadata=ca.pem.decode())
    known = {"Authorization": "Basic " + base64.b64encode(b"prometheus:sesame").decode()}

    with running(
        unpacked(CONTROL_PLANE), "--web.config.file", str(config), listen=":0", tls=trust
    ) as program:
        answer = program.ask("/metrics", headers=known)
        stranger = program.ask("/metrics")
        details = program.ask("/", headers=known)

    assert (answer.status, stranger.status, details.status) == (200, 401, 200)
    assert stranger.headers["WWW-Authenticate"].startswith("Basic ")
    assert b"kubepki" not in stranger.body
    scrape = Scrape(answer.body.decode())
    assert len(scrape.places) == 21
    assert scrape.value("kubepki_web_config_last_reload_successful") == 1
