"""Durations and untrusted text in the words that people read."""

from datetime import timedelta


def duration_words(span: timedelta) -> str:
    """Say a span in its two largest units at most: ``9y 364d``, ``364d``, ``5h 12m``, ``43s``."""
    seconds = int(abs(span).total_seconds())
    days, seconds = divmod(seconds, 86400)
    hours, minutes, seconds = seconds // 3600, seconds % 3600 // 60, seconds % 60
    for amounts in (
        ((days // 365, "y"), (days % 365, "d")),
        ((days, "d"), (hours if days < 10 else 0, "h")),  # noqa: PLR2004 - hours matter in the last days
        ((hours, "h"), (minutes, "m")),
        ((minutes, "m"), (0, "s")),
    ):
        if amounts[0][0]:
            return " ".join(f"{amount}{unit}" for amount, unit in amounts if amount)
    return f"{seconds}s"


def remaining_words(span: timedelta) -> str:
    """Say what is left, or how long ago it ended."""
    return duration_words(span) if span > timedelta() else f"expired {duration_words(span)} ago"


def printable(text: str) -> str:
    """Show control characters, bidirectional overrides and broken UTF-8 instead of obeying them."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
