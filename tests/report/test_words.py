"""Durations read as people say them, and untrusted text cannot command a terminal."""

from datetime import timedelta

import pytest

from exporter.report.words import duration_words, printable, remaining_words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=3649), "9y 364d"),
        (timedelta(days=365), "1y"),
        (timedelta(days=364, hours=5), "364d"),
        (timedelta(days=9, hours=5), "9d 5h"),
        (timedelta(hours=5, minutes=12), "5h 12m"),
        (timedelta(minutes=12, seconds=3), "12m"),
        (timedelta(seconds=43), "43s"),
        (timedelta(), "0s"),
    ],
)
def test_spans_are_said_in_two_units_at_most(span: timedelta, words: str) -> None:
    """The larger the span, the coarser the words."""
    assert duration_words(span) == words


def test_what_is_over_is_said_to_be_over() -> None:
    """The end itself counts as over."""
    assert remaining_words(timedelta(hours=1)) == "1h"
    assert remaining_words(timedelta(days=-2)) == "expired 2d ago"
    assert remaining_words(timedelta()) == "expired 0s ago"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CN=münchen", "CN=münchen"),
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("\u202egnp", "\\u202egnp"),
        ("bad\udcff", "bad\\udcff"),
    ],
)
def test_controls_are_shown_not_obeyed(text: str, shown: str) -> None:
    """Newline, escape sequence, bidirectional override and broken UTF-8 become visible."""
    assert printable(text) == shown
