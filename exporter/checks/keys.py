"""Whether a certificate and its private key belong together and are strong enough."""

from collections.abc import Iterable, Mapping
from posixpath import splitext
from typing import Final

from exporter.checks.check import certificate_check
from exporter.model import (
    Inventory,
    Occurrence,
    Origin,
    Part,
    PublicKey,
    Role,
    Severity,
    SpkiHash,
)
from exporter.parsing.keys import are_usable

_LEAST_BITS: Final[Mapping[str, int]] = {"RSA": 2048, "RSA-PSS": 2048, "EC": 224}
_BROKEN_HASHES: Final = frozenset({"md2", "md4", "md5", "sha1"})


@certificate_check(
    severity=Severity.CRITICAL,
    cites="kubernetes dynamic_serving_content.go; kubernetes/kubernetes#127538",
    waits=True,
)
def key_mismatched(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """The private key beside the certificate belongs to another certificate."""
    certificate = occurrence.certificate
    if occurrence.place.index or certificate.is_ca:
        return None
    keys = _keys_beside(occurrence, inventory)
    if not keys or certificate.spki_sha256 in keys:
        return None
    return "its public key is not the public half of the private key that its component uses"


def _keys_beside(occurrence: Occurrence, inventory: Inventory) -> frozenset[SpkiHash]:
    """The public halves of the keys in the same entry, else of the paired settings, else of the like name."""
    place = occurrence.place
    own = inventory.files[place.path].content.keys
    beside = _halves(key for key in own if key.entry == place.entry and key.is_private)
    if beside or place.entry:
        return beside
    paths = _paired_paths(occurrence, inventory) or (f"{splitext(place.path)[0]}.key",)
    files = (inventory.files.get(path) for path in paths)
    return _halves(key for file in files if file is not None for key in file.content.keys)


def _paired_paths(occurrence: Occurrence, inventory: Inventory) -> frozenset[str]:
    """The key files that the components using the certificate use in the same role.

    What the operator names is no pair: one pattern gives every file it matches the same role.
    """
    uses = {
        (reference.component, reference.role)
        for reference in inventory.uses_of(occurrence.place.path)
        if reference.part is Part.CERTIFICATE
        and reference.role is not Role.OTHER
        and reference.origin is not Origin.OPERATOR
    }
    return frozenset(path for component, role in uses for path in inventory.keys_of(component, role))


def _halves(keys: Iterable[PublicKey]) -> frozenset[SpkiHash]:
    return frozenset(key.spki_sha256 for key in keys if key.spki_sha256 is not None)


@certificate_check(
    severity=Severity.CRITICAL, cites="kubernetes dynamic_serving_content.go; kubeadm pkiutil", waits=True
)
def key_missing(occurrence: Occurrence, inventory: Inventory) -> str | None:
    """The certificate is there, and the private key that its component is configured with is not."""
    if occurrence.place.index or occurrence.certificate.is_ca:
        return None
    if occurrence.place.entry.startswith("user/"):
        return None if _has_key(occurrence, inventory) else "this user has a certificate and no private key"
    paths = _paired_paths(occurrence, inventory)
    if not paths or not all(_lacks_key(path, inventory) for path in paths):
        return None
    if any(inventory.is_present(path) for path in paths):
        return f"its private key is not in {min(paths)}, which holds a certificate alone"
    return f"its private key {min(paths)} is not there"


def _lacks_key(path: str, inventory: Inventory) -> bool:
    """Nothing is at the path, or a file that was read, since its certificates are known, and has no key."""
    if not inventory.is_present(path):
        return True
    content = inventory.files[path].content
    return bool(content.certificates) and not are_usable(content.keys)


def _has_key(occurrence: Occurrence, inventory: Inventory) -> bool:
    kubeconfig = inventory.files[occurrence.place.path].content.kubeconfig
    name = occurrence.place.entry.removeprefix("user/")
    users = kubeconfig.users if kubeconfig else ()
    return any(user.name == name and (user.has_key_data or user.client_key) for user in users)


@certificate_check(severity=Severity.WARNING, cites="NIST SP 800-131A; Go crypto/rsa")
def key_weak(occurrence: Occurrence, inventory: Inventory) -> str | None:  # noqa: ARG001
    """The key is of a kind or size that is no longer considered strong."""
    certificate = occurrence.certificate
    least = _LEAST_BITS.get(certificate.key_algorithm)
    if certificate.key_algorithm == "DSA":
        return "a DSA key, which TLS no longer supports"
    if least is None or certificate.key_size is None or certificate.key_size >= least:
        return None
    return f"{certificate.key_algorithm} of {certificate.key_size} bits, at least {least} are needed"


@certificate_check(severity=Severity.WARNING, cites="RFC 9155; Go crypto/x509 InsecureAlgorithmError")
def signature_weak(occurrence: Occurrence, inventory: Inventory) -> str | None:  # noqa: ARG001
    """The certificate is signed over a hash that can be forged."""
    certificate = occurrence.certificate
    if certificate.is_self_signed or certificate.signature_hash not in _BROKEN_HASHES:
        return None
    return f"signed with {certificate.signature_algorithm}"
