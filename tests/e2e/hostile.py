"""Everything that can lie in a directory of a PKI and is no good, with what must be said of it."""

import os
import socket
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from exporter.demo import DemoNode
from exporter.demo.pki import YEAR, Issued, make_leaf, name, sign

EVIL_NAME = '"}\n# HELP x y\n\\\u202efdp.\u2066\0</script><b>' + "x" * 10_000
"""A subject that breaks out of a label, a terminal and a page where these let it."""

_SHA256_WITH_RSA, _SHA1_WITH_RSA, _MD5_WITH_RSA = (
    bytes.fromhex(f"2a864886f70d0101{last}") for last in ("0b", "05", "04")
)
_SERIAL = b"\xa0\x03\x02\x01\x02\x02\x01\x55"
"""Version 3 and serial number 0x55, as they stand in a certificate."""
_BROKEN_BLOCK = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True)
class Hostile:
    """One thing: how it is written, and what is to be seen of it."""

    name: str
    write: Callable[[Path], object]
    reason: str = ""
    """Of its failure; empty where there is none."""
    certificates: int = 0
    """How many series of certificates it has."""
    shown: str = ""
    """Its name in a label, where that differs."""


def content(
    file_name: str, data: bytes, reason: str = "", *, certificates: int = 0, shown: str = ""
) -> Hostile:
    """Give a file of these bytes."""
    return Hostile(file_name, lambda path: path.write_bytes(data), reason, certificates, shown)


def link(link_name: str, target: str, reason: str = "") -> Hostile:
    """Give a symbolic link."""
    return Hostile(link_name, lambda path: path.symlink_to(target), reason)


def things(node: DemoNode, outside: Path) -> Iterator[Hostile]:
    """Give all of it; *outside* is a certificate that does not lie below the root."""
    good = make_leaf(node.ca, "good", now=node.now)
    yield from truncated(good)
    yield from mixed(good)
    yield from crafted(node)
    yield from named(good.pem)
    yield from special(outside)
    yield from bulky(node, good)


def truncated(good: Issued) -> Iterator[Hostile]:
    """Give one cut of each kind; every single one is a matter of the parsers' tests."""
    pem, der = good.pem, good.der
    yield content("cut-label.crt", pem[:20])
    yield content("cut-begin.crt", pem[:28], "malformed_pem")
    yield content("cut-body.crt", pem[:300], "malformed_pem")
    yield content("cut-end.crt", pem[:-10], "malformed_pem")
    yield content("cut-newline.crt", pem[:-1], certificates=1)
    yield content("cut-head.der", der[:3])
    yield content("cut-half.der", der[: len(der) // 2], "malformed_certificate")
    yield content("cut-last.der", der[:-1], "malformed_certificate")
    yield content("whole.der", der, certificates=1)


def mixed(good: Issued) -> Iterator[Hostile]:
    """Give files with something good, and files with nothing of ours."""
    yield content("text.crt", b"this is no certificate\n")
    yield content("empty.crt", b"")
    yield content("zeros.crt", bytes(4096))
    yield content("noise.der", b"\x30\x82\x07\xd0" + bytes(range(256)) * 8)
    yield content("sandwich.crt", good.pem + _BROKEN_BLOCK + good.pem, "malformed_pem", certificates=2)
    yield content("crlf.crt", b"before\r\n" + good.pem.replace(b"\n", b"\r\n") + b"after", certificates=1)
    yield content("pair.pem", good.pem + good.key_pem, certificates=1)


def crafted(node: DemoNode) -> Iterator[Hostile]:
    """Give certificates that no honest CA issues; none of them is beyond reading."""
    plain = make_leaf(node.ca, "crafted", now=node.now, serial=0x55).der
    yield content("serial-negative.der", plain.replace(_SERIAL, _SERIAL[:-1] + b"\x80"), certificates=1)
    yield content("serial-zero.der", plain.replace(_SERIAL, _SERIAL[:-1] + b"\x00"), certificates=1)
    first, last = datetime(1950, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    yield content("year-1950.crt", _aged(node, first, first), certificates=1)
    yield content("year-9999.crt", _aged(node, last, last), certificates=1)
    yield content("years.crt", _aged(node, first, last), certificates=1)
    unknown = _certificate(node, extensions=1)
    yield content("extension-critical.der", unknown, certificates=1)
    doubled = _certificate(node, extensions=2).replace(b"\x2a\x03\x05", b"\x2a\x03\x04")
    yield content("extension-doubled.der", doubled, certificates=1)
    rsa_key = rsa.generate_private_key(65537, 2048)
    old = make_leaf(Issued(node.ca.certificate, rsa_key), "old", now=node.now).der
    yield content("sha1.der", old.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA), certificates=1)
    yield content("md5.der", old.replace(_SHA256_WITH_RSA, _MD5_WITH_RSA), certificates=1)
    yield content("rsa-512.der", _certificate(node, modulus=(1 << 511) | 0xABCDEF), certificates=1)
    with warnings.catch_warnings(action="ignore"):
        evil = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, EVIL_NAME, _validate=False)])
    yield content("subject.der", _certificate(node, evil), certificates=1)


def named(good: bytes) -> Iterator[Hostile]:
    """Give good certificates under names that break lines, labels and encodings."""
    yield content("new\nline.crt", good, certificates=1, shown=r"new\x0aline.crt")
    yield content('quo"te.crt', good, certificates=1)
    yield content("back\\slash.crt", good, certificates=1)
    yield content("bidi\u202e.crt", good, certificates=1, shown=r"bidi\u202e.crt")
    yield content(os.fsdecode(b"latin\xe9\xff.crt"), good, certificates=1, shown=r"latin\xe9\xff.crt")


def special(outside: Path) -> Iterator[Hostile]:
    """Give what is no file, and links to where nobody should be led."""
    yield Hostile("fifo.crt", os.mkfifo, "not_regular")
    yield Hostile("socket.crt", _bind, "not_regular")
    yield Hostile("directory.crt", lambda path: path.mkdir())
    yield link("itself.crt", "itself.crt", "link_loop")
    yield link("round-1.crt", "round-2.crt", "link_loop")
    yield link("round-2.crt", "round-1.crt", "link_loop")
    yield link("upwards", "..")
    yield link("out-absolute.crt", str(outside))
    yield link("out-relative.crt", "../" * 40 + str(outside).lstrip("/"))
    yield link("shadow.crt", "/etc/shadow")
    yield link("null.crt", "/dev/null", "forbidden_directory")
    yield link("environment.crt", "/proc/self/environ", "forbidden_directory")


def bulky(node: DemoNode, good: Issued) -> Iterator[Hostile]:
    """Give what costs more than it is worth."""
    yield Hostile("sparse.crt", lambda path: _sparse(path, 1 << 30), "too_large")
    sans = [x509.DNSName(f"host-{number}.example.net") for number in range(10_000)]
    many_names = make_leaf(node.ca, "many", now=node.now, sans=sans)
    yield content("sans-10000.crt", many_names.pem, certificates=1)
    bundle = b"".join(make_leaf(node.ca, f"c{number}", now=node.now).pem for number in range(299))
    yield content("bundle-300.crt", bundle + good.pem, certificates=300)
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{this}: &{this} [{','.join([f'*{before}'] * 9)}]\n"
        for before, this in zip("abcdefghi", "bcdefghij", strict=True)
    )
    aliases = f"{bomb}kind: Config\nclient-certificate-data: *j\n".encode()
    yield content("bomb.conf", aliases, "malformed_kubeconfig")


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def _bind(path: Path) -> None:
    """Leave a socket; its address must be short, so it is made from within."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)


def _aged(node: DemoNode, not_before: datetime, not_after: datetime) -> bytes:
    return make_leaf(node.ca, "aged", now=node.now, not_before=not_before, not_after=not_after).pem


def _certificate(
    node: DemoNode, subject: x509.Name | None = None, *, modulus: int = 0, extensions: int = 0
) -> bytes:
    """Make what ``make_leaf`` does not: any subject, any RSA key, critical extensions nobody knows."""
    key = rsa.RSAPublicNumbers(65537, modulus).public_key() if modulus else node.ca.key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or name("crafted"))
        .issuer_name(node.ca.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(node.now)
        .not_valid_after(node.now + YEAR)
    )
    for last in range(4, 4 + extensions):
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.3.{last}"), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    return sign(builder, node.ca.key).public_bytes(Encoding.DER)
