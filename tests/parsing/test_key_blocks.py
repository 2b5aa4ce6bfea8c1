"""Of a private key only the public half is read, and of a CA's not even that."""

from base64 import b64encode
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
from exporter.model import Content, Document, Failure, Part, Place, PublicKey, Reason, SpkiHash
from exporter.parsing import parse
from exporter.parsing.keys import is_authority_key_path, is_private_key_path, spki_hash

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = pki.make_key()
ED_KEY = ed25519.Ed25519PrivateKey.generate()
LOCKED = BestAvailableEncryption(b"secret")


EC_KEY_PEM = pki.private_pem(EC_KEY)
DER_KEY = EC_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
UNKNOWN_DER = ED_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()).replace(
    bytes.fromhex("2b6570"), bytes.fromhex("2b657f")
)
PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
BROKEN_BLOCKS = {
    "no key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "no base64": b"-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n",
    "no body": b"-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
    "no end": b"-----BEGIN PRIVATE KEY-----\n",
}
MALFORMED = Failure(Place("/pki/x.key"), Reason.MALFORMED_KEY)


def read(
    content: bytes, *, expected: Part | None = None, decode_keys: bool = True, path: str = "/pki/x.key"
) -> Content:
    """Parse a file, one nobody expects anything of unless told."""
    return parse(Document(path=path, content=content), expected=expected, decode_keys=decode_keys)


def hash_of(key: pki.PrivateKey) -> SpkiHash:
    """Give the identity of a key."""
    return spki_hash(key.public_key(), b"")


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY])
@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_the_public_half_of_every_encoding(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat
) -> None:
    """PKCS #1, PKCS #8 and SEC 1 are read; a block of curve parameters before it does not matter."""
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption())

    assert read(PARAMETERS + pem) == Content(keys=(PublicKey("", hash_of(key), is_private=True),))


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
        b"-----BEGIN PRIVATE KEY-----\n%b\n-----END PRIVATE KEY-----\n" % b64encode(UNKNOWN_DER),
    ],
    ids=["encrypted-pkcs1", "encrypted-pkcs8", "openssh", "unknown-algorithm"],
)
def test_a_key_that_cannot_be_read_is_still_a_key(pem: bytes) -> None:
    """An encrypted private key and one of an unknown kind have no hash, and are a failure nowhere."""
    for expected in (None, Part.PRIVATE_KEY):
        assert read(pem, expected=expected) == Content(keys=(PublicKey("", None, is_private=True),))


@pytest.mark.parametrize("pem", BROKEN_BLOCKS.values(), ids=BROKEN_BLOCKS)
def test_a_broken_key_is_a_failure_where_a_key_is_expected(pem: bytes) -> None:
    """Its component fails at the next start; elsewhere it is only known to be there."""
    keys = (PublicKey("", None, is_private=True, is_malformed=True),)

    assert read(pem) == Content(keys=keys)
    assert read(pem, expected=Part.PRIVATE_KEY) == Content(keys=keys, failures=(MALFORMED,))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"garbage\n",
        PARAMETERS,
        EC_KEY_PEM.decode().encode("utf-16"),
        DER_KEY[:-1],
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b"".join(BROKEN_BLOCKS.values()),
    ],
    ids=["empty", "blank", "text", "parameters alone", "UTF-16", "DER cut off", "public", "several"],
)
def test_nothing_to_use_where_a_key_is_expected(content: bytes) -> None:
    """Empty, cut off or anything else: no program makes a key of it."""
    assert read(content, expected=Part.PRIVATE_KEY).failures == (MALFORMED,)
    assert read(content).failures == ()


@pytest.mark.parametrize(
    "content",
    [
        PARAMETERS + EC_KEY_PEM,
        b"".join(BROKEN_BLOCKS.values()) + EC_KEY_PEM,
        EC_KEY_PEM.replace(b"\n", b"\r\n"),
        DER_KEY,
        pki.make_leaf(pki.make_ca(now=NOW), now=NOW).pem,
        pki.make_ca(now=NOW).der,
    ],
    ids=["after parameters", "after broken ones", "CRLF", "DER", "certificate", "certificate in DER"],
)
def test_something_to_use_where_a_key_is_expected(content: bytes) -> None:
    """One key is enough, and a certificate holds the public key that verifies tokens."""
    assert read(content, expected=Part.PRIVATE_KEY).failures == ()


@pytest.mark.parametrize("length", range(0, len(EC_KEY_PEM) - 1, 7))
def test_every_truncation_of_a_key(length: int) -> None:
    """A key that is cut short anywhere is told."""
    assert read(EC_KEY_PEM[:length], expected=Part.PRIVATE_KEY).failures == (MALFORMED,)


@pytest.mark.parametrize(("path", "decode_keys"), [("/pki/ca.key", True), ("/pki/x.key", False)])
def test_nothing_is_said_of_a_key_that_must_not_be_read(path: str, *, decode_keys: bool) -> None:
    """A CA's key and, with ``--no-match-keys``, any other is not judged."""
    assert read(b"", expected=Part.PRIVATE_KEY, path=path, decode_keys=decode_keys) == Content()


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
        "/etc/pki/CA/private/cakey.pem",
        "/pki/rootCAkey.pem",
        "/pki/turnkey-ca.key",
        "/pki/ca.key.old-key",
        "/pki/caPrivateKey.pem",
        "/pki/ca-privkey.pem",
        "/pki/etcd-cakey.pem.bak",
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
        "/pki/cacert.pem",
        "/pki/serverkey.pem",
        "/pki/monkey-ca.crt",
        "/pki/keycloak-ca.crt",
        "/pki/ca-public-key.pem",
        "/pki/ca-pubkey.pem",
        "/etc/ca/leaf.key",
        "tls.key",
        "",
        "/",
    ],
)
def test_other_files(path: str) -> None:
    """A leaf's key and a CA's certificate may be opened."""
    assert not is_authority_key_path(path)


@pytest.mark.parametrize(
    "name",
    [
        "tls.key",
        "TLS.KEY",
        "key.pem",
        "apiserver-key.pem",
        "apiserver.key.bak",
        "apiserver.key_2026-11-24",
        "server.crt.key",
        "privkey.pem",
        "serverKey.pem",
        "public.example.org.key",
        "cakey.pem",
    ],
)
def test_names_of_private_keys(name: str) -> None:
    """A key is one by a word of its name, wherever in it that stands."""
    assert is_private_key_path(f"/pki/{name}")


@pytest.mark.parametrize(
    "name",
    [
        "apiserver.crt",
        "keycloak.crt",
        "keycloak.pem",
        "keystone-client.pem",
        "key-server.crt",
        "sa.pub",
        "sa-key.pub",
        "public-key.pem",
        "pubkey.pem",
        "kubelet-client-current.pem",
        "",
    ],
)
def test_names_of_what_is_no_private_key(name: str) -> None:
    """The letters alone do not make a key, and neither does a certificate's name or a public key's."""
    assert not is_private_key_path(f"/key/{name}")
