"""Who a client certificate is to RBAC."""

from dataclasses import replace

import pytest

from exporter.inventory.identity import MAX_GROUPS, Identity, Privilege, identities, privilege_of
from exporter.model import Authority, Fingerprint, Inventory, Node, Role, State
from tests.exposition import handmade
from tests.exposition.handmade import BY_CA, CA_FILE, INVENTORY, certificate, occurrence

FOREIGN = (Authority(Fingerprint("ee" * 32), Role.OTHER),)
BARE = Inventory(node=Node())


@pytest.mark.parametrize(
    ("user", "groups", "privilege"),
    [
        ("kubernetes-super-admin", ("system:masters",), Privilege.MASTERS),
        ("system:apiserver", ("system:masters",), Privilege.MASTERS),
        ("kubernetes-admin", ("team", "kubeadm:cluster-admins"), Privilege.CLUSTER_ADMIN),
        ("system:kube-scheduler", (), Privilege.COMPONENT),
        ("kube-apiserver-kubelet-client", (), Privilege.COMPONENT),
        ("system:node:cp1", ("system:nodes",), Privilege.NODE),
        ("system:node:cp1", (), Privilege.OTHER),
        ("cp1", ("system:nodes",), Privilege.OTHER),
        ("system:masters", (), Privilege.OTHER),
        ("jane", ("dev",), Privilege.OTHER),
    ],
)
def test_privilege_comes_from_user_and_groups(
    user: str, groups: tuple[str, ...], privilege: Privilege
) -> None:
    """The farthest reaching of all groups counts; a node needs both prefix and group."""
    assert privilege_of(user, groups) is privilege


def test_each_group_is_an_identity() -> None:
    """Every O is a group; without any, one identity has the empty group."""
    two = occurrence("/a.crt", certificate("jane", organizations=("dev", "ops")))
    none = occurrence("/b.crt", certificate("jane"))
    assert [identity.group for identity in identities(two, INVENTORY)] == ["dev", "ops"]
    assert identities(none, INVENTORY) == (Identity("jane", "", Privilege.OTHER),)


def test_groups_without_number_are_cut_but_judged() -> None:
    """A certificate with thousands of groups costs few series, and none hides its power."""
    groups = (*(f"g{number}" for number in range(5000)), "system:masters")
    found = identities(occurrence("/a.crt", certificate("jane", organizations=groups)), INVENTORY)
    assert len(found) == MAX_GROUPS
    assert {identity.privilege for identity in found} == {Privilege.MASTERS}


@pytest.mark.parametrize(
    ("usages", "is_one"),
    [
        (None, True),
        (frozenset({"clientAuth"}), True),
        (frozenset({"clientAuth", "serverAuth"}), True),
        (frozenset({"anyExtendedKeyUsage"}), True),
        (frozenset({"serverAuth"}), False),
        (frozenset[str](), False),
    ],
)
def test_the_usage_must_permit_clients(usages: frozenset[str] | None, is_one: bool) -> None:
    """The API server wants clientAuth; no extension at all passes (Go's ``x509.Verify``)."""
    found = identities(occurrence("/a.crt", certificate("jane", usages=usages)), INVENTORY)
    assert bool(found) == is_one


def test_a_ca_or_a_nameless_certificate_is_nobody() -> None:
    """A CA does not log in; without a common name there is no user."""
    assert not identities(CA_FILE, INVENTORY)
    assert not identities(occurrence("/a.crt", certificate("")), INVENTORY)


def test_only_the_client_ca_makes_identities() -> None:
    """Where a client CA is known, its signature decides and the role does not."""
    stranger = occurrence("/a.crt", certificate("jane"), Role.KUBECONFIG_USER, issuers=FOREIGN)
    both = occurrence("/b.crt", certificate("minikube"), Role.APISERVER, issuers=BY_CA)
    assert not identities(stranger, INVENTORY)
    assert identities(both, INVENTORY)


def test_a_setting_makes_a_client_ca_too() -> None:
    """The CA that --client-ca-file names counts whatever role its file has."""
    anchors_only = replace(INVENTORY, occurrences=())
    jane = occurrence("/a.crt", certificate("jane"))
    assert identities(jane, anchors_only)
    elsewhere = replace(handmade.INVENTORY.trust_anchors[0], component="etcd")
    known = replace(CA_FILE, certificate=certificate("other", fingerprint="bb" * 32, is_ca=True))
    assert not identities(jane, replace(INVENTORY, occurrences=(known,), trust_anchors=(elsewhere,)))


def test_an_unused_ca_is_not_trusted() -> None:
    """A leftover copy of a CA is no evidence that anybody trusts it."""
    leftover = replace(CA_FILE, state=State.UNREFERENCED)
    node = replace(BARE, occurrences=(leftover,))
    assert identities(occurrence("/a.crt", certificate("jane"), issuers=FOREIGN), node)


@pytest.mark.parametrize(
    ("role", "is_one"),
    [(Role.KUBECONFIG_USER, True), (Role.ETCD_PEER, False), (Role.FRONT_PROXY_CLIENT, False)],
)
def test_without_a_known_client_ca_the_role_decides(role: Role, is_one: bool) -> None:
    """etcd's and the front proxy's clients log in elsewhere."""
    assert bool(identities(occurrence("/a.crt", certificate("jane"), role), BARE)) == is_one
