"""The JSON document of ``check -o json`` and of ``/api/v1/inventory`` (docs/inventory.schema.json)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from posixpath import basename
from typing import Any

from exporter.model import Finding, Inventory, Node, Occurrence, Place, PlacedFailure, Reference, Role, State
from exporter.report.repair import repair_of
from exporter.report.verdict import (
    Thresholds,
    Urgency,
    missing_paths,
    relied_on,
    urgency_of,
    worst,
)

SCHEMA_VERSION = 1
RUNBOOKS = "https://github.com/kube-pki-exporter/kube-pki-exporter/blob/main/docs/runbooks"

_UNNAMED = frozenset({Role.OTHER, Role.KUBECONFIG_USER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which certificates a person asked about; empty means all."""

    names: tuple[str, ...] = ()
    """Globs over the name or the path."""
    roles: tuple[str, ...] = ()

    def keeps(self, path: str, role: Role, entry: str = "") -> bool:
        """The certificate, finding or failure at that place is asked about."""
        name = name_of(path, role, entry)
        named = not self.names or any(
            fnmatchcase(name, pattern) or fnmatchcase(path, pattern) for pattern in self.names
        )
        return named and (not self.roles or role in self.roles)

    def keeps_what(self, found: Occurrence | Finding | PlacedFailure) -> bool:
        """What was found is asked about."""
        return self.keeps(found.place.path, found.role, found.place.entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """An inventory as it stands at one moment: what is urgent, wrong, unreadable and missing."""

    inventory: Inventory
    now: datetime
    certificates: tuple[tuple[Occurrence, Urgency], ...]
    """Sorted by effective expiry."""
    findings: tuple[Finding, ...]
    failures: tuple[PlacedFailure, ...]
    missing: tuple[Reference, ...]
    unreliable_lifetimes: frozenset[Place]
    """Where notBefore is the CA's, as kubeadm writes it in kubeconfigs, so that life is overstated."""

    @property
    def is_empty(self) -> bool:
        """Nothing was found to judge."""
        return not (self.certificates or self.findings or self.failures or self.missing)

    @property
    def urgency(self) -> Urgency:
        """The exit code of ``check``."""
        return worst(
            (
                *(urgency for _, urgency in self.certificates),
                Urgency.WARNING if self.findings else Urgency.OK,
                Urgency.WARNING
                if any(failure.state is State.IN_USE for failure in self.failures)
                else Urgency.OK,
                Urgency.CRITICAL if self.missing else Urgency.OK,
            )
        )


def assess(
    inventory: Inventory,
    findings: Sequence[Finding],
    *,
    now: datetime,
    thresholds: Thresholds | None = None,
    narrowing: Narrowing | None = None,
) -> Assessment:
    """Judge everything that the narrowing keeps against the clock."""
    relied = relied_on(inventory, now)
    narrowing = narrowing or Narrowing()
    limits = thresholds or Thresholds()
    kept = narrowed(inventory, narrowing)
    return Assessment(
        inventory=inventory,
        now=now,
        certificates=tuple(
            (
                occurrence,
                urgency_of(occurrence, limits, now) if occurrence.place in relied else Urgency.OK,
            )
            for occurrence in sorted(
                kept.occurrences, key=lambda found: (found.effective_not_after, found.place)
            )
        ),
        findings=tuple(filter(narrowing.keeps_what, findings)),
        failures=kept.failures,
        missing=tuple(kept.references_to(path)[0] for path in missing_paths(kept)),
        unreliable_lifetimes=_unreliable_lifetimes(inventory),
    )


def narrowed(inventory: Inventory, narrowing: Narrowing) -> Inventory:
    """Leave out the certificates, failures and references that nobody asked about; the node stays."""
    return replace(
        inventory,
        occurrences=tuple(filter(narrowing.keeps_what, inventory.occurrences)),
        failures=tuple(filter(narrowing.keeps_what, inventory.failures)),
        references=tuple(
            reference for reference in inventory.references if narrowing.keeps(reference.path, reference.role)
        ),
    )


def _unreliable_lifetimes(inventory: Inventory) -> frozenset[Place]:
    """Give the kubeconfigs' certificates that begin with their CA: kubeadm writes them so, leaf files not."""
    births = {
        (found.certificate.fingerprint, found.certificate.not_before)
        for found in inventory.occurrences
        if found.certificate.is_ca
    }
    return frozenset(
        found.place
        for found in inventory.occurrences
        if found.place.entry.startswith("user/")
        and (found.issuer_fingerprint, found.certificate.not_before) in births
    )


def document(assessment: Assessment) -> dict[str, Any]:
    """Put an assessment into the shape of schema version 1."""
    node = assessment.inventory.node
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": _time(assessment.now),
        "status": assessment.urgency.name.lower(),
        "node": {"name": node.name, "distribution": node.distribution, "type": node.type},
        "certificates": [
            _certificate(found, urgency, found.place in assessment.unreliable_lifetimes)
            for found, urgency in assessment.certificates
        ],
        "findings": [_finding(finding, node) for finding in assessment.findings],
        "failures": [
            {**_place(failure), "reason": failure.reason, "role": failure.role, "state": failure.state}
            for failure in assessment.failures
        ],
        "missing": [
            {
                "path": reference.path,
                "role": reference.role,
                "component": reference.component,
                "setting": reference.setting,
                "origin": reference.origin,
            }
            for reference in assessment.missing
        ],
    }


def name_of(path: str, role: Role, entry: str = "") -> str:
    """Name a certificate as kubeadm does where it has a name, else after its file."""
    if role not in _UNNAMED:
        return str(role)
    return f"{basename(path)}#{entry}" if entry else basename(path)


def _certificate(occurrence: Occurrence, urgency: Urgency, is_unreliable: bool) -> dict[str, Any]:
    certificate = occurrence.certificate
    return {
        "name": name_of(occurrence.place.path, occurrence.role, occurrence.place.entry),
        **_place(occurrence),
        "role": occurrence.role,
        "state": occurrence.state,
        "status": urgency.name.lower(),
        "is_ca": certificate.is_ca,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "issuer_fingerprint": occurrence.issuer_fingerprint,
        "serial_number": certificate.serial_number,
        "fingerprint": certificate.fingerprint,
        "key_algorithm": certificate.key_algorithm,
        "key_size": certificate.key_size,
        "signature_algorithm": certificate.signature_algorithm,
        "lifetime_is_unreliable": is_unreliable,
        "sans": [{"type": san.type, "value": san.value} for san in certificate.sans],
        "not_before": _time(certificate.not_before),
        "not_after": _time(certificate.not_after),
        "effective_not_after": _time(occurrence.effective_not_after),
        "rotation_due": _time(occurrence.rotation_due) if occurrence.rotation_due else None,
    }


def _finding(finding: Finding, node: Node) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        **_place(finding),
        "role": finding.role,
        "state": finding.state,
        "detail": finding.detail,
        "repair": list(repair_of(finding, node)),
        "runbook": f"{RUNBOOKS}/KubePKIFinding.md#{finding.check}",
    }


def _place(found: Occurrence | Finding | PlacedFailure) -> dict[str, Any]:
    return {"path": found.place.path, "entry": found.place.entry, "index": found.place.index}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
