"""A kubeconfig gives what it embeds, whom it trusts and who it is; a broken user hides no other."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from exporter.demo import pki
from exporter.model import Cluster, Content, Context, Document, Failure, Part, Place, PublicKey, Reason, User
from exporter.parsing import parse

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PATH = "/etc/kubernetes/admin.conf"
CA = pki.make_ca(now=NOW)
LEAF = pki.make_leaf(CA, "kubernetes-admin", now=NOW, usages=["clientAuth"])
MALFORMED = Reason.MALFORMED_KUBECONFIG


def data(pem: bytes) -> str:
    """Embed PEM."""
    return b64encode(pem).decode()


def read(document: object, *, expected: Part | None = Part.KUBECONFIG, decode_keys: bool = True) -> Content:
    """Parse a kubeconfig, given as JSON unless it is bytes."""
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse(Document(path=PATH, content=content), expected=expected, decode_keys=decode_keys)


def failure(entry: str, reason: Reason = MALFORMED, index: int = 0) -> Failure:
    """A failure inside the file."""
    return Failure(Place(PATH, entry, index), reason)


def users(*items: object) -> dict[str, object]:
    """A kubeconfig of users only."""
    return {"kind": "Config", "users": list(items)}


def user(name: object, **fields: object) -> dict[str, object]:
    """A user; underscores stand for dashes."""
    return {"name": name, "user": {key.replace("_", "-"): value for key, value in fields.items()}}


def test_a_kubeconfig_of_kubeadm() -> None:
    """Embedded data has its entry, and the references are as written."""
    content = read(
        b"""
apiVersion: v1
kind: Config
current-context: kubernetes-admin@kubernetes
preferences: {}
clusters:
- name: kubernetes
  cluster:
    server: https://10.0.0.1:6443
    tls-server-name: kubernetes
    certificate-authority-data: %b
contexts:
- name: kubernetes-admin@kubernetes
  context: {cluster: kubernetes, user: kubernetes-admin}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: %b
    client-key-data: %b
"""
        % (b64encode(CA.pem), b64encode(LEAF.pem), b64encode(LEAF.key_pem))
    )

    assert [(e.entry, e.index, e.certificate.subject_cn) for e in content.certificates] == [
        ("cluster/kubernetes", 0, "kubernetes"),
        ("user/kubernetes-admin", 0, "kubernetes-admin"),
    ]
    spki = content.certificates[1].certificate.spki_sha256
    assert content.keys == (PublicKey("user/kubernetes-admin", spki, is_private=True),)
    assert content.failures == ()
    assert content.kubeconfig is not None
    assert content.kubeconfig.current_context == "kubernetes-admin@kubernetes"
    assert content.kubeconfig.contexts == (
        Context(name="kubernetes-admin@kubernetes", cluster="kubernetes", user="kubernetes-admin"),
    )
    assert content.kubeconfig.clusters == (
        Cluster(
            name="kubernetes",
            server="https://10.0.0.1:6443",
            certificate_authority="",
            has_authority_data=True,
            insecure_skip_tls_verify=False,
            tls_server_name="kubernetes",
        ),
    )
    assert content.kubeconfig.users == (
        User(
            name="kubernetes-admin",
            client_certificate="",
            client_key="",
            has_certificate_data=True,
            has_key_data=True,
            has_token=False,
        ),
    )


def test_references_are_as_written() -> None:
    """Paths, also relative ones, are for discovery to resolve."""
    content = read(
        {
            "clusters": [
                {
                    "name": "c",
                    "cluster": {"certificate-authority": "ca.crt", "insecure-skip-tls-verify": True},
                }
            ],
            "users": [user("u", client_certificate="/pki/c.pem", client_key="c.key")],
        }
    )

    assert content.kubeconfig is not None
    (cluster,), (me,) = content.kubeconfig.clusters, content.kubeconfig.users
    assert (cluster.certificate_authority, cluster.insecure_skip_tls_verify) == ("ca.crt", True)
    assert (me.client_certificate, me.client_key) == ("/pki/c.pem", "c.key")
    assert content == Content(kubeconfig=content.kubeconfig)


def test_data_wins_over_paths() -> None:
    """client-go reads the path only where there is no data."""
    content = read(
        {
            "clusters": [
                {
                    "name": "c",
                    "cluster": {"certificate-authority": "x", "certificate-authority-data": data(CA.pem)},
                }
            ],
            "users": [
                user(
                    "u",
                    client_certificate="x",
                    client_certificate_data=data(LEAF.pem),
                    client_key="x",
                    client_key_data=data(LEAF.key_pem),
                )
            ],
        }
    )

    assert content.kubeconfig is not None
    assert content.kubeconfig.clusters[0].certificate_authority == ""
    assert (content.kubeconfig.users[0].client_certificate, content.kubeconfig.users[0].client_key) == (
        "",
        "",
    )
    assert len(content.certificates) == 2


@pytest.mark.parametrize(
    ("fields", "holds_secret"),
    [
        ({"token": "t"}, True),
        ({"tokenFile": "/t"}, False),
        ({"exec": {"command": "aws"}}, False),
        ({"auth_provider": {"name": "oidc"}}, True),
        ({"username": "u", "password": "p"}, True),
    ],
)
def test_a_user_without_a_certificate_is_no_failure(fields: dict[str, object], *, holds_secret: bool) -> None:
    """Tokens, plugins and passwords authenticate, too; some of them stand in the file itself."""
    content = read(users(user("u", **fields)))

    assert content.kubeconfig is not None
    assert content.kubeconfig.users[0].has_token
    assert content.kubeconfig.users[0].holds_secret is holds_secret
    assert content == Content(kubeconfig=content.kubeconfig)


def test_several_blocks_in_one_entry() -> None:
    """k3s embeds the leaf with its CA; the key is the leaf's and is compared."""
    content = read(
        users(user("u", client_certificate_data=data(LEAF.pem + CA.pem), client_key_data=data(LEAF.key_pem)))
    )

    assert [(e.entry, e.index) for e in content.certificates] == [("user/u", 0), ("user/u", 1)]
    assert content.keys[0].spki_sha256 == content.certificates[0].certificate.spki_sha256


@pytest.mark.parametrize(
    ("certificate", "key", "decode_keys"),
    [
        (CA.pem, data(CA.key_pem), True),
        (CA.pem, "???", True),
        (LEAF.pem, data(LEAF.key_pem), False),
        (LEAF.pem, "???", False),
    ],
    ids=["of-a-ca", "of-a-ca, broken", "switched-off", "switched-off, broken"],
)
def test_keys_that_are_not_decoded(certificate: bytes, key: object, *, decode_keys: bool) -> None:
    """A key of a CA and an unwanted one is only known to be there, broken or not."""
    content = read(
        users(user("u", client_certificate_data=data(certificate), client_key_data=key)),
        decode_keys=decode_keys,
    )

    assert content.keys == (PublicKey("user/u", None, is_private=True),)
    assert content.failures == ()


@pytest.mark.parametrize("key", ["???", ["list"], data(b"nothing"), data(LEAF.pem), data(LEAF.key_pem[:-9])])
def test_a_broken_key_is_a_failure_of_its_user(key: object) -> None:
    """No base64, no key, or half a key: whoever uses the file is nobody at the next start."""
    content = read(users(user("u", client_certificate_data=data(LEAF.pem), client_key_data=key)))

    assert content.keys == (PublicKey("user/u", None, is_private=True, is_malformed=True),)
    assert content.failures == (Failure(Place(PATH, "user/u"), Reason.MALFORMED_KEY),)
    assert len(content.certificates) == 1


@pytest.mark.parametrize(
    ("embedded", "reason"),
    [
        ("???", MALFORMED),
        (data(LEAF.pem)[:-1], MALFORMED),
        ("dGV4 dA==", MALFORMED),
        ("ü", MALFORMED),
        (5, MALFORMED),
        (["list"], MALFORMED),
        ("DATA+OMITTED", Reason.NO_CERTIFICATE),
        (data(LEAF.key_pem), Reason.NO_CERTIFICATE),
        (data(LEAF.der), Reason.NO_CERTIFICATE),
        (data(LEAF.pem[:-30]), Reason.MALFORMED_PEM),
        (data(LEAF.pem.replace(b"MII", b"AAA")), Reason.MALFORMED_CERTIFICATE),
    ],
)
def test_one_broken_user_does_not_hide_the_others(embedded: object, reason: Reason) -> None:
    """The failure names the entry, and every other entry counts."""
    content = read(
        {
            "clusters": [{"name": "c", "cluster": {"certificate-authority-data": data(CA.pem)}}],
            "users": [
                user("broken", client_certificate_data=embedded),
                user("good", client_certificate_data=data(LEAF.pem)),
            ],
        }
    )

    assert [e.entry for e in content.certificates] == ["cluster/c", "user/good"]
    assert content.failures == (failure("user/broken", reason),)


def test_line_ends_inside_base64_are_fine() -> None:
    """Go's decoder passes over them."""
    wrapped = "\r\n".join(data(LEAF.pem)[at : at + 60] for at in range(0, len(data(LEAF.pem)), 60))

    assert len(read(users(user("u", client_certificate_data=wrapped))).certificates) == 1


def test_of_one_name_the_first_counts() -> None:
    """Each place is unique; the second of a name, which client-go refuses, is a failure told once."""
    other = pki.make_leaf(CA, "other", now=NOW)
    content = read(
        users(*(user("u", client_certificate_data=data(pem)) for pem in (LEAF.pem, other.pem, other.pem)))
    )

    assert [(e.entry, e.certificate.subject_cn) for e in content.certificates] == [
        ("user/u", "kubernetes-admin")
    ]
    assert content.failures == (failure("user/u"),)
    assert content.kubeconfig is not None
    assert len(content.kubeconfig.users) == 1


@pytest.mark.parametrize(
    ("document", "entry"),
    [
        (users("text"), "user/"),
        (users(["list"]), "user/"),
        (users({"name": "u", "user": "text"}), "user/u"),
        ({"kind": "Config", "users": "text"}, "user/"),
        ({"kind": "Config", "clusters": {"name": "c"}}, None),
        ({"kind": "Config", "contexts": [{"name": "c", "context": [1]}]}, "context/c"),
    ],
)
def test_items_of_the_wrong_shape(document: object, entry: str | None) -> None:
    """What is no item is a failure at its entry, or passed over where nothing is lost."""
    content = read({**document, "current-context": "x"} if isinstance(document, dict) else document)

    assert content.failures == (() if entry is None else (failure(entry),))
    assert content.kubeconfig is not None
    assert content.kubeconfig.current_context == "x"


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("a/b\n\"'\\", "user/a/b\n\"'\\"),
        ("", "user/"),
        ("\ud800", "user/?"),
        (5, "user/5"),
        (None, "user/"),
        ("ü", "user/ü"),
    ],
)
def test_names_are_any_text(name: object, entry: str) -> None:
    """A name is kept as it is, as long as it can be printed."""
    (embedded,) = read(users(user(name, client_certificate_data=data(LEAF.pem)))).certificates

    assert embedded.entry == entry


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"text",
        b"[]",
        b"{}",
        b"\x00\xff",
        b"users: [",
        b"kind: KubeletConfiguration\nusers: []\n",
        b"kind: KubeletConfiguration\nauthentication: {}\n",
        LEAF.pem,
        LEAF.der,
        b"[" * 100_000,
    ],
)
def test_what_is_no_kubeconfig_is_malformed_where_one_is_expected(content: bytes) -> None:
    """A component would refuse it."""
    assert read(content) == Content(failures=(failure(""),))


@pytest.mark.parametrize(
    ("content", "failures"),
    [
        (b"kind: KubeletConfiguration\nauthentication: {}\nclusters: x\n", ()),
        (b"kind: Pod\nspec: {users: []}\n", ()),
        (b"users: [", ()),
        (b"clusters: 5", ()),
        (b"users: [{certificate-authority-data: ", (failure(""),)),
        (b'{"kind": "Config", "users": [{"user": {"client-certificate-data": "LS0', (failure(""),)),
        (b"# about certificate-authority-data\nkind: Other\n", ()),
    ],
)
def test_where_none_is_expected_only_a_broken_one_fails(
    content: bytes, failures: tuple[Failure, ...]
) -> None:
    """Any ``*.conf`` is looked at; only what can be nothing but a kubeconfig may be malformed."""
    assert read(content, expected=None) == Content(failures=failures)


@pytest.mark.parametrize("document", [{"kind": "Config"}, {"clusters": []}, {"users": []}])
def test_an_empty_kubeconfig_is_one(document: object) -> None:
    """An empty one says nothing, which is no failure here."""
    content = read(document, expected=None)

    assert content.kubeconfig is not None
    assert content == Content(kubeconfig=content.kubeconfig)


def test_an_empty_value_is_no_data() -> None:
    """``client-certificate-data: ""`` is what Go writes for none; the path counts then."""
    content = read(users(user("u", client_certificate_data="", client_certificate="x", client_key_data=None)))

    assert content.kubeconfig is not None
    assert content.kubeconfig.users[0].client_certificate == "x"
    assert content == Content(kubeconfig=content.kubeconfig)
