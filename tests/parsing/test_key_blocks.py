"""Of a private key only the public half is read, and of a CA's not even that."""

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from exporter.demo import pki
from exporter.model import Content, Document, PublicKey, SpkiHash
from exporter.parsing import parse
from exporter.parsing.keys import is_authority_key_path, spki_hash

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = pki.make_key()
ED_KEY = ed25519.Ed25519PrivateKey.generate()
LOCKED = BestAvailableEncryption(b"secret")


def read(content: bytes, *, decode_keys: bool = True, path: str = "/pki/x.key") -> Content:
    """Parse a file nobody expects anything of."""
    return parse(Document(path=path, content=content), expected=None, decode_keys=decode_keys)


def hash_of(key: pki.PrivateKey) -> SpkiHash:
    """Give the identity of a key."""
    return spki_hash(key.public_key(), b"")


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY])
@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_the_public_half_of_every_encoding(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat
) -> None:
    """PKCS #1, PKCS #8 and SEC 1 are read; a block of curve parameters before it does not matter."""
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption())

    assert read(parameters + pem) == Content(keys=(PublicKey("", hash_of(key), is_private=True),))


@pytest.mark.parametrize("form", [PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1])
def test_public_keys(form: PublicFormat) -> None:
    """A bare public key is read, whether private ones may be or not."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, form)

    assert read(pem, decode_keys=False).keys == (PublicKey("", hash_of(RSA_KEY), is_private=False),)


@pytest.mark.parametrize(
    "pem",
    [
        RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, LOCKED),
        RSA_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, LOCKED),
        ED_KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n",
    ],
    ids=["encrypted-pkcs1", "encrypted-pkcs8", "openssh", "no-key", "no-base64", "no-end"],
)
def test_a_key_that_cannot_be_read_is_still_a_key(pem: bytes) -> None:
    """An encrypted or malformed private key has no hash, and is no failure."""
    assert read(pem) == Content(keys=(PublicKey("", None, is_private=True),))


def test_no_private_key_is_decoded_unless_asked() -> None:
    """``--no-match-keys`` leaves only the fact that there is one."""
    assert read(pki.private_pem(ED_KEY), decode_keys=False).keys == (PublicKey("", None, is_private=True),)
    assert read(pki.private_pem(ED_KEY)).keys == (PublicKey("", hash_of(ED_KEY), is_private=True),)


def test_a_pair_in_one_file() -> None:
    """A kubelet's pair gives its certificate and the public half of its key."""
    ca = pki.make_ca(now=NOW)
    leaf = pki.make_leaf(ca, now=NOW)

    content = read(leaf.pem + leaf.key_pem)

    assert content.keys[0].spki_sha256 == content.certificates[0].certificate.spki_sha256
    assert len(content.certificates) == len(content.keys) == 1


@pytest.mark.parametrize("key_first", [True, False])
def test_a_key_beside_a_ca_certificate_is_not_decoded(*, key_first: bool) -> None:
    """It may be the CA's own, wherever in the file it stands."""
    ca = pki.make_ca(now=NOW)
    leaf = pki.make_leaf(ca, now=NOW)
    blocks = [leaf.pem, ca.pem]
    blocks.insert(0 if key_first else 2, ca.key_pem)

    content = read(b"".join(blocks))

    assert content.keys == (PublicKey("", None, is_private=True),)
    assert len(content.certificates) == 2


def test_a_key_of_a_ca_by_name_is_not_decoded() -> None:
    """Whoever reads such a file although it must not be opened learns nothing of it here."""
    assert read(pki.make_ca(now=NOW).key_pem, path="/pki/ca.key").keys[0].spki_sha256 is None


def test_keys_are_bounded() -> None:
    """A file of nothing but keys does not fill the memory."""
    assert len(read(b"-----BEGIN PRIVATE KEY-----\n" * 10_000).keys) == 64


@pytest.mark.parametrize(
    "path",
    [
        "/etc/kubernetes/pki/ca.key",
        "/etc/kubernetes/pki/etcd/ca.key",
        "/etc/kubernetes/pki/front-proxy-ca.key",
        "/var/lib/rancher/k3s/server/tls/server-ca.key",
        "/var/lib/rancher/k3s/server/tls/request-header-ca.key",
        "/var/lib/rancher/k3s/server/tls/etcd/peer-ca.key",
        "/var/lib/rancher/k3s/server/tls/root-ca.key",
        "/var/lib/rancher/k3s/server/tls/intermediate-ca.key",
        "/var/lib/minikube/certs/proxy-client-ca.key",
        "/root/.minikube/minikubeCA.key",
        "/etc/kubernetes/pki/etcd-manager-main/etcd-manager-ca.key",
        "/etc/kubernetes/pki/etcd-manager-main/etcd-clients-ca.key",
        "/etc/ssl/etcd/ssl/ca-key.pem",
        "/etc/kubernetes/ssl/kube-ca-key.pem",
        "/pki/ca.key.pem",
        "/pki/ca.key.bak",
        "/pki/ca.crt.key",
        "/pki/CA_private.KEY",
        "/static-pod-resources/secrets/csr-signer/tls.key",
        "ca.key",
    ],
)
def test_keys_of_cas_by_convention(path: str) -> None:
    """Every distribution's name for a CA's private key is known, and that of its copies."""
    assert is_authority_key_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/kubernetes/pki/apiserver-kubelet-client.key",
        "/etc/kubernetes/pki/sa.key",
        "/etc/kubernetes/pki/etcd/server.key",
        "/etc/kubernetes/pki/ca.crt",
        "/etc/kubernetes/ssl/kube-ca.pem",
        "/var/lib/rancher/k3s/server/tls/service.current.key",
        "/var/lib/kubelet/pki/kubelet-client-current.pem",
        "/etc/tls/tls.key",
        "/etc/tls/key.pem",
        "/etc/ca/leaf.key",
        "tls.key",
        "",
        "/",
    ],
)
def test_other_files(path: str) -> None:
    """A leaf's key and a CA's certificate may be opened."""
    assert not is_authority_key_path(path)
