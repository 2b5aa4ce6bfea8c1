"""TLS, client certificates and reloads, with real certificates and Python's own client."""

import http.client
import os
import socket
import ssl
from contextlib import closing
from pathlib import Path

import bcrypt
import pytest

from exporter.server import ConfigurationError, Server, WebConfig, web_config
from tests.server.speaking import BODY, PATIENCE, Pki, ask, ask_again, connect, serving
from tests.waiting import eventually

CLIENTS = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n"


@pytest.fixture
def files(tmp_path: Path) -> Pki:
    """A server pair and its CA."""
    return Pki(tmp_path)


@pytest.fixture(autouse=True)
def _prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the files at each request, so that no test has to wait a second."""
    monkeypatch.setattr(web_config, "CHECK_SECONDS", 0.0)


def test_https_serves_and_keeps_the_connection(files: Pki) -> None:
    """A client that verifies the server gets its answers over one connection."""
    with serving(config=files.config("")) as server, closing(connect(server, files.context())) as client:
        assert [ask_again(client).body for _ in range(3)] == [BODY] * 3
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.version() == "TLSv1.3"


def test_plain_http_on_the_https_port_is_told_so(files: Pki) -> None:
    """The most common mistake gets a sentence, not a broken pipe."""
    with serving(config=files.config("")) as server:
        answer = ask(server)
    assert (answer.status, answer.body) == (400, b"this port speaks HTTPS\n")


def test_a_client_that_does_not_shake_hands_delays_nobody(files: Pki) -> None:
    """Handshakes happen in the connection's own thread."""
    with serving(config=files.config("")) as server:
        held = [socket.create_connection(("127.0.0.1", server.port), PATIENCE) for _ in range(100)]
        for client in held[::2]:
            client.sendall(b"\x16\x03\x01")
        assert ask(server, tls=files.context()).body == BODY
        for client in held:
            client.close()


def test_versions_ciphers_and_curves_are_honoured(files: Pki) -> None:
    """What the configuration allows is what a handshake gets."""
    text = (
        "  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n"
        "  curve_preferences: [CurveP384]\n  prefer_server_cipher_suites: false\n"
    )
    with serving(config=files.config(text)) as server:
        with closing(connect(server, files.context())) as client:
            client.connect()
            assert isinstance(client.sock, ssl.SSLSocket)
            assert client.sock.cipher() == ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2", 256)
        newer = files.context()
        newer.minimum_version = ssl.TLSVersion.TLSv1_3
        with pytest.raises(ssl.SSLError):
            ask(server, tls=newer)


def test_inline_material_serves_as_files_do(files: Pki) -> None:
    """cert and key may stand in the file itself."""
    indented = {
        name: (files.directory / name).read_text().replace("\n", "\n    ") for name in ("tls.crt", "tls.key")
    }
    path = files.directory / "inline.yml"
    path.write_text(
        f"tls_server_config:\n  cert: |\n    {indented['tls.crt']}\n  key: |\n    {indented['tls.key']}\n"
    )
    with serving(config=path) as server:
        assert ask(server, tls=files.context()).body == BODY


def refused(server: Server, tls: ssl.SSLContext) -> bool:
    """Tell whether the server ends the connection instead of answering."""
    try:
        ask(server, tls=tls)
    except (OSError, http.client.HTTPException):
        return True
    return False


def test_client_certificates_are_required_and_verified(files: Pki) -> None:
    """No certificate, a foreign one and a server's one are refused; the right one also opens the details."""
    with serving(address="0.0.0.0:0", config=files.config(CLIENTS)) as server:
        assert refused(server, files.context())
        assert refused(server, files.context(files.client(authority=files.authority)))
        assert ask(server, "/", tls=files.context(files.client())).status == 200


def test_a_certificate_only_if_given_is_no_authentication(files: Pki) -> None:
    """VerifyClientCertIfGiven lets everybody in, so details stay closed on a network."""
    text = CLIENTS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    with serving(address="0.0.0.0:0", config=files.config(text)) as server:
        assert ask(server, tls=files.context()).body == BODY
        assert ask(server, "/", tls=files.context(files.client())).status == 403
        assert refused(server, files.context(files.client(authority=files.authority)))


@pytest.mark.parametrize(
    ("san", "is_allowed"), [("prometheus.example", True), ("2001:DB8::0:1", True), ("other.example", False)]
)
def test_client_names_are_allowed_one_by_one(files: Pki, san: str, is_allowed: bool) -> None:
    """client_allowed_sans matches exactly, addresses in any spelling."""
    text = CLIENTS + "  client_allowed_sans: [prometheus.example, '2001:db8:0:0::1']\n"
    with serving(config=files.config(text)) as server:
        assert refused(server, files.context(files.client(san))) is not is_allowed


def test_a_renewed_pair_serves_new_connections(files: Pki) -> None:
    """The file is replaced as a projected Secret is: the next connection has the new certificate."""
    with serving(config=files.config("")) as server:
        before = served(server)
        files.issue("renewed")
        assert served(server) != before


def served(server: Server) -> bytes:
    """The certificate on the wire."""
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=PATIENCE).encode()


def test_a_broken_reload_is_kept_out_and_said(files: Pki) -> None:
    """The old rules go on serving, the attributes tell, and the repair is taken up."""
    path = files.config("")
    config = WebConfig(str(path))
    first = config.current()
    success = config.last_reload_success
    assert config.reload_successful
    path.write_text("tls_server_config:\n  cert_fil: tls.crt\n")
    assert config.current() is first
    assert not config.reload_successful
    assert config.last_reload_success == success
    files.config("")
    assert config.current() is not first
    assert config.reload_successful
    assert config.last_reload_success > success


@pytest.mark.parametrize("text", ["", "\n", "# back in a moment\n"])
def test_an_emptied_file_opens_nothing(text: str, files: Pki) -> None:
    """Who rewrites it in place empties it first; only ``{}`` says that all protection shall go."""
    path = files.config("")
    config = WebConfig(str(path))
    first = config.current()
    path.write_text(text)
    assert config.current() is first
    assert not config.reload_successful
    path.write_text("{}\n")
    assert config.current().tls is None
    assert config.reload_successful


def test_an_emptied_file_keeps_asking_for_passwords(tmp_path: Path) -> None:
    """Without TLS as well."""
    path = tmp_path / "web.yml"
    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
    path.write_text(f"basic_auth_users:\n  alice: {hashed}\n")
    with serving(config=path) as server:
        path.write_text("")
        assert ask(server).status == 401
        path.write_text("{}\n")
        assert ask(server).status == 200


def test_an_emptied_file_that_protected_nothing_is_as_good_as_before(tmp_path: Path) -> None:
    """There is nothing to lose, and so nothing to report."""
    path = tmp_path / "web.yml"
    path.write_text("http_server_config:\n  http2: true\n")
    config = WebConfig(str(path))
    path.write_text("")
    config.current()
    assert config.reload_successful


def test_a_half_written_pair_is_taken_up_when_it_is_whole(files: Pki) -> None:
    """The certificate of a new pair with the key of the old one waits for the key."""
    config = WebConfig(str(files.config("")))
    first = config.current()
    key = (files.directory / "tls.key").read_bytes()
    files.issue()
    new_key = (files.directory / "tls.key").read_bytes()
    (files.directory / "tls.key").write_bytes(key)
    assert config.current() is first
    assert not config.reload_successful
    (files.directory / "tls.key").write_bytes(new_key)
    assert config.current() is not first
    assert config.reload_successful


def test_an_unchanged_configuration_is_not_read_again(files: Pki) -> None:
    """The same rules stay, with their memory of good passwords."""
    config = WebConfig(str(files.config("")))
    assert config.current() is config.current()


def test_a_vanished_file_keeps_the_old_rules_until_it_is_back(files: Pki) -> None:
    """Between unlink and create there is no gap."""
    config = WebConfig(str(files.config("")))
    first = config.current()
    (files.directory / "tls.crt").rename(files.directory / "away")
    assert config.current() is first
    assert not config.reload_successful
    (files.directory / "away").rename(files.directory / "tls.crt")
    assert eventually(lambda: config.current() is not None and config.reload_successful, PATIENCE)


def test_new_rules_reach_a_connection_that_stays_open(files: Pki) -> None:
    """A password is asked for from the next request on, and a client without certificate has to come back."""
    with serving(config=files.config("")) as server, closing(connect(server, files.context())) as client:
        assert ask_again(client).status == 200
        hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
        files.config(f"basic_auth_users:\n  alice: {hashed}\n")
        answer = ask_again(client)
        assert (answer.status, answer.headers["Connection"]) == (401, "close")


def test_an_encrypted_key_is_refused_without_asking(files: Pki) -> None:
    """Nothing waits for a pass phrase on a terminal."""
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"
    (files.directory / "tls.key").write_bytes(encrypted)
    with pytest.raises(ConfigurationError, match="key"):
        WebConfig(str(files.config("")))


def test_a_key_of_another_certificate_is_refused_by_name(files: Pki) -> None:
    """The message tells a mismatch from a broken file."""
    key = (files.directory / "tls.key").read_bytes()
    files.issue()
    (files.directory / "tls.key").write_bytes(key)
    with pytest.raises(ConfigurationError, match="does not belong"):
        WebConfig(str(files.config("")))


def test_a_fifo_is_no_certificate(files: Pki) -> None:
    """Reading it would never end."""
    (files.directory / "tls.crt").unlink()
    os.mkfifo(files.directory / "tls.crt")
    with pytest.raises(ConfigurationError, match="regular file"):
        WebConfig(str(files.config("")))
