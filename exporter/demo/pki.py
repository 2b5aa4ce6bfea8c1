"""Real throwaway certificates whose defaults are valid; a caller states only the deviation."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = (
    ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
)

YEAR = timedelta(days=365)
BACKDATED = timedelta(minutes=5)
"""How long before its issue a certificate starts, as kubeadm has it (``pki_helpers.go``)."""

_USAGES = {"serverAuth": ExtendedKeyUsageOID.SERVER_AUTH, "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with the private key that belongs to it."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM, as kubeadm writes it (``keyutil``)."""
        return private_pem(self.key)


def private_pem(key: PrivateKey) -> bytes:
    """Encode a private key in PEM."""
    traditional = isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(key: PrivateKey) -> bytes:
    """Encode the public half in PEM, as ``sa.pub`` holds it."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def make_key() -> ec.EllipticCurvePrivateKey:
    """Make a key of the quickest kind that every component accepts."""
    return ec.generate_private_key(ec.SECP256R1())


def name(cn: str, organizations: Iterable[str] = ()) -> x509.Name:
    """Make a subject of organizations and a common name, in kubeadm's order."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    if cn:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, cn))
    return x509.Name(attributes)


def general_name(text: str) -> x509.GeneralName:
    """Read a subject alternative name: an address where it looks like one, else a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def make_ca(
    cn: str | x509.Name = "kubernetes",
    *,
    now: datetime,
    life: timedelta = 10 * YEAR,
    issuer: Issued | None = None,
    key: PrivateKey | None = None,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> Issued:
    """Make a CA as ``kubeadm init phase certs`` does; self-signed unless *issuer* is given.

    A whole name in place of a CN keeps its encoding, as a CA of the same name must have it.
    """
    key = key or make_key()
    start = not_before or now - BACKDATED
    subject = name(cn) if isinstance(cn, str) else cn
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(not_after or now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_common_name(subject))]), critical=False)
    )
    return Issued(sign(builder, issuer.key if issuer else key), key)


def make_leaf(  # noqa: PLR0913 - each argument is one deviation from a valid default
    issuer: Issued,
    cn: str = "kube-apiserver",
    *,
    now: datetime,
    organizations: Sequence[str] = (),
    sans: Sequence[str | x509.GeneralName] = (),
    usages: Sequence[str] | None = ("serverAuth",),
    life: timedelta = YEAR,
    key: PrivateKey | None = None,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    serial: int | None = None,
) -> Issued:
    """Make an end-entity certificate as kubeadm does; ``usages=None`` leaves the extension out."""
    key = key or make_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(cn, organizations))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(not_before or now - BACKDATED)
        .not_valid_after(not_after or now + life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=False), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGES[u] for u in usages]), critical=False)
    if sans:
        names = [san if isinstance(san, x509.GeneralName) else general_name(san) for san in sans]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Issued(sign(builder, issuer.key), key)


def sign(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    """Sign with the hash that the key needs."""
    needs_none = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(key, None if needs_none else hashes.SHA256())


def _common_name(subject: x509.Name) -> str:
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
