"""Patterns find files as a shell would, within bounds, and cannot be led in circles."""

from pathlib import Path

import pytest

from exporter.host import Host
from exporter.model import Failure, Place, Reason

TREE = (
    "pki/ca.crt",
    "pki/ca.key",
    "pki/etcd/ca.crt",
    "pki/etcd/deep/peer.crt",
    "pki/.hidden.crt",
    "pki/.old/ca.crt",
    "pki/a[1].crt",
    "other/pki/x.crt",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with a few files."""
    for name in TREE:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/pki/*.crt", ["/pki/a[1].crt", "/pki/ca.crt"]),
        ("/pki/ca.???", ["/pki/ca.crt", "/pki/ca.key"]),
        ("/pki/[!a]a.crt", ["/pki/ca.crt"]),
        ("/pki/a[[]1].crt", ["/pki/a[1].crt"]),
        ("/pki/**/*.crt", ["/pki/a[1].crt", "/pki/ca.crt", "/pki/etcd/ca.crt", "/pki/etcd/deep/peer.crt"]),
        ("/pki/**/**/ca.crt", ["/pki/ca.crt", "/pki/etcd/ca.crt"]),
        ("/**/etcd/ca.crt", ["/pki/etcd/ca.crt"]),
        ("/pki/etcd", ["/pki/etcd/ca.crt", "/pki/etcd/deep/peer.crt"]),
        ("/pki/etcd/", ["/pki/etcd/ca.crt", "/pki/etcd/deep/peer.crt"]),
        ("/pki/etcd/**", ["/pki/etcd/ca.crt", "/pki/etcd/deep/peer.crt"]),
        ("/pki/etcd/*", ["/pki/etcd/ca.crt"]),
        ("/*/pki", ["/other/pki/x.crt"]),
        ("/*/ca.crt", ["/pki/ca.crt"]),
        ("/pki/.*", ["/pki/.hidden.crt"]),
        ("/pki/.old", ["/pki/.old/ca.crt"]),
        ("/pki/ca.crt", ["/pki/ca.crt"]),
        ("//pki/./ca.crt", ["/pki/ca.crt"]),
        ("/pki/../other/*/x.crt", ["/pki/../other/pki/x.crt"]),
        ("/pki/ca.crt/*", []),
        ("/pki/none*", []),
        ("/pki/[", []),
    ],
)
def test_pattern_finds(root: Path, pattern: str, expected: list[str]) -> None:
    """A pattern finds files, sorted, never directories; hidden ones only where the dot is spelled."""
    assert Host(str(root)).match(pattern, 100) == (expected, [])


@pytest.mark.parametrize("pattern", ["/none", "/none/*.crt", "pki/*.crt", ""])
def test_pattern_without_a_beginning_says_so(root: Path, pattern: str) -> None:
    """What stands before the first wildcard is missing: a failure at that path."""
    (base,) = {pattern.removesuffix("/*.crt") if pattern.startswith("/") else pattern}

    assert Host(str(root)).match(pattern, 100) == ([], [Failure(Place(base), Reason.NOT_FOUND)])


def test_everything_but_a_directory_is_found(root: Path) -> None:
    """A dangling link is found: reading it tells what is wrong with it."""
    (root / "pki/etcd/gone.crt").symlink_to("nowhere")

    assert "/pki/etcd/gone.crt" in Host(str(root)).match("/pki/etcd", 100)[0]


def test_linked_directory_is_found_once(root: Path) -> None:
    """A link to a directory is followed, but what was seen by its own path is not seen again."""
    (root / "pki/a-copy").symlink_to("etcd")
    (root / "pki/loop").symlink_to("../pki")
    (root / "pki/elsewhere").symlink_to("/other/pki")

    assert Host(str(root)).match("/pki/**", 100) == (
        [
            "/pki/a[1].crt",
            "/pki/ca.crt",
            "/pki/ca.key",
            "/pki/elsewhere/x.crt",
            "/pki/etcd/ca.crt",
            "/pki/etcd/deep/peer.crt",
        ],
        [],
    )


def test_named_link_keeps_its_name(root: Path) -> None:
    """Files below a link that the pattern names have that name, as in ``current/certs``."""
    (root / "current").symlink_to("pki")

    assert Host(str(root)).match("/current/etcd/*", 100) == (["/current/etcd/ca.crt"], [])


def test_too_many_matches_end_the_search(root: Path) -> None:
    """The limit is kept, and the directory that passed it is the failure's place."""
    (root / "many").mkdir()
    for number in range(20):
        (root / f"many/{number:02}.crt").touch()

    found, failures = Host(str(root)).match("/many/*", 7)

    assert found == [f"/many/{number:02}.crt" for number in range(7)]
    assert failures == [Failure(Place("/many"), Reason.TOO_MANY_FILES)]


def test_too_large_a_directory_is_a_failure(root: Path) -> None:
    """A directory past its bound is not listed at all, and the others are."""
    (root / "pki/many").mkdir()
    for number in range(20_001):
        (root / f"pki/many/{number}").touch()

    found, failures = Host(str(root)).match("/pki/**", 100_000)

    assert found == [
        "/pki/a[1].crt",
        "/pki/ca.crt",
        "/pki/ca.key",
        "/pki/etcd/ca.crt",
        "/pki/etcd/deep/peer.crt",
    ]
    assert failures == [Failure(Place("/pki/many"), Reason.TOO_MANY_FILES)]
    assert Host(str(root)).names("/pki/many") is Reason.TOO_MANY_FILES


def test_too_deep_a_tree_is_a_failure(root: Path) -> None:
    """The walk ends 32 directories down."""
    deep = root.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (deep / "x.crt").touch()

    assert Host(str(root)).match("/d/**", 100) == (
        [],
        [Failure(Place("/d" * 34), Reason.TOO_MANY_FILES)],
    )


def test_forbidden_place_that_is_named_is_a_failure(root: Path) -> None:
    """A pattern that begins in /proc is refused aloud; one that merely passes by is not."""
    (root / "proc").mkdir()

    assert Host(str(root)).match("/proc/*", 100) == (
        [],
        [Failure(Place("/proc"), Reason.FORBIDDEN_DIRECTORY)],
    )
    assert Host(str(root)).match("/*/x.crt", 100) == ([], [])
