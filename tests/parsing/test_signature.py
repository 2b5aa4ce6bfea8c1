"""An issuer is who signed, never who bears the name."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from exporter.demo import pki
from exporter.model import Certificate
from exporter.parsing import signature
from exporter.parsing.signature import verifies
from exporter.parsing.x509 import parse_certificate
from tests.parsing.crafted_der import (
    ECDSA_WITH_SHA1,
    SHA1_WITH_RSA,
    SHA256_WITH_RSA,
    UNKNOWN_ALGORITHM,
    common_name,
    recast,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def parsed(der: bytes) -> Certificate:
    """Parse what must be readable."""
    certificate = parse_certificate(der)
    assert isinstance(certificate, Certificate)
    return certificate


def test_a_ca_verifies_itself_and_what_it_issued() -> None:
    """The key that signed verifies, however often it is asked."""
    ca = pki.make_ca(now=NOW)
    root, leaf = parsed(ca.der), parsed(pki.make_leaf(ca, now=NOW).der)

    assert [verifies(root, root), verifies(root, leaf), verifies(root, leaf)] == [True] * 3
    assert not verifies(leaf, root)


def test_a_namesake_is_not_the_issuer() -> None:
    """kubeadm's CA keeps its name over a rotation; the old one did not issue the new leaf."""
    old, new = pki.make_ca(now=NOW), pki.make_ca(now=NOW)
    leaf = parsed(pki.make_leaf(new, now=NOW).der)

    assert (verifies(parsed(old.der), leaf), verifies(parsed(new.der), leaf)) == (False, True)


def test_a_renewed_ca_of_the_same_key_is_the_issuer_too() -> None:
    """Both the old and the renewed CA certificate verify a leaf."""
    old = pki.make_ca(now=NOW)
    renewed = pki.make_ca(now=NOW + pki.YEAR, key=old.key)
    leaf = parsed(pki.make_leaf(old, now=NOW).der)

    assert verifies(parsed(old.der), leaf)
    assert verifies(parsed(renewed.der), leaf)


def test_a_key_without_the_name_is_not_the_issuer() -> None:
    """Path building goes by names first (RFC 5280, 6.1.3 (a)(4))."""
    ca = pki.make_ca(now=NOW)
    other = pki.make_ca("other", now=NOW, key=ca.key)

    assert not verifies(parsed(other.der), parsed(pki.make_leaf(ca, now=NOW).der))


def test_a_version_1_ca_and_sha1_work() -> None:
    """MicroK8s issues version 1 certificates, and old roots sign with SHA-1."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ca = pki.make_ca(now=NOW, key=key)
    plain = {"version": b"", "extensions": b""}
    root = parsed(recast(ca.der, {**plain, "algorithm": SHA256_WITH_RSA}, key=key))
    leaf = parsed(
        recast(ca.der, {**plain, "subject": common_name(b"x"), "algorithm": SHA1_WITH_RSA}, key=key)
    )

    assert (root.version, leaf.version) == (1, 1)
    assert verifies(root, leaf)


def test_sha1_of_an_elliptic_curve_works() -> None:
    """An outdated hash is judged by a check; here only the key counts."""
    ca = pki.make_ca(now=NOW)
    root = parsed(recast(ca.der, {"algorithm": ECDSA_WITH_SHA1}, key=ca.key))
    stranger = parsed(recast(ca.der, {"algorithm": ECDSA_WITH_SHA1}, key=pki.make_key()))

    assert (root.signature_algorithm, root.is_self_signed) == ("ecdsa-with-SHA1", True)
    assert (stranger.is_self_issued, stranger.is_self_signed) == (True, False)


def test_an_unknown_algorithm_verifies_nothing() -> None:
    """What cannot be verified is not verified, without an exception."""
    ca = pki.make_ca(now=NOW)
    leaf = parsed(recast(pki.make_leaf(ca, now=NOW).der, {"algorithm": UNKNOWN_ALGORITHM}))

    assert not verifies(parsed(ca.der), leaf)


def test_verdicts_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded."""
    monkeypatch.setattr(signature, "_MAX_VERDICTS", 3)
    ca = pki.make_ca(now=NOW)
    root = parsed(ca.der)

    assert all(verifies(root, parsed(pki.make_leaf(ca, now=NOW).der)) for _ in range(10))
    assert len(signature._verdicts) <= 3  # noqa: SLF001 - the bound is the point
