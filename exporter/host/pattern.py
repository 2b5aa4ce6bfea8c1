"""Patterns as a shell has them: ``*``, ``?``, ``[...]`` and ``**`` for any number of directories."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Final

from exporter.host.directories import Entry

ANY_DEPTH: Final = "**"

Parts = tuple[str, ...]
"""The components of a pattern that are still to be matched."""


def split(pattern: str) -> tuple[str, Parts]:
    """Split a pattern into the path before its first wildcard and the components from there on."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    first = next((index for index, part in enumerate(parts) if is_wild(part)), len(parts))
    deep = [part for index, part in enumerate(parts) if parts[index : index + 2] != [ANY_DEPTH, ANY_DEPTH]]
    return "/" + "/".join(parts[:first]), tuple(deep[first:])


def is_wild(part: str) -> bool:
    """A component stands for more than the name that it spells."""
    return any(character in part for character in "*?[")


def choose(entries: Iterable[Entry], part: str) -> list[Entry]:
    """Choose the entries that one component matches; a leading dot has to be spelled, as in a shell."""
    matches = _compiled("*" if part == ANY_DEPTH else part)
    takes_hidden = part.startswith(".")
    return [
        entry
        for entry in entries
        if (takes_hidden or not entry.name.startswith(".")) and matches(entry.name) is not None
    ]


@lru_cache(maxsize=256)
def _compiled(part: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(translate(part)).match
