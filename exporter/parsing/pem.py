"""PEM text (RFC 7468) cut into blocks in one pass over its lines, as Go's ``encoding/pem`` does."""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field

CERTIFICATE_LABELS = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})

_BEGIN = b"-----BEGIN "
_END = b"-----END "
_DASHES = b"-----"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between a BEGIN and its END line."""

    label: str
    body: bytes | None = field(repr=False)
    """The text as it stands, headers included; None where the block is not closed by its own END."""

    @property
    def is_certificate(self) -> bool:
        """Announces a certificate."""
        return self.label in CERTIFICATE_LABELS

    @property
    def is_encapsulated(self) -> bool:
        """Headers stand before what then is an encrypted message (RFC 1421, 4.6)."""
        return self.body is not None and b":" in self.body

    def der(self) -> bytes | None:
        """Decode the body; None where it is no base64."""
        if self.body is None:
            return None
        try:
            return binascii.a2b_base64(_payload(self.body).translate(None, b" \t\r\n"), strict_mode=True)
        except binascii.Error:
            return None


def has_marker(content: bytes) -> bool:
    """The content has a line that begins a PEM block."""
    return content.startswith((_BEGIN, _BYTE_ORDER_MARK + _BEGIN)) or b"\n" + _BEGIN in content


def blocks(content: bytes) -> Iterator[Block]:
    """Yield every block in order, also those that are broken; text between them does not count."""
    label: str | None = None
    start = 0
    for begin, end in _marked_lines(content):
        line = content[begin:end]
        if (begun := _label(line, _BEGIN)) is not None:
            if label is not None:
                yield Block(label, None)
            label, rest = begun
            start = end
            # Go sees no BEGIN behind a byte order mark or with more text in its line
            if rest or (begin and content.startswith(_BYTE_ORDER_MARK) and begin == len(_BYTE_ORDER_MARK)):
                yield Block(label, None)
                label = None
        elif label is not None and (ended := _label(line, _END)) is not None:
            yield Block(label, content[start:begin] if ended == (label, b"") else None)
            label = None
    if label is not None:
        yield Block(label, None)


def _marked_lines(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each line that begins with five dashes."""
    begin = len(_BYTE_ORDER_MARK) if content.startswith(_BYTE_ORDER_MARK) else 0
    if not content.startswith(_DASHES, begin):
        begin = content.find(b"\n" + _DASHES) + 1 or len(content)
    while begin < len(content):
        end = content.find(b"\n", begin)
        end = len(content) if end < 0 else end
        yield begin, end
        begin = content.find(b"\n" + _DASHES, end) + 1 or len(content)


def _label(line: bytes, keyword: bytes) -> tuple[str, bytes] | None:
    """Take the label and what follows it in its line apart; None where it is no such line."""
    if not line.startswith(keyword):
        return None
    label, dashes, rest = line[len(keyword) :].partition(_DASHES)
    return (label.decode(errors="replace"), rest.strip()) if dashes else None


def _payload(body: bytes) -> bytes:
    """Leave out the headers of an encapsulated message (RFC 1421, 4.6)."""
    if b":" not in body:
        return body
    start = 0
    while (end := body.find(b"\n", start)) >= 0 and (end == start or b":" in body[start:end]):
        start = end + 1
    return body[start:]
