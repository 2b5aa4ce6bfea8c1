"""A step of a renewal is no defect: what looks broken counts when it still does a second later (DESIGN 5)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.model import Inventory
from tests.scenarios.certificates import CP, K0S, K0S_PKI, MINI, MINIKUBE, strange_key
from tests.scenarios.kubelets import CLIENT, CONFIG
from tests.scenarios.tree import MANIFESTS, PKI, Mutation, Seen, Tree, Watcher

LEAF = f"{PKI}/apiserver"


def places(seen: Seen) -> set[str]:
    """Every path that shows a certificate."""
    return {found.place.path for found in seen.inventory.occurrences}


def truncate(tree: Tree) -> None:
    """What a reader sees between truncation and writing."""
    tree.write(f"{LEAF}.crt", b"", 0o644)


def cut(tree: Tree) -> None:
    """What a reader sees in the middle of writing."""
    tree.write(f"{LEAF}.crt", tree.read(f"{LEAF}.crt")[:700], 0o644)


def unlink(tree: Tree) -> None:
    """What a reader sees between the removal of the old link and the renaming of the new one."""
    tree.at(CLIENT).unlink()


def empty_keys(tree: Tree) -> None:
    """What a reader sees while the keys are written anew."""
    for name in ("apiserver.key", "sa.key", "sa.pub"):
        tree.write(f"{PKI}/{name}", b"")


def halve(tree: Tree, path: str, word: str) -> None:
    """Leave of a document what stands before the line with a word."""
    text = tree.read(path).decode()
    end = text.rindex("\n", 0, text.index(word))
    tree.at(path).write_text(text[: end + 1])


@pytest.mark.parametrize(
    ("mutate", "finding", "failure", "is_missing"),
    [
        (lambda tree: strange_key(tree, LEAF), ("key_mismatched", f"{LEAF}.crt", ""), None, False),
        (truncate, None, ("no_certificate", f"{LEAF}.crt"), False),
        (cut, None, ("malformed_pem", f"{LEAF}.crt"), False),
        (unlink, None, None, True),
    ],
    ids=["key before certificate", "truncated", "cut", "link away"],
)
def test_a_half_written_state_must_stand_at_a_second_look(
    unpacked: Callable[[str], Path],
    mutate: Mutation,
    finding: tuple[str, str, str] | None,
    failure: tuple[str, str] | None,
    is_missing: bool,
) -> None:
    """Until then nothing is found and no series is lost."""
    root = unpacked(CP)
    watcher = Watcher(root)
    before = watcher.look_twice()
    mutate(Tree(root))

    first = watcher.look()
    watcher.now += 0.9
    still = watcher.look()
    watcher.now += 0.2
    second = watcher.look()

    for seen in (first, still):
        assert (seen.findings, seen.failures, seen.missing) == (frozenset(), frozenset(), frozenset())
        assert places(seen) == places(before)
    assert second.findings == ({finding} if finding else set())
    assert second.failures == ({failure} if failure else set())
    assert second.missing == ({CLIENT} if is_missing else set())


def test_a_half_written_key_makes_no_gap(unpacked: Callable[[str], Path]) -> None:
    """Service account keys stay until their loss is confirmed, and only then the files are broken."""
    root = unpacked(CP)
    watcher = Watcher(root)
    before = watcher.look_twice().inventory.service_account_keys
    empty_keys(Tree(root))

    first = watcher.look()
    watcher.now += 1.1
    second = watcher.look()

    assert len(before) > 1
    assert (first.inventory.service_account_keys, first.failures) == (before, frozenset())
    assert second.inventory.service_account_keys == ()
    assert second.failures == {
        ("malformed_key", f"{PKI}/{name}") for name in ("apiserver.key", "sa.key", "sa.pub")
    }


@pytest.mark.parametrize(
    ("mutate", "expected"),
    [
        (
            lambda tree: halve(tree, f"{MANIFESTS}/etcd.yaml", "listen-client-urls"),
            {
                ("etcd_plaintext_listener", f"{MANIFESTS}/etcd.yaml", f"http://localhost:{port}")
                for port in (2379, 2380)
            },
        ),
        (
            lambda tree: halve(tree, CONFIG, "rotateCertificates"),
            {("kubelet_rotation_disabled", CLIENT, "")},
        ),
    ],
    ids=["manifest", "kubelet configuration"],
)
def test_half_a_setting_must_stand_at_a_second_look(
    unpacked: Callable[[str], Path], mutate: Mutation, expected: set[tuple[str, str, str]]
) -> None:
    """A document written in place reads as settings that are switched off."""
    root = unpacked(CP)
    watcher = Watcher(root)
    watcher.look_twice()
    mutate(Tree(root))

    first = watcher.look()
    watcher.now += 1.1
    second = watcher.look()
    watcher.now += 1.1
    third = watcher.look()

    assert (first.findings, second.findings) == (frozenset(), frozenset())
    assert third.findings == expected


def told(inventory: Inventory) -> tuple[object, ...]:
    """What the configuration and the directories tell."""
    return inventory.node, inventory.references, set(inventory.directories), inventory.failures


@pytest.mark.parametrize(
    ("recorded", "path", "failure"),
    [
        (CP, f"{MANIFESTS}/kube-apiserver.yaml", "malformed_configuration"),
        (CP, CONFIG, "malformed_configuration"),
        (CP, "/etc/kubernetes", None),
        (CP, MANIFESTS, None),
        (K0S, K0S_PKI, None),
        (MINIKUBE, MINI, None),
    ],
)
def test_configuration_that_is_away_for_a_moment_changes_nothing(
    unpacked: Callable[[str], Path], recorded: str, path: str, failure: str | None
) -> None:
    """A document is emptied and written, a directory is moved away and back; gone for good, it is gone."""
    root = unpacked(recorded)
    watcher, target = Watcher(root), Tree(root).at(path)
    before = watcher.look_twice()
    away = root / "away"

    def take_away() -> None:
        target.rename(away)
        if failure:
            target.write_bytes(b"")

    take_away()
    during = watcher.look()
    watcher.now += 0.3
    if failure:
        target.unlink()
    away.rename(target)
    after = watcher.look()
    take_away()
    again = watcher.look()
    watcher.now += 1.1
    confirmed = watcher.look()

    for seen in (during, after, again):
        assert told(seen.inventory) == told(before.inventory)
        assert places(seen) == places(before)
        assert (seen.findings, seen.missing) == (before.findings, before.missing)
    assert confirmed.failures == ({(failure, path)} if failure else frozenset())
    assert told(confirmed.inventory) != told(before.inventory)


def test_a_document_that_is_broken_from_the_start_must_stand_too(unpacked: Callable[[str], Path]) -> None:
    """A scan may begin in the middle of a writing."""
    root = unpacked(CP)
    watcher = Watcher(root)
    Tree(root).write(CONFIG, b"", 0o644)

    first = watcher.look()
    watcher.now += 1.1
    second = watcher.look()

    assert first.failures == frozenset()
    assert second.failures == {("malformed_configuration", CONFIG)}


def test_a_new_reference_shows_at_once(unpacked: Callable[[str], Path]) -> None:
    """A flag that is added is good news; one that is taken away a second later is not."""
    root = unpacked(CP)
    watcher, tree = Watcher(root), Tree(root)
    watcher.look_twice()
    added = f"{PKI}/etcd/peer.crt"

    def settings() -> set[str]:
        references = watcher.look().inventory.references_to(added)
        return {reference.setting for reference in references if reference.component == "kube-apiserver"}

    tree.flag("kube-apiserver", "proxy-client-cert-file", added)
    replaced = settings()
    watcher.now += 1.1
    confirmed = settings()
    tree.flag("kube-apiserver", "kubelet-certificate-authority", added)
    extended = settings()
    tree.flag("kube-apiserver", "kubelet-certificate-authority")
    kept = settings()

    assert (replaced, confirmed) == (set(), {"proxy-client-cert-file"})
    assert extended == kept == {"proxy-client-cert-file", "kubelet-certificate-authority"}


def test_good_news_shows_at_once(unpacked: Callable[[str], Path]) -> None:
    """A renewal is visible at the first look, and the repair of a broken file, too."""
    root = unpacked(CP)
    watcher, tree = Watcher(root), Tree(root)
    watcher.look_twice()
    good = tree.read(f"{LEAF}.crt")
    cut(tree)
    watcher.look_twice()

    tree.write(f"{LEAF}.crt", good, 0o644)
    repaired = watcher.look()
    renewed = tree.reissue(LEAF, tree.authority())
    seen = watcher.look()

    assert repaired.failures == frozenset()
    (shown,) = seen.inventory.at(f"{LEAF}.crt")
    assert shown.certificate.der == renewed.der


def test_a_mode_is_no_step_of_a_renewal(unpacked: Callable[[str], Path]) -> None:
    """A change of mode is visible at once (DESIGN 5)."""
    root = unpacked(CP)
    watcher = Watcher(root)
    watcher.look_twice()
    Tree(root).at(f"{LEAF}.key").chmod(0o644)

    assert watcher.look().findings == {("mode_loose", f"{LEAF}.key", "")}


def test_a_copy_may_be_on_its_way_and_its_mode_counts_at_once(unpacked: Callable[[str], Path]) -> None:
    """Between writing and renaming a new key there are two; whoever reads it meanwhile has it for good."""
    root = unpacked(CP)
    watcher, tree = Watcher(root), Tree(root)
    watcher.look_twice()
    copied = f"{PKI}/apiserver.key.new"
    tree.write(copied, tree.read(f"{LEAF}.key"), 0o644)

    first = watcher.look()
    watcher.now += 1.1
    second = watcher.look()

    assert first.findings == {("mode_loose", copied, "")}
    assert second.findings == {("mode_loose", copied, ""), ("private_key_copied", copied, "")}
