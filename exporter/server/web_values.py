"""Readers of single values: each takes a value and its key, and refuses what is no such thing by name."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

Reader = Callable[[Any, str], Any]

_UNITS: Final[Mapping[str, float]] = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


class ConfigurationError(ValueError):
    """What the operator asked for cannot be done; the message names the key and what is allowed."""


def section(section: object, readers: Mapping[str, Reader], where: str) -> dict[str, Any]:
    """Read the keys of a section, each by its own reader; a key without a value is as good as left out."""
    given = {} if section is None else mapping(section, where)
    known(given, tuple(readers), f"{where}.")
    return {key: readers[key](value, f"{where}.{key}") for key, value in given.items() if value is not None}


def mapping(value: object, where: str) -> Mapping[str, object]:
    """Take keys and values."""
    if not isinstance(value, dict):
        refuse(f"{where}: must hold keys and values")
    return value


def known(given: Mapping[str, object], allowed: tuple[str, ...], where: str) -> None:
    """Refuse a key that is not among the allowed ones."""
    for key in given:
        if key not in allowed:
            refuse(f"{where}{key}: unknown key; allowed: {', '.join(allowed)}")


def text(value: object, where: str) -> str:
    """Take text."""
    if not isinstance(value, str):
        refuse(f"{where}: must be text")
    return value


def boolean(value: object, where: str) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        refuse(f"{where}: must be true or false")
    return value


def texts(value: object, where: str) -> tuple[str, ...]:
    """Take a list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        refuse(f"{where}: must be a list of texts")
    return tuple(value)


def one_of(allowed: tuple[str, ...], otherwise: str = "") -> Callable[[object, str], str]:
    """Make a reader for a closed set; *otherwise* is said after the allowed values."""

    def read(value: object, where: str) -> str:
        if value not in allowed:
            refuse(f"{where}: {value!r} is not one of {', '.join(allowed)}{otherwise}")
        return str(value)

    return read


def some_of(allowed: Mapping[str, str]) -> Callable[[object, str], tuple[str, ...]]:
    """Make a reader for a list over a closed set."""

    def read(value: object, where: str) -> tuple[str, ...]:
        return tuple(one_of(tuple(allowed))(item, where) for item in texts(value, where))

    return read


def duration(value: object, where: str) -> float:
    """Read a duration as Go writes it, in seconds."""
    parts = _DURATION.findall(str(value))
    if value == 0:
        return 0.0
    if not parts or "".join(number + unit for number, unit in parts) != value:
        refuse(f"{where}: {value!r} is no duration such as 1s or 500ms")
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def count(value: object, where: str) -> int:
    """Take a whole number from 0."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse(f"{where}: must be a whole number from 0")
    return value


def refuse(message: str) -> NoReturn:
    """Raise ConfigurationError."""
    raise ConfigurationError(message)
