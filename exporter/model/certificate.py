"""An X.509 certificate as the facts that operators and checks need (RFC 5280)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

Fingerprint = NewType("Fingerprint", str)
"""SHA-256 over a certificate's DER, in lower-case hexadecimal."""

SpkiHash = NewType("SpkiHash", str)
"""SHA-256 over a DER SubjectPublicKeyInfo, in lower-case hexadecimal: the identity of a key."""


@dataclass(frozen=True, slots=True)
class SubjectAlternativeName:
    """One subject alternative name (RFC 5280, 4.2.1.6)."""

    type: str
    """``dns``, ``ip``, ``email``, ``uri`` or ``other``."""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """A certificate; two of equal fingerprint are the same one wherever they stand.

    A field that could not be decoded is empty and is named in ``undecoded``.
    """

    fingerprint: Fingerprint
    der: bytes = field(repr=False)
    spki_sha256: SpkiHash
    version: int
    serial_number: str
    """Lower-case hexadecimal, with a sign where the (invalid) number is negative."""

    subject: str
    """RFC 4514."""
    subject_cn: str
    organizations: tuple[str, ...]
    """Every O of the subject, in order: the groups of RBAC."""
    subject_der: bytes = field(repr=False)
    issuer: str
    issuer_cn: str
    issuer_der: bytes = field(repr=False)

    not_before: datetime
    not_after: datetime

    key_algorithm: str
    """``RSA``, ``EC``, ``Ed25519``, ``Ed448``, ``DSA``, ``ML-DSA-65`` and so on, else the OID."""
    key_size: int | None
    """Bits; absent where the algorithm has no choice of size or it is unknown."""
    signature_algorithm: str
    """The name of RFC 5912 or the OID where it has none here."""
    signature_hash: str
    """``sha256`` and so on; empty where the algorithm names none."""

    sans: tuple[SubjectAlternativeName, ...]
    is_ca: bool
    """basicConstraints CA, or a self-signed version 1 certificate (used as trust)."""
    is_self_issued: bool
    is_self_signed: bool
    """Its own key verifies its signature."""
    basic_constraints_ca: bool | None
    """The extension's value; None without the extension."""
    key_usage: frozenset[str] | None
    """RFC 5280 names (``keyCertSign``); None without the extension, which permits any."""
    extended_key_usage: frozenset[str] | None
    """RFC 5280 names (``serverAuth``) or OIDs; None without the extension, which permits any."""
    subject_key_identifier: str
    authority_key_identifier: str
    undecoded: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)
