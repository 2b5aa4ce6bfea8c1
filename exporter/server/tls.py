"""The door to the TLS library: a context from settings and PEM bytes, with errors that say what is wrong."""

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from exporter.server.protection import canonical
from exporter.server.web_schema import CIPHERS, CURVES, TlsSettings
from exporter.server.web_values import ConfigurationError

_VERSIONS: Final = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_AUTH: Final = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What files or inline values hold, in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes = b""


class Endpoint:
    """The server's side of TLS connections under one configuration."""

    def __init__(self, settings: TlsSettings, material: Material) -> None:
        """Build the context; raises ConfigurationError."""
        self._context = _context(settings, material)

    def wrap(self, client: socket.socket) -> socket.socket:
        """Put TLS over a socket, without a word to the client yet."""
        return self._context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)

    def shake_hands(self, client: socket.socket) -> frozenset[str]:
        """Do the handshake within the socket's timeout, and tell the names in the client's certificate."""
        if not isinstance(client, ssl.SSLSocket):
            return frozenset()
        client.do_handshake()
        names = (client.getpeercert() or {}).get("subjectAltName", ())
        return frozenset(_names(names if isinstance(names, tuple) else ()))

    def part(self, client: socket.socket) -> None:
        """Tell the client that this was all, without waiting for its answer."""
        with contextlib.suppress(OSError, ValueError):
            client.settimeout(0)
            if isinstance(client, ssl.SSLSocket):
                client.unwrap()


def _names(names: tuple[object, ...]) -> Iterator[str]:
    for entry in names:
        match entry:
            case ("IP Address", str(address)):
                yield canonical(address)
            case ("DNS" | "email" | "URI", str(name)):
                yield name


def _context(settings: TlsSettings, material: Material) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.min_version]
    context.maximum_version = _VERSIONS[settings.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # Resumed sessions would outlive a change of the client CA.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if not settings.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    if ciphers := [CIPHERS[name] for name in settings.cipher_suites if CIPHERS[name]]:
        context.set_ciphers(":".join(ciphers))
    if settings.curve_preferences:
        context.set_ecdh_curve(CURVES[settings.curve_preferences[0]])
    _load_pair(context, material)
    if settings.client_auth_type in _AUTH:
        context.verify_mode = _AUTH[settings.client_auth_type]
        _load_client_authorities(context, material.client_ca)
    return context


def _load_pair(context: ssl.SSLContext, material: Material) -> None:
    with _in_memory(material.certificate) as certificate, _in_memory(material.key) as key:
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                message = "tls_server_config: the key does not belong to the certificate"
            else:
                message = "tls_server_config: certificate or key is not PEM that OpenSSL can use"
            raise ConfigurationError(message) from error


def _load_client_authorities(context: ssl.SSLContext, bundle: bytes) -> None:
    blocks = _CERTIFICATE.findall(bundle)  # text between the blocks need not be ASCII
    try:
        context.load_verify_locations(cadata="\n".join(block.decode("ascii") for block in blocks))
    except (ssl.SSLError, ValueError) as error:
        message = "tls_server_config: the client CA is no certificate in PEM"
        raise ConfigurationError(message) from error


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Give bytes a path, which is all that OpenSSL's loader takes, without writing them to a disk."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _no_password() -> str:
    """Refuse an encrypted key; without this OpenSSL would ask on the terminal."""
    message = "tls_server_config: the key is encrypted, and there is no setting for its password"
    raise ConfigurationError(message)
