"""Times and untrusted text as the page writes them."""

from datetime import UTC, datetime, timedelta
from html import escape

LONGEST = 512
"""Characters of one text; a label value is cut at the same length."""

_UNITS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def span_words(span: timedelta) -> str:
    """Say a span in the largest unit of which it has at least two."""
    seconds = int(abs(span).total_seconds())
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s"
    return "a minute"


def expiry_words(when: datetime, now: datetime) -> str:
    """Say how far away an expiry is: ``in 3 months``, ``expired 2 days ago``."""
    return f"in {span_words(when - now)}" if when > now else f"expired {span_words(now - when)} ago"


def utc(when: datetime) -> str:
    """Write a time to the second, which sorts as text."""
    return f"{when.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def shown(text: str) -> str:
    """Isolate a text from others in HTML; what has no shape is named instead of obeyed."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    if cut.isprintable():
        return f"<bdi>{escape(cut)}</bdi>"
    letters = (escape(c) if c.isprintable() else f'<i class="code">{named(c)}</i>' for c in cut)
    return f"<bdi>{''.join(letters)}</bdi>"


def shown_path(path: str) -> str:
    """Isolate a path, which may break after each directory."""
    return shown(path).replace("/", "/<wbr>").replace("</<wbr>", "</").removeprefix("<wbr>")


def named(letter: str) -> str:
    """Name a character that cannot be seen: its code point, or the byte that is no UTF-8."""
    code = ord(letter)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"U+{code:04X}"  # noqa: PLR2004 - PEP 383
