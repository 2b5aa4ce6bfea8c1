"""The door to a host's file system: what lies below a root, and nothing else, ever."""

import os
import stat
from typing import Final

from exporter.host.directories import (
    ATTEMPTS,
    Directories,
    Entry,
    Refused,
    file_status,
    is_directory,
    reason_of,
)
from exporter.host.glob import Glob
from exporter.host.walk import Paths
from exporter.model import Failure, FileStatus, Place, Reason

__all__ = ["Entry", "Host"]

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PIECE: Final = 4096
_ERRORS: Final = (OSError, ValueError, Refused)


class Host:
    """A host's files by the paths that the host itself has for them.

    Links are followed inside the root, and no method raises, whatever the path. Directories stay open from
    the first look until ``close``, so one pass sees one state of them; to be used by one thread.
    """

    def __init__(self, root: str, *, max_size: int = 1 << 20) -> None:
        self._max_size = max_size
        self._directories = Directories(root)
        self._paths = Paths(self._directories)

    @property
    def entered(self) -> dict[str, FileStatus]:
        """Every directory that led to anything since ``begin``, by its path without links."""
        return self._directories.entered

    def begin(self) -> None:
        """Begin a pass: forget all directories."""
        self.close()
        self._directories.entered = {}

    def close(self) -> None:
        """Let go of all directories; the next look opens them anew."""
        self._directories.close()
        self._paths.forget()

    def status(self, path: str, previous: FileStatus | None = None) -> FileStatus | Reason:
        """Look at the end of a path without opening it; give *previous* itself where it still holds."""
        try:
            spot = self._paths.find(path)
        except _ERRORS as error:
            return reason_of(error)
        now = spot.status
        if (
            previous is not None
            and previous.ctime_ns == now.st_ctime_ns
            and previous.mtime_ns == now.st_mtime_ns
            and previous.inode == now.st_ino
            and previous.size == now.st_size
            and previous.device == now.st_dev
            and previous.is_link == spot.is_link
            and previous.path == path
            and previous.resolved == spot.resolved
        ):
            return previous
        return file_status(path, spot.resolved, now, is_link=spot.is_link)

    def read(self, path: str) -> tuple[FileStatus, bytes] | Reason:
        """Read a regular file whole, with the status of the very descriptor that it was read by."""
        try:
            for _ in range(ATTEMPTS):
                if (read := self._read(path)) is not None:
                    return read
        except _ERRORS as error:
            return reason_of(error)
        return Reason.MOUNT_STALE

    def names(self, directory: str) -> tuple[Entry, ...] | Reason:
        """List a directory, sorted by name; at most 20,000 entries."""
        try:
            spot = self._paths.find(directory)
            if not is_directory(spot.status.st_mode):
                return Reason.NOT_FOUND
            return tuple(self._directories.list(spot.resolved))
        except _ERRORS as error:
            return reason_of(error)

    def match(self, pattern: str, limit: int) -> tuple[list[str], list[Failure]]:
        """Find the files, at most *limit*, that an absolute pattern matches, sorted.

        A plain name of a directory means everything below it. Names with a leading dot have to be spelled.
        """
        if not pattern.startswith("/"):
            return [], [Failure(Place(pattern), Reason.NOT_FOUND)]
        glob = Glob(self, pattern, limit)
        return sorted(glob.found), list(glob.failures)

    def directories(self, path: str) -> tuple[FileStatus, ...]:
        """Look at each directory on the way to a path, its links' ways too, as far as there is one."""
        trail: list[str] = []
        try:
            walk = self._paths.walk(path)
            trail = walk.trail
            spot = walk.arrive()
            if is_directory(spot.status.st_mode):
                self._directories.enter(spot.resolved)
                trail.append(spot.resolved)
        except _ERRORS:
            pass  # the way ends here
        entered = self._directories.entered
        return tuple(entered[directory] for directory in dict.fromkeys(trail) if directory in entered)

    def _read(self, path: str) -> tuple[FileStatus, bytes] | None:
        """Read once; None where the file was replaced between the look and the opening."""
        spot = self._paths.find(path)
        self._check(spot.status)
        descriptor = os.open(spot.name, _READ, dir_fd=self._directories.enter(spot.directory))
        try:
            status = os.fstat(descriptor)
            if not status.st_nlink:
                return None
            self._check(status)
            content = self._drain(descriptor, max(status.st_size + 1, _PIECE))
        finally:
            os.close(descriptor)
        return file_status(path, spot.resolved, status, is_link=spot.is_link), content

    def _check(self, status: os.stat_result) -> None:
        """Refuse before opening what it would be wrong to open, such as a device or a FIFO."""
        if not stat.S_ISREG(status.st_mode):
            raise Refused(Reason.NOT_REGULAR)
        if status.st_size > self._max_size:
            raise Refused(Reason.TOO_LARGE)

    def _drain(self, descriptor: int, piece_size: int) -> bytes:
        """Read to the end, but not past the bound: the file may grow meanwhile."""
        pieces: list[bytes] = []
        room = self._max_size + 1
        while room and (piece := os.read(descriptor, min(room, piece_size))):
            pieces.append(piece)
            room -= len(piece)
        if not room:
            raise Refused(Reason.TOO_LARGE)
        return b"".join(pieces)
