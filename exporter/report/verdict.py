"""How urgent each certificate is at one moment, by the same thresholds as the shipped alerts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from exporter.model import Inventory, Occurrence, Requirement, Role, State


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


def urgency_of(
    occurrence: Occurrence, needed: frozenset[str], thresholds: Thresholds, now: datetime
) -> Urgency:
    """Judge one certificate; leftovers and CAs that nothing hangs on are never urgent."""
    certificate = occurrence.certificate
    if occurrence.state is not State.IN_USE:
        return Urgency.OK
    if certificate.is_ca and certificate.fingerprint not in needed:
        return Urgency.OK
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


def needed_authorities(inventory: Inventory, now: datetime) -> frozenset[str]:
    """Fingerprints of the CAs that issue something in use or end last in what some setting trusts.

    One that is valid goes before one that is not valid yet, which may lie there ahead of its time.
    """
    issuing = {
        occurrence.issuer_fingerprint
        for occurrence in inventory.occurrences
        if occurrence.state is State.IN_USE and occurrence.issuer_fingerprint is not None
    }
    trusted: dict[tuple[str, str, str, str], list[tuple[bool, datetime, str]]] = {}
    for anchor in inventory.trust_anchors:
        setting = (anchor.component, anchor.setting, anchor.path, anchor.entry)
        certificate = anchor.certificate
        trusted.setdefault(setting, []).append(
            (
                not is_not_valid_yet(certificate.not_before, now),
                certificate.not_after,
                certificate.fingerprint,
            )
        )
    return frozenset(issuing | {max(anchors)[-1] for anchors in trusted.values()})


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
