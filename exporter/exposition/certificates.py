"""Families of one certificate in one place; what is printed rests on that occurrence alone."""

from collections.abc import Iterator
from typing import Final

from exporter.exposition.family import PLACE, Sample, per_certificate
from exporter.model import Occurrence

MAX_SANS: Final = 64
"""Subject alternative names listed for one certificate."""

_FILE: Final = (*PLACE, "role", "is_ca", "state")
"""The labels on which arithmetic between the timestamp families relies."""


@per_certificate(
    "kubepki_certificate_not_after_timestamp_seconds",
    "Unix time at which the certificate stops being valid (X.509 notAfter).",
    _FILE,
)
def not_after(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample."""
    yield _file(occurrence), occurrence.certificate.not_after.timestamp()


@per_certificate(
    "kubepki_certificate_not_before_timestamp_seconds",
    "Unix time from which the certificate is valid (X.509 notBefore).",
    _FILE,
)
def not_before(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample."""
    yield _file(occurrence), occurrence.certificate.not_before.timestamp()


@per_certificate(
    "kubepki_certificate_effective_not_after_timestamp_seconds",
    "Unix time at which the certificate really stops working: the earliest notAfter on its best path up to "
    "the last issuer known here, its own where none is known.",
    _FILE,
)
def effective_not_after(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample, always."""
    yield _file(occurrence), occurrence.effective_not_after.timestamp()


@per_certificate(
    "kubepki_certificate_info",
    "What the certificate says, 1 for each place. Subject and issuer are written as in RFC 4514, the "
    "fingerprint is the SHA-256 of the DER in lower-case hexadecimal; the fingerprint of the issuer is that "
    "on the path of the effective end, empty when self-signed or not known here.",
    (
        *_FILE,
        "subject",
        "subject_cn",
        "issuer",
        "issuer_cn",
        "issuer_fingerprint",
        "serial_number",
        "fingerprint",
        "key_algorithm",
        "key_size",
        "signature_algorithm",
    ),
)
def info(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample."""
    certificate = occurrence.certificate
    yield (
        (
            *_file(occurrence),
            certificate.subject,
            certificate.subject_cn,
            certificate.issuer,
            certificate.issuer_cn,
            occurrence.issuer_fingerprint or "",
            certificate.serial_number,
            certificate.fingerprint,
            certificate.key_algorithm,
            "" if certificate.key_size is None else str(certificate.key_size),
            certificate.signature_algorithm,
        ),
        1,
    )


@per_certificate(
    "kubepki_certificate_issuer_info",
    "1 for each CA known here whose key verifies the signature of the certificate; there are two after a CA "
    "renewal with the same key.",
    (*PLACE, "role", "issuer_role", "issuer_fingerprint"),
)
def issuer_info(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample for each issuer."""
    for issuer in occurrence.issuers:
        yield (*_place(occurrence), occurrence.role, issuer.role, issuer.fingerprint), 1


@per_certificate(
    "kubepki_certificate_san_info",
    f"1 for each subject alternative name of the certificate, the first {MAX_SANS}.",
    (*PLACE, "type", "value"),
)
def san_info(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample for each name; a name that stands there twice is one."""
    for san in occurrence.certificate.sans[:MAX_SANS]:
        yield (*_place(occurrence), san.type, san.value), 1


@per_certificate(
    "kubepki_certificate_sans",
    "How many subject alternative names the certificate has, also the ones that are not listed.",
    (*PLACE, "role"),
)
def sans(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample."""
    yield (*_place(occurrence), occurrence.role), len(occurrence.certificate.sans)


@per_certificate(
    "kubepki_certificate_rotation_due_timestamp_seconds",
    "Unix time by which the component that rotates the certificate by itself must have done so; absent where "
    "nothing rotates it.",
    (*PLACE, "role", "state"),
)
def rotation_due(occurrence: Occurrence) -> Iterator[Sample]:
    """One sample where something rotates it."""
    if occurrence.rotation_due is not None:
        yield (
            (*_place(occurrence), occurrence.role, occurrence.state),
            occurrence.rotation_due.timestamp(),
        )


def _place(occurrence: Occurrence) -> tuple[str, str, str]:
    place = occurrence.place
    return place.path, place.entry, str(place.index)


def _file(occurrence: Occurrence) -> tuple[str, ...]:
    is_ca = "true" if occurrence.certificate.is_ca else "false"
    return *_place(occurrence), occurrence.role, is_ca, occurrence.state
