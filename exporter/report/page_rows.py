"""The table of certificates: rows that read well and sort by what they mean."""

from html import escape
from typing import Final

from exporter.model import State
from exporter.report.page_words import expiry_words, shown, shown_path, utc
from exporter.report.verdict import is_not_valid_yet
from exporter.report.view import Row, View

SANS_OPEN: Final = 3
SANS_SHOWN: Final = 64

_COLUMNS: Final = ("Expires", "Role", "Where", "Subject", "Issuer", "Names")


def table(view: View) -> str:
    """Write the filter and the table; what is in use comes first and apart."""
    used = [row for row in view.rows if row.state is State.IN_USE]
    others = [row for row in view.rows if row.state is not State.IN_USE]
    apart = (
        f'<tbody class="leftover"><tr class="apart"><th scope="rowgroup" colspan="{len(_COLUMNS)}">'
        "Not in use: superseded, or nothing refers to it</th></tr>"
        f"{''.join(_row(row, view) for row in others)}</tbody>"
        if others
        else ""
    )
    return (
        '<section class="certificates"><h2>Certificates</h2>'
        '<p class="filter" hidden><label for="filter">Filter</label> '
        '<input id="filter" type="search" autocomplete="off" spellcheck="false" '
        'placeholder="role, path, name, issuer"> '
        f'<output for="filter" aria-live="polite">{len(view.rows)}</output></p>'
        f"<table><caption>Certificates, the next to expire first</caption><thead><tr>{_heads()}</tr></thead>"
        f"<tbody>{''.join(_row(row, view) for row in used)}</tbody>{apart}</table>"
        '<p class="nothing" hidden>Nothing matches.</p></section>'
    )


def _heads() -> str:
    first, *others = _COLUMNS
    return f'<th scope="col" aria-sort="ascending">{first}</th>' + "".join(
        f'<th scope="col">{column}</th>' for column in others
    )


def _row(row: Row, view: View) -> str:
    entry = f' <span class="entry">{shown(row.place.entry)}</span>' if row.place.entry else ""
    index = f' <span class="entry">#{row.place.index}</span>' if row.place.index else ""
    count = f' <span class="tag warning">{row.findings} wrong</span>' if row.findings else ""
    return (
        f'<tr class="{row.urgency.name.lower()}">{_expires(row, view)}'
        f'<td data-label="Role"><span class="role">{escape(row.role)}</span>{_tags(row)}</td>'
        f'<td data-label="Where" class="path">{shown_path(row.place.path)}{entry}{index}{count}</td>'
        f'<td data-label="Subject" title="SHA-256 {row.fingerprint}">{shown(row.subject)}</td>'
        f'<td data-label="Issuer">{shown(row.issuer)}</td>'
        f'<td data-label="Names">{_names(row)}</td></tr>'
    )


def _tags(row: Row) -> str:
    tags = ["CA"] if row.is_ca else []
    if row.state is not State.IN_USE:
        tags.append(row.state.replace("_", " "))
    return "".join(f' <span class="tag">{tag}</span>' for tag in tags)


def _expires(row: Row, view: View) -> str:
    end = row.effective_not_after
    notes = ""
    if is_not_valid_yet(row.not_before, view.now):
        notes += f"<small>valid from {utc(row.not_before)}</small>"
    if end < row.not_after:
        notes += f"<small>its CA ends first; itself {utc(row.not_after)}</small>"
    if row.rotation_due:
        notes += f"<small>renews itself, due by {utc(row.rotation_due)}</small>"
    return (
        f'<td data-label="Expires" data-sort="{int(end.timestamp())}" class="expires">'
        f'<time datetime="{end.isoformat()}" title="{utc(end)}">'
        f"<strong>{expiry_words(end, view.now)}</strong><span>{utc(end)}</span></time>"
        f"{_bar(row, view)}{notes}</td>"
    )


def _bar(row: Row, view: View) -> str:
    life = (row.effective_not_after - row.not_before).total_seconds()
    if row.has_unreliable_lifetime:
        return '<small title="its beginning is its CA\'s">age not known: it begins with its CA</small>'
    used = min(max((view.now - row.not_before).total_seconds() / life, 0.0), 1.0) * 100 if life > 0 else 100.0
    label = f"{used:.0f} % of its life is used"
    return (
        '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}"><title>{label}</title><rect width="{used:.1f}" height="4"/></svg>'
    )


def _names(row: Row) -> str:
    if not row.sans:
        return '<span class="none">none</span>'
    first = "".join(f"<li>{shown(san)}</li>" for san in row.sans[:SANS_OPEN])
    if len(row.sans) <= SANS_OPEN:
        return f"<ul>{first}</ul>"
    rest = "".join(f"<li>{shown(san)}</li>" for san in row.sans[SANS_OPEN:SANS_SHOWN])
    hidden = len(row.sans) - SANS_SHOWN
    further = f'<li class="none">and {hidden} that are not shown</li>' if hidden > 0 else ""
    return (
        f"<ul>{first}</ul><details><summary>{len(row.sans) - SANS_OPEN} more</summary>"
        f"<ul>{rest}{further}</ul></details>"
    )
