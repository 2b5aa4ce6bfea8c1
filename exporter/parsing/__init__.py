"""Bytes to facts: pure functions that take any input and never raise."""

from dataclasses import replace

from exporter.model import Content, Document, Failure, Part, Place, Reason
from exporter.parsing import der, pem
from exporter.parsing.bundle import read_bundle, read_der
from exporter.parsing.keys import are_usable, is_authority_key_path
from exporter.parsing.kubeconfig import is_kubeconfig, parse_kubeconfig
from exporter.parsing.secret import parse_secret, secret_data
from exporter.parsing.yaml import load

_KUBECONFIG_DATA = (b"certificate-authority-data", b"client-certificate-data")
"""Fields that nothing but a kubeconfig has."""
_WORDS = (b"clusters", b"users", b"kind")
_CERTIFICATES = frozenset({Part.CERTIFICATE, Part.TRUST})


def parse(document: Document, *, expected: Part | None, decode_keys: bool) -> Content:
    """Read whatever a document holds, by its content and not by its name.

    Without *expected* a file that holds nothing of ours is no failure, and one that begins like ours but is
    broken is. *decode_keys* permits to read the public half of a private key, though never of a CA's; without
    it nothing is said of a key that is broken.
    """
    decode_keys = decode_keys and not is_authority_key_path(document.path)
    content = _parsed(document, expected=expected, decode_keys=decode_keys)
    if content.certificates or content.failures:
        return content
    if expected in _CERTIFICATES:
        return _failed(content, document.path, Reason.NO_CERTIFICATE)
    if expected is Part.PRIVATE_KEY and decode_keys and not _holds_key(content, document):
        return _failed(content, document.path, Reason.MALFORMED_KEY)
    return content


def _failed(content: Content, path: str, reason: Reason) -> Content:
    return replace(content, failures=(Failure(Place(path), reason),))


def _holds_key(content: Content, document: Document) -> bool:
    """One of the keys can be used, or the file is DER, of which no key is read."""
    return are_usable(content.keys) or der.is_sequence(document.content)


def _parsed(document: Document, *, expected: Part | None, decode_keys: bool) -> Content:
    path, content = document.path, document.content
    if expected is Part.KUBECONFIG:
        return _structured(path, content, expected=expected, decode_keys=decode_keys)
    if pem.has_marker(content):
        return read_bundle(path, "", content, decode_keys=decode_keys)
    if der.begins_sequence(content):
        found = read_der(path, content)
        is_ours = found.certificates or expected in _CERTIFICATES or der.begins_certificate(content)
        return found if is_ours else Content()
    if any(word in content for word in _WORDS):
        return _structured(path, content, expected=None, decode_keys=decode_keys)
    return Content()


def _structured(path: str, content: bytes, *, expected: Part | None, decode_keys: bool) -> Content:
    """Read what stands in YAML or JSON: a kubeconfig or a Secret."""
    value = load(content)
    if is_kubeconfig(value):
        return parse_kubeconfig(path, value, decode_keys=decode_keys)
    if (data := secret_data(value)) is not None:
        return parse_secret(path, data, decode_keys=decode_keys)
    is_broken = value is None and any(field in content for field in _KUBECONFIG_DATA)
    if is_broken or expected is Part.KUBECONFIG:
        return Content(failures=(Failure(Place(path), Reason.MALFORMED_KUBECONFIG),))
    return Content()
