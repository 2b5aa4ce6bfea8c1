"""What the page shows, as plain values: an assessment without the lookups that made it."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final

from exporter.model import Finding, Occurrence, Place, PlacedFailure, Reference, Severity, State
from exporter.report.document import RUNBOOKS, Assessment
from exporter.report.page_words import expiry_words, utc
from exporter.report.repair import renewal_of, repair_of
from exporter.report.verdict import Urgency, is_not_valid_yet, stands_for_a_leaf

FAILING: Final = "unreadable"
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One certificate in one place."""

    place: Place
    role: str
    state: State
    urgency: Urgency
    is_ca: bool
    subject: str
    issuer: str
    sans: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    effective_not_after: datetime
    rotation_due: datetime | None = None
    has_unreliable_lifetime: bool = False
    """Its notBefore is the CA's (kubeadm's kubeconfigs), so it does not tell how old it is."""
    fingerprint: str
    findings: int = 0
    renewal: tuple[str, ...] = ()
    """The commands that renew it, where it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that somebody should look at."""

    severity: Severity
    title: str
    place: Place
    role: str
    state: State
    detail: str = ""
    repair: tuple[str, ...] = ()
    runbook: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A node at one moment."""

    node: str
    distribution: str
    node_type: str
    now: datetime
    rows: tuple[Row, ...] = ()
    """Sorted by effective expiry."""
    findings: tuple[Problem, ...] = ()
    failures: tuple[Problem, ...] = ()
    missing: tuple[Problem, ...] = ()


def view_of(assessment: Assessment) -> View:
    """Flatten an assessment."""
    node = assessment.inventory.node
    counts: dict[Place, int] = {}
    for finding in assessment.findings:
        counts[finding.place] = counts.get(finding.place, 0) + 1
    return View(
        node=node.name,
        distribution=node.distribution,
        node_type=node.type,
        now=assessment.now,
        rows=tuple(
            replace(
                _row(found, urgency, found.place in assessment.unreliable_lifetimes),
                findings=counts.get(found.place, 0),
                renewal=renewal_of(found, node, assessment.now) if urgency is not Urgency.OK else (),
            )
            for found, urgency in assessment.certificates
        ),
        findings=tuple(_finding(finding, repair_of(finding, node)) for finding in assessment.findings),
        failures=tuple(map(_failure, assessment.failures)),
        missing=tuple(map(_missing, assessment.missing)),
    )


def problems_of(view: View) -> tuple[Problem, ...]:
    """Everything that is wrong, the worst first; what is not in use last of its kind."""
    found = chain(_expiries(view), view.missing, view.findings, view.failures)
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    return tuple(sorted(found, key=lambda p: (ranks[p.severity], p.state is not State.IN_USE)))


def _expiries(view: View) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            severity=Severity.CRITICAL if row.urgency is Urgency.CRITICAL else Severity.WARNING,
            title=_title(row, view.now),
            place=row.place,
            role=row.role,
            state=row.state,
            detail=_moment(row, view.now),
            repair=row.renewal,
            runbook=f"{RUNBOOKS}/{_alert_of(row, view.now)}.md",
        )
        for row in view.rows
        if row.urgency is not Urgency.OK
    )


def _title(row: Row, now: datetime) -> str:
    if is_not_valid_yet(row.not_before, now):
        return f"valid only {expiry_words(row.not_before, now)}"
    words = expiry_words(row.effective_not_after, now)
    return words if row.effective_not_after <= now else f"expires {words}"


def _moment(row: Row, now: datetime) -> str:
    if is_not_valid_yet(row.not_before, now):
        return f"valid from {utc(row.not_before)}"
    cut = ", when its CA ends" if row.effective_not_after < row.not_after else ""
    return f"{utc(row.effective_not_after)}{cut}"


def _alert_of(row: Row, now: datetime) -> str:
    """The alert that is about the same, whose runbook tells more."""
    if is_not_valid_yet(row.not_before, now):
        return "KubePKICertificateNotYetValid"
    if row.is_ca and not stands_for_a_leaf(row.place, row.role):
        return "KubePKICertificateAuthorityExpires"
    if row.effective_not_after <= now:
        return "KubePKICertificateExpired"
    if row.rotation_due is not None:
        return "KubePKIKubeletRotationOverdue"
    is_critical = row.urgency is Urgency.CRITICAL
    return "KubePKICertificateExpiresVerySoon" if is_critical else "KubePKICertificateExpiresSoon"


def _row(found: Occurrence, urgency: Urgency, is_unreliable: bool) -> Row:
    certificate = found.certificate
    return Row(
        place=found.place,
        role=found.role,
        state=found.state,
        urgency=urgency,
        is_ca=certificate.is_ca,
        subject=certificate.subject,
        issuer=certificate.issuer,
        sans=tuple(san.value for san in certificate.sans),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        effective_not_after=found.effective_not_after,
        rotation_due=found.rotation_due,
        has_unreliable_lifetime=is_unreliable,
        fingerprint=certificate.fingerprint,
    )


def _finding(finding: Finding, repair: tuple[str, ...]) -> Problem:
    return Problem(
        severity=finding.severity,
        title=finding.check.replace("_", " "),
        place=finding.place,
        role=finding.role,
        state=finding.state,
        detail=finding.detail,
        repair=repair,
        runbook=f"{RUNBOOKS}/KubePKIFinding.md#{finding.check}",
    )


def _failure(failure: PlacedFailure) -> Problem:
    is_used = failure.state is State.IN_USE
    return Problem(
        severity=Severity.WARNING if is_used else Severity.INFO,
        title=FAILING,
        place=failure.place,
        role=failure.role,
        state=failure.state,
        detail=failure.reason.replace("_", " "),
    )


def _missing(reference: Reference) -> Problem:
    return Problem(
        severity=Severity.CRITICAL,
        title=MISSING,
        place=Place(reference.path),
        role=reference.role,
        state=State.IN_USE,
        detail=f"{reference.component} is configured to use it ({reference.setting})",
    )
