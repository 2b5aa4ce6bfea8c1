"""The words and the untrusted text of the page, without a browser."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.report.page import render
from exporter.report.page_words import LONGEST, expiry_words, shown, shown_path, utc
from exporter.report.view import View

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=3650), "in 10 years"),
        (timedelta(days=365), "in 12 months"),
        (timedelta(days=90), "in 3 months"),
        (timedelta(days=59), "in 59 days"),
        (timedelta(hours=47), "in 47 hours"),
        (timedelta(minutes=5), "in 5 minutes"),
        (timedelta(seconds=1), "in a minute"),
        (timedelta(0), "expired a minute ago"),
        (timedelta(days=-2), "expired 2 days ago"),
    ],
)
def test_time_left_is_said_in_the_largest_unit_that_is_still_exact(left: timedelta, words: str) -> None:
    """At least two of the unit, so that the words are never off by more than a third."""
    assert expiry_words(NOW + left, NOW) == words


def test_every_year_can_be_written() -> None:
    """Certificates end in 1950 and in 9999."""
    assert utc(datetime.min.replace(tzinfo=UTC)) == "0001-01-01 00:00:00 UTC"
    assert utc(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) == "9999-12-31 23:59:59 UTC"


@given(st.text(max_size=50) | st.text("<>&\"'/\u202e\x00\udcff", max_size=50))
def test_text_becomes_inert(text: str) -> None:
    """No markup, no invisible character and nothing that UTF-8 cannot carry is left of any text."""
    for written in (shown(text), shown_path(text)):
        inner = written.removeprefix("<bdi>").removesuffix("</bdi>")
        bare = inner.replace('<i class="code">', "").replace("</i>", "").replace("<wbr>", "")
        assert "<" not in bare
        assert '"' not in bare
        assert bare.isprintable()
        assert written.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=50))
def test_printable_text_is_not_changed(text: str) -> None:
    """What an operator copies is what the certificate says."""
    assert unescape(shown(text)) == f"<bdi>{text}</bdi>"


def test_long_text_is_cut() -> None:
    """Ten kilobytes of subject do not fill the page."""
    assert shown("a" * 10_000) == f"<bdi>{'a' * LONGEST}…</bdi>"


def test_an_empty_node_says_that_nothing_was_found() -> None:
    """A wrong mount does not look like a healthy node."""
    page = render(View(node="", distribution="unknown", node_type="worker", now=NOW))
    assert "No certificate was found here" in page
    assert "All is well" not in page
