"""Certificates that no honest builder makes: real ones with single parts of their DER replaced."""

from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from exporter.demo import pki
from exporter.parsing import der as tlv

SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
SHA1_WITH_RSA = bytes.fromhex("300d06092a864886f70d0101050500")
MD5_WITH_RSA = bytes.fromhex("300d06092a864886f70d0101040500")
ECDSA_WITH_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
UNKNOWN_ALGORITHM = bytes.fromhex("300806062a0304050607")
"""The OID 1.2.3.4.5.6.7."""

PARTS = ("version", "serial", "algorithm", "issuer", "validity", "subject", "spki", "extensions")


def encoded(tag: int, *content: bytes) -> bytes:
    """Encode one element."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def recast(der: bytes, parts: Mapping[str, bytes], *, key: pki.PrivateKey | None = None) -> bytes:
    """Replace parts of a certificate; sign it anew only where *key* is given."""
    outer = tlv.element(der)
    assert outer is not None
    tbs, algorithm, signature = tlv.children(der, outer, 3)
    pieces = [der[piece.start : piece.end] for piece in tlv.children(der, tbs, len(PARTS))]
    for name, part in parts.items():
        pieces[PARTS.index(name)] = part
    body = encoded(tlv.SEQUENCE, *pieces)
    signed_with = parts.get("algorithm", der[algorithm.start : algorithm.end])
    made = der[signature.start : signature.end]
    if key is not None:
        made = encoded(0x03, b"\x00", _signature(key, body, signed_with))
    return encoded(tlv.SEQUENCE, body, signed_with, made)


def _signature(key: pki.PrivateKey, body: bytes, algorithm: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(body, ec.ECDSA(hashes.SHA1()))
    assert isinstance(key, rsa.RSAPrivateKey)
    used: dict[bytes, hashes.HashAlgorithm] = {
        MD5_WITH_RSA: hashes.MD5(),
        SHA1_WITH_RSA: hashes.SHA1(),
        SHA256_WITH_RSA: hashes.SHA256(),
    }
    return key.sign(body, padding.PKCS1v15(), used[algorithm])


def extension(oid: str, value: bytes, *, is_critical: bool = False) -> bytes:
    """Encode an extension; *oid* is its content in hexadecimal."""
    critical = encoded(0x01, b"\xff") if is_critical else b""
    return encoded(tlv.SEQUENCE, encoded(0x06, bytes.fromhex(oid)), critical, encoded(0x04, value))


def extensions(*each: bytes) -> bytes:
    """Encode the extensions of a certificate."""
    return encoded(0xA3, encoded(tlv.SEQUENCE, *each))


def common_name(value: bytes, tag: int = 0x0C) -> bytes:
    """Encode a name of one CN; the tag is that of UTF8String unless another is given."""
    attribute = encoded(tlv.SEQUENCE, bytes.fromhex("0603550403"), encoded(tag, value))
    return encoded(tlv.SEQUENCE, encoded(0x31, attribute))


def validity(not_before: bytes, not_after: bytes) -> bytes:
    """Encode two dates: 13 characters are a UTCTime, more a GeneralizedTime."""
    dates = [encoded(0x17 if len(date) == 13 else 0x18, date) for date in (not_before, not_after)]
    return encoded(tlv.SEQUENCE, *dates)


def rsa_key_info(modulus: int, exponent: int = 65537) -> bytes:
    """Encode the SubjectPublicKeyInfo of an RSA key of any size, even one without a private half."""
    numbers = [encoded(0x02, number.to_bytes(number.bit_length() // 8 + 1)) for number in (modulus, exponent)]
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return encoded(tlv.SEQUENCE, algorithm, encoded(0x03, b"\x00", encoded(tlv.SEQUENCE, *numbers)))
