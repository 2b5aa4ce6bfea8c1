"""The public half of a key, and which private keys are never to be read at all."""

import re
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from exporter.model import PublicKey, SpkiHash
from exporter.parsing import der as tlv
from exporter.parsing.pem import Block
from exporter.parsing.signature import REFUSALS, quiet

_WORDS = re.compile(r"[.\-_ ]+")
_OPENSSH = "OPENSSH PRIVATE KEY"
"""The one kind whose body is no DER (openssh ``PROTOCOL.key``)."""
_KEY = re.compile(r"(?<!pub)(?<!public)(?:priv(?:ate)?)?key$")
"""How a word ends that says private key: ``key``, ``cakey`` (OpenSSL's default), ``privkey``."""
_FORMAT_WORDS = frozenset({"", "cert", "crt", "pem", "priv", "private"})
_PUBLIC_ENDS = frozenset({"cer", "cert", "crt", "pub"})
_PUBLIC_WORDS = frozenset({"pub", "public"})


def is_key(block: Block) -> bool:
    """The block holds a private or a bare public key of any kind (RFC 7468, 10, 11 and 13; PKCS #1)."""
    return block.label.endswith(("PRIVATE KEY", "PUBLIC KEY"))


def public_half(block: Block, entry: str, *, decode: bool) -> PublicKey:
    """Read the public half of a key block; without *decode* a private key's body is not even looked at."""
    is_private = block.label.endswith("PRIVATE KEY")
    if is_private and not decode:
        return PublicKey(entry, None, is_private=True)
    der = block.der()
    if der is None:
        return PublicKey(entry, None, is_private, is_malformed=True)
    is_readable = not block.is_encapsulated and block.label != _OPENSSH
    return PublicKey(
        entry,
        _hash_of(der, is_private=is_private),
        is_private,
        is_malformed=is_readable and not tlv.is_sequence(der),
    )


def are_usable(found: Iterable[PublicKey]) -> bool:
    """One of them at least is a key, or may be one."""
    return any(not key.is_malformed for key in found)


def spki_hash(key: PublicKeyTypes | None, encoded: bytes) -> SpkiHash:
    """Hash a SubjectPublicKeyInfo, encoded anew so that one key has one hash; as it stands where unknown."""
    if key is not None:
        encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SpkiHash(sys.intern(sha256(encoded).hexdigest()))


def is_authority_key_path(path: str) -> bool:
    """The name says that this is a CA's private key: by every distribution's convention a key named ``ca``.

    ``ca.key``, ``etcd-peers-ca.key``, ``ca-key.pem``, ``cakey.pem``, copies such as ``ca.key.bak``, and
    ``tls.key`` in a directory of a CA or signer. A leaf's key of such a name is taken for one too: it is not
    opened either.
    """
    *_, directory, name = ("", *path.split("/"))
    return any(
        owner[-1].endswith(("ca", "signer"))
        for named in _owners(_words(name))
        if (owner := _words(directory) if named == ["tls"] else named)
    )


def is_private_key_path(path: str) -> bool:
    """The name says that this is a private key: ``tls.key``, ``client-key.pem``, ``apiserver.key.bak``.

    What ends as a certificate or a public key does (``key-server.crt``, ``sa-key.pub``) is none, nor is a
    ``public-key.pem``.
    """
    words = _words(path.rpartition("/")[2])
    return words[-1] not in _PUBLIC_ENDS and any(
        _PUBLIC_WORDS.isdisjoint(owner[-1:]) for owner in _owners(words)
    )


def _words(name: str) -> list[str]:
    return _WORDS.split(name.lower())


def _owners(words: list[str]) -> Iterator[list[str]]:
    """Yield what stands before each word that says key, itself without those letters: whose key it is."""
    for position, word in enumerate(words):
        if _KEY.search(word):
            owner = (*words[:position], _KEY.sub("", word))
            yield [each for each in owner if each not in _FORMAT_WORDS]


def _hash_of(der: bytes, *, is_private: bool) -> SpkiHash | None:
    key: PrivateKeyTypes | PublicKeyTypes
    with quiet():
        try:
            if not is_private:
                return spki_hash(load_der_public_key(der), der)
            # the consistency of a private RSA key takes long to prove and does not matter here
            key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
            return spki_hash(key.public_key(), der)
        except REFUSALS:
            return None
