"""Whether a CA that the peers trust vouches for a certificate, and for how long (RFC 5280, 6.1)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from exporter.checks.check import Objection, certificate_check, check
from exporter.checks.trust import is_for_other_names, is_trusted, trusted_by_peers
from exporter.model import Certificate, Inventory, Occurrence, Role, Severity, State

TOLERATED = timedelta(days=1)
"""Certificates of one life that were signed a moment after their CA are as good as equal to it."""
_NAMED: Final = 4
"""How many CAs a sentence names."""


def _untrusted(inventory: Inventory) -> Iterator[tuple[Occurrence, tuple[Certificate, ...]]]:
    """Each leaf in use that its peers do not trust, with what they do trust."""
    trusted_by: dict[Role, tuple[Certificate, ...]] = {}
    for occurrence in inventory.occurrences:
        certificate, role = occurrence.certificate, occurrence.role
        if occurrence.state is not State.IN_USE or certificate.is_ca or certificate.is_self_signed:
            continue
        if role not in trusted_by:
            trusted_by[role] = trusted_by_peers(role, inventory)
        trusted, path = trusted_by[role], occurrence.place.path
        if not trusted or is_for_other_names(path, inventory):
            continue
        if not is_trusted(certificate, (found.certificate for found in inventory.at(path)), trusted):
            yield occurrence, trusted


@check(
    severity=Severity.CRITICAL,
    cites="RFC 5280, 6.1.3 (a)(1); kubernetes/kubeadm#2027",
    waits=True,
)
def issuer_missing(inventory: Inventory) -> Iterator[Objection]:
    """No CA known here has signed the certificate, and its peers verify it."""
    for found, _ in _untrusted(inventory):
        if not found.issuers:
            issuer = found.certificate.issuer
            yield Objection.to(found, f"its issuer {issuer!r} has signed it with a key of no CA on this node")


@check(
    severity=Severity.CRITICAL,
    cites="RFC 5280, 6.1.1 (d); kubernetes/kubernetes#25063",
    waits=True,
)
def issued_by_wrong_ca(inventory: Inventory) -> Iterator[Objection]:
    """The certificate is signed by a CA that the peers of its role do not trust."""
    for found, trusted in _untrusted(inventory):
        if found.issuers:
            signers = sorted({f"{issuer.role} {issuer.fingerprint[:16]}" for issuer in found.issuers})
            peers = sorted({anchor.fingerprint[:16] for anchor in trusted})
            yield Objection.to(found, f"signed by {', '.join(signers)}, while its peers trust {_some(peers)}")


def _some(words: list[str]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return f"{', '.join(words[:_NAMED])}{more}"


@certificate_check(
    severity=Severity.WARNING, cites="RFC 5280, 6.1.3 (a)(2); kubernetes/kubeadm#1783", waits=True
)
def outlives_issuer(occurrence: Occurrence, inventory: Inventory) -> str | None:  # noqa: ARG001
    """The certificate says that it lasts longer than every CA that could vouch for it."""
    certificate = occurrence.certificate
    if certificate.not_after - occurrence.effective_not_after <= TOLERATED:
        return None
    return (
        f"valid until {certificate.not_after:%Y-%m-%d}, "
        f"but its issuer ends on {occurrence.effective_not_after:%Y-%m-%d}"
    )
