"""The least of DER (X.690) that is needed to cut encoded parts out of a certificate unchanged."""

from dataclasses import dataclass

SEQUENCE = 0x30
VERSION = 0xA0
"""The explicit tag [0] that begins a certificate of version 2 or 3 (RFC 5280, 4.1)."""

_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_MAX_LENGTH_OCTETS = 4


@dataclass(frozen=True, slots=True)
class Element:
    """Where one tag-length-value stands: its start, the start of its content, and its end."""

    tag: int
    start: int
    content: int
    end: int


def element(data: bytes, start: int = 0) -> Element | None:
    """Find the element that starts there; None where it is no DER or reaches past the data."""
    if start + 2 > len(data):
        return None
    tag, length, content = data[start], data[start + 1], start + 2
    if tag & _LONG_TAG == _LONG_TAG:
        return None
    if length & _LONG_LENGTH:
        octets = length & ~_LONG_LENGTH
        if not 1 <= octets <= _MAX_LENGTH_OCTETS:
            return None
        length = int.from_bytes(data[content : content + octets])
        content += octets
    end = content + length
    return Element(tag, start, content, end) if end <= len(data) else None


def children(data: bytes, parent: Element, limit: int) -> tuple[Element, ...]:
    """Find the first elements inside another; fewer where what follows is no DER."""
    found: list[Element] = []
    start = parent.content
    while len(found) < limit and start < parent.end and (child := element(data, start)) is not None:
        found.append(child)
        start = child.end
    return tuple(found)


def is_sequence(data: bytes) -> bool:
    """The data begins with a whole sequence, as a key of any kind does."""
    found = element(data)
    return found is not None and found.tag == SEQUENCE


def begins_sequence(data: bytes) -> bool:
    """The data begins with a sequence of more than 127 octets, as every certificate in DER does."""
    return len(data) > 1 and data[0] == SEQUENCE and data[1] & _LONG_LENGTH != 0


def begins_certificate(data: bytes) -> bool:
    """The data begins as a certificate of version 2 or 3 does, whatever becomes of it later."""
    start = 0
    for _ in range(2):
        if not begins_sequence(data[start : start + 2]):
            return False
        start += 2 + (data[start + 1] & ~_LONG_LENGTH)
    return data[start : start + 4] == bytes([VERSION, 3, 2, 1])
