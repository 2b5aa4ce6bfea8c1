"""Whatever the bytes are, a parser answers, and what it answers can be printed."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.demo import pki
from exporter.model import Certificate, Content, Document, Part, Reason
from exporter.parsing import parse
from exporter.parsing.keys import is_authority_key_path
from exporter.parsing.pem import blocks
from exporter.parsing.x509 import parse_certificate
from exporter.parsing.yaml import load

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CA = pki.make_ca(now=NOW)
LEAF = pki.make_leaf(CA, now=NOW, sans=["a.example", "10.0.0.1"], organizations=["system:masters"])
KUBECONFIG = {
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"certificate-authority-data": b64encode(CA.pem).decode()}}],
    "users": [
        {
            "name": "u",
            "user": {
                "client-certificate-data": b64encode(LEAF.pem).decode(),
                "client-key-data": b64encode(LEAF.key_pem).decode(),
            },
        }
    ],
}
SECRET = {"kind": "Secret", "data": {"tls.crt": b64encode(LEAF.pem).decode()}}
REAL = (
    LEAF.pem + LEAF.key_pem,
    LEAF.der,
    json.dumps(KUBECONFIG).encode(),
    b"kind: Config\nusers: &x\n- {name: u, user: {client-certificate-data: "
    + b64encode(LEAF.pem)
    + b"}}\nclusters: []\n",
    json.dumps(SECRET).encode(),
)
EXPECTED = st.sampled_from([None, *Part])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.sampled_from([*KUBECONFIG, "name", "user", "cluster"]), children)
    ),
)


def texts(value: object) -> Iterator[str]:
    """Every text inside a value."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, tuple | frozenset | list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)


def read(content: bytes, expected: Part | None) -> Content:
    """Parse a file and print everything it gave."""
    found = parse(Document(path="/x", content=content), expected=expected, decode_keys=True)
    for text in texts(found):
        text.encode()
    places = [(embedded.entry, embedded.index) for embedded in found.certificates]
    assert len(places) == len(set(places))
    assert len(found.failures) == len(set(found.failures))
    return found


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Real input with a few pieces replaced, doubled or cut out."""
    content = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        piece = draw(st.binary(max_size=4) | st.just(content[at : at + length] * 2) | st.sampled_from(REAL))
        content = content[:at] + piece + content[at + length :]
    return content


@settings(deadline=None, max_examples=300)
@given(content=st.binary(), expected=EXPECTED)
def test_arbitrary_bytes(content: bytes, expected: Part | None) -> None:
    """Noise is never an exception, and no certificate."""
    assert read(content, expected).certificates == ()


@settings(deadline=None, max_examples=600)
@given(content=mutations(), expected=EXPECTED)
def test_mutations_of_real_files(content: bytes, expected: Part | None) -> None:
    """A real file with some bytes wrong is read as far as it goes."""
    read(content, expected)


@settings(deadline=None, max_examples=300)
@given(value=JSON, expected=EXPECTED)
def test_arbitrary_structures(value: object, expected: Part | None) -> None:
    """Any shape where a kubeconfig was expected is an answer."""
    read(
        json.dumps({"kind": "Config", "users": value, "clusters": value, "contexts": [value]}).encode(),
        expected,
    )
    read(json.dumps({"kind": "Secret", "data": value}).encode(), expected)


@settings(deadline=None, max_examples=300)
@given(at=st.integers(0, len(LEAF.der) - 1), octet=st.integers(0, 255))
def test_one_wrong_octet_in_der(at: int, octet: int) -> None:
    """A certificate with one octet changed is one or has the reason why it is none."""
    content = LEAF.der[:at] + bytes([octet]) + LEAF.der[at + 1 :]

    match parse_certificate(content):
        case Certificate() as certificate:
            assert all(text.encode() is not None for text in texts(certificate))
            assert "\n" not in certificate.fingerprint
        case reason:
            assert reason is Reason.MALFORMED_CERTIFICATE


@settings(deadline=None, max_examples=300)
@given(content=st.binary() | st.text("-{}[]:,&*!|>'\"%@#?<~ \n\tax1").map(str.encode))
def test_yaml_of_arbitrary_text(content: bytes) -> None:
    """Syntax of any kind gives a value or none."""
    for text in texts(load(content)):
        text.encode()


@settings(deadline=None)
@given(
    content=st.lists(st.sampled_from([b"-----BEGIN A-----", b"-----END A-----", b"\n", b"AAAA", b":"])).map(
        b"".join
    )
)
def test_pem_of_arbitrary_lines(content: bytes) -> None:
    """There are never more blocks than BEGINs, and each can be asked for its DER."""
    found = [block.der() for block in blocks(content)]

    assert len(found) <= content.count(b"BEGIN")


@given(path=st.text())
def test_names_of_any_kind(path: str) -> None:
    """A path may be anything."""
    assert is_authority_key_path(path) in {True, False}


@pytest.mark.parametrize("content", REAL)
def test_the_real_files_are_real(content: bytes) -> None:
    """What is mutated above is whole before."""
    found = read(content, None)

    assert found.certificates
    assert not found.failures
