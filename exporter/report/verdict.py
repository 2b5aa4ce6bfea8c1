"""How urgent each certificate is at one moment, by the same thresholds as the shipped alerts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from exporter.inventory.roles import AUTHORITIES
from exporter.inventory.trust import SERVICE_ACCOUNT_SETTINGS
from exporter.model import (
    Certificate,
    Inventory,
    Occurrence,
    Part,
    Place,
    Requirement,
    Role,
    State,
)


class Urgency(IntEnum):
    """How soon somebody has to act; the value is the exit code of ``check``."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Remaining time below which a certificate is looked at, each capped by a share of its life."""

    warn: timedelta = timedelta(days=30)
    critical: timedelta = timedelta(days=7)


WARN_SHARE = 1 / 4
CRITICAL_SHARE = 1 / 10
TOLERATED_START = timedelta(minutes=5)
"""How far ahead a notBefore may be: clocks differ, and issuers date back by as much."""


def urgency_of(occurrence: Occurrence, thresholds: Thresholds, now: datetime) -> Urgency:
    """Judge the validity of one certificate on which something relies."""
    certificate = occurrence.certificate
    remaining = occurrence.effective_not_after - now
    life = certificate.not_after - certificate.not_before
    if is_not_valid_yet(certificate.not_before, now):
        # Broken now, which is exit code 2; the alert only warns, since time heals it.
        most = Urgency.CRITICAL
    elif remaining <= timedelta() or remaining < min(thresholds.critical, life * CRITICAL_SHARE):
        most = Urgency.CRITICAL
    elif occurrence.rotation_due is not None:
        most = Urgency.WARNING if now > occurrence.rotation_due else Urgency.OK
    elif remaining < min(thresholds.warn, life * WARN_SHARE):
        most = Urgency.WARNING
    else:
        most = Urgency.OK
    if occurrence.role is Role.KUBELET_SERVER_SELF_SIGNED:
        return min(most, Urgency.WARNING)
    return most


def is_not_valid_yet(not_before: datetime, now: datetime) -> bool:
    """Everybody refuses it until then, which is farther ahead than clocks differ."""
    return not_before - now > TOLERATED_START


def relied_on(inventory: Inventory, now: datetime) -> frozenset[Place]:
    """Where a certificate has to be valid: what is in use, but for mere public keys and idle CAs.

    A CA is idle that issues nothing in use and is not the last to end of a bundle.
    """
    used = [
        found
        for found in inventory.occurrences
        if found.state is State.IN_USE and not _is_mere_key(found.place.path, inventory)
    ]
    issuers = {found.issuer_fingerprint for found in used}
    needed = issuers | {_last(bundle, now).fingerprint for bundle in _bundles(inventory)}
    return frozenset(
        found.place
        for found in used
        if not found.certificate.is_ca
        or stands_for_a_leaf(found.place, found.role)
        or found.certificate.fingerprint in needed
    )


def stands_for_a_leaf(place: Place, role: str) -> bool:
    """Its component shows it to others, be it with a CA's flag, which ``openssl req -x509`` sets."""
    is_first = place.index == 0 and not place.entry.startswith("cluster/")
    return is_first and role not in AUTHORITIES and role != Role.OTHER


def _is_mere_key(path: str, inventory: Inventory) -> bool:
    """Only tokens of service accounts hang on it, and Kubernetes takes just the public key from it."""
    uses = inventory.uses_of(path)
    return bool(uses) and all(reference.setting in SERVICE_ACCOUNT_SETTINGS for reference in uses)


def _bundles(inventory: Inventory) -> Iterable[list[Certificate]]:
    """What each setting trusts, and what each file holds that is named as a certificate: a signer, say."""
    bundles: dict[tuple[str, ...], list[Certificate]] = {}
    for anchor in inventory.trust_anchors:
        setting = (anchor.component, anchor.setting, anchor.path, anchor.entry)
        bundles.setdefault(setting, []).append(anchor.certificate)
    for path, references in inventory.uses.items():
        if any(reference.part is Part.CERTIFICATE for reference in references):
            for found in inventory.at(path):
                bundles.setdefault((path, found.place.entry), []).append(found.certificate)
    return bundles.values()


def _last(bundle: Iterable[Certificate], now: datetime) -> Certificate:
    """The one that ends last; what is not valid yet may lie there ahead of its time, beside what is."""
    return max(
        bundle,
        key=lambda found: (
            not is_not_valid_yet(found.not_before, now),
            found.not_after,
            found.fingerprint,
        ),
    )


def missing_paths(inventory: Inventory) -> tuple[str, ...]:
    """Files that some component requires and that are not there, each once."""
    return tuple(
        dict.fromkeys(
            reference.path
            for reference in inventory.references
            if reference.requirement is Requirement.REQUIRED and not inventory.is_present(reference.path)
        )
    )


def worst(urgencies: Iterable[Urgency]) -> Urgency:
    """The most urgent of all; all well where there is none."""
    return max(urgencies, default=Urgency.OK)
