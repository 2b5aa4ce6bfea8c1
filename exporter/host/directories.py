"""The directories of a host, each held by a descriptor: every look-up starts at one of them."""

import errno
import os
import stat
from collections import OrderedDict
from itertools import islice
from typing import Final, NamedTuple

from exporter.model import FileStatus, Reason

FORBIDDEN: Final = frozenset({"/proc", "/sys", "/dev", "/run/secrets", "/var/run/secrets"})
"""Never entered, by whatever link they are reached: no documents, and looking may have effects."""

ATTEMPTS: Final = 8
"""A name replaced while it is looked at shows a link count of 0 once; a stale mount always does."""

_MOST_OPEN: Final = 64
_MOST_ENTRIES: Final = 20_000

_HOLD: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LIST: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Refused(Exception):  # noqa: N818  # it never leaves this package, where it reads as a verb
    """A place that is not looked at, although the system might allow it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Entry(NamedTuple):
    """One name in a directory; a tuple, because directories of thousands are listed in each pass."""

    name: str
    """Bytes that are not UTF-8 are kept as surrogates."""
    is_directory: bool
    """A link to a directory is not one."""
    is_link: bool


class Directories:
    """The directories entered in one pass, by their path without links.

    Its methods raise OSError, ValueError (NUL in a name) and Refused.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._open: OrderedDict[str, int] = OrderedDict()
        self.entered: dict[str, FileStatus] = {}

    def close(self) -> None:
        """Let go of every descriptor; what was entered stays known."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __del__(self) -> None:
        self.close()

    def enter(self, directory: str) -> int:
        """Give the descriptor (O_PATH) of a directory, valid until another one is entered."""
        if (descriptor := self._open.get(directory)) is not None:
            self._open.move_to_end(directory)
            return descriptor
        missing = [directory]
        while (above := parent(missing[-1])) not in self._open and missing[-1] != "/":
            missing.append(above)
        for path in reversed(missing):
            descriptor = self._hold(path)
        return self._open[directory]

    def status(self, directory: str, name: str) -> os.stat_result:
        """Look at what a name in a directory is, without following or opening it."""
        descriptor = self.enter(directory)
        if join(directory, name) in FORBIDDEN:
            raise Refused(Reason.FORBIDDEN_DIRECTORY)
        for _ in range(ATTEMPTS):
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if status.st_nlink:
                return status
        raise Refused(Reason.MOUNT_STALE)

    def list(self, directory: str) -> list[Entry]:
        """Read the names in a directory, sorted."""
        descriptor = os.open(".", _LIST, dir_fd=self.enter(directory))
        try:
            with os.scandir(descriptor) as found:
                entries = [
                    Entry(entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
                    for entry in islice(found, _MOST_ENTRIES + 1)
                ]
        finally:
            os.close(descriptor)
        if len(entries) > _MOST_ENTRIES:
            raise Refused(Reason.TOO_MANY_FILES)
        entries.sort()
        return entries

    def _hold(self, path: str) -> int:
        if path in FORBIDDEN:
            raise Refused(Reason.FORBIDDEN_DIRECTORY)
        for _ in range(ATTEMPTS):
            if path == "/":
                descriptor = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            else:
                above, _, name = path.rpartition("/")
                descriptor = os.open(name, _HOLD, dir_fd=self._open[above or "/"])
            status = os.fstat(descriptor)
            if status.st_nlink:
                break
            os.close(descriptor)
        else:
            raise Refused(Reason.MOUNT_STALE)
        self._open[path] = descriptor
        if len(self._open) > _MOST_OPEN:
            os.close(self._open.popitem(last=False)[1])
        self.entered[path] = file_status(path, path, status)
        return descriptor


def parent(directory: str) -> str:
    """Give the directory above; the root is above itself."""
    return directory.rpartition("/")[0] or "/"


def join(directory: str, name: str) -> str:
    """Give the path of a name in a directory."""
    return f"/{name}" if directory == "/" else f"{directory}/{name}"


def file_status(path: str, resolved: str, status: os.stat_result, *, is_link: bool = False) -> FileStatus:
    """Turn what the system says of a file into our words."""
    return FileStatus(
        path=path,
        resolved=path if resolved == path else resolved,
        device=status.st_dev,
        inode=status.st_ino,
        mode=status.st_mode,
        uid=status.st_uid,
        gid=status.st_gid,
        size=status.st_size,
        links=status.st_nlink,
        mtime_ns=status.st_mtime_ns,
        ctime_ns=status.st_ctime_ns,
        is_link=is_link,
    )


def reason_of(error: OSError | ValueError | Refused) -> Reason:
    """Say why a place yielded nothing; a name that no file can have is not found."""
    match error:
        case Refused():
            return error.reason
        case ValueError():
            return Reason.NOT_FOUND
        case _:
            return _REASONS.get(error.errno or 0, Reason.IO_ERROR)


_REASONS: Final = {
    errno.ENOENT: Reason.NOT_FOUND,
    errno.ENOTDIR: Reason.NOT_FOUND,
    errno.EACCES: Reason.PERMISSION_DENIED,
    errno.EPERM: Reason.PERMISSION_DENIED,
    errno.ELOOP: Reason.LINK_LOOP,
}


def is_directory(mode: int) -> bool:
    """Tell from st_mode."""
    return stat.S_ISDIR(mode)
