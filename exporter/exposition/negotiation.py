"""Which form of the exposition a client takes (RFC 9110, 12.5; the library's chooser ignores weights)."""

from collections.abc import Iterator
from typing import Final

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_OPENMETRICS_VERSIONS: Final = frozenset({"", "0.0.1", "1.0.0"})
_TEXT_RANGES: Final = frozenset({"text/plain", "text/*", "*/*"})


def takes_openmetrics(accept: str) -> bool:
    """The client names OpenMetrics and likes it no less than text."""
    openmetrics = text = 0.0
    for media, weight, parameters in _ranges(accept):
        if media == "application/openmetrics-text":
            if parameters.get("version", "") in _OPENMETRICS_VERSIONS:
                openmetrics = max(openmetrics, weight)
        elif media in _TEXT_RANGES:
            text = max(text, weight)
    return openmetrics > 0 and openmetrics >= text


def takes_gzip(accept_encoding: str) -> bool:
    """The client names gzip and does not refuse it."""
    return any(coding in {"gzip", "x-gzip"} and weight > 0 for coding, weight, _ in _ranges(accept_encoding))


def _ranges(header: str) -> Iterator[tuple[str, float, dict[str, str]]]:
    for item in header.split(","):
        name, *pairs = (part.strip() for part in item.lower().split(";"))
        parameters = {key.strip(): value.strip() for key, _, value in (pair.partition("=") for pair in pairs)}
        yield name, _weight(parameters.get("q", "1")), parameters


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
