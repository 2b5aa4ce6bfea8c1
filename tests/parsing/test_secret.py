"""A Secret in a file, as k3s keeps the certificate of its own port."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from exporter.demo import pki
from exporter.model import Content, Document, Failure, Part, Place, PublicKey, Reason
from exporter.parsing import parse
from exporter.parsing.secret import parse_secret

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PATH = "/var/lib/rancher/k3s/server/tls/dynamic-cert.json"
CA = pki.make_ca(now=NOW)
LEAF = pki.make_leaf(CA, "k3s", now=NOW)


def read(data: object, *, expected: Part | None = None, decode_keys: bool = True) -> Content:
    """Parse a Secret of such data; bytes are encoded as the API does it."""
    if isinstance(data, dict):
        data = {k: b64encode(v).decode() if isinstance(v, bytes) else v for k, v in data.items()}
    content = json.dumps(
        {"kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/tls", "data": data}
    ).encode()
    return parse(Document(path=PATH, content=content), expected=expected, decode_keys=decode_keys)


def test_the_pair_of_k3s() -> None:
    """The entry is the key of the Secret; leaf and CA stand in one, and the key is the leaf's."""
    content = read({"tls.crt": LEAF.pem + CA.pem, "tls.key": LEAF.key_pem}, expected=Part.CERTIFICATE)

    assert [(e.entry, e.index, e.certificate.subject_cn) for e in content.certificates] == [
        ("tls.crt", 0, "k3s"),
        ("tls.crt", 1, "kubernetes"),
    ]
    spki = content.certificates[0].certificate.spki_sha256
    assert content.keys == (PublicKey("tls.key", spki, is_private=True),)
    assert content.failures == ()


@pytest.mark.parametrize(
    ("data", "decode_keys"),
    [
        ({"tls.crt": CA.pem, "tls.key": CA.key_pem}, True),
        ({"tls.crt": LEAF.pem, "tls.key": LEAF.key_pem}, False),
    ],
)
def test_keys_that_are_not_decoded(data: dict[str, bytes], *, decode_keys: bool) -> None:
    """A CA's key, such as cert-manager keeps it, and an unwanted one are only known to be there."""
    assert read(data, decode_keys=decode_keys).keys == (PublicKey("tls.key", None, is_private=True),)


def test_only_certificates_and_keys_are_looked_at() -> None:
    """Other values of a Secret are nobody's business, and empty ones are placeholders."""
    content = read({"ca.crt": "", "tls.key": "", "password": b"x", "note.txt": CA.pem, "ca.pem": CA.pem})

    assert [e.entry for e in content.certificates] == ["ca.pem"]
    assert (content.failures, content.keys) == ((), ())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("???", Reason.MALFORMED_PEM),
        (5, Reason.MALFORMED_PEM),
        (b"text", Reason.NO_CERTIFICATE),
        (LEAF.pem[:-20], Reason.MALFORMED_PEM),
    ],
)
def test_a_broken_value_is_a_failure_of_its_entry(value: object, reason: Reason) -> None:
    """The other values count."""
    content = read({"tls.crt": value, "ca.crt": CA.pem})

    assert [e.entry for e in content.certificates] == ["ca.crt"]
    assert content.failures == (Failure(Place(PATH, "tls.crt"), reason),)


@pytest.mark.parametrize("data", [None, [], "text"])
def test_a_secret_without_data(data: object) -> None:
    """It holds nothing, and only where a certificate is expected is that a failure."""
    assert read(data) == Content()
    assert read(data, expected=Part.CERTIFICATE).failures == (Failure(Place(PATH), Reason.NO_CERTIFICATE),)


def test_data_of_the_api() -> None:
    """The same data, as the API hands it out, is parsed without the document around it."""
    data = {"tls.crt": b64encode(LEAF.pem).decode()}

    (embedded,) = parse_secret("secret/default/web", data, decode_keys=False).certificates

    assert (embedded.entry, embedded.certificate.subject_cn) == ("tls.crt", "k3s")
