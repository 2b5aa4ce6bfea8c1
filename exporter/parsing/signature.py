"""Whose key made a certificate's signature."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from exporter.model import Certificate, Fingerprint

REFUSALS = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""Everything by which the library says that it cannot decode something."""

_MAX_VERDICTS = 32_768

_verdicts: dict[tuple[Fingerprint, Fingerprint], bool] = {}
"""Fingerprints only: the certificates must not live on because they were compared once."""


def verifies(issuer: Certificate, subject: Certificate) -> bool:
    """The issuer's subject is the subject's issuer, and its key verifies the signature (RFC 5280, 6.1.3).

    False where the algorithm is unknown here. Neither dates nor extensions count: a version 1 CA works.
    """
    if issuer.subject_der != subject.issuer_der:
        return False
    pair = (issuer.fingerprint, subject.fingerprint)
    verdict = _verdicts.get(pair)
    if verdict is None:
        with quiet():
            verdict = signed_by(
                x509.load_der_x509_certificate(issuer.der), x509.load_der_x509_certificate(subject.der)
            )
        if len(_verdicts) >= _MAX_VERDICTS:
            _verdicts.clear()
        _verdicts[pair] = verdict
    return verdict


def signed_by(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    """The issuer's key verifies the subject's signature; the caller has compared the names."""
    try:
        try:
            subject.verify_directly_issued_by(issuer)
        except ValueError:
            _verify_outdated(issuer.public_key(), subject)
    except (InvalidSignature, *REFUSALS):
        return False
    return True


def _verify_outdated(key: CertificatePublicKeyTypes, subject: x509.Certificate) -> None:
    """Verify with a hash that the library no longer takes in a chain, but that old CAs are signed with."""
    signature, signed, outdated = (
        subject.signature,
        subject.tbs_certificate_bytes,
        subject.signature_hash_algorithm,
    )
    match key, outdated:
        case rsa.RSAPublicKey(), hashes.SHA1() | hashes.MD5():
            key.verify(signature, signed, padding.PKCS1v15(), outdated)
        case ec.EllipticCurvePublicKey(), hashes.SHA1():
            key.verify(signature, signed, ec.ECDSA(outdated))
        case _:
            raise InvalidSignature


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the library's remarks on what certificates should not say: they say it anyway."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
