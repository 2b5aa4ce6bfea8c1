"""The table of ``check``: what is wrong first, then every certificate by effective expiry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from exporter.checks import CHECKS
from exporter.model import Finding, Occurrence, PlacedFailure, Severity, State
from exporter.report.document import RUNBOOKS, Assessment, name_of
from exporter.report.repair import renewal_of, repair_of
from exporter.report.verdict import Urgency, is_not_valid_yet
from exporter.report.words import duration_words, printable, remaining_words

BAR_WIDTH = 12
_COLOURS = {
    Urgency.OK: "32",
    Urgency.WARNING: "33",
    Urgency.CRITICAL: "31;1",
}
_SEVERITIES = {Severity.INFO: "36", Severity.WARNING: "33", Severity.CRITICAL: "31;1"}
_MEANINGS = {check.name: check.meaning for check in CHECKS}
_HEADINGS = ("NAME", "EXPIRES", "LEFT", "STATE", "ISSUED BY", "PATH")


@dataclass(frozen=True, slots=True)
class Style:
    """How the output is shown: colour and bars for a terminal, plain text for a pipe."""

    has_bars: bool = False
    has_colour: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Colour the text where colour is wanted."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.has_colour else text


def table(assessment: Assessment, style: Style | None = None) -> str:
    """Lay an assessment out for reading."""
    style = style or Style()
    sections = (
        [_headline(assessment, style)],
        list(_missing(assessment, style)),
        list(_due(assessment, style)),
        list(_findings(assessment, style)),
        list(_failures(assessment, style)),
        list(_certificates(assessment, style)),
    )
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _headline(assessment: Assessment, style: Style) -> str:
    node = assessment.inventory.node
    used = [(found, urgency) for found, urgency in assessment.certificates if found.state is State.IN_USE]
    early = [_is_early(found, assessment) for found, urgency in used if urgency > Urgency.OK]
    counts = [
        (len(assessment.missing), "file missing", "files missing"),
        (len(assessment.findings), "finding", "findings"),
        (len(assessment.failures), "file unreadable", "files unreadable"),
        (sum(early), "certificate not valid yet", "certificates not valid yet"),
        (len(early) - sum(early), "certificate due", "certificates due"),
    ]
    wrong = ", ".join(f"{count} {one if count == 1 else many}" for count, one, many in counts if count)
    verdict = style.paint(
        wrong or ("nothing found" if assessment.is_empty else "all well"), _COLOURS[assessment.urgency]
    )
    where = f"{printable(node.name) or 'this node'} ({node.distribution}, {node.type.replace('_', ' ')})"
    return f"{where}: {verdict}; {len(used)} certificates in use{_next_end(used, assessment)}"


def _next_end(used: Sequence[tuple[Occurrence, Urgency]], assessment: Assessment) -> str:
    coming = [found for found, _ in used if found.effective_not_after > assessment.now]
    if not coming:
        return ""
    first = coming[0]
    left = duration_words(first.effective_not_after - assessment.now)
    return f", the next ends in {left} ({printable(name_of(first.place.path, first.role))})"


def _missing(assessment: Assessment, style: Style) -> Iterator[str]:
    if assessment.missing:
        yield style.paint("MISSING", "1")
    for reference in assessment.missing:
        needed = f"needed by {reference.component} ({reference.setting}, {reference.origin})"
        path = style.paint(printable(reference.path), _COLOURS[Urgency.CRITICAL])
        yield f"  {path}: {printable(needed)}"


def _findings(assessment: Assessment, style: Style) -> Iterator[str]:
    if assessment.findings:
        yield style.paint("FINDINGS", "1")
    for finding in sorted(assessment.findings, key=lambda found: list(Severity).index(found.severity)):
        yield from _finding(finding, assessment, style)


def _finding(finding: Finding, assessment: Assessment, style: Style) -> Iterator[str]:
    severity = style.paint(finding.severity, _SEVERITIES[finding.severity])
    yield f"  {severity} {style.paint(finding.check, '1')}  {_where(finding)}"
    yield f"    what  {printable(finding.detail)}"
    yield f"    why   {_MEANINGS[finding.check]}"
    yield from _repair(repair_of(finding, assessment.inventory.node))
    yield f"    more  {RUNBOOKS}/KubePKIFinding.md#{finding.check}"


def _repair(lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"    {'' if number else 'fix':<5} {line}"


def _failures(assessment: Assessment, style: Style) -> Iterator[str]:
    if assessment.failures:
        yield style.paint("UNREADABLE", "1")
    for failure in assessment.failures:
        colour = _COLOURS[Urgency.WARNING if failure.state is State.IN_USE else Urgency.OK]
        yield f"  {style.paint(failure.reason, colour)}  {_where(failure)} ({failure.state})"


def _due(assessment: Assessment, style: Style) -> Iterator[str]:
    """What ends soon, has ended or has yet to begin, with the repair; leaves of one CA may share it."""
    due = [(found, urgency) for found, urgency in assessment.certificates if urgency is not Urgency.OK]
    if due:
        yield style.paint("DUE", "1")
    for found, urgency in due:
        left = _left(found, assessment)
        words = f"ends in {left}" if left[0].isdigit() else left
        name = printable(name_of(found.place.path, found.role, found.place.entry))
        yield f"  {style.paint(name, _COLOURS[urgency])} {words}  {_where(found)}"
        yield from _repair(renewal_of(found, assessment.inventory.node, assessment.now))


def _certificates(assessment: Assessment, style: Style) -> Iterator[str]:
    rows = [_row(found, assessment) for found, _ in assessment.certificates]
    if not rows:
        return
    widths = [max(len(row[column]) for row in (_HEADINGS, *rows)) for column in range(len(_HEADINGS))]
    bar_heading = f"{'LIFE USED':<{BAR_WIDTH}}  " if style.has_bars else ""
    yield style.paint(bar_heading + _padded(_HEADINGS, widths), "1")
    for row, (found, urgency) in zip(rows, assessment.certificates, strict=True):
        bar = f"{_bar(found, assessment)}  " if style.has_bars else ""
        colour = _COLOURS[urgency] if found.state is State.IN_USE else "2"
        yield style.paint(bar, colour) + style.paint(_padded(row, widths), colour if urgency else "0")


def _row(found: Occurrence, assessment: Assessment) -> tuple[str, ...]:
    issuers = sorted({authority.role for authority in found.issuers})
    return (
        printable(name_of(found.place.path, found.role)),
        found.effective_not_after.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        _left(found, assessment),
        found.state,
        ", ".join(issuers) or ("self" if found.certificate.is_self_signed else "unknown"),
        _where(found),
    )


def _left(found: Occurrence, assessment: Assessment) -> str:
    if _is_early(found, assessment):
        not_before = found.certificate.not_before.astimezone(UTC)
        return f"valid from {not_before:%Y-%m-%d %H:%M} UTC"
    return remaining_words(found.effective_not_after - assessment.now)


def _is_early(found: Occurrence, assessment: Assessment) -> bool:
    return is_not_valid_yet(found.certificate.not_before, assessment.now)


def _bar(found: Occurrence, assessment: Assessment) -> str:
    """The share of its life that a certificate has used; no bar where its beginning is not its own."""
    if found.place in assessment.unreliable_lifetimes:
        return " " * BAR_WIDTH
    certificate = found.certificate
    life = certificate.not_after - certificate.not_before
    used = (assessment.now - certificate.not_before) / life if life > timedelta() else 1.0
    filled = round(BAR_WIDTH * min(max(used, 0.0), 1.0))
    return "█" * filled + "░" * (BAR_WIDTH - filled)


def _where(found: Occurrence | Finding | PlacedFailure) -> str:
    place = found.place
    entry = f" {place.entry}" if place.entry else ""
    index = f" [{place.index}]" if place.index else ""
    return printable(f"{place.path}{entry}{index}")


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
