"""The web configuration file as Prometheus' exporter-toolkit defines it, checked key by key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from exporter.server import web_values
from exporter.server.auth import MAX_COST, cost_of

CLIENT_AUTH: Final = (
    "NoClientCert",
    "RequestClientCert",
    "VerifyClientCertIfGiven",
    "RequireAndVerifyClientCert",
)
TLS_VERSIONS: Final = ("TLS12", "TLS13")
CURVES: Final[Mapping[str, str]] = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}
CIPHERS: Final[Mapping[str, str]] = {
    "TLS_AES_128_GCM_SHA256": "",
    "TLS_AES_256_GCM_SHA384": "",
    "TLS_CHACHA20_POLY1305_SHA256": "",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
"""Go's names to OpenSSL's; those of TLS 1.3 cannot be chosen, as in Go."""
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""What may be set, and to which values; empty means any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """The section ``tls_server_config``, with Go's names."""

    cert: str = ""
    cert_file: str = ""
    key: str = field(default="", repr=False)
    key_file: str = ""
    client_ca: str = ""
    client_ca_file: str = ""
    client_auth_type: str = "NoClientCert"
    client_allowed_sans: tuple[str, ...] = ()
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    curve_preferences: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """A whole file; an empty one asks for nothing."""

    tls: TlsSettings | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate_interval: float = 0.0
    """Seconds per token; 0 limits nothing."""
    rate_burst: int = 0


def read_settings(document: object) -> WebSettings:
    """Check a parsed file; raises ConfigurationError naming key and allowed values."""
    sections = web_values.mapping(document, "the file")
    web_values.known(
        sections, ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"), ""
    )
    http = web_values.section(sections.get("http_server_config"), _HTTP, "http_server_config")
    rate = web_values.section(sections.get("rate_limit"), _RATE, "rate_limit")
    if rate.get("interval") and not rate.get("burst"):
        web_values.refuse("rate_limit.burst: must be at least 1 where interval is set")
    return WebSettings(
        tls=_tls(sections.get("tls_server_config")),
        headers=http.get("headers", {}),
        users=_users(sections.get("basic_auth_users")),
        rate_interval=rate.get("interval", 0.0),
        rate_burst=rate.get("burst", 0),
    )


def _tls(section: object) -> TlsSettings | None:
    given = web_values.section(section, _TLS, "tls_server_config")
    if not any(
        given.get(key) for key in ("cert", "cert_file", "key", "key_file", "client_ca", "client_ca_file")
    ):
        if given:
            web_values.refuse("tls_server_config: cert_file and key_file are missing")
        return None
    settings = TlsSettings(**given)
    for inline, named in (("cert", "cert_file"), ("key", "key_file"), ("client_ca", "client_ca_file")):
        if getattr(settings, inline) and getattr(settings, named):
            web_values.refuse(f"tls_server_config: {inline} and {named} exclude each other")
        if inline != "client_ca" and not getattr(settings, inline) and not getattr(settings, named):
            web_values.refuse(f"tls_server_config: {named} or {inline} is missing")
    _consistent(settings)
    return settings


def _consistent(settings: TlsSettings) -> None:
    verifies = settings.client_auth_type in CLIENT_AUTH[2:]
    if verifies and not (settings.client_ca or settings.client_ca_file):
        web_values.refuse(
            f"tls_server_config.client_ca_file: missing, and {settings.client_auth_type} needs it"
        )
    if not verifies and (settings.client_ca or settings.client_ca_file):
        allowed = " or ".join(CLIENT_AUTH[2:])
        web_values.refuse(f"tls_server_config.client_auth_type: must be {allowed} where a client CA is set")
    if settings.client_allowed_sans and settings.client_auth_type != "RequireAndVerifyClientCert":
        web_values.refuse(
            "tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert"
        )
    if settings.min_version > settings.max_version:
        web_values.refuse("tls_server_config.min_version: is above max_version")
    if len(settings.curve_preferences) > 1:
        web_values.refuse("tls_server_config.curve_preferences: only one curve can be set here")


def _users(section: object) -> Mapping[str, str]:
    users = {}
    for user, hashed in ({} if section is None else web_values.mapping(section, "basic_auth_users")).items():
        if not isinstance(hashed, str) or cost_of(hashed) is None:
            web_values.refuse(
                f"basic_auth_users.{user}: must be a bcrypt hash ($2y$...) of a cost from 4 to {MAX_COST}"
            )
        if ":" in user:
            web_values.refuse(f"basic_auth_users: the name {user!r} has a colon, which no client can send")
        users[user] = hashed
    return users


def _headers(value: object, where: str) -> Mapping[str, str]:
    headers = {}
    for name, text in web_values.mapping(value, where).items():
        if name not in HEADERS:
            web_values.refuse(f"{where}.{name}: cannot be set; allowed: {', '.join(HEADERS)}")
        headers[name] = web_values.text("" if text is None else text, f"{where}.{name}")
        if headers[name] and HEADERS[name]:
            web_values.one_of(HEADERS[name])(text, f"{where}.{name}")
        if not headers[name].isprintable() or not headers[name].isascii():
            web_values.refuse(f"{where}.{name}: must be one line of ASCII")
    return headers


_TLS: Final[Mapping[str, web_values.Reader]] = {
    "cert": web_values.text,
    "cert_file": web_values.text,
    "key": web_values.text,
    "key_file": web_values.text,
    "client_ca": web_values.text,
    "client_ca_file": web_values.text,
    "client_auth_type": web_values.one_of(
        CLIENT_AUTH, "; RequireAnyClientCert would let in who has made a certificate, and is not offered here"
    ),
    "client_allowed_sans": web_values.texts,
    "min_version": web_values.one_of(TLS_VERSIONS),
    "max_version": web_values.one_of(TLS_VERSIONS),
    "cipher_suites": web_values.some_of(CIPHERS),
    "curve_preferences": web_values.some_of(CURVES),
    "prefer_server_cipher_suites": web_values.boolean,
}
_HTTP: Final[Mapping[str, web_values.Reader]] = {"http2": web_values.boolean, "headers": _headers}
_RATE: Final[Mapping[str, web_values.Reader]] = {"interval": web_values.duration, "burst": web_values.count}
