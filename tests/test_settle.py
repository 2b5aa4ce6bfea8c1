"""Good news shows at once, bad news when it still stands at a second look."""

from datetime import UTC, datetime

import pytest

from exporter.demo.pki import make_ca
from exporter.model import (
    Certificate,
    Content,
    Discovery,
    Distribution,
    Embedded,
    Failure,
    File,
    FileStatus,
    Kubeconfig,
    Node,
    NodeType,
    Origin,
    Part,
    Place,
    PublicKey,
    Reason,
    Reference,
    Requirement,
    Role,
    SpkiHash,
)
from exporter.parsing.x509 import parse_certificate
from exporter.settle import SECOND_LOOK, Suspicions, is_worse, last_good, losses


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    """Any certificate."""
    parsed = parse_certificate(make_ca(now=datetime(2026, 1, 1, tzinfo=UTC)).der)
    assert isinstance(parsed, Certificate)
    return parsed


def file(
    *certificates: Certificate,
    reason: Reason | None = None,
    kubeconfig: bool = False,
    keys: tuple[str | None, ...] = (),
) -> File:
    """A file that holds the certificates, or failed."""
    return File(
        path="/a",
        status=None
        if reason is Reason.NOT_FOUND
        else FileStatus(
            path="/a",
            resolved="/a",
            device=1,
            inode=2,
            mode=0o100644,
            uid=0,
            gid=0,
            size=3,
            links=1,
            mtime_ns=4,
            ctime_ns=5,
        ),
        content=Content(
            certificates=tuple(Embedded("", index, found) for index, found in enumerate(certificates)),
            failures=(Failure(Place("/a"), reason),) if reason else (),
            kubeconfig=Kubeconfig() if kubeconfig else None,
            keys=tuple(PublicKey("", SpkiHash(key) if key else None, is_private=True) for key in keys),
        ),
    )


def test_a_failure_of_a_good_file_is_worse(certificate: Certificate) -> None:
    """Unreadable, unparsable and gone are all bad news."""
    good = file(certificate)

    assert is_worse(good, file(reason=Reason.MALFORMED_PEM))
    assert is_worse(good, file(reason=Reason.NOT_FOUND))
    assert is_worse(good, file())


def test_fewer_certificates_or_a_lost_kubeconfig_are_worse(certificate: Certificate) -> None:
    """A bundle cut between two blocks parses well and is still half a file."""
    assert is_worse(file(certificate, certificate), file(certificate))
    assert is_worse(file(kubeconfig=True), file())


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        (("a", "b"), ("a",), True),
        (("a",), (None,), True),
        (("a",), ("b",), False),
        (("a",), ("a", "b"), False),
        ((None,), (), False),
    ],
    ids=["one of two", "undecoded", "replaced", "added", "never decoded"],
)
def test_fewer_decoded_keys_are_worse(
    before: tuple[str | None, ...], after: tuple[str | None, ...], *, worse: bool
) -> None:
    """A file of service account keys that is cut short verifies fewer tokens, or is half written."""
    assert is_worse(file(keys=before), file(keys=after)) is worse


def test_another_certificate_and_a_known_failure_are_not_worse(certificate: Certificate) -> None:
    """Renewal is good news; what was shown as broken already is no news."""
    broken = file(reason=Reason.MALFORMED_PEM)

    assert not is_worse(file(certificate), file(certificate))
    assert not is_worse(broken, file(certificate))
    assert not is_worse(broken, broken)


def test_a_file_never_seen_is_bad_news_only_where_something_is_there() -> None:
    """Absence at the first look is a fact; a broken file may be half-written."""
    assert not is_worse(None, file(reason=Reason.NOT_FOUND))
    assert is_worse(None, file(reason=Reason.MALFORMED_PEM))


def test_the_last_good_facts_stay(certificate: Certificate) -> None:
    """While bad news waits there is no gap; of a new file, what is good in it is shown."""
    good, bad = file(certificate), file(certificate, reason=Reason.MALFORMED_PEM)

    assert last_good(good, bad) is good
    assert last_good(None, bad).content == Content(certificates=good.content.certificates)


def test_bad_news_is_confirmed_after_a_second_and_forgotten_when_gone() -> None:
    """The clock starts at the first sight and starts anew after a recovery."""
    none: Suspicions[str] = Suspicions()
    seen = none.look(["/a"], 10.0)

    assert not seen.is_confirmed("/a", 10.9)
    assert seen.second_look_in(10.75) == pytest.approx(0.25)
    again = seen.look(["/a", "/b"], 11.0)
    assert again.is_confirmed("/a", 11.0)
    assert not again.is_confirmed("/b", 11.0)
    assert again.second_look_in(11.0) == SECOND_LOOK
    assert again.look([], 12.0).look(["/a"], 13.0).second_look_in(13.0) == SECOND_LOOK
    assert again.look([], 12.0).second_look_in(12.0) is None


def reference(path: str, origin: Origin) -> Reference:
    """A flag that names the path."""
    return Reference(
        component="etcd",
        setting="cert-file",
        part=Part.CERTIFICATE,
        role=Role.ETCD_SERVER,
        path=path,
        origin=origin,
        requirement=Requirement.REQUIRED,
    )


def test_configuration_that_tells_less_is_bad_news() -> None:
    """A document that fails, a reference that is lost or has weaker evidence, a node that is none."""
    named, weaker = reference("/a", Origin.MANIFEST), reference("/a", Origin.CONVENTION)
    node = Node(distribution=Distribution.KUBEADM, type=NodeType.CONTROL_PLANE)
    before = Discovery(node=node, references=(named,))
    broken = Failure(Place("/m"), Reason.MALFORMED_CONFIGURATION)

    assert losses(before, Discovery(node=node, references=(named,), failures=(broken,))) == {broken}
    assert losses(before, Discovery(node=node)) == {named}
    assert losses(before, Discovery(node=node, references=(weaker,))) == {named}
    assert losses(before, Discovery(node=Node(), references=(named,))) == {
        Distribution.KUBEADM,
        NodeType.CONTROL_PLANE,
    }


def test_configuration_that_tells_more_is_good_news() -> None:
    """A reference more or with stronger evidence, a document that is repaired, a node that is made one."""
    named, other = reference("/a", Origin.MANIFEST), reference("/b", Origin.MANIFEST)
    broken = Failure(Place("/m"), Reason.MALFORMED_CONFIGURATION)
    before = Discovery(node=Node(), references=(named,), failures=(broken,))
    node = Node(distribution=Distribution.KUBEADM, type=NodeType.CONTROL_PLANE)

    assert losses(before, before) == frozenset()
    assert losses(before, Discovery(node=node, references=(named, other))) == frozenset()
    assert losses(before, Discovery(node=node, references=(reference("/a", Origin.PROCESS),))) == frozenset()


def test_of_a_configuration_never_seen_only_failures_are_bad_news() -> None:
    """They may be of a document that is being written."""
    broken = Failure(Place("/m"), Reason.MALFORMED_CONFIGURATION)
    named = reference("/a", Origin.MANIFEST)

    assert losses(None, Discovery(node=Node(), references=(named,), failures=(broken,))) == {broken}
