"""Unchanged files are neither read nor parsed again, and a CA's private key is never opened."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from exporter.demo.pki import Issued, make_ca, make_leaf
from exporter.host import Host
from exporter.model import Failure, File, FileStatus, Part, Place, Reason, Search
from exporter.sources.files import HostFiles

Pki = Callable[[str, bytes], Path]

_opened: list[str] | None = None


def _note_open(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None:
        path, _, flags = arguments
        if isinstance(flags, int) and not flags & (os.O_PATH | os.O_DIRECTORY):
            _opened.append(str(path))


sys.addaudithook(_note_open)


@contextmanager
def opened() -> Iterator[list[str]]:
    """Note the names of the files that are opened to be read (PEP 578)."""
    global _opened  # noqa: PLW0603 - an audit hook cannot be removed
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


@pytest.fixture
def ca(now: datetime) -> Issued:
    """A cluster's CA."""
    return make_ca(now=now)


@pytest.fixture
def write(tmp_path: Path) -> Pki:
    """Write a file of the host."""

    def write_at(path: str, content: bytes) -> Path:
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return place

    return write_at


def an_hour_later() -> int:
    """Tell a time at which no file on disk is fresh any more."""
    return time.time_ns() + 3_600_000_000_000


def files_of(
    tmp_path: Path,
    *,
    match_keys: bool = True,
    max_files: int = 10_000,
    clock_ns: Callable[[], int] = an_hour_later,
) -> HostFiles:
    """Begin the first pass over a host."""
    files = HostFiles(Host(str(tmp_path)), match_keys=match_keys, max_files=max_files, clock_ns=clock_ns)
    files.begin()
    return files


def reasons(file: File) -> list[Reason]:
    """Say why a file yielded nothing."""
    return [failure.reason for failure in file.content.failures]


def test_file_is_read_with_its_content(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """A certificate file has its status and its certificate."""
    write("/pki/ca.crt", ca.pem)

    file = files_of(tmp_path).file("/pki/ca.crt", expected=Part.TRUST)

    assert file.status is not None
    assert (file.path, file.status.resolved, file.exists) == ("/pki/ca.crt", "/pki/ca.crt", True)
    assert [(each.entry, each.index, each.certificate.subject_cn) for each in file.content.certificates] == [
        ("", 0, "kubernetes")
    ]


def test_unchanged_files_are_not_opened(tmp_path: Path, write: Pki, ca: Issued, now: datetime) -> None:
    """Of 5,000 files in a directory only the one that changed is opened in the next pass."""
    for number in range(5000):
        write(f"/pki/{number:04}.crt", ca.pem)
    files = files_of(tmp_path)
    search = Search(pattern="/pki/**")
    before = [files.file(path) for path in files.match(search)]
    write("/pki/0042.crt", make_leaf(ca, now=now).pem)

    files.begin()
    with opened() as names:
        after = [files.file(path) for path in files.match(search)]

    assert names == ["0042.crt"]
    assert len(after) == 5000
    assert [new.path for old, new in zip(before, after, strict=True) if old is not new] == ["/pki/0042.crt"]
    assert after[42].content.certificates[0].certificate.subject_cn == "kube-apiserver"


def test_fresh_file_is_read_once_more(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """A file that was just written may have been read between two writes of one moment."""
    write("/pki/ca.crt", ca.pem)
    files = files_of(tmp_path, clock_ns=time.time_ns)
    files.file("/pki/ca.crt")

    files.begin()
    with opened() as names:
        again = files.file("/pki/ca.crt")

    assert names == ["ca.crt"]
    assert again.content.certificates[0].certificate.subject_cn == "kubernetes"


@pytest.mark.parametrize("way", ["rename", "rewrite", "link", "chmod"])
def test_change_between_passes_is_seen(
    tmp_path: Path, write: Pki, ca: Issued, now: datetime, way: str
) -> None:
    """Renamed over, rewritten in place, a link swapped, a mode changed: the next pass has it."""
    leaf = make_leaf(ca, now=now)
    place = write("/pki/real.crt", ca.pem)
    other = write("/pki/other.crt", leaf.pem)
    link = tmp_path / "pki/current.crt"
    link.symlink_to("/pki/real.crt")
    files = files_of(tmp_path)
    before = files.file("/pki/current.crt")

    match way:
        case "rename":
            other.rename(place)
        case "rewrite":
            place.write_bytes(leaf.pem)
        case "link":
            (tmp_path / "swap").symlink_to("/pki/other.crt")
            (tmp_path / "swap").rename(link)
        case _:
            place.chmod(0o600)
    files.begin()
    after = files.file("/pki/current.crt")

    assert before.status is not None
    assert after.status is not None
    if way == "chmod":
        assert (before.status.permissions, after.status.permissions) == (0o644, 0o600)
    else:
        assert after.content.certificates[0].certificate.subject_cn == "kube-apiserver"


def test_file_that_goes_and_comes_back_is_seen(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """A file that is gone does not exist, and exists again when it is there."""
    place = write("/pki/ca.crt", ca.pem)
    files = files_of(tmp_path)
    seen = [files.file("/pki/ca.crt")]
    for step in (place.unlink, lambda: write("/pki/ca.crt", ca.pem)):
        step()
        files.begin()
        seen.append(files.file("/pki/ca.crt"))

    assert [file.exists for file in seen] == [True, False, True]
    assert reasons(seen[1]) == [Reason.NOT_FOUND]


def test_pass_sees_one_state_of_a_file(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """Asked twice in a pass, a file is the same, whatever happened in between."""
    write("/pki/ca.crt", ca.pem)
    files = files_of(tmp_path)
    first = files.file("/pki/ca.crt")
    write("/pki/ca.crt", b"")

    assert files.file("/pki/ca.crt") is first


@pytest.mark.parametrize("join", [os.link, lambda source, target: target.symlink_to(source.name)])
def test_two_paths_of_one_file_share_its_parse(
    tmp_path: Path, write: Pki, ca: Issued, join: Callable[[Path, Path], None]
) -> None:
    """A hard link or a link has the very certificate of the file, and failures at its own path."""
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    place = write("/pki/a.crt", ca.pem + broken)
    join(place, tmp_path / "pki/b.crt")
    files = files_of(tmp_path)

    one, two = files.file("/pki/a.crt"), files.file("/pki/b.crt")

    assert one.content.certificates[0] is two.content.certificates[0]
    assert [failure.place.path for failure in one.content.failures] == ["/pki/a.crt"]
    assert [failure.place.path for failure in two.content.failures] == ["/pki/b.crt"]


def test_authority_key_is_never_opened(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """A CA's key by name, by seal, by a link or a hard link to one is only looked at."""
    write("/pki/ca.key", ca.key_pem)
    place = write("/pki/signer.pem", ca.key_pem)
    (tmp_path / "pki/link.pem").symlink_to("ca.key")
    (tmp_path / "pki/hard.pem").hardlink_to(place)
    files = files_of(tmp_path)
    files.seal(["/pki/signer.pem", "/pki/none.pem"])

    with opened() as names:
        found = [files.file(f"/pki/{name}") for name in ("ca.key", "signer.pem", "link.pem", "hard.pem")]
        texts = [files.text(file.path) for file in found]

    assert names == []
    assert texts == [Reason.MALFORMED_CONFIGURATION] * 4
    assert all(file.exists and file.status and not file.content.keys for file in found)


def test_seal_is_asked_for_in_each_pass(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """What was sealed is read when it is no longer, and what is sealed now is dropped."""
    write("/pki/signer.pem", ca.key_pem)
    files = files_of(tmp_path)
    seen = []
    for sealed in ([], ["/pki/signer.pem"], []):
        files.begin(sealed)
        seen.append(len(files.file("/pki/signer.pem").content.keys))

    assert seen == [1, 0, 1]


@pytest.mark.parametrize("match_keys", [True, False])
def test_leaf_keys_are_opened_only_to_match_them(
    tmp_path: Path, write: Pki, ca: Issued, now: datetime, match_keys: bool
) -> None:
    """Without key matching a key file, by name, by reference or by a link, is only looked at."""
    keys = ["a.key", "a.key.bak", "client-key.pem", "named.pem"]
    for name in keys:
        write(f"/pki/{name}", make_leaf(ca, now=now).key_pem)
    (tmp_path / "pki/link.pem").symlink_to("a.key")
    files = files_of(tmp_path, match_keys=match_keys)

    with opened() as names:
        found = [
            files.file(f"/pki/{name}", expected=Part.PRIVATE_KEY if name == "named.pem" else None)
            for name in (*keys, "link.pem")
        ]

    assert names == ([*keys, "a.key"] if match_keys else [])
    assert [len(file.content.keys) for file in found] == [int(match_keys)] * 5
    assert [reasons(file) for file in found] == [[]] * 5


@pytest.mark.parametrize(
    ("name", "expected", "is_open"),
    [
        ("keycloak.crt", None, True),
        ("key-server.crt", Part.CERTIFICATE, True),
        ("key-rotator.conf", Part.KUBECONFIG, True),
        ("server-key.pem", Part.CERTIFICATE, False),
    ],
)
def test_other_files_are_opened_without_key_matching(
    tmp_path: Path, write: Pki, ca: Issued, name: str, expected: Part | None, *, is_open: bool
) -> None:
    """What is no key by its name, or is a kubeconfig, is read; the operator may take a key for anything."""
    write(f"/pki/{name}", ca.pem)
    files = files_of(tmp_path, match_keys=False)

    with opened() as names:
        files.file(f"/pki/{name}", expected=expected)

    assert names == ([name] if is_open else [])


def test_bad_files_are_failures_with_what_is_known(tmp_path: Path, write: Pki) -> None:
    """A directory, a FIFO, a large file and a missing one each have their reason."""
    with write("/pki/large.crt", b"").open("wb") as large:
        large.truncate(1 << 30)
    (tmp_path / "pki/directory.crt").mkdir()
    os.mkfifo(tmp_path / "pki/fifo.crt")
    (tmp_path / "pki/loop.crt").symlink_to("loop.crt")
    files = files_of(tmp_path)

    found = {name: files.file(f"/pki/{name}.crt") for name in ("large", "directory", "fifo", "loop", "none")}

    assert {name: reasons(file) for name, file in found.items()} == {
        "large": [Reason.TOO_LARGE],
        "directory": [Reason.NOT_REGULAR],
        "fifo": [Reason.NOT_REGULAR],
        "loop": [Reason.LINK_LOOP],
        "none": [Reason.NOT_FOUND],
    }
    assert [name for name, file in found.items() if file.status is None] == ["loop", "none"]


def test_number_of_files_is_bounded(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """Past the bound a file is a failure, and a search ends with one at its directory."""
    for number in range(5):
        write(f"/pki/{number}.crt", ca.pem)
    files = files_of(tmp_path, max_files=3)

    paths = files.match(Search(pattern="/pki/*"))
    found = [files.file(path) for path in (*paths, "/pki/4.crt")]

    assert paths == ("/pki/0.crt", "/pki/1.crt", "/pki/2.crt")
    assert files.failures == (Failure(Place("/pki"), Reason.TOO_MANY_FILES),)
    assert [reasons(file) for file in found] == [[], [], [], [Reason.TOO_MANY_FILES]]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(pattern="/none/ca.crt", is_operators=True), ("/none/ca.crt",)),
        (Search(pattern="/none/*.crt", is_operators=True), ()),
        (Search(pattern="/none/ca.crt"), ()),
    ],
)
def test_missing_path_is_news_only_to_the_operator(
    tmp_path: Path, search: Search, expected: tuple[str, ...]
) -> None:
    """A plain path of the operator's is looked for by name; nothing else that is missing is a failure."""
    files = files_of(tmp_path)

    assert files.match(search) == expected
    assert files.failures == ()


def test_text_and_names_serve_the_configuration(tmp_path: Path, write: Pki) -> None:
    """A document is read whole, and a directory gives its files without its directories."""
    write("/manifests/b.yaml", b"kind: Pod")
    write("/manifests/a.yaml", b"")
    (tmp_path / "manifests/nested").mkdir()
    files = files_of(tmp_path)

    assert files.names("/manifests") == ("a.yaml", "b.yaml")
    assert files.text("/manifests/b.yaml") == b"kind: Pod"
    assert files.text("/manifests/nested") is Reason.NOT_REGULAR
    assert files.text("/none") is Reason.NOT_FOUND
    assert files.names("/none") == ()
    assert isinstance(files.status("/manifests"), FileStatus)
    assert files.failures == ()


def test_directories_of_a_pass_are_known_after_it(tmp_path: Path, write: Pki, ca: Issued) -> None:
    """Each directory that led to a file, or ends where one is missing, can be watched and judged."""
    write("/pki/real/ca.crt", ca.pem)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/ca.crt").symlink_to("/pki/real/ca.crt")
    files = files_of(tmp_path)

    files.file("/etc/ca.crt")
    files.file("/pki/none/x.crt")
    files.end()

    assert set(files.directories) == {"/", "/etc", "/pki", "/pki/real"}
    files.begin()
    assert files.directories == {}
