"""Certificates, keys and failures of one PEM or DER text, each on its own."""

from collections.abc import Iterable

from exporter.model import Certificate, Content, Embedded, Failure, Place, Reason
from exporter.parsing import der as tlv
from exporter.parsing import keys
from exporter.parsing.pem import Block, blocks
from exporter.parsing.x509 import parse_certificate

MAX_CERTIFICATES = 4096
MAX_FAILURES = 64
"""Reported of one bundle: each is a series, and the first already says what is wrong."""
_MAX_KEYS = 64


def read_bundle(path: str, entry: str, content: bytes, *, decode_keys: bool) -> Content:
    """Read every block of a PEM text; the index of a certificate counts the broken ones before it.

    A private key beside a CA certificate may be that CA's and stays undecoded.
    """
    parsed: list[Certificate | Reason] = []
    key_blocks: list[Block] = []
    for block in blocks(content):
        if block.is_certificate:
            parsed.append(_parsed(block) if len(parsed) < MAX_CERTIFICATES else Reason.TOO_MANY_CERTIFICATES)
        elif keys.is_key(block) and len(key_blocks) < _MAX_KEYS:
            key_blocks.append(block)
        if len(parsed) > MAX_CERTIFICATES:
            break
    found = _placed(path, entry, parsed)
    decode = decode_keys and not any(embedded.certificate.is_ca for embedded in found.certificates)
    return Content(
        certificates=found.certificates,
        failures=found.failures,
        keys=tuple(keys.public_half(block, entry, decode=decode) for block in key_blocks),
    )


def read_der(path: str, content: bytes) -> Content:
    """Read certificates in DER that follow one another; what comes after them does not count."""
    parsed: list[Certificate | Reason] = []
    start = 0
    while len(parsed) < MAX_CERTIFICATES and (found := tlv.element(content, start)) is not None:
        certificate = parse_certificate(content[start : found.end])
        if parsed and isinstance(certificate, Reason):
            break
        parsed.append(certificate)
        start = found.end
    return _placed(path, "", parsed or [Reason.MALFORMED_CERTIFICATE])


def _parsed(block: Block) -> Certificate | Reason:
    der = block.der()
    return Reason.MALFORMED_PEM if der is None else parse_certificate(der)


def _placed(path: str, entry: str, parsed: Iterable[Certificate | Reason]) -> Content:
    numbered = list(enumerate(parsed))
    failures = [
        Failure(Place(path, entry, index), found) for index, found in numbered if isinstance(found, Reason)
    ]
    return Content(
        certificates=tuple(
            Embedded(entry, index, found) for index, found in numbered if isinstance(found, Certificate)
        ),
        failures=(*failures[: MAX_FAILURES - 1], *failures[MAX_FAILURES - 1 :][-1:]),
    )
