"""Where a fact stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The least that makes a series unique."""

    path: str
    """As the host sees it, not as this program reached it."""
    entry: str = ""
    """What is inside a document (``user/NAME``, ``cluster/NAME``); empty for a plain file."""
    index: int = 0
    """The position in a bundle, from 0."""
