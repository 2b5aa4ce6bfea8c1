"""What the page says of a node, without a browser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exporter.model import Place, Severity, State
from exporter.report.page import PROBLEMS_OPEN, render
from exporter.report.page_rows import SANS_SHOWN
from exporter.report.page_words import expiry_words, named, shown
from exporter.report.verdict import Urgency
from exporter.report.view import Problem, Row, View, problems_of

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ROW = Row(
    place=Place("/pki/a.crt"),
    role="apiserver",
    state=State.IN_USE,
    urgency=Urgency.OK,
    is_ca=False,
    subject="CN=a",
    issuer="CN=kubernetes",
    sans=(),
    not_before=NOW - 100 * DAY,
    not_after=NOW + 300 * DAY,
    effective_not_after=NOW + 300 * DAY,
    fingerprint="ab" * 32,
)
EARLY = replace(ROW, not_before=NOW + 2 * DAY, urgency=Urgency.CRITICAL)
PROBLEM = Problem(
    severity=Severity.WARNING, title="mode loose", place=Place("/a"), role="ca", state=State.IN_USE
)


def page(*rows: Row, **fields: Any) -> str:  # noqa: ANN401 - any field of a view
    """Render a node with these certificates."""
    return render(View(node="cp-1", distribution="kubeadm", node_type="worker", now=NOW, rows=rows, **fields))


def ending(days: float, urgency: Urgency, **fields: Any) -> Row:  # noqa: ANN401 - any field of a row
    """Make a certificate that ends so many days from now."""
    end = NOW + days * DAY
    return replace(ROW, not_after=end, effective_not_after=end, urgency=urgency, **fields)


@pytest.mark.parametrize(
    ("rows", "findings", "title"),
    [
        ((ROW,), (), "All is well"),
        ((), (), "No certificate was found here"),
        ((ROW,), (PROBLEM,), "Nothing expires soon, but something needs a look"),
        ((ROW,), (replace(PROBLEM, severity=Severity.CRITICAL),), "1 thing needs you now"),
        ((ending(12, Urgency.WARNING),), (), "1 certificate expires soon"),
        ((ending(12, Urgency.WARNING),) * 2, (PROBLEM,), "2 certificates expire soon"),
        ((EARLY,), (PROBLEM,), "1 certificate is not valid yet"),
        ((EARLY, EARLY, ending(12, Urgency.WARNING)), (), "2 certificates are not valid yet"),
        ((ending(-1, Urgency.CRITICAL), EARLY), (PROBLEM,), "1 certificate has expired"),
    ],
)
def test_the_title_says_what_matters_most(
    rows: tuple[Row, ...], findings: tuple[Problem, ...], title: str
) -> None:
    """Expired before not valid yet, critical, soon and a look; an empty node is not well."""
    assert f"<h2>{title}</h2>" in page(*rows, findings=findings)


def test_what_is_next_is_in_use_and_not_yet_over() -> None:
    """A leftover and an expired certificate are not what comes next; with nothing to come nothing is said."""
    over, leftover = ending(-1, Urgency.CRITICAL), ending(1, Urgency.OK, state=State.SUPERSEDED)
    assert "Next: <strong>apiserver</strong> expires" in page(over, leftover, ROW)
    assert "in 10 months</time>" in page(over, leftover, ROW).partition("Next:")[2].partition("</p>")[0]
    assert "Next:" not in page(over, leftover)


def test_a_life_that_begins_with_its_ca_has_words_and_no_bar() -> None:
    """A bar would overstate how much of it is used."""
    unknown = page(replace(ROW, has_unreliable_lifetime=True))
    assert "<svg" not in unknown
    assert 'title="its beginning is its CA\'s"' in unknown
    assert "25 % of its life is used" in page(ROW)


@pytest.mark.parametrize(("days", "share"), [(0, 100), (-500, 100), (500, 17)])
def test_a_bar_is_never_beyond_its_ends(days: int, share: int) -> None:
    """Also where a certificate is over, or was over before it began."""
    assert f"{share} % of its life is used" in page(ending(days, Urgency.OK))


def test_a_row_says_what_cuts_or_renews_it() -> None:
    """A CA that ends first, a rotation that is due, findings, entry and index."""
    row = replace(
        ROW,
        place=Place("/a.conf", "user/x", 2),
        is_ca=True,
        effective_not_after=NOW + DAY,
        rotation_due=NOW,
        findings=3,
    )
    text = page(row)
    for words in ("its CA ends first; itself 2027-09-20", "renews itself, due by 2026-11-24", "3 wrong"):
        assert words in text
    for words in ("<bdi>user/x</bdi>", "#2</span>", '<span class="tag">CA</span>'):
        assert words in text


@pytest.mark.parametrize(("number", "hidden"), [(3, ""), (4, "1 more"), (SANS_SHOWN + 2, "and 2 that are")])
def test_many_names_fold_away(number: int, hidden: str) -> None:
    """Three are read at once, and no certificate fills the page."""
    text = page(replace(ROW, sans=tuple(f"name-{i}." for i in range(number))))
    assert text.count("<li><bdi>name-") == min(number, SANS_SHOWN)
    assert hidden in text
    assert ("<details>" in text) is bool(hidden)


def test_many_problems_fold_away() -> None:
    """The worst stay open, the others are counted."""
    assert "<summary>3 more</summary>" in page(ROW, findings=(PROBLEM,) * (PROBLEMS_OPEN + 3))
    assert '<details class="more">' not in page(ROW, findings=(PROBLEM,) * PROBLEMS_OPEN)


def test_a_problem_shows_its_repair_and_runbook() -> None:
    """What to type, and where it is explained; a leftover is marked as one."""
    text = page(
        ROW,
        findings=(
            replace(
                PROBLEM,
                state=State.SUPERSEDED,
                detail="mode 0644",
                repair=("chmod 600 /a",),
                runbook="https://example/#a",
            ),
        ),
    )
    for words in (
        "<code><bdi>chmod 600 /a</bdi></code>",
        'href="https://example/#a"',
        "mode 0644",
        ">superseded</span>",
    ):
        assert words in text


def test_the_worst_problem_comes_first() -> None:
    """By severity, and what is in use before leftovers."""
    leftover = replace(PROBLEM, state=State.SUPERSEDED)
    cut = replace(ending(5, Urgency.CRITICAL), not_after=NOW + 9 * DAY)
    view = View(
        node="",
        distribution="",
        node_type="",
        now=NOW,
        rows=(cut,),
        findings=(leftover, PROBLEM),
        missing=(replace(PROBLEM, severity=Severity.CRITICAL, title="missing"),),
    )
    first, second, third, last = problems_of(view)
    assert (first.title, second.title) == ("expires in 5 days", "missing")
    assert first.detail.endswith(", when its CA ends")
    assert (third, last) == (PROBLEM, leftover)


def test_what_is_not_valid_yet_says_when_it_will_be() -> None:
    """In its problem and in its row; one that has begun says nothing of it."""
    text = page(EARLY)

    assert "Valid only in 2 days" in text
    assert text.count("valid from 2026-11-26 09:00:00 UTC") == 2
    assert "valid from" not in page(ROW)


def test_what_cannot_be_seen_is_named() -> None:
    """Control characters and bytes that are no UTF-8 have a name instead of an effect."""
    assert (named("\x00"), named("\udcff")) == ("U+0000", "\\xff")
    assert shown("a\x00") == '<bdi>a<i class="code">U+0000</i></bdi>'
    assert expiry_words(NOW + timedelta(seconds=5), NOW) == "in a minute"


@pytest.mark.parametrize(
    ("row", "runbook"),
    [
        (ending(-1, Urgency.CRITICAL), "KubePKICertificateExpired"),
        (EARLY, "KubePKICertificateNotYetValid"),
        (ending(1, Urgency.CRITICAL), "KubePKICertificateExpiresVerySoon"),
        (ending(12, Urgency.WARNING), "KubePKICertificateExpiresSoon"),
        (ending(12, Urgency.WARNING, rotation_due=NOW - DAY), "KubePKIKubeletRotationOverdue"),
        (ending(12, Urgency.WARNING, is_ca=True, role="ca"), "KubePKICertificateAuthorityExpires"),
        (ending(12, Urgency.WARNING, is_ca=True, role="etcd-server"), "KubePKICertificateExpiresSoon"),
    ],
)
def test_what_ends_shows_how_to_renew_it_and_the_page_of_its_alert(row: Row, runbook: str) -> None:
    """A person at the page gets the same advice as a person who was paged."""
    text = page(replace(row, renewal=("kubeadm certs renew apiserver",)))

    assert "<code><bdi>kubeadm certs renew apiserver</bdi></code>" in text
    assert f"/{runbook}.md" in text
