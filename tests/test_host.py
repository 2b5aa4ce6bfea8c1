"""The host's files are reached by the host's own paths, and nothing outside the root ever is."""

import inspect
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.host import Entry, Host
from exporter.model import Failure, FileStatus, Place, Reason

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with one certificate, beside a file that is none of its business."""
    (tmp_path / "outside").write_bytes(b"outside")
    host = tmp_path / "host"
    (host / "etc/pki").mkdir(parents=True)
    (host / "etc/pki/ca.crt").write_bytes(b"ca")
    return host


@pytest.fixture
def as_nobody() -> Iterator[Callable[[], None]]:
    """Give up root until the end of the test."""
    yield lambda: os.seteuid(NOBODY) if os.geteuid() == 0 else None
    os.seteuid(os.getuid())


def content(root: Path, path: str) -> bytes | Reason:
    """Read by a fresh look at the host."""
    read = Host(str(root)).read(path)
    return read if isinstance(read, Reason) else read[1]


def open_descriptors() -> int:
    """Count this process's descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


def status(root: Path, path: str) -> FileStatus:
    """Look at what must be there."""
    found = Host(str(root)).status(path)
    assert isinstance(found, FileStatus)
    return found


def test_status_is_what_the_system_says(root: Path) -> None:
    """A file's status is that of fstat, under the host's own path."""
    expected = (root / "etc/pki/ca.crt").stat()

    found = Host(str(root)).read("/etc/pki/ca.crt")

    assert not isinstance(found, Reason)
    assert found[0] == FileStatus(
        path="/etc/pki/ca.crt",
        resolved="/etc/pki/ca.crt",
        device=expected.st_dev,
        inode=expected.st_ino,
        mode=expected.st_mode,
        uid=expected.st_uid,
        gid=expected.st_gid,
        size=2,
        links=1,
        mtime_ns=expected.st_mtime_ns,
        ctime_ns=expected.st_ctime_ns,
    )
    assert found[1] == b"ca"


def test_previous_status_is_given_back_while_it_holds(root: Path) -> None:
    """An unchanged file has the very same status; one that was written to has another."""
    host = Host(str(root))
    before = host.status("/etc/pki/ca.crt")
    assert isinstance(before, FileStatus)

    host.begin()
    same = host.status("/etc/pki/ca.crt", before)
    (root / "etc/pki/ca.crt").write_bytes(b"other")
    host.begin()
    other = host.status("/etc/pki/ca.crt", before)

    assert same is before
    assert isinstance(other, FileStatus)
    assert other.version != before.version


@pytest.mark.parametrize(
    ("target", "resolved"),
    [
        ("ca.crt", "/etc/pki/ca.crt"),
        ("/etc/pki/ca.crt", "/etc/pki/ca.crt"),
        ("../pki/./ca.crt", "/etc/pki/ca.crt"),
        ("../../../../../../etc/pki/ca.crt", "/etc/pki/ca.crt"),
        ("//etc//pki//ca.crt", "/etc/pki/ca.crt"),
    ],
)
def test_link_is_followed_inside_the_root(root: Path, target: str, resolved: str) -> None:
    """An absolute link starts at the host's root, and there is nothing above that."""
    (root / "etc/pki/link").symlink_to(target)

    found = status(root, "/etc/pki/link")

    assert (found.path, found.resolved, found.is_link) == ("/etc/pki/link", resolved, True)
    assert content(root, "/etc/pki/link") == b"ca"


@pytest.mark.parametrize("target", ["../../../outside", "/../outside", "/etc/shadow", "/etc/passwd"])
def test_link_never_leads_outside(root: Path, target: str) -> None:
    """What a link names outside the root is looked for inside, and is not there."""
    (root / "etc/pki/link").symlink_to(target)

    assert content(root, "/etc/pki/link") is Reason.NOT_FOUND


def test_link_to_shadow_is_the_hosts_own(root: Path) -> None:
    """A link to /etc/shadow leads to the file of that name below the root."""
    (root / "etc/shadow").write_bytes(b"the host's")
    (root / "etc/pki/link").symlink_to("/etc/shadow")

    assert content(root, "/etc/pki/link") == b"the host's"


def test_linked_directory_is_walked_through(root: Path) -> None:
    """A link in the middle of a path is followed, and ``..`` after it is the target's parent."""
    (root / "srv/real/deep").mkdir(parents=True)
    (root / "srv/real/x.crt").write_bytes(b"x")
    (root / "etc/linked").symlink_to("/srv/real/deep")

    found = status(root, "/etc/linked/../x.crt")

    assert (found.resolved, found.is_link) == ("/srv/real/x.crt", False)


def test_chain_of_forty_links_is_the_longest(root: Path) -> None:
    """Forty links are followed as the kernel does, one more is a loop, and so is a link to itself."""
    (root / "etc/pki/0").symlink_to("ca.crt")
    for number in range(1, 41):
        (root / f"etc/pki/{number}").symlink_to(str(number - 1))
    (root / "etc/pki/self").symlink_to("self")

    assert content(root, "/etc/pki/39") == b"ca"
    assert content(root, "/etc/pki/40") is Reason.LINK_LOOP
    assert content(root, "/etc/pki/self") is Reason.LINK_LOOP
    assert content(root, "/etc/pki/self/ca.crt") is Reason.LINK_LOOP


def test_projected_volume_shows_a_swap(root: Path) -> None:
    """A swap of ``..data`` alone shows in the next pass, though the file's own link stays as it was."""
    volume = root / "volume"
    for name in ("..1", "..2"):
        (volume / name).mkdir(parents=True)
        (volume / name / "tls.crt").write_bytes(name.encode())
    (volume / "..data").symlink_to("..1")
    (volume / "tls.crt").symlink_to("..data/tls.crt")
    host = Host(str(root))
    before = host.status("/volume/tls.crt")
    assert isinstance(before, FileStatus)

    (volume / "swap").symlink_to("..2")
    (volume / "swap").rename(volume / "..data")
    host.begin()
    after = host.status("/volume/tls.crt", before)

    assert isinstance(after, FileStatus)
    assert (before.resolved, after.resolved) == ("/volume/..1/tls.crt", "/volume/..2/tls.crt")
    assert content(root, "/volume/tls.crt") == b"..2"


@pytest.mark.parametrize("name", ["new\nline", 'quo"te', "back\\slash", "inv\udcffalid", "ümlaut", "a" * 255])
def test_any_name_of_a_file_works(root: Path, name: str) -> None:
    """A name is bytes to the system, and every one can be listed, found and read."""
    Path(root, "etc/odd").mkdir()
    Path(root, "etc/odd", name).write_bytes(b"odd")
    host = Host(str(root))

    assert host.names("/etc/odd") == (Entry(name, is_directory=False, is_link=False),)
    assert host.match("/etc/odd/*", 10) == ([f"/etc/odd/{name}"], [])
    assert content(root, f"/etc/odd/{name}") == b"odd"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", Reason.NOT_FOUND),
        ("etc/pki/ca.crt", Reason.NOT_FOUND),
        ("/etc/pki/ca.crt/below", Reason.NOT_FOUND),
        ("/etc/nul\0", Reason.NOT_FOUND),
        ("/etc\0/pki", Reason.NOT_FOUND),
        ("/etc/\ud800", Reason.NOT_FOUND),
        ("/etc/" + "a" * 256, Reason.IO_ERROR),
        ("/a" * 4096, Reason.IO_ERROR),
        ("/", Reason.NOT_REGULAR),
        ("/etc/..", Reason.NOT_REGULAR),
        ("/etc/pki", Reason.NOT_REGULAR),
        ("/proc/1/environ", Reason.FORBIDDEN_DIRECTORY),
        ("/sys", Reason.FORBIDDEN_DIRECTORY),
        ("/dev/null", Reason.FORBIDDEN_DIRECTORY),
        ("/run/secrets/token", Reason.FORBIDDEN_DIRECTORY),
        ("/etc/var/run/secrets/token", Reason.FORBIDDEN_DIRECTORY),
    ],
)
def test_path_without_a_file_has_a_reason(root: Path, path: str, reason: Reason) -> None:
    """No path raises; each says why there is nothing."""
    (root / "run/secrets").mkdir(parents=True)
    (root / "etc/var").symlink_to("/var")
    (root / "var").mkdir()
    (root / "var/run").symlink_to("/run")

    assert content(root, path) is reason


def test_root_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    """A root that vanished is empty, and seen again in the pass after its return."""
    host = Host(str(tmp_path / "host"))
    assert host.status("/x") is Reason.NOT_FOUND

    (tmp_path / "host").mkdir()
    (tmp_path / "host/x").touch()
    host.begin()

    assert isinstance(host.status("/x"), FileStatus)


def test_forbidden_directory_is_reached_by_no_link(root: Path) -> None:
    """A link into /proc is refused like its own path."""
    (root / "proc/1").mkdir(parents=True)
    (root / "proc/1/environ").write_bytes(b"secret")
    (root / "etc/pki/link.crt").symlink_to("/proc/1/environ")
    (root / "etc/pki/below").symlink_to("../../proc/1")

    assert content(root, "/etc/pki/link.crt") is Reason.FORBIDDEN_DIRECTORY
    assert content(root, "/etc/pki/below/environ") is Reason.FORBIDDEN_DIRECTORY
    assert Host(str(root)).match("/**", 10) == (
        ["/etc/pki/below", "/etc/pki/ca.crt", "/etc/pki/link.crt"],
        [],
    )


def test_fifo_and_socket_are_not_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a FIFO returns at once, and a socket is no file."""
    os.mkfifo(root / "etc/pki/fifo")
    monkeypatch.chdir(root / "etc/pki")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

    assert content(root, "/etc/pki/fifo") is Reason.NOT_REGULAR
    assert content(root, "/etc/pki/socket") is Reason.NOT_REGULAR


@needs_root
def test_device_is_not_opened(root: Path) -> None:
    """A device node outside /dev is told by its status alone."""
    try:
        os.mknod(root / "etc/pki/device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("needs CAP_MKNOD")

    assert content(root, "/etc/pki/device") is Reason.NOT_REGULAR


def test_large_file_is_not_read(root: Path) -> None:
    """A sparse file of 1 GiB is refused by its size, and the bound itself still fits."""
    with (root / "etc/pki/sparse").open("wb") as sparse:
        sparse.truncate(1 << 30)
    (root / "etc/pki/fits").write_bytes(bytes(100))
    (root / "etc/pki/over").write_bytes(bytes(101))

    assert content(root, "/etc/pki/sparse") is Reason.TOO_LARGE
    host = Host(str(root), max_size=100)
    assert not isinstance(host.read("/etc/pki/fits"), Reason)
    assert host.read("/etc/pki/over") is Reason.TOO_LARGE


def test_file_without_an_honest_size_is_bounded() -> None:
    """What a file holds past the bound is not read, although its size said less."""
    assert Host("/proc", max_size=10).read("/version") is Reason.TOO_LARGE


def test_unreadable_file_can_still_be_looked_at(root: Path, as_nobody: Callable[[], None]) -> None:
    """A file of mode 0000 and a closed directory are permission failures."""
    (root / "etc/pki/closed").mkdir(mode=0)
    (root / "etc/pki/ca.crt").chmod(0)
    host = Host(str(root))
    host.status("/")
    as_nobody()

    assert isinstance(host.status("/etc/pki/ca.crt"), FileStatus)
    assert host.read("/etc/pki/ca.crt") is Reason.PERMISSION_DENIED
    assert host.status("/etc/pki/closed/x") is Reason.PERMISSION_DENIED
    assert host.names("/etc/pki/closed") is Reason.PERMISSION_DENIED
    assert host.match("/etc/**", 10) == (
        ["/etc/pki/ca.crt"],
        [Failure(Place("/etc/pki/closed"), Reason.PERMISSION_DENIED)],
    )


def test_removed_mount_is_stale(tmp_path: Path) -> None:
    """A directory that is held although the host removed it has a link count of 0."""
    (tmp_path / "host").mkdir()
    descriptor = os.open(tmp_path / "host", os.O_PATH)
    (tmp_path / "host").rmdir()

    try:
        assert Host(f"/proc/self/fd/{descriptor}").status("/etc") is Reason.MOUNT_STALE
    finally:
        os.close(descriptor)


def test_single_file_mount_is_stale_after_a_rename(root: Path) -> None:
    """A file mounted by itself shows the replaced inode, which is told and not read."""
    (root / "mounted.crt").touch()
    look = (
        f"from exporter.host import Host; host = Host({str(root)!r});"
        "print(host.status('/mounted.crt'), host.read('/mounted.crt'))"
    )
    steps = (
        f"mount --bind {root}/etc/pki/ca.crt {root}/mounted.crt && cp {root}/etc/pki/ca.crt {root}/new"
        f' && mv {root}/new {root}/etc/pki/ca.crt && exec {sys.executable} -c "{look}"'
    )
    unshare = shutil.which("unshare")
    if (
        unshare is None
        or subprocess.run([unshare, "-rm", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("needs a mount namespace of its own (unshare -rm)")

    seen = subprocess.run(
        [unshare, "-rm", "sh", "-c", steps],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )

    assert seen.stdout == "mount_stale mount_stale\n"


def test_directories_are_every_one_on_the_way(root: Path) -> None:
    """The directories of a path include those of its links' targets, each by its own path, once."""
    (root / "srv/a").mkdir(parents=True)
    (root / "etc/one").symlink_to("/srv/a/two")
    (root / "srv/a/two").symlink_to("../../etc/pki/ca.crt")

    found = Host(str(root)).directories("/etc/one")

    assert [each.path for each in found] == ["/", "/etc", "/srv", "/srv/a", "/etc/pki"]
    assert all(stat.S_ISDIR(each.mode) for each in found)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/pki", ["/", "/etc", "/etc/pki"]),
        ("/etc/none/below/x", ["/", "/etc"]),
        ("/etc/dangling", ["/", "/etc", "/etc/pki"]),
        ("/proc/1", ["/"]),
        ("relative", []),
    ],
)
def test_directories_end_at_the_deepest_that_exists(root: Path, path: str, expected: list[str]) -> None:
    """Where a path does not exist yet, its ancestors tell where it would appear."""
    (root / "etc/dangling").symlink_to("pki/none/x")

    assert [each.path for each in Host(str(root)).directories(path)] == expected


def test_descriptors_are_bounded_and_let_go(root: Path) -> None:
    """However many directories a pass enters, few stay open, and none after it."""
    for number in range(200):
        (root / f"many/{number:03}").mkdir(parents=True)
        (root / f"many/{number:03}/x").touch()
    host = Host(str(root))
    before = open_descriptors()

    paths, failures = host.match("/many/**", 1000)
    during = open_descriptors()
    host.close()

    assert (len(paths), failures) == (200, [])
    assert during - before <= 64
    assert open_descriptors() == before


def test_deep_way_back_needs_no_deep_stack(root: Path) -> None:
    """A path goes far down and up again, past what is held open, without recursion."""
    (root / ("d/" * 200)).mkdir(parents=True)
    host = Host(str(root))
    limit = sys.getrecursionlimit()

    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        found = host.status("/" + "d/" * 200 + "../" * 100 + "d")
    finally:
        sys.setrecursionlimit(limit)

    assert isinstance(found, FileStatus)
    assert found.resolved == "/d" * 101


COMPONENTS = st.one_of(
    st.sampled_from(["..", ".", "", "a", "b", "link", "*", "**", "?", "[a-b]", "[!a]", "..*"]),
    st.text(max_size=6),
)
PATHS = st.lists(COMPONENTS, max_size=8).map("/".join)


@given(targets=st.lists(PATHS, min_size=1, max_size=4), path=PATHS)
def test_no_path_leaves_the_root_or_raises(targets: list[str], path: str) -> None:
    """Whatever links a host has and whatever is asked, only what is below the root is ever seen."""
    with tempfile.TemporaryDirectory() as above:
        canary = Path(above, "a")
        canary.write_bytes(b"canary")
        root = Path(above, "host")
        (root / "b").mkdir(parents=True)
        (root / "b/a").write_bytes(b"inside")
        for place, target in zip(("link", "b/link", "b/b", "a"), targets, strict=False):
            try:
                (root / place).symlink_to(target)
            except (OSError, ValueError):
                continue
        host = Host(str(root))

        for asked in (path, f"/{path}", f"/link/{path}"):
            found, _ = host.match(asked, 5)
            host.directories(asked)
            host.names(asked)
            for each in (asked, *found):
                seen = host.status(each)
                read = host.read(each)

                assert len(found) <= 5
                assert isinstance(read, Reason) or read[1] == b"inside"
                assert isinstance(seen, Reason) or seen.inode != canary.stat().st_ino
                assert isinstance(seen, Reason) or seen.inode == (root / seen.resolved[1:]).lstat().st_ino
        assert all(Path(above, "host" + each).is_dir() for each in host.entered)
