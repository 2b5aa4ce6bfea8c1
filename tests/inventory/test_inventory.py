"""An inventory says of each certificate what it is for, whether it is used, and when it really ends."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from exporter.demo.pki import YEAR, Issued, make_ca, make_leaf, public_pem
from exporter.inventory import build
from exporter.model import (
    Content,
    Discovery,
    Distribution,
    Document,
    Failure,
    File,
    FileStatus,
    Inventory,
    KubeletSettings,
    Node,
    Origin,
    Part,
    Place,
    Reason,
    Reference,
    Requirement,
    Role,
    State,
)
from exporter.parsing import parse

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PKI = "/etc/kubernetes/pki"
_INODES = count(1)


def status(path: str, *, inode: int = 0, resolved: str = "") -> FileStatus:
    """A regular file of its own inode unless one is given."""
    return FileStatus(
        path=path,
        resolved=resolved or path,
        device=1,
        inode=inode or next(_INODES),
        mode=0o100644,
        uid=0,
        gid=0,
        size=1,
        links=1,
        mtime_ns=1,
        ctime_ns=1,
        is_link=bool(resolved),
    )


def file(path: str, content: bytes, *, inode: int = 0, resolved: str = "") -> File:
    """A file with that content, parsed as the scan does."""
    parsed = parse(Document(path=path, content=content), expected=None, decode_keys=True)
    return File(path=path, status=status(path, inode=inode, resolved=resolved), content=parsed)


def reference(path: str, role: Role, **changes: object) -> Reference:
    """A manifest's reference to a certificate."""
    fields: dict[str, object] = {
        "component": "kube-apiserver",
        "setting": "tls-cert-file",
        "part": Part.CERTIFICATE,
        "role": role,
        "path": path,
        "origin": Origin.MANIFEST,
        "requirement": Requirement.REQUIRED,
    }
    return Reference(**(fields | changes))  # type: ignore[arg-type]


def inventory_of(
    files: Sequence[File],
    references: Sequence[Reference] = (),
    *,
    kubelet: KubeletSettings | None = None,
    failures: Sequence[Failure] = (),
    previous: Inventory | None = None,
    now: float = 0.0,
) -> Inventory:
    """Build from files and references."""
    return build(
        Discovery(
            node=Node(distribution=Distribution.KUBEADM, kubelet=kubelet or KubeletSettings()),
            references=tuple(references),
            failures=tuple(failures),
        ),
        {one.path: one for one in files},
        {},
        previous=previous,
        now=now,
    )


def roles(inventory: Inventory) -> Mapping[str, tuple[Role, State]]:
    """Place in words to role and state."""
    return {
        f"{found.place.path}#{found.place.entry}{found.place.index}": (found.role, found.state)
        for found in inventory.occurrences
    }


@pytest.fixture(scope="module")
def ca() -> Issued:
    """A cluster CA."""
    return make_ca(now=NOW)


def test_the_strongest_reference_gives_the_role(ca: Issued) -> None:
    """Serving comes before CA, component client, kubelet and kubeconfig (CHECKS 2)."""
    leaf = make_leaf(ca, "x", now=NOW, usages=("serverAuth", "clientAuth"))
    path = f"{PKI}/x.crt"

    found = inventory_of(
        [file(path, leaf.pem)],
        [
            reference(path, Role.KUBECONFIG_USER, origin=Origin.KUBECONFIG),
            reference(path, Role.KUBELET_CLIENT),
            reference(path, Role.FRONT_PROXY_CLIENT),
            reference(path, Role.APISERVER, origin=Origin.CONVENTION),
        ],
    )

    assert roles(found) == {f"{path}#0": (Role.APISERVER, State.IN_USE)}


def test_the_operators_role_wins(ca: Issued) -> None:
    """Who names a file knows what it is for."""
    path = "/opt/x.crt"
    found = inventory_of(
        [file(path, make_leaf(ca, now=NOW).pem)],
        [
            reference(path, Role.ETCD_SERVER, origin=Origin.OPERATOR),
            reference(path, Role.APISERVER),
        ],
    )

    assert roles(found)[f"{path}#0"] == (Role.ETCD_SERVER, State.IN_USE)


def test_an_operators_file_without_a_role_has_the_role_of_its_content(ca: Issued) -> None:
    """To name a file is not to say what it is for."""
    found = inventory_of(
        [file("/opt/x.crt", make_leaf(ca, now=NOW).pem)],
        [reference("/opt/x.crt", Role.OTHER, component="operator", origin=Origin.OPERATOR)],
    )

    assert roles(found) == {"/opt/x.crt#0": (Role.APISERVER, State.IN_USE)}


def test_a_copy_of_a_known_certificate_has_its_role(ca: Issued) -> None:
    """Equality is by DER; the copy itself is not in use (CHECKS 2)."""
    leaf = make_leaf(ca, "strange", now=NOW)
    found = inventory_of(
        [
            file(f"{PKI}/ca.crt", ca.pem),
            file(f"{PKI}/s.crt", leaf.pem),
            file("/root/copy.crt", leaf.pem + ca.pem),
        ],
        [
            reference(f"{PKI}/ca.crt", Role.CA, part=Part.TRUST),
            reference(f"{PKI}/s.crt", Role.SCHEDULER_SERVER),
        ],
    )

    assert roles(found)["/root/copy.crt#0"] == (Role.SCHEDULER_SERVER, State.UNREFERENCED)
    assert roles(found)["/root/copy.crt#1"] == (Role.CA, State.UNREFERENCED)


def test_a_ca_only_in_its_leafs_file_has_the_leafs_role() -> None:
    """The kubelet's own CA is in no other file, and may be a moment older."""
    own_ca = make_ca("n1-ca@1", now=NOW)
    leaf = make_leaf(own_ca, "n1@2", now=NOW)
    path = "/var/lib/kubelet/pki/kubelet.crt"

    named = inventory_of(
        [file(path, leaf.pem + own_ca.pem)], [reference(path, Role.KUBELET_SERVER_SELF_SIGNED)]
    )
    unnamed = inventory_of([file(path, leaf.pem + own_ca.pem)])

    assert {role for role, _ in roles(named).values()} == {Role.KUBELET_SERVER_SELF_SIGNED}
    assert {role for role, _ in roles(unnamed).values()} == {Role.KUBELET_SERVER_SELF_SIGNED}


@pytest.mark.parametrize(
    ("issuer", "cn", "role"),
    [
        ("n1-ca@1", "n1@1", Role.KUBELET_SERVER_SELF_SIGNED),
        ("n1-ca@1", "", Role.KUBELET_SERVER_SELF_SIGNED),
        ("n1@1", "", Role.KUBELET_SERVER_SELF_SIGNED),
        ("n2-ca@1", "n1@1", Role.KUBELET_SERVER),
        ("n1-ca", "n1@1", Role.KUBELET_SERVER),
        ("company-ca", "n1", Role.KUBELET_SERVER),
        ("company-ca", "system:node:n1", Role.KUBELET_SERVER),
        ("n1", "", Role.KUBELET_SERVER),
        ("@1", "", Role.KUBELET_SERVER),
    ],
)
def test_only_content_proves_that_a_kubelet_made_its_pair(issuer: str, cn: str, role: Role) -> None:
    """Others lay pairs where it would make its own; without a CN the CA itself stands there."""
    ca = make_ca(issuer, now=NOW)
    path = "/var/lib/kubelet/pki/kubelet.crt"

    found = inventory_of(
        [file(path, make_leaf(ca, cn, now=NOW).pem if cn else ca.pem)],
        [reference(path, Role.KUBELET_SERVER_SELF_SIGNED)],
    )

    assert roles(found) == {f"{path}#0": (role, State.IN_USE)}


@pytest.mark.parametrize(
    ("cn", "organizations", "usages", "role"),
    [
        ("kube-apiserver", (), ("serverAuth",), Role.APISERVER),
        ("kube-apiserver", (), ("clientAuth",), Role.OTHER),
        ("system:node:n1", ("system:nodes",), ("clientAuth",), Role.KUBELET_CLIENT),
        ("system:node:n1", ("system:nodes",), ("serverAuth",), Role.KUBELET_SERVER),
        ("system:node:n1", (), ("clientAuth",), Role.OTHER),
        ("kubernetes-super-admin", ("system:masters",), ("clientAuth",), Role.SUPER_ADMIN),
        ("admin", ("system:masters",), None, Role.ADMIN),
        ("apiserver-loopback-client@17", (), ("serverAuth",), Role.OTHER),
        ("jane", ("developers",), ("clientAuth",), Role.OTHER),
    ],
)
def test_content_tells_the_role_of_what_nothing_names(
    ca: Issued, cn: str, organizations: tuple[str, ...], usages: tuple[str, ...] | None, role: Role
) -> None:
    """Subject and extended key usage suggest it; an absent usage permits any."""
    leaf = make_leaf(ca, cn, now=NOW, organizations=organizations, usages=usages)

    found = inventory_of([file("/a.crt", leaf.pem)])

    assert roles(found) == {"/a.crt#0": (role, State.UNREFERENCED)}


@pytest.mark.parametrize(
    ("cn", "role"),
    [
        ("kubernetes", Role.CA),
        ("etcd-ca", Role.ETCD_CA),
        ("k3s-server-ca@17", Role.SERVER_CA),
        ("proxyClientCA", Role.OTHER),
    ],
)
def test_content_tells_the_role_of_an_unnamed_ca(cn: str, role: Role) -> None:
    """A backup of an old CA is recognized by its name, and only its role follows from that."""
    found = inventory_of([file("/ca.bak", make_ca(cn, now=NOW).pem)])

    assert roles(found) == {"/ca.bak#0": (role, State.UNREFERENCED)}


def test_an_unknown_users_certificate_in_an_unnamed_kubeconfig(ca: Issued) -> None:
    """Whoever it is, it is somebody's kubeconfig."""
    leaf = make_leaf(ca, "jane", now=NOW, usages=("clientAuth",))
    data = base64.b64encode(leaf.pem).decode()
    kubeconfig = f"kind: Config\nusers: [{{name: u, user: {{client-certificate-data: {data}}}}}]\n"

    found = inventory_of([file("/etc/kubernetes/jane.conf", kubeconfig.encode())])

    assert roles(found) == {"/etc/kubernetes/jane.conf#user/u0": (Role.KUBECONFIG_USER, State.UNREFERENCED)}


def test_an_etcd_members_certificate_is_recognized_by_its_ca() -> None:
    """Its CN is the node's name."""
    leaf = make_leaf(make_ca("etcd-ca", now=NOW), "n1", now=NOW, usages=("serverAuth", "clientAuth"))

    assert roles(inventory_of([file("/a", leaf.pem)]))["/a#0"][0] is Role.ETCD_SERVER


def test_what_a_component_makes_is_required_once_it_was_there(ca: Issued) -> None:
    """Before the first rotation its absence is normal, afterwards it is a loss (DESIGN 2)."""
    made = reference("/current.pem", Role.KUBELET_CLIENT, requirement=Requirement.GENERATED)
    absent = File(
        path="/current.pem",
        status=None,
        content=Content(failures=(Failure(Place("/current.pem"), Reason.NOT_FOUND),)),
    )

    before = inventory_of([absent], [made])
    there = inventory_of([file("/current.pem", ca.pem)], [made], previous=before)
    gone = inventory_of([absent], [made], previous=there)

    assert [found.references[0].requirement for found in (before, there, gone)] == [
        Requirement.GENERATED,
        Requirement.REQUIRED,
        Requirement.REQUIRED,
    ]


def test_one_inode_has_one_place_the_referenced_one() -> None:
    """The link that a kubeconfig names is shown, its target is not."""
    pair = make_leaf(make_ca(now=NOW), "system:node:n1", now=NOW).pem
    directory = "/var/lib/kubelet/pki"
    dated, current = (
        f"{directory}/kubelet-client-2026-11-24-00-00-00.pem",
        f"{directory}/kubelet-client-current.pem",
    )

    found = inventory_of(
        [file(dated, pair, inode=77), file(current, pair, inode=77, resolved=dated)],
        [reference(current, Role.KUBELET_CLIENT, component="kubelet")],
        kubelet=KubeletSettings(rotate_certificates=True, certificate_directory=directory),
    )

    (only,) = found.occurrences
    assert only.place == Place(current)
    life = only.certificate.not_after - only.certificate.not_before
    assert only.rotation_due == only.certificate.not_before + 0.9 * life


def test_a_link_is_shown_rather_than_its_target_where_nothing_names_either() -> None:
    """MicroK8s' ``current`` is what operators know, the revision number is not (CHECKS 2)."""
    ca = make_ca(now=NOW)
    revision, current = "/var/snap/microk8s/1/certs/a.crt", "/var/snap/microk8s/current/certs/a.crt"

    found = inventory_of([file(revision, ca.pem, inode=5), file(current, ca.pem, inode=5, resolved=revision)])

    assert [occurrence.place.path for occurrence in found.occurrences] == [current]


def test_old_dated_pairs_are_superseded_and_only_the_newest_three_are_shown(ca: Issued) -> None:
    """They are never deleted by the kubelet, so a node of five years has many."""
    names = [f"/var/lib/kubelet/pki/kubelet-client-202{year}-01-01-00-00-00.pem" for year in range(1, 6)]
    files = [file(name, make_leaf(ca, "system:node:n1", now=NOW).pem) for name in names]

    found = inventory_of(files)

    assert found.superseded == {"/var/lib/kubelet/pki": 5}
    assert roles(found) == {f"{name}#0": (Role.KUBELET_CLIENT, State.SUPERSEDED) for name in names[2:]}


def test_the_effective_end_is_the_earliest_on_the_best_path() -> None:
    """A leaf stops with its CA; with two CAs of one key it stops with the later one."""
    old = make_ca(now=NOW, life=timedelta(days=30))
    renewed = make_ca(now=NOW, life=10 * YEAR, key=old.key)
    leaf = make_leaf(old, now=NOW, life=YEAR)
    trust = reference("/ca.crt", Role.CA, part=Part.TRUST)

    under_old = inventory_of([file("/ca.crt", old.pem), file("/leaf.crt", leaf.pem)], [trust])
    under_both = inventory_of([file("/ca.crt", old.pem + renewed.pem), file("/leaf.crt", leaf.pem)], [trust])

    assert under_old.at("/leaf.crt")[0].effective_not_after == old.certificate.not_valid_after_utc
    assert under_both.at("/leaf.crt")[0].effective_not_after == leaf.certificate.not_valid_after_utc
    assert len(under_both.at("/leaf.crt")[0].issuers) == 2
    assert {authority.role for authority in under_both.at("/leaf.crt")[0].issuers} == {Role.CA}


def test_a_leftover_ca_does_not_lengthen_the_path() -> None:
    """What is trusted decides, not a backup beside it."""
    old = make_ca(now=NOW, life=timedelta(days=30))
    backup = make_ca(now=NOW, life=10 * YEAR, key=old.key)

    found = inventory_of(
        [
            file("/ca.crt", old.pem),
            file("/ca.crt.bak", backup.pem),
            file("/leaf.crt", make_leaf(old, now=NOW).pem),
        ],
        [reference("/ca.crt", Role.CA, part=Part.TRUST)],
    )

    assert found.at("/leaf.crt")[0].effective_not_after == old.certificate.not_valid_after_utc


def test_a_namesake_is_not_the_issuer(ca: Issued) -> None:
    """kubeadm's CA keeps its name over a rotation: only the signature tells."""
    leaf = make_leaf(make_ca(now=NOW), now=NOW)

    found = inventory_of([file("/ca.crt", ca.pem), file("/leaf.crt", leaf.pem)])

    occurrence = found.at("/leaf.crt")[0]
    assert occurrence.issuers == ()
    assert occurrence.issuer_fingerprint is None
    assert occurrence.effective_not_after == leaf.certificate.not_valid_after_utc


def test_an_intermediate_ends_with_its_root_and_a_circle_ends_nowhere() -> None:
    """The path goes up to the last issuer known here; two CAs that sign each other do not loop."""
    root = make_ca("root", now=NOW, life=timedelta(days=100))
    middle = make_ca("middle", now=NOW, issuer=root)
    leaf = make_leaf(middle, now=NOW)
    back = make_ca("root", now=NOW, issuer=middle, key=root.key)

    found = inventory_of([file("/chain", leaf.pem + middle.pem + root.pem)])
    circle = inventory_of([file("/chain", leaf.pem + middle.pem + back.pem)])

    assert found.at("/chain")[0].effective_not_after == root.certificate.not_valid_after_utc
    assert circle.at("/chain")[0].effective_not_after == leaf.certificate.not_valid_after_utc


def test_a_ca_under_two_roots_holds_as_long_as_the_later() -> None:
    """Cross-signed: each root is a path of its own."""
    short = make_ca("root", now=NOW, life=timedelta(days=50))
    long = make_ca("root", now=NOW, life=timedelta(days=90), key=short.key)
    middle = make_ca("middle", now=NOW, issuer=short)
    leaf = make_leaf(middle, now=NOW)

    found = inventory_of([file("/chain", leaf.pem + middle.pem + short.pem + long.pem)])

    assert found.at("/chain")[0].effective_not_after == long.certificate.not_valid_after_utc


def test_failures_have_the_role_and_state_of_their_file() -> None:
    """What a broken file was for is known from its reference; a missing file is no failure."""
    broken = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"
    found = inventory_of(
        [file("/a", broken), file("/b", broken)],
        [reference("/a", Role.ETCD_PEER)],
        failures=[
            Failure(Place("/m.yaml"), Reason.MALFORMED_CONFIGURATION),
            Failure(Place("/n.yaml"), Reason.NOT_FOUND),
        ],
    )

    assert [(failure.place.path, failure.role, failure.state) for failure in found.failures] == [
        ("/a", Role.ETCD_PEER, State.IN_USE),
        ("/b", Role.OTHER, State.UNREFERENCED),
        ("/m.yaml", Role.OTHER, State.IN_USE),
    ]


def test_trust_anchors_are_those_of_trust_files_and_kubeconfigs(ca: Issued) -> None:
    """Each CA once for each setting that trusts it."""
    kubeconfig = (
        b"kind: Config\nclusters:\n- name: k\n  cluster:\n    certificate-authority-data: "
        + base64.b64encode(ca.pem)
        + b"\n"
    )
    found = inventory_of(
        [
            file("/ca.crt", ca.pem + ca.pem),
            file("/admin.conf", kubeconfig),
            file("/leaf", make_leaf(ca, now=NOW).pem),
        ],
        [
            reference("/ca.crt", Role.CA, part=Part.TRUST, setting="client-ca-file"),
            reference("/admin.conf", Role.ADMIN, part=Part.KUBECONFIG, setting="kubeconfig"),
            reference("/leaf", Role.APISERVER),
            reference("/absent", Role.CA, part=Part.TRUST),
        ],
    )

    assert [(anchor.setting, anchor.path, anchor.entry) for anchor in found.trust_anchors] == [
        ("client-ca-file", "/ca.crt", ""),
        ("kubeconfig", "/admin.conf", "cluster/k"),
    ]


def test_service_account_keys_are_public_halves(ca: Issued) -> None:
    """A public key, a private key or a certificate may stand in such a file."""
    key = make_leaf(ca, now=NOW)
    found = inventory_of(
        [file("/sa.pub", public_pem(key.key)), file("/sa.key", key.key_pem), file("/sa.crt", key.pem)],
        [
            reference("/sa.pub", Role.OTHER, setting="service-account-key-file", part=Part.TRUST),
            reference(
                "/sa.key", Role.OTHER, setting="service-account-signing-key-file", part=Part.PRIVATE_KEY
            ),
            reference("/sa.crt", Role.OTHER, setting="service-account-key-file", part=Part.TRUST),
        ],
    )

    assert {found.path for found in found.service_account_keys} == {"/sa.pub", "/sa.key", "/sa.crt"}
    assert len({found.spki_sha256 for found in found.service_account_keys}) == 1


def test_a_change_of_certificates_is_noted_and_remembered(ca: Issued) -> None:
    """From the start on: the first look knows of no change."""
    first = inventory_of([file("/a", ca.pem)], now=1.0)
    same = inventory_of([file("/a", ca.pem)], previous=first, now=2.0)
    renewed = inventory_of([file("/a", make_ca(now=NOW).pem)], previous=same, now=3.0)
    later = inventory_of([file("/a", make_ca(now=NOW).pem)], previous=first, now=4.0)

    assert first.last_changes == {}
    assert same.last_changes == {}
    assert renewed.last_changes == {"/a": 3.0}
    assert later.last_changes == {"/a": 4.0}
    kept = build(Discovery(node=Node()), renewed.files, {}, previous=renewed, now=9.0)
    assert kept.last_changes == {"/a": 3.0}
