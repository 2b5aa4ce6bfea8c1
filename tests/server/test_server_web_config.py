"""The web configuration file: the documented format is taken, everything else refused by name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.server import ConfigurationError, WebConfig
from exporter.server.protection import Limiter
from exporter.server.web_schema import WebSettings, read_settings
from tests.server.speaking import ask, serving

HASH = "$2y$10$" + "a" * 53
TLS = {"cert_file": "a", "key_file": "b"}


def test_an_empty_file_asks_for_nothing(tmp_path: Path) -> None:
    """Comments alone are an empty file, as in exporter-toolkit."""
    path = tmp_path / "web.yml"
    for text in ("", "# nothing yet\n", "{}"):
        path.write_text(text)
        protection = WebConfig(str(path)).current()
        assert (protection.tls, protection.passwords, protection.authenticates) == (None, None, False)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the file: must hold keys and values"),
        ({"tls": {}}, "tls: unknown key; allowed: tls_server_config"),
        ({"tls_server_config": {**TLS, "cipher": 1}}, "tls_server_config.cipher: unknown key"),
        ({"tls_server_config": {"cert_file": "a"}}, "key_file or key is missing"),
        ({"tls_server_config": {"min_version": "TLS12"}}, "cert_file and key_file are missing"),
        ({"tls_server_config": {**TLS, "cert": "x"}}, "exclude each other"),
        ({"tls_server_config": {**TLS, "min_version": "TLS10"}}, "not one of TLS12, TLS13"),
        ({"tls_server_config": {**TLS, "min_version": "TLS13", "max_version": "TLS12"}}, "above max_version"),
        ({"tls_server_config": {**TLS, "cipher_suites": ["RC4"]}}, "not one of TLS_AES_128_GCM_SHA256"),
        ({"tls_server_config": {**TLS, "curve_preferences": ["X448"]}}, "not one of CurveP256"),
        ({"tls_server_config": {**TLS, "curve_preferences": ["X25519", "CurveP256"]}}, "only one curve"),
        ({"tls_server_config": {**TLS, "client_auth_type": "RequireAnyClientCert"}}, "not offered here"),
        (
            {"tls_server_config": {**TLS, "client_auth_type": "RequireAndVerifyClientCert"}},
            "client_ca_file: missing",
        ),
        ({"tls_server_config": {**TLS, "client_ca_file": "c"}}, "client_auth_type: must be"),
        ({"tls_server_config": {**TLS, "client_allowed_sans": ["x"]}}, "client_allowed_sans: needs"),
        ({"tls_server_config": {**TLS, "prefer_server_cipher_suites": "no"}}, "true or false"),
        ({"tls_server_config": {**TLS, "cert_file": 5}}, "cert_file: must be text"),
        ({"http_server_config": {"http2": 1}}, "http2: must be true or false"),
        ({"http_server_config": {"headers": {"Server": "x"}}}, "headers.Server: cannot be set"),
        ({"http_server_config": {"headers": {"X-Frame-Options": "no"}}}, "deny, sameorigin"),
        ({"http_server_config": {"headers": {"X-XSS-Protection": "0\r\nA: b"}}}, "one line of ASCII"),
        ({"basic_auth_users": {"alice": "secret"}}, "basic_auth_users.alice: must be a bcrypt hash"),
        ({"basic_auth_users": {"alice": HASH.replace("$10$", "$31$")}}, "cost from 4 to 18"),
        ({"basic_auth_users": {"a:b": HASH}}, "has a colon"),
        ({"rate_limit": {"interval": "1 second", "burst": 1}}, "no duration"),
        ({"rate_limit": {"interval": "1s"}}, "burst: must be at least 1"),
        ({"rate_limit": {"burst": -1}}, "whole number"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_key(document: object, message: str) -> None:
    """Each refusal names the key and what is allowed."""
    with pytest.raises(ConfigurationError, match=message.replace("(", r"\(")):
        read_settings(document)


def test_a_refusal_never_repeats_a_secret() -> None:
    """What was meant as a password does not end in a log."""
    with pytest.raises(ConfigurationError) as refusal:
        read_settings({"basic_auth_users": {"alice": "hunter2"}})
    assert "hunter2" not in str(refusal.value)


def test_the_whole_format_is_read() -> None:
    """Every key of the format that can be honoured has its place."""
    settings = read_settings(
        {
            "tls_server_config": {
                **TLS,
                "client_ca_file": "c",
                "client_auth_type": "RequireAndVerifyClientCert",
                "client_allowed_sans": ["x"],
                "min_version": "TLS13",
                "curve_preferences": ["X25519"],
                "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
            },
            "http_server_config": {"http2": True, "headers": {"X-Frame-Options": "deny"}},
            "basic_auth_users": {"alice": HASH},
            "rate_limit": {"interval": "1m30s", "burst": 20},
        }
    )
    assert settings.tls is not None
    assert settings.tls.client_allowed_sans == ("x",)
    assert (settings.rate_interval, settings.rate_burst) == (90.0, 20)
    assert settings.headers == {"X-Frame-Options": "deny"}
    assert HASH not in repr(settings)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ("tls_server_config", "http_server_config", "headers", "basic_auth_users", "rate_limit", "x")
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(_JSON)
def test_any_document_is_settings_or_a_refusal(document: object) -> None:
    """No shape of the file raises anything else."""
    try:
        assert isinstance(read_settings(document), WebSettings)
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tls_server_config: [", "is not YAML"),
        (
            "tls_server_config:\n  cert_file: nowhere\n  key_file: b\n",
            "cert_file: .*nowhere",
        ),
    ],
)
def test_a_refusal_at_start_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    """The operator sees which file, which key and why."""
    path = tmp_path / "web.yml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=f"{path}: .*{message}"):
        WebConfig(str(path))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        WebConfig(str(tmp_path / "absent.yml"))


def test_configured_headers_win_and_blank_removes(tmp_path: Path) -> None:
    """The operator's word is the last one."""
    path = tmp_path / "web.yml"
    path.write_text(
        "http_server_config:\n  headers:\n"
        "    Strict-Transport-Security: max-age=60\n    X-Frame-Options: ''\n"
    )
    with serving(config=path) as server:
        headers = ask(server).headers
    assert headers["Strict-Transport-Security"] == "max-age=60"
    assert "X-Frame-Options" not in headers


def test_the_rate_limit_spares_probes(tmp_path: Path) -> None:
    """Past the burst metrics answer 429, and the kubelet still hears that all is well."""
    path = tmp_path / "web.yml"
    path.write_text("rate_limit:\n  interval: 1h\n  burst: 2\n")
    with serving(config=path) as server:
        assert [ask(server).status for _ in range(3)] == [200, 200, 429]
        assert ask(server, "/healthz").status == 200


def test_a_bucket_fills_with_time() -> None:
    """One token per interval, never more than the burst."""
    limiter = Limiter(interval=2.0, burst=1)
    assert [limiter.allows(now) for now in (10.0, 10.5, 12.5, 12.6, 100.0, 100.1)] == [
        True,
        False,
        True,
        False,
        True,
        False,
    ]
