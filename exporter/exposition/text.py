"""Label values and numbers as both exposition formats write them.

People, terminals and alert messages read labels, and most of their text is untrusted. So nothing invisible
passes: what is not printable is written as in bash's ``$'...'``, which keeps two values two.
"""

import re
from hashlib import sha256
from typing import Final

LONGEST: Final = 512
"""Characters; some remote stores refuse a whole write for one label of more than 2,048 bytes."""

_ELLIPSIS: Final = "…"
_DIGEST_LENGTH: Final = 32
_LOOKS_ESCAPED: Final = re.compile(r"\\(?=x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_UNDECODABLE: Final = range(0xDC80, 0xDD00)
"""How Python shows the bytes of a file name that are not UTF-8 (PEP 383)."""

_LAST_SHORT: Final = 0xFFFF


def prose(text: str) -> str:
    """Write text that only describes, cut to 512 characters, for between the quotes of a label."""
    if _is_plain(text):
        return text
    shown = visible(text[: LONGEST + 1])
    return _quotable(shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + _ELLIPSIS)


def identity(text: str) -> str:
    """Write text that tells one place from another, so that a cut leaves two places two.

    From 512 characters on, its end is replaced by an ellipsis and 128 bits of its SHA-256.
    """
    if _is_plain(text):
        return text
    shown = visible(text[:LONGEST])
    if len(shown) >= LONGEST:
        digest = sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
        shown = shown[: LONGEST - _DIGEST_LENGTH - len(_ELLIPSIS)] + _ELLIPSIS + digest
    return _quotable(shown)


def visible(text: str) -> str:
    r"""Write what is not printable as ``\x0a`` or ``\u202e``, an undecodable byte as ``\xff``.

    Different texts stay different: a backslash that would read as such an escape is written ``\x5c``.
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_shown, _LOOKS_ESCAPED.sub(r"\\x5c", text)))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if character.isascii():
        return f"\\x{code:02x}"
    if code in _UNDECODABLE:
        return f"\\x{code - _UNDECODABLE.start + 0x80:02x}"
    return f"\\u{code:04x}" if code <= _LAST_SHORT else f"\\U{code:08x}"


def number(value: float) -> str:
    """Write a number, an integral one without exponent or fraction."""
    return str(int(value)) if value % 1 == 0 else repr(value)


def _is_plain(text: str) -> bool:
    return len(text) < LONGEST and text.isprintable() and "\\" not in text and '"' not in text


def _quotable(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")
