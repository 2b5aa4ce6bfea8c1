"""The page for a person with a browser: one look says which node, what is wrong and what is next."""

import base64
import hashlib
import pkgutil
from html import escape
from typing import Final

from exporter.model import Place, Severity, State
from exporter.report.document import Assessment
from exporter.report.page_rows import table
from exporter.report.page_words import expiry_words, shown, shown_path, utc
from exporter.report.verdict import Urgency, is_not_valid_yet
from exporter.report.view import Problem, Row, View, problems_of, view_of

PROBLEMS_OPEN: Final = 12
"""How many problems are shown before the rest folds away."""


def _packaged(name: str) -> str:
    return (pkgutil.get_data(__package__, name) or b"").decode()


_STYLE: Final = _packaged("page.css")
_SCRIPT: Final = _packaged("page.js")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "img-src data:",
        f"style-src {_hash(_STYLE)}",
        f"script-src {_hash(_SCRIPT)}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Only this page's own style and script run, whatever a certificate's text says."""


def render_page(assessment: Assessment) -> tuple[str, str]:
    """Write the page, and the policy it has to be served with."""
    return render(view_of(assessment)), CONTENT_SECURITY_POLICY


def render(view: View) -> str:
    """Write the page of one view."""
    name = view.node or "this node"
    problems = problems_of(view)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">',
            f"<title>{escape(_plain(name))}: certificates</title><style>{_STYLE}</style></head><body>",
            f'<header><p class="program">kube-pki-exporter</p><h1>{shown(name)}</h1>',
            f'<p class="meta">{_words(view.distribution)} · {_words(view.node_type)} · ',
            f'as of <time datetime="{view.now.isoformat()}">{utc(view.now)}</time></p></header><main>',
            _verdict(view, problems),
            _problems(problems),
            table(view),
            '</main><footer><a href="/metrics">Metrics</a> <a href="/api/v1/inventory">Inventory (JSON)</a>',
            f"</footer><script>{_SCRIPT}</script></body></html>\n",
        )
    )


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _words(value: str) -> str:
    return escape(value.replace("_", " "))


def _verdict(view: View, problems: tuple[Problem, ...]) -> str:
    used = [row for row in view.rows if row.state is State.IN_USE]
    urgent = [row for row in used if row.urgency is not Urgency.OK]
    valid = [row for row in urgent if not is_not_valid_yet(row.not_before, view.now)]
    early = len(urgent) - len(valid)
    expired = sum(row.effective_not_after <= view.now for row in valid)
    soon = len(valid) - expired
    tone, title = _title(view, problems, expired, early, soon)
    tiles = (
        ("expired", expired, "critical"),
        ("expire soon", soon, "warning"),
        ("findings", len(view.findings), "warning"),
        ("unreadable", len(view.failures), "warning"),
        ("missing", len(view.missing), "critical"),
        ("in use", len(used), "plain"),
    )
    cells = "".join(
        f'<div class="{tone if number else "none"}"><dt>{label}</dt><dd>{number}</dd></div>'
        for label, number, tone in tiles
    )
    return (
        f'<section class="verdict {tone}"><h2>{title}</h2>{_next(view, used)}</section>'
        f'<dl class="tiles">{cells}</dl>'
    )


def _title(view: View, problems: tuple[Problem, ...], expired: int, early: int, soon: int) -> tuple[str, str]:
    """Say in one line what matters most, and in which colour."""
    critical = sum(problem.severity is Severity.CRITICAL for problem in problems)
    for number, tone, one, many in (
        (expired, "critical", "certificate has expired", "certificates have expired"),
        (early, "critical", "certificate is not valid yet", "certificates are not valid yet"),
        (critical, "critical", "thing needs you now", "things need you now"),
        (soon, "warning", "certificate expires soon", "certificates expire soon"),
    ):
        if number:
            return tone, f"{number} {one if number == 1 else many}"
    if any(problem.severity is Severity.WARNING for problem in problems):
        return "warning", "Nothing expires soon, but something needs a look"
    if not view.rows:
        return "warning", "No certificate was found here"
    return "ok", "All is well"


def _next(view: View, used: list[Row]) -> str:
    coming = next((row for row in used if row.effective_not_after > view.now), None)
    if coming is None:
        return ""
    end = coming.effective_not_after
    return (
        f'<p>Next: <strong>{escape(coming.role)}</strong> expires <time datetime="{end.isoformat()}" '
        f'title="{utc(end)}">{expiry_words(end, view.now)}</time>, {_where(coming.place)}</p>'
    )


def _problems(problems: tuple[Problem, ...]) -> str:
    if not problems:
        return ""
    first = "".join(map(_problem, problems[:PROBLEMS_OPEN]))
    rest = "".join(map(_problem, problems[PROBLEMS_OPEN:]))
    more = (
        f'<details class="more"><summary>{len(problems) - PROBLEMS_OPEN} more</summary>'
        f"<ul>{rest}</ul></details>"
        if rest
        else ""
    )
    return f'<section class="wrong"><h2>What is wrong</h2><ul>{first}</ul>{more}</section>'


def _problem(problem: Problem) -> str:
    state = "" if problem.state is State.IN_USE else f' <span class="tag">{_words(problem.state)}</span>'
    detail = f"<p>{shown(problem.detail)}</p>" if problem.detail else ""
    repair = "".join(f"<code>{shown(line)}</code>" for line in problem.repair)
    runbook = f' <a href="{escape(problem.runbook)}" rel="noreferrer">Runbook</a>' if problem.runbook else ""
    title = shown(problem.title[:1].upper() + problem.title[1:])
    return (
        f'<li class="{problem.severity}"><h3><span class="severity">{problem.severity}</span> '
        f"{title} <span class='role'>{escape(problem.role)}</span>{state}{runbook}</h3>"
        f'<p class="path">{_where(problem.place)}</p>{detail}'
        + (f'<div class="repair">{repair}</div>' if repair else "")
        + "</li>"
    )


def _where(place: Place) -> str:
    entry = f' <span class="entry">{shown(place.entry)}</span>' if place.entry else ""
    index = f' <span class="entry">#{place.index}</span>' if place.index else ""
    return f"{shown_path(place.path)}{entry}{index}"
