"""A certificate's fields are read one by one, and a bad one does not cost the others."""

import ipaddress
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from exporter.demo import pki
from exporter.model import Certificate, Reason, SubjectAlternativeName
from exporter.parsing.x509 import parse_certificate
from tests.parsing.crafted_der import (
    MD5_WITH_RSA,
    SHA1_WITH_RSA,
    SHA256_WITH_RSA,
    UNKNOWN_ALGORITHM,
    common_name,
    encoded,
    extension,
    extensions,
    recast,
    rsa_key_info,
    validity,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BASIC_CONSTRAINTS = "551d13"
CA_TRUE = bytes.fromhex("30030101ff")


def parsed(der: bytes) -> Certificate:
    """Parse what must be readable."""
    certificate = parse_certificate(der)
    assert isinstance(certificate, Certificate)
    return certificate


@pytest.fixture(scope="module")
def ca() -> pki.Issued:
    """A CA as kubeadm makes it."""
    return pki.make_ca(now=NOW)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def rsa_ca(rsa_key: rsa.RSAPrivateKey) -> pki.Issued:
    """A CA of an RSA key."""
    return pki.make_ca(now=NOW, key=rsa_key)


def test_every_field_of_a_leaf(ca: pki.Issued) -> None:
    """A usual certificate is read to the last field."""
    leaf = pki.make_leaf(
        ca,
        "kube-apiserver",
        now=NOW,
        organizations=["a", "b"],
        sans=["kubernetes.default", "10.96.0.1", "::1"],
        usages=["serverAuth", "clientAuth"],
        serial=0xABC,
    )
    key_info = leaf.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_identifier = x509.SubjectKeyIdentifier.from_public_key(ca.key.public_key()).digest.hex()

    certificate = parsed(leaf.der)

    assert certificate.der == leaf.der
    assert certificate.fingerprint == sha256(leaf.der).hexdigest()
    assert certificate.spki_sha256 == sha256(key_info).hexdigest()
    assert (certificate.version, certificate.serial_number) == (3, "0abc")
    assert (certificate.subject, certificate.issuer) == ("CN=kube-apiserver,O=b,O=a", "CN=kubernetes")
    assert (certificate.subject_cn, certificate.issuer_cn) == ("kube-apiserver", "kubernetes")
    assert certificate.organizations == ("a", "b")
    assert certificate.subject_der == leaf.certificate.subject.public_bytes()
    assert certificate.issuer_der == ca.certificate.subject.public_bytes()
    assert (certificate.not_before, certificate.not_after) == (NOW - pki.BACKDATED, NOW + pki.YEAR)
    assert (certificate.key_algorithm, certificate.key_size) == ("EC", 256)
    assert (certificate.signature_algorithm, certificate.signature_hash) == ("ecdsa-with-SHA256", "sha256")
    assert certificate.sans == (
        SubjectAlternativeName("dns", "kubernetes.default"),
        SubjectAlternativeName("ip", "10.96.0.1"),
        SubjectAlternativeName("ip", "::1"),
    )
    assert (certificate.is_ca, certificate.is_self_issued, certificate.is_self_signed) == (False,) * 3
    assert certificate.basic_constraints_ca is False
    assert certificate.key_usage == frozenset({"digitalSignature", "keyEncipherment"})
    assert certificate.extended_key_usage == frozenset({"serverAuth", "clientAuth"})
    assert (certificate.subject_key_identifier, certificate.authority_key_identifier) == ("", key_identifier)
    assert certificate.undecoded == ()


def test_a_ca_is_self_signed(ca: pki.Issued) -> None:
    """A root says that it is a CA, and its own key verifies it."""
    certificate = parsed(ca.der)

    assert (certificate.is_ca, certificate.is_self_issued, certificate.is_self_signed) == (True,) * 3
    assert certificate.key_usage is not None
    assert "keyCertSign" in certificate.key_usage


def test_a_namesake_of_its_issuer_is_not_self_signed(ca: pki.Issued) -> None:
    """Equal names make a certificate self-issued; only the signature makes it self-signed."""
    certificate = parsed(pki.make_ca(now=NOW, issuer=ca).der)

    assert (certificate.is_self_issued, certificate.is_self_signed) == (True, False)


@pytest.mark.parametrize(
    ("key", "algorithm", "size", "signature", "digest"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "EC", 384, "ecdsa-with-SHA256", "sha256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", None, "Ed25519", ""),
        (ed448.Ed448PrivateKey.generate(), "Ed448", None, "Ed448", ""),
        (
            rsa.generate_private_key(public_exponent=65537, key_size=1024),
            "RSA",
            1024,
            "sha256WithRSAEncryption",
            "sha256",
        ),
    ],
)
def test_algorithms_have_names(
    key: pki.PrivateKey, algorithm: str, size: int | None, signature: str, digest: str
) -> None:
    """Each kind of key that a cluster may use is named, with its size where it has a choice."""
    certificate = parsed(pki.make_ca(now=NOW, key=key).der)

    assert (certificate.key_algorithm, certificate.key_size) == (algorithm, size)
    assert (certificate.signature_algorithm, certificate.signature_hash) == (signature, digest)
    assert certificate.is_self_signed


def test_a_dsa_key_is_measured(rsa_ca: pki.Issued) -> None:
    """DSA is old, but a certificate of it is read."""
    key = dsa.generate_private_key(1024).public_key()
    key_info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    certificate = parsed(recast(rsa_ca.der, {"spki": key_info}))

    assert (certificate.key_algorithm, certificate.key_size) == ("DSA", 1024)


@pytest.mark.parametrize(
    ("algorithm", "name", "undecoded"),
    [
        (UNKNOWN_ALGORITHM, "1.2.3.4.5.6.7", ()),
        (bytes.fromhex("300b0609608648016503040312"), "ML-DSA-65", ("public_key",)),
        (bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d"), "EC", ()),
        (bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"), "EC", ("public_key",)),
    ],
    ids=["unknown-oid", "broken-ml-dsa", "unknown-curve", "broken-point"],
)
def test_a_key_that_cannot_be_read_is_named_and_hashed(
    ca: pki.Issued, algorithm: bytes, name: str, undecoded: tuple[str, ...]
) -> None:
    """An algorithm unknown here is no failure, a broken key is one field, and either has its hash."""
    key_info = encoded(0x30, algorithm, encoded(0x03, b"\x00", b"\x04\x01\x02"))

    certificate = parsed(recast(ca.der, {"spki": key_info}))

    assert (certificate.key_algorithm, certificate.key_size) == (name, None)
    assert certificate.spki_sha256 == sha256(key_info).hexdigest()
    assert certificate.undecoded == undecoded
    assert certificate.is_self_signed is False
    assert certificate.is_ca


def test_a_point_in_short_form_is_the_same_key(ca: pki.Issued) -> None:
    """One key has one hash, however its point is written."""
    assert isinstance(ca.key, ec.EllipticCurvePrivateKey)
    point = ca.key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")

    certificate = parsed(recast(ca.der, {"spki": encoded(0x30, algorithm, encoded(0x03, b"\x00", point))}))

    assert certificate.spki_sha256 == parsed(ca.der).spki_sha256


@pytest.mark.parametrize(
    ("algorithm", "name", "digest"),
    [
        (SHA1_WITH_RSA, "sha1WithRSAEncryption", "sha1"),
        (MD5_WITH_RSA, "md5WithRSAEncryption", "md5"),
        (SHA256_WITH_RSA, "sha256WithRSAEncryption", "sha256"),
    ],
)
def test_outdated_signatures_are_read_and_verified(
    rsa_ca: pki.Issued, rsa_key: rsa.RSAPrivateKey, algorithm: bytes, name: str, digest: str
) -> None:
    """An old root signed with MD5 or SHA-1 is still seen to be self-signed."""
    certificate = parsed(recast(rsa_ca.der, {"algorithm": algorithm}, key=rsa_key))

    assert (certificate.signature_algorithm, certificate.signature_hash) == (name, digest)
    assert certificate.is_self_signed


def test_an_unknown_signature_algorithm_is_named_by_its_oid(ca: pki.Issued) -> None:
    """A signature that cannot be verified leaves every other field."""
    certificate = parsed(recast(ca.der, {"algorithm": UNKNOWN_ALGORITHM}))

    assert (certificate.signature_algorithm, certificate.signature_hash) == ("1.2.3.4.5.6.7", "")
    assert (certificate.is_self_issued, certificate.is_self_signed) == (True, False)
    assert certificate.undecoded == ()


def test_a_512_bit_rsa_key_is_read(rsa_ca: pki.Issued) -> None:
    """A key far too small is a fact, for a check to judge."""
    certificate = parsed(recast(rsa_ca.der, {"spki": rsa_key_info(2**511 + 111)}))

    assert (certificate.key_algorithm, certificate.key_size) == ("RSA", 512)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [(b"\x00", "00"), (b"\xfb", "-05"), (b"\x01", "01"), (b"\x00\xff", "ff"), (b"\x7f" * 30, "7f" * 30)],
)
def test_serial_numbers_of_any_sign(ca: pki.Issued, octets: bytes, expected: str) -> None:
    """A serial number is whole octets in hexadecimal; zero and negative ones do occur."""
    assert parsed(recast(ca.der, {"serial": encoded(0x02, octets)})).serial_number == expected


@pytest.mark.parametrize(
    ("not_before", "not_after", "years"),
    [
        (b"500101000000Z", b"491231235959Z", (1950, 2049)),
        (b"19500101000000Z", b"99991231235959Z", (1950, 9999)),
        (b"261124085500Z", b"20500101000000Z", (2026, 2050)),
    ],
)
def test_dates_far_away(ca: pki.Issued, not_before: bytes, not_after: bytes, years: tuple[int, int]) -> None:
    """The first and the last year that a certificate can name are dates like others."""
    der = recast(ca.der, {"validity": validity(not_before, not_after)})

    certificate = parsed(der)

    assert (certificate.not_before.year, certificate.not_after.year) == years
    assert certificate.not_after.tzinfo is UTC


def test_version_1_without_extensions(rsa_ca: pki.Issued, rsa_key: rsa.RSAPrivateKey) -> None:
    """A self-signed certificate of version 1 is a CA, for it is used as trust."""
    parts = {"version": b"", "extensions": b"", "algorithm": SHA256_WITH_RSA}

    root = parsed(recast(rsa_ca.der, parts, key=rsa_key))
    leaf = parsed(recast(rsa_ca.der, {**parts, "subject": common_name(b"client")}, key=rsa_key))

    assert (root.version, root.is_ca, root.basic_constraints_ca) == (1, True, None)
    assert (root.key_usage, root.extended_key_usage) == (None, None)
    assert (leaf.version, leaf.is_ca) == (1, False)


@pytest.mark.parametrize(
    ("value", "tag", "cn"),
    [
        (b"nul\x00inside", 0x0C, "nul\x00inside"),
        ("\u202egnp.exe".encode(), 0x0C, "\u202egnp.exe"),
        (b'say "no"\\\n', 0x0C, 'say "no"\\\n'),
        (b"x" * 10_240, 0x0C, "x" * 10_240),
        ("ümlaut".encode("utf-16-be"), 0x1E, "ümlaut"),
        (b"", 0x0C, ""),
    ],
)
def test_a_hostile_subject_is_text(ca: pki.Issued, value: bytes, tag: int, cn: str) -> None:
    """Whatever a subject says is kept as it is; who prints it escapes it."""
    certificate = parsed(recast(ca.der, {"subject": common_name(value, tag)}))

    assert certificate.subject_cn == cn
    assert certificate.subject.encode()
    assert certificate.undecoded == ()


@pytest.mark.parametrize(("value", "tag"), [(b"\xff\xfe", 0x0C), (b"\x01\x02", 0x02)])
def test_a_subject_that_is_no_text_is_one_undecoded_field(ca: pki.Issued, value: bytes, tag: int) -> None:
    """The dates, the issuer and the rest count although the subject cannot be decoded."""
    name = common_name(value, tag)

    certificate = parsed(recast(ca.der, {"subject": name}))

    assert (certificate.undecoded, certificate.subject, certificate.subject_cn) == (("subject",), "", "")
    assert certificate.subject_der == name
    assert certificate.issuer_cn == "kubernetes"
    assert certificate.not_after == NOW + 10 * pki.YEAR


def test_the_last_common_name_counts(ca: pki.Issued) -> None:
    """Go's ``pkix.Name`` takes the last of several CNs, so that is who RBAC sees."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, cn) for cn in ("first", "last")]

    certificate = parsed(recast(ca.der, {"subject": x509.Name(names).public_bytes()}))

    assert certificate.subject_cn == "last"


@pytest.mark.parametrize(
    "broken",
    [
        extensions(extension(BASIC_CONSTRAINTS, CA_TRUE), extension(BASIC_CONSTRAINTS, CA_TRUE)),
        extensions(extension(BASIC_CONSTRAINTS, b"\xff")),
        extensions(extension("551d11", encoded(0x30, encoded(0x82, b"\xff\xff")))),
        extensions(extension("551d11", encoded(0x30, encoded(0x87, b"\x01\x02\x03")))),
        extensions(extension("551d11", encoded(0x30, encoded(0xA3, b"")))),
    ],
    ids=["duplicate", "no-der", "no-ascii", "address-of-3-octets", "x400-address"],
)
def test_broken_extensions_are_one_undecoded_field(ca: pki.Issued, broken: bytes) -> None:
    """A duplicate or undecodable extension leaves names and dates."""
    certificate = parsed(recast(ca.der, {"extensions": broken}))

    assert certificate.undecoded == ("extensions",)
    assert (certificate.sans, certificate.key_usage, certificate.basic_constraints_ca) == ((), None, None)
    assert certificate.subject_cn == "kubernetes"


def test_an_unknown_critical_extension_is_passed_over(ca: pki.Issued) -> None:
    """What others must refuse can still expire."""
    unknown = extension("2a030405", b"\x05\x00", is_critical=True)

    certificate = parsed(
        recast(ca.der, {"extensions": extensions(unknown, extension(BASIC_CONSTRAINTS, CA_TRUE))})
    )

    assert (certificate.is_ca, certificate.undecoded) == (True, ())


def test_alternative_names_of_every_kind(ca: pki.Issued) -> None:
    """The rarer kinds are written readably, behind their names in RFC 5280."""
    leaf = pki.make_leaf(
        ca,
        now=NOW,
        sans=[
            x509.RFC822Name("a@example.org"),
            x509.UniformResourceIdentifier("spiffe://a/b"),
            x509.IPAddress(ipaddress.ip_address("fe80::1")),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
            x509.DirectoryName(pki.name("x", ["o"])),
            x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"),
        ],
    )

    assert [(san.type, san.value) for san in parsed(leaf.der).sans] == [
        ("email", "a@example.org"),
        ("uri", "spiffe://a/b"),
        ("ip", "fe80::1"),
        ("other", "registeredID:1.2.3.4"),
        ("other", "directoryName:CN=x,O=o"),
        ("other", "otherName:1.2.3:0500"),
    ]


def test_ten_thousand_alternative_names(ca: pki.Issued) -> None:
    """None is lost here; only the labels are bounded."""
    leaf = pki.make_leaf(ca, now=NOW, sans=[f"{number}.example" for number in range(10_000)])

    assert len(parsed(leaf.der).sans) == 10_000


def test_usages_of_every_kind(ca: pki.Issued) -> None:
    """Usages have the names of RFC 5280, and unknown ones their OID."""
    usages = extension("551d25", encoded(0x30, bytes.fromhex("0603551d2a"), bytes.fromhex("06032a0304")))
    every_bit = extension("551d0f", bytes.fromhex("0303077f80"))
    agreement = extension("551d0f", bytes.fromhex("0303070980"))

    certificate = parsed(recast(ca.der, {"extensions": extensions(usages, agreement)}))
    others = parsed(recast(ca.der, {"extensions": extensions(every_bit)}))

    assert certificate.extended_key_usage == frozenset({"2.5.29.42", "1.2.3.4"})
    assert certificate.key_usage == frozenset({"keyAgreement", "encipherOnly", "decipherOnly"})
    assert others.key_usage is not None
    assert {"nonRepudiation", "dataEncipherment", "keyCertSign", "cRLSign"} <= others.key_usage


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"0",
        b"\x30\x80",
        b"\x30\x00",
        b"\x31\x00",
        b"\x30\x85\x01\x01\x01\x01\x01",
        b"\x1f\x81\x00",
        b"\x30\x82\xff",
    ],
)
def test_what_is_no_certificate_has_a_reason(der: bytes) -> None:
    """Bytes that are no certificate are a reason and no exception."""
    assert parse_certificate(der) is Reason.MALFORMED_CERTIFICATE


@pytest.mark.parametrize(
    "parts",
    [
        {"validity": validity(b"261124085500Z", b"not a date!!Z")},
        {"version": bytes.fromhex("a003020107")},
        {"serial": encoded(0x04, b"\x01")},
    ],
    ids=["date", "version", "serial"],
)
def test_without_dates_or_structure_it_is_malformed(ca: pki.Issued, parts: dict[str, bytes]) -> None:
    """A certificate without readable dates or structure is none."""
    assert parse_certificate(recast(ca.der, parts)) is Reason.MALFORMED_CERTIFICATE


def test_every_truncation_of_der(ca: pki.Issued) -> None:
    """A certificate cut short anywhere is malformed, and one with more behind it is not."""
    assert {parse_certificate(ca.der[:length]) for length in range(len(ca.der))} == {
        Reason.MALFORMED_CERTIFICATE
    }
    assert parsed(ca.der + b"\x30\x00").der == ca.der


def test_equal_values_are_one_object(ca: pki.Issued) -> None:
    """5,000 leaves of one CA do not hold its name 5,000 times."""
    first, second = (parsed(pki.make_leaf(ca, now=NOW).der) for _ in range(2))

    assert first.issuer is second.issuer
    assert first.issuer_der is second.issuer_der
    assert first.key_usage is second.key_usage
    assert first.authority_key_identifier is second.authority_key_identifier
