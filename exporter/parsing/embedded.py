"""PEM that stands in base64 inside another document."""

import binascii
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from exporter.model import Content, Failure, Place, PublicKey, Reason
from exporter.parsing.bundle import read_bundle


def read_certificates(path: str, entry: str, value: object, *, malformed: Reason) -> Content:
    """Read a bundle where certificates are expected; *malformed* is what broken base64 means here."""
    content = decoded(value)
    if content is None:
        return Content(failures=(Failure(Place(path, entry), malformed),))
    found = read_bundle(path, entry, content, decode_keys=False)
    if found.certificates or found.failures:
        return found
    return replace(found, failures=(Failure(Place(path, entry), Reason.NO_CERTIFICATE),))


def read_keys(entry: str, value: object, *, beside: Content, decode: bool) -> Content:
    """Read only the keys; one whose certificate, the first one *beside*, is a CA's stays undecoded."""
    content = decoded(value)
    decode = decode and not (beside.certificates and beside.certificates[0].certificate.is_ca)
    found = Content() if content is None else read_bundle("", entry, content, decode_keys=decode)
    return Content(keys=found.keys or (PublicKey(entry, None, is_private=True, is_malformed=decode),))


def decoded(value: object) -> bytes | None:
    """Decode a value as Go's JSON does: base64 with line ends allowed, and nothing else."""
    if not isinstance(value, str):
        return None
    try:
        return binascii.a2b_base64(value.replace("\n", "").replace("\r", ""), strict_mode=True)
    except ValueError:
        return None


def joined(contents: Iterable[Content]) -> Content:
    """Put what several entries of one document hold together; equal failures count once."""
    parts = tuple(contents)
    return Content(
        certificates=tuple(chain.from_iterable(part.certificates for part in parts)),
        failures=tuple(dict.fromkeys(chain.from_iterable(part.failures for part in parts))),
        keys=tuple(chain.from_iterable(part.keys for part in parts)),
    )
