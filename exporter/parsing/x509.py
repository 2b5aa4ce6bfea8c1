"""DER to a Certificate (RFC 5280), field by field: one that cannot be decoded does not cost the others."""

import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from exporter.model import Certificate, Fingerprint, Reason
from exporter.parsing import der as tlv
from exporter.parsing.algorithms import KEY_ALGORITHMS, SIGNATURE_ALGORITHMS
from exporter.parsing.extensions import Extensions, read_extensions
from exporter.parsing.keys import spki_hash
from exporter.parsing.sharing import shared
from exporter.parsing.signature import REFUSALS, quiet, signed_by
from exporter.parsing.text import printable

_T = TypeVar("_T")
_Name = tuple[str, str, tuple[str, ...]]
_NO_NAME: Final[_Name] = ("", "", ())


def parse_certificate(der: bytes) -> Certificate | Reason:
    """Read one certificate; what follows it in *der* does not count.

    Only the dates are required: every other field that cannot be decoded is empty and named as such.
    """
    outer = tlv.element(der)
    if outer is None or outer.tag != tlv.SEQUENCE:
        return Reason.MALFORMED_CERTIFICATE
    der = der[: outer.end]
    with quiet():
        try:
            return _certificate(der, outer, x509.load_der_x509_certificate(der))
        except REFUSALS:
            return Reason.MALFORMED_CERTIFICATE


def _certificate(der: bytes, outer: tlv.Element, loaded: x509.Certificate) -> Certificate:
    issuer_der, subject_der, spki = _encoded_parts(der, outer)
    fields = _Fields()
    issuer, issuer_cn, _ = fields.name("issuer", lambda: loaded.issuer)
    subject, subject_cn, organizations = fields.name("subject", lambda: loaded.subject)
    key = fields.key(loaded)
    extensions = fields.read("extensions", lambda: read_extensions(loaded.extensions), Extensions())
    version = loaded.version.value + 1
    is_self_issued = issuer_der == subject_der
    is_self_signed = is_self_issued and signed_by(loaded, loaded)
    return Certificate(
        fingerprint=Fingerprint(sha256(der).hexdigest()),
        der=der,
        spki_sha256=spki_hash(key, spki),
        version=version,
        serial_number=_hexadecimal(loaded.serial_number),
        subject=subject,
        subject_cn=subject_cn,
        organizations=organizations,
        subject_der=shared(subject_der),
        issuer=issuer,
        issuer_cn=issuer_cn,
        issuer_der=shared(issuer_der),
        not_before=loaded.not_valid_before_utc,
        not_after=loaded.not_valid_after_utc,
        key_algorithm=_named(KEY_ALGORITHMS, loaded.public_key_algorithm_oid),
        key_size=_key_size(key),
        signature_algorithm=_named(SIGNATURE_ALGORITHMS, loaded.signature_algorithm_oid),
        signature_hash=_signature_hash(loaded),
        sans=extensions.sans,
        is_ca=bool(extensions.basic_constraints_ca) or (version == 1 and is_self_signed),
        is_self_issued=is_self_issued,
        is_self_signed=is_self_signed,
        basic_constraints_ca=extensions.basic_constraints_ca,
        key_usage=extensions.key_usage,
        extended_key_usage=extensions.extended_key_usage,
        subject_key_identifier=extensions.subject_key_identifier,
        authority_key_identifier=extensions.authority_key_identifier,
        undecoded=tuple(fields.undecoded),
    )


class _Fields:
    """Reads the fields that may fail and notes those that do."""

    def __init__(self) -> None:
        self.undecoded: list[str] = []

    def read(self, field: str, decode: Callable[[], _T], otherwise: _T) -> _T:
        """Decode one field."""
        try:
            return decode()
        except REFUSALS:
            self.undecoded.append(field)
            return otherwise

    def name(self, field: str, decode: Callable[[], x509.Name]) -> _Name:
        """Decode a name: all of it as in RFC 4514, its common name, and its organizations."""
        return self.read(field, lambda: _name(decode()), _NO_NAME)

    def key(self, loaded: x509.Certificate) -> CertificatePublicKeyTypes | None:
        """Decode the public key; one of an algorithm unknown here is no failure."""
        try:
            return loaded.public_key()
        except UnsupportedAlgorithm:
            return None
        except REFUSALS:
            self.undecoded.append("public_key")
            return None


def _name(name: x509.Name) -> _Name:
    cn = ""
    organizations: list[str] = []
    for attribute in name:
        if attribute.oid == NameOID.COMMON_NAME:
            cn = printable(str(attribute.value))  # the last one counts, as in Go's pkix.Name
        elif attribute.oid == NameOID.ORGANIZATION_NAME:
            organizations.append(sys.intern(printable(str(attribute.value))))
    return sys.intern(printable(name.rfc4514_string())), sys.intern(cn), shared(tuple(organizations))


def _encoded_parts(der: bytes, outer: tlv.Element) -> tuple[bytes, bytes, bytes]:
    """Cut issuer, subject and SubjectPublicKeyInfo out of a certificate (RFC 5280, 4.1)."""
    (tbs,) = tlv.children(der, outer, 1)
    parts = tlv.children(der, tbs, 7)
    _serial, _signature, issuer, _validity, subject, spki = [p for p in parts if p.tag != tlv.VERSION][:6]
    return der[issuer.start : issuer.end], der[subject.start : subject.end], der[spki.start : spki.end]


def _hexadecimal(number: int) -> str:
    """Write whole octets, as ``openssl x509 -serial`` does but in lower case."""
    digits = f"{abs(number):x}"
    return "-" * (number < 0) + "0" * (len(digits) % 2) + digits


def _named(names: Mapping[str, str], oid: x509.ObjectIdentifier) -> str:
    return names.get(oid.dotted_string) or sys.intern(oid.dotted_string)


def _key_size(key: CertificatePublicKeyTypes | None) -> int | None:
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey):
        return key.key_size
    return None


def _signature_hash(loaded: x509.Certificate) -> str:
    try:
        algorithm = loaded.signature_hash_algorithm
    except REFUSALS:
        return ""
    return algorithm.name if algorithm else ""
