"""Whether a CA that the peers trust vouches for a certificate, and for how long (RFC 5280, 6.1)."""

from datetime import timedelta

from exporter.checks.check import certificate_check
from exporter.checks.trust import is_trusted, trusted_by_peers
from exporter.model import Inventory, Occurrence, Severity

TOLERATED = timedelta(days=1)
"""Certificates of one life that were signed a moment after their CA are as good as equal to it."""


def _is_trusted_by_its_peers(occurrence: Occurrence, inventory: Inventory) -> bool:
    """Also true where nobody verifies it, and for what is its own authority."""
    certificate = occurrence.certificate
    trusted = trusted_by_peers(occurrence, inventory)
    if certificate.is_ca or certificate.is_self_signed or not trusted:
        return True
    chain = (found.certificate for found in inventory.at(occurrence.place.path))
    return is_trusted(certificate, chain, trusted)


@certificate_check(
    severity=Severity.CRITICAL,
    cites="RFC 5280, 6.1.3 (a)(1); kubernetes/kubeadm#2027",
    waits=True,
)
def issuer_missing(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """No CA known here has signed the certificate, and its peers verify it."""
    if occurrence.issuers or _is_trusted_by_its_peers(occurrence, inventory):
        return None
    return f"its issuer {occurrence.certificate.issuer!r} has signed it with a key of no CA on this node"


@certificate_check(
    severity=Severity.CRITICAL,
    cites="RFC 5280, 6.1.1 (d); kubernetes/kubernetes#25063",
    waits=True,
)
def issued_by_wrong_ca(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """The certificate is signed by a CA that the peers of its role do not trust."""
    if not occurrence.issuers or _is_trusted_by_its_peers(occurrence, inventory):
        return None
    signers = ", ".join(sorted({f"{issuer.role} {issuer.fingerprint[:16]}" for issuer in occurrence.issuers}))
    trusted = sorted({found.fingerprint[:16] for found in trusted_by_peers(occurrence, inventory)})
    return f"signed by {signers}, while its peers trust {', '.join(trusted)}"


@certificate_check(severity=Severity.WARNING, cites="RFC 5280, 6.1.3 (a)(2); kubernetes/kubeadm#1783")
def outlives_issuer(occurrence: Occurrence, inventory: Inventory) -> str | None:  # noqa: ARG001
    """The certificate says that it lasts longer than every CA that could vouch for it."""
    certificate = occurrence.certificate
    if certificate.not_after - occurrence.effective_not_after <= TOLERATED:
        return None
    return (
        f"valid until {certificate.not_after:%Y-%m-%d}, "
        f"but its issuer ends on {occurrence.effective_not_after:%Y-%m-%d}"
    )
