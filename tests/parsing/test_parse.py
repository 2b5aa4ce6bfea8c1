"""A document is taken for what it holds, and says why where it does not hold what was expected."""

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exporter.demo import pki
from exporter.model import Content, Document, Failure, Part, Place, Reason
from exporter.parsing import bundle, parse

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CA = pki.make_ca(now=NOW)
LEAF = pki.make_leaf(CA, now=NOW)
NODES = Path(__file__).parents[1] / "nodes"
CERTIFICATES = (Part.CERTIFICATE, Part.TRUST)


def read(content: bytes, expected: Part | None = None) -> Content:
    """Parse a file."""
    return parse(Document(path="/x", content=content), expected=expected, decode_keys=True)


def reasons(content: bytes, expected: Part | None = None) -> list[tuple[int, str]]:
    """Tell each failure's index and reason."""
    return [(failure.place.index, failure.reason) for failure in read(content, expected).failures]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"\x7fELF\x02\x01\x01",
        b"0123456789",
        b"0\x82",
        b"0\x82\x00\x05hello",
        b"0\x82\x01\x00\x30\x82\x00\x10\x02\x01\x00",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        b"4F2A\n",
        b"[req]\ndistinguished_name = users\n",
        b"kind: [",
    ],
    ids=[
        "empty",
        "zeros",
        "elf",
        "digits",
        "two-octets",
        "der-text",
        "der-request",
        "csr",
        "srl",
        "csr.conf",
        "yaml",
    ],
)
@pytest.mark.parametrize("expected", [None, *CERTIFICATES])
def test_a_neighbour_is_a_failure_only_where_a_certificate_is_expected(
    content: bytes, expected: Part | None
) -> None:
    """Requests, serial files and binaries lie beside certificates on healthy nodes."""
    content_has_der = content.startswith(b"0\x82")
    reason = Reason.MALFORMED_CERTIFICATE if content_has_der else Reason.NO_CERTIFICATE

    assert reasons(content, expected) == ([(0, reason)] if expected in CERTIFICATES else [])


@pytest.mark.parametrize("expected", [None, *CERTIFICATES])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LEAF.pem[:-2], Reason.MALFORMED_PEM),
        (b"-----BEGIN CERTIFICATE-----\n", Reason.MALFORMED_PEM),
        (b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", Reason.MALFORMED_PEM),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", Reason.MALFORMED_CERTIFICATE),
        (LEAF.der[:-1], Reason.MALFORMED_CERTIFICATE),
        (LEAF.der[:20], Reason.MALFORMED_CERTIFICATE),
    ],
    ids=["PEM without end", "PEM without body", "no base64", "no DER", "DER cut at its end", "DER cut early"],
)
def test_a_broken_certificate_is_a_failure_wherever_it_is(
    content: bytes, reason: Reason, expected: Part | None
) -> None:
    """What begins as a certificate and is none is told, expected or not."""
    assert reasons(content, expected) == [(0, reason)]


@pytest.mark.parametrize("label", [b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"])
def test_labels_of_certificates(label: bytes) -> None:
    """OpenSSL's labels are read; what a trusted certificate adds behind its DER does not count."""
    (embedded,) = read(LEAF.pem.replace(b"CERTIFICATE", label)).certificates

    assert embedded.certificate.der == LEAF.der


def test_der_and_der_one_after_another() -> None:
    """A file in DER works, with more certificates or with something else behind."""
    assert [e.certificate.der for e in read(LEAF.der).certificates] == [LEAF.der]
    found = read(LEAF.der + CA.der + b"\x30\x03\x02\x01\x00", Part.TRUST)
    assert [(e.index, e.certificate.der) for e in found.certificates] == [(0, LEAF.der), (1, CA.der)]
    assert found.failures == ()


def test_a_bundle_with_a_broken_block_in_the_middle() -> None:
    """All the others of 300 count, and the broken one keeps its index."""
    pems = [CA.pem] * 300
    pems[150] = LEAF.pem.replace(b"MII", b"M?I")

    content = read(b"# bundle\r\n".join(pems), Part.TRUST)

    assert [e.index for e in content.certificates] == [*range(150), *range(151, 300)]
    assert content.failures == (Failure(Place("/x", "", 150), Reason.MALFORMED_PEM),)


def test_too_many_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before the bound counts, and that there is more is told."""
    monkeypatch.setattr(bundle, "MAX_CERTIFICATES", 3)

    at_bound, beyond = read(CA.pem * 3), read(CA.pem * 9)

    assert (len(at_bound.certificates), at_bound.failures) == (3, ())
    assert len(beyond.certificates) == 3
    assert beyond.failures == (Failure(Place("/x", "", 3), Reason.TOO_MANY_CERTIFICATES),)
    assert len(read(CA.der * 9).certificates) == 3


def test_failures_are_bounded() -> None:
    """A file of 200,000 BEGIN lines makes no 200,000 series."""
    found = reasons(b"-----BEGIN CERTIFICATE-----\n" * 200_000)

    assert found[:63] == [(index, Reason.MALFORMED_PEM) for index in range(63)]
    assert found[63:] == [(bundle.MAX_CERTIFICATES, Reason.TOO_MANY_CERTIFICATES)]


@pytest.mark.parametrize("expected", [None, Part.CERTIFICATE])
def test_every_truncation_of_pem(expected: Part | None) -> None:
    """A file cut short anywhere is nothing at all, malformed, or whole."""
    start, end = len(b"-----BEGIN CERTIFICATE-----"), len(LEAF.pem) - 1
    for length in range(len(LEAF.pem) + 1):
        found = read(LEAF.pem[:length], expected)
        if length < start:
            assert [f.reason for f in found.failures] == ([Reason.NO_CERTIFICATE] if expected else [])
        elif length < end:
            assert [f.reason for f in found.failures] == [Reason.MALFORMED_PEM]
        else:
            assert (len(found.certificates), found.failures) == (1, ())


@pytest.mark.parametrize("expected", [None, Part.CERTIFICATE])
def test_every_truncation_of_der(expected: Part | None) -> None:
    """The same for DER: malformed as soon as it can be told from anything else."""
    for length in range(len(LEAF.der)):
        found = {f.reason for f in read(LEAF.der[:length], expected).failures}
        if expected is None:
            assert found == ({Reason.MALFORMED_CERTIFICATE} if length >= 12 else set())
        else:
            assert found == {Reason.MALFORMED_CERTIFICATE if length > 1 else Reason.NO_CERTIFICATE}


@pytest.mark.parametrize(
    ("recorded", "in_pem", "embedded", "kubeconfigs"),
    [
        ("kubeadm-1.36-control-plane", 12, 9, 5),
        ("kubeadm-1.36-worker", 3, 1, 1),
        ("k3s-1.36.3", 45, 5, 10),
        ("k0s-1.36.3", 14, 8, 4),
        ("microk8s-1.36", 11, 10, 5),
        ("minikube-1.38.1", 13, 10, 6),
    ],
)
def test_recorded_nodes(recorded: str, in_pem: int, embedded: int, kubeconfigs: int) -> None:
    """Every file of a real node is read, and none is a failure."""
    contents = []
    with tarfile.open(NODES / f"{recorded}.tar.gz") as archive:
        for member in archive:
            if member.isreg() and (file := archive.extractfile(member)) is not None:
                document = Document(path=f"/{member.name}", content=file.read())
                contents.append(parse(document, expected=None, decode_keys=True))

    certificates = [e for content in contents for e in content.certificates]
    assert sum(not e.entry for e in certificates) == in_pem
    assert sum(bool(e.entry) for e in certificates) == embedded
    assert sum(content.kubeconfig is not None for content in contents) == kubeconfigs
    assert [f for content in contents for f in content.failures] == []
    assert [e for e in certificates if e.certificate.undecoded] == []
