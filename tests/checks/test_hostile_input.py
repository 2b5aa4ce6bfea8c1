"""What somebody lays onto a node to disturb: no check raises, and none grows with the square of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.checks import evaluate
from exporter.checks.trust import is_trusted, lowest
from exporter.demo.pki import Issued, make_ca, make_key, make_leaf
from exporter.inventory.issuers import CANDIDATES
from exporter.model import (
    Certificate,
    Content,
    Distribution,
    Embedded,
    File,
    FileStatus,
    Inventory,
    KubeletSettings,
    Listener,
    Node,
    Occurrence,
    Origin,
    Part,
    Place,
    Reference,
    Requirement,
    Role,
    State,
    TrustAnchor,
)
from exporter.parsing import signature
from exporter.parsing.x509 import parse_certificate

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = make_key()


def parsed(issued: Issued) -> Certificate:
    """A certificate as the program knows it."""
    certificate = parse_certificate(issued.der)
    assert isinstance(certificate, Certificate)
    return certificate


ROOT = make_ca(now=NOW)
CA, LEAF = parsed(ROOT), parsed(make_leaf(ROOT, now=NOW, sans=("n1", "10.0.0.1")))
OPEN = FileStatus(
    path="/p",
    resolved="/q/p",
    device=1,
    inode=1,
    mode=0o100777,
    uid=2**31,
    gid=2**31,
    size=1,
    links=1,
    mtime_ns=0,
    ctime_ns=0,
)

texts = st.text(max_size=40)
certificates = st.builds(
    replace,
    st.sampled_from((CA, LEAF)),
    subject_cn=texts,
    organizations=st.lists(texts, max_size=3).map(tuple),
    key_algorithm=texts,
    key_size=st.none() | st.integers(),
    signature_hash=texts,
    is_ca=st.booleans(),
    is_self_signed=st.booleans(),
    key_usage=st.none() | st.frozensets(texts),
    extended_key_usage=st.none() | st.frozensets(texts),
    not_after=st.datetimes(timezones=st.just(UTC)),
)
paths = st.sampled_from(("/p", "/k/kubelet-client-current.pem", "/k/kubelet-client-2.pem", "/\udcff"))
places = st.builds(Place, paths, st.sampled_from(("", "user/a", "cluster/a")), st.integers(0, 2))
occurrences = st.builds(
    Occurrence,
    place=places,
    certificate=certificates,
    role=st.sampled_from(Role),
    state=st.sampled_from(State),
    issuers=st.just(()),
    issuer_fingerprint=st.none(),
    effective_not_after=st.datetimes(timezones=st.just(UTC)),
)
references = st.builds(
    Reference,
    component=st.sampled_from(("kubelet", "kube-apiserver", "etcd")),
    setting=st.sampled_from(("client-ca-file", "cluster-signing-cert-file", "etcd-cafile")),
    part=st.sampled_from(Part),
    role=st.sampled_from(Role),
    path=paths,
    origin=st.sampled_from(Origin),
    requirement=st.sampled_from(Requirement),
)
nodes = st.builds(
    Node,
    name=texts,
    distribution=st.sampled_from(Distribution),
    addresses=st.lists(texts, max_size=2).map(tuple),
    api_names=st.lists(texts, max_size=2).map(tuple),
    kubelet=st.builds(
        KubeletSettings,
        rotate_certificates=st.sampled_from((None, True, False)),
        certificate_directory=st.sampled_from(("", "/k")),
        bootstrap_kubeconfig=paths,
    ),
    listeners=st.lists(
        st.builds(
            Listener,
            url=texts | st.just("http://["),
            listener=st.sampled_from(("client", "peer", "metrics")),
            transport=st.sampled_from(("tls", "plaintext")),
            client_auth=st.sampled_from(("none", "unknown")),
            origin=st.sampled_from(Origin),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(node=nodes, found=st.lists(occurrences, max_size=6), named=st.lists(references, max_size=6))
def test_no_check_raises(node: Node, found: list[Occurrence], named: list[Reference]) -> None:
    """Whatever certificates say and whatever names them."""
    files = {
        path: File(
            path=path,
            status=OPEN,
            content=Content(
                certificates=tuple(
                    Embedded(o.place.entry, o.place.index, o.certificate)
                    for o in found
                    if o.place.path == path
                )
            ),
        )
        for path in {o.place.path for o in found} | {reference.path for reference in named}
    }
    inventory = Inventory(
        node=node,
        occurrences=tuple(found),
        references=tuple(named),
        files=files,
        uses={path: tuple(r for r in named if r.path == path) for path in files},
        directories={"/": OPEN, "/k": OPEN, "/q": OPEN},
        trust_anchors=tuple(
            TrustAnchor(component=r.component, setting=r.setting, path=r.path, entry="", certificate=CA)
            for r in named
        ),
    )

    for finding in evaluate(inventory):
        assert finding.detail


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> list[Certificate]:
    """Many CAs of one name, with verdicts counted from none."""
    monkeypatch.setattr(signature, "_verdicts", {})
    return [parsed(make_ca(now=NOW, key=KEY, life=timedelta(days=3650 + i))) for i in range(100)]


def verdicts() -> int:
    """How many signatures were verified."""
    return len(signature._verdicts)  # noqa: SLF001 - the cost is what this is about


def test_a_crowd_of_trusted_cas_costs_a_bounded_number_of_signatures(crowd: list[Certificate]) -> None:
    """Neither the right CA behind the crowd is missed, which the key identifier tells, nor time lost."""
    assert is_trusted(LEAF, (), [*crowd, CA])
    assert not is_trusted(LEAF, (), crowd)
    assert verdicts() <= 2 * CANDIDATES


def test_a_crowd_sent_along_costs_a_bounded_number_of_signatures(crowd: list[Certificate]) -> None:
    """A chain is short; what else lies in the file is not followed."""
    stranger = parsed(make_ca("other", now=NOW))
    leaf = parsed(make_leaf(Issued(ROOT.certificate, KEY), now=NOW))

    assert not is_trusted(leaf, crowd, [stranger])
    assert verdicts() <= CANDIDATES * (CANDIDATES + 1)


def test_the_lowest_of_a_crowd_cost_a_bounded_number_of_signatures(crowd: list[Certificate]) -> None:
    """CAs beside one another are all the lowest."""
    assert lowest(crowd) == tuple(crowd)
    assert verdicts() == 0


def test_ten_thousand_names_are_looked_through_once() -> None:
    """A name that is missing among many is told, and so is none that is there."""
    names: Iterable[str] = (f"n{i}.example" for i in range(10_000))
    certificate = parsed(make_leaf(ROOT, now=NOW, sans=tuple(names)))
    occurrence = Occurrence(
        place=Place("/a.crt"),
        certificate=certificate,
        role=Role.APISERVER,
        state=State.IN_USE,
        issuers=(),
        issuer_fingerprint=None,
        effective_not_after=certificate.not_after,
    )
    inventory = Inventory(
        node=Node(api_names=("n9999.example", "elsewhere.example")),
        occurrences=(occurrence,),
        files={"/a.crt": File(path="/a.crt", status=None)},
        uses={
            "/a.crt": (
                Reference(
                    component="kube-apiserver",
                    setting="tls-cert-file",
                    part=Part.CERTIFICATE,
                    role=Role.APISERVER,
                    path="/a.crt",
                    origin=Origin.MANIFEST,
                    requirement=Requirement.REQUIRED,
                ),
            )
        },
    )

    (finding,) = evaluate(inventory)

    assert (finding.check, finding.detail) == ("name_uncovered", "does not cover elsewhere.example")
