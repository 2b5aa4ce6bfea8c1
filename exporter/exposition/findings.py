"""Families of what is wrong: findings of the checks, and what could not be read."""

from collections import Counter
from collections.abc import Iterator

from exporter.exposition.family import PLACE, Sample, family
from exporter.exposition.report import Report
from exporter.model import Reason, Severity


@family(
    "kubepki_finding",
    "1 where a check objects, absent otherwise.",
    ("check", "severity", *PLACE, "role", "state"),
)
def finding(report: Report) -> Iterator[Sample]:
    """One sample for each check and place; what exactly is wrong may be several things and is no label."""
    for each in report.findings:
        place = each.place
        labels = (each.check, each.severity, place.path, place.entry, str(place.index), each.role, each.state)
        yield labels, 1


@family(
    "kubepki_check_findings",
    "How many places each check objects to, 0 for a check that was made and found nothing.",
    ("check", "severity"),
)
def check_findings(report: Report) -> Iterator[Sample]:
    """One sample for each check that was made."""
    counts: Counter[tuple[str, Severity]] = Counter({(row.name, row.severity): 0 for row in report.checks})
    counts.update(
        (check, severity)
        for check, severity, *_ in {(f.check, f.severity, f.place, f.role, f.state) for f in report.findings}
    )
    yield from counts.items()


@family(
    "kubepki_check_info",
    "1 for each check that this version makes, with its meaning and what it rests on.",
    ("check", "severity", "meaning", "cites"),
)
def check_info(report: Report) -> Iterator[Sample]:
    """One sample for each check."""
    for row in report.checks:
        yield (row.name, row.severity, row.meaning, row.cites), 1


@family(
    "kubepki_document_failure",
    "1 for each place that could not be read or understood.",
    (*PLACE, "role", "state", "reason"),
)
def document_failure(report: Report) -> Iterator[Sample]:
    """One sample for each place and reason."""
    for failure in report.inventory.failures:
        place = failure.place
        yield (
            (place.path, place.entry, str(place.index), failure.role, failure.state, failure.reason),
            1,
        )


@family(
    "kubepki_documents_failed",
    "How many places could not be read or understood, for every reason there is.",
    ("reason",),
)
def documents_failed(report: Report) -> Iterator[Sample]:
    """One sample for each reason, from the start."""
    counts = Counter(failure.reason for failure in set(report.inventory.failures))
    for reason in Reason:
        yield (reason,), counts[reason]
