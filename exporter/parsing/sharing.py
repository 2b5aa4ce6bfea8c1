"""One object for equal values: 5,000 certificates of one CA repeat most of what they say."""

from collections.abc import Hashable
from functools import lru_cache
from typing import TypeVar

_T = TypeVar("_T", bound=Hashable)

_MAX_SHARED_BYTES = 1024


def shared(value: _T) -> _T:
    """Give the object first seen with that value; long bytes are not kept."""
    if isinstance(value, bytes) and len(value) > _MAX_SHARED_BYTES:
        return value
    first: _T = _first(value)
    return first


@lru_cache(maxsize=512)
def _first(value: _T) -> _T:
    return value
