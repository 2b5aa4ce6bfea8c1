"""Urgency follows the shipped alerts: days capped by a share of life, silence where nothing depends on it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exporter.demo.pki import Issued, make_ca, make_leaf
from exporter.model import (
    Certificate,
    Inventory,
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
from exporter.parsing.x509 import parse_certificate
from exporter.report.verdict import (
    Thresholds,
    Urgency,
    missing_paths,
    relied_on,
    urgency_of,
    worst,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)


def certificate(issued: Issued) -> Certificate:
    """The facts of an issued certificate."""
    parsed = parse_certificate(issued.der)
    assert isinstance(parsed, Certificate)
    return parsed


def occurrence(life: timedelta, left: timedelta, role: Role = Role.APISERVER) -> Occurrence:
    """A certificate of that whole life with so much of it left."""
    end = NOW + left
    leaf = make_leaf(make_ca(now=NOW), now=NOW, not_before=end - life, not_after=end)
    return Occurrence(
        place=Place("/a"),
        certificate=certificate(leaf),
        role=role,
        state=State.IN_USE,
        issuers=(),
        issuer_fingerprint=None,
        effective_not_after=end,
    )


@pytest.mark.parametrize(
    ("life", "left", "urgency"),
    [
        (365 * DAY, 31 * DAY, Urgency.OK),
        (365 * DAY, 29 * DAY, Urgency.WARNING),
        (365 * DAY, 6 * DAY, Urgency.CRITICAL),
        (365 * DAY, -1 * DAY, Urgency.CRITICAL),
        (3650 * DAY, 31 * DAY, Urgency.OK),
        (30 * DAY, 8 * DAY, Urgency.OK),
        (30 * DAY, 7 * DAY, Urgency.WARNING),
        (30 * DAY, 2 * DAY, Urgency.CRITICAL),
        (1 * DAY, timedelta(hours=7), Urgency.OK),
        (1 * DAY, timedelta(hours=5), Urgency.WARNING),
        (1 * DAY, timedelta(hours=2), Urgency.CRITICAL),
    ],
)
def test_thresholds_are_capped_by_a_share_of_life(life: timedelta, left: timedelta, urgency: Urgency) -> None:
    """A certificate of a day does not cry wolf for a day."""
    assert urgency_of(occurrence(life, left), Thresholds(), NOW) is urgency


@pytest.mark.parametrize(
    ("ahead", "urgency"),
    [
        (timedelta(minutes=-1), Urgency.OK),
        (timedelta(minutes=5), Urgency.OK),
        (timedelta(minutes=5, seconds=1), Urgency.CRITICAL),
        (2 * DAY, Urgency.CRITICAL),
    ],
)
def test_what_is_not_valid_yet_is_broken(ahead: timedelta, urgency: Urgency) -> None:
    """Clocks may differ by as much as the alert allows; what rotates by itself is no better."""
    found = occurrence(365 * DAY, 365 * DAY + ahead)
    rotating = replace(found, rotation_due=found.effective_not_after - DAY)

    assert urgency_of(found, Thresholds(), NOW) is urgency
    assert urgency_of(rotating, Thresholds(), NOW) is urgency


def test_leftovers_are_never_urgent() -> None:
    """Only what is in use may alert."""
    used = occurrence(365 * DAY, -9 * DAY)
    old = replace(used, place=Place("/old"), state=State.UNREFERENCED)

    assert relied_on(Inventory(node=Node(), occurrences=(old, used)), NOW) == {used.place}


def test_what_rotates_by_itself_is_urgent_only_past_its_time() -> None:
    """A kubelet rotates at 70 to 90 % of life: before that, a quarter left is no news."""
    found = occurrence(1 * DAY, timedelta(hours=5))
    due = replace(found, rotation_due=NOW + timedelta(hours=1))
    overdue = replace(found, rotation_due=NOW - timedelta(hours=1))
    dead = replace(occurrence(1 * DAY, timedelta(hours=1)), rotation_due=NOW - timedelta(hours=1))

    urgencies = [urgency_of(one, Thresholds(), NOW) for one in (due, overdue, dead)]

    assert urgencies == [Urgency.OK, Urgency.WARNING, Urgency.CRITICAL]


def test_the_kubelets_self_made_pair_is_never_critical() -> None:
    """Nothing verifies it by default (KUBERNETES_PKI 13)."""
    found = occurrence(365 * DAY, -1 * DAY, Role.KUBELET_SERVER_SELF_SIGNED)

    assert urgency_of(found, Thresholds(), NOW) is Urgency.WARNING


def authority(issued: Issued, path: str, index: int = 0, role: Role = Role.CA) -> Occurrence:
    """A CA in use in that place."""
    found = certificate(issued)
    return replace(
        occurrence(DAY, DAY, role),
        place=Place(path, "", index),
        certificate=found,
        effective_not_after=found.not_after,
    )


def trust(*authorities: Issued) -> tuple[TrustAnchor, ...]:
    """One setting that trusts them."""
    return tuple(
        TrustAnchor(component="kubelet", setting="s", path="/ca", entry="", certificate=certificate(ca))
        for ca in authorities
    )


def reference(
    path: str,
    requirement: Requirement = Requirement.REQUIRED,
    setting: str = "tls-cert-file",
    part: Part = Part.CERTIFICATE,
) -> Reference:
    """A manifest's reference to a file."""
    return Reference(
        component="kube-apiserver",
        setting=setting,
        part=part,
        role=Role.APISERVER,
        path=path,
        origin=Origin.MANIFEST,
        requirement=requirement,
    )


def test_the_certificate_around_a_service_account_key_may_end() -> None:
    """Kubernetes takes the public key from it and nothing else; another use or a watch makes it count."""
    ca = make_ca(now=NOW)
    key = replace(occurrence(DAY, -DAY, Role.OTHER), issuer_fingerprint=certificate(ca).fingerprint)
    tokens = reference(key.place.path, setting="service-account-key-file", part=Part.PRIVATE_KEY)
    found = Inventory(node=Node(), occurrences=(key, authority(ca, "/ca")), uses={key.place.path: (tokens,)})
    shared = replace(found, uses={key.place.path: (tokens, reference(key.place.path))})

    assert relied_on(found, NOW) == frozenset()
    assert relied_on(shared, NOW) == {key.place, Place("/ca")}


def test_a_ca_is_relied_on_where_something_hangs_on_it() -> None:
    """An old CA left in a bundle on purpose may expire; the last of the bundle may not."""
    old = make_ca(now=NOW, not_before=NOW - 99 * DAY, not_after=NOW - DAY)
    new = make_ca(now=NOW)
    leaf = replace(occurrence(365 * DAY, 300 * DAY), issuer_fingerprint=certificate(new).fingerprint)
    idle, needed = authority(old, "/ca"), authority(new, "/ca", 1)

    both = Inventory(node=Node(), trust_anchors=trust(old, new), occurrences=(leaf, idle, needed))
    only_old = Inventory(node=Node(), trust_anchors=trust(old), occurrences=(idle,))
    only_issuing = Inventory(node=Node(), occurrences=(leaf, idle, needed))

    assert relied_on(both, NOW) == {leaf.place, needed.place}
    assert relied_on(only_old, NOW) == {idle.place}
    assert relied_on(only_issuing, NOW) == {leaf.place, needed.place}


def test_a_ca_may_be_laid_into_a_bundle_ahead_of_its_time() -> None:
    """It is needed from then on; alone it is a trust that trusts nothing."""
    now, later = make_ca(now=NOW), make_ca(now=NOW, not_before=NOW + DAY, not_after=NOW + 9999 * DAY)
    valid, early = authority(now, "/ca"), authority(later, "/ca", 1)

    both = Inventory(node=Node(), trust_anchors=trust(now, later), occurrences=(valid, early))
    alone = Inventory(node=Node(), trust_anchors=trust(later), occurrences=(early,))

    assert relied_on(both, NOW) == {valid.place}
    assert relied_on(alone, NOW) == {early.place}


@pytest.mark.parametrize(
    ("role", "entry", "index", "is_relied_on"),
    [
        (Role.KUBELET_SERVER, "", 0, True),
        (Role.ETCD_SERVER, "", 0, True),
        (Role.ADMIN, "user/a", 0, True),
        (Role.ADMIN, "cluster/a", 0, False),
        (Role.KUBELET_SERVER, "", 1, False),
        (Role.CA, "", 0, False),
        (Role.OTHER, "", 0, False),
    ],
)
def test_what_stands_for_a_leaf_is_relied_on_whatever_its_flag(
    role: Role,
    entry: str,
    index: int,
    is_relied_on: bool,
) -> None:
    """``openssl req -x509`` and etcd's auto-tls make CAs; the CA behind a leaf or in a kubeconfig is none."""
    found = replace(authority(make_ca(now=NOW), "/a", role=role), place=Place("/a", entry, index))

    assert bool(relied_on(Inventory(node=Node(), occurrences=(found,)), NOW)) is is_relied_on


@pytest.mark.parametrize(("part", "relied"), [(Part.CERTIFICATE, {1}), (Part.PRIVATE_KEY, set())])
def test_the_last_ca_is_relied_on_where_it_is_to_sign_or_is_watched(part: Part, relied: set[int]) -> None:
    """A signer may have issued nothing known here; of a watched bundle not every CA has to hold."""
    first, last = make_ca(now=NOW, not_after=NOW + DAY), make_ca(now=NOW, not_after=NOW + 2 * DAY)
    found = (authority(first, "/x", role=Role.OTHER), authority(last, "/x", 1, Role.OTHER))
    uses = {"/x": (reference("/x", setting="cluster-signing-cert-file", part=part),)}

    places = relied_on(Inventory(node=Node(), occurrences=found, uses=uses), NOW)

    assert {place.index for place in places} == relied


def test_required_files_that_are_absent_are_missing_once() -> None:
    """Optional and generated ones are not."""
    found = Inventory(
        node=Node(),
        references=(
            reference("/a", Requirement.REQUIRED),
            reference("/a", Requirement.REQUIRED, "client-ca-file"),
            reference("/b", Requirement.OPTIONAL),
            reference("/c", Requirement.GENERATED),
        ),
    )

    assert missing_paths(found) == ("/a",)


def test_nothing_is_well() -> None:
    """An empty node is no alarm."""
    assert worst([]) is Urgency.OK
