"""Paths followed component by component, links read by hand, so that none leads outside the root."""

import errno
import os
import stat
from dataclasses import dataclass, field
from typing import Final

from exporter.host.directories import Directories, join, parent

_MOST_LINKS: Final = 40
"""As the kernel has it (path_resolution(7))."""
_LONGEST_PATH: Final = 4096
"""PATH_MAX of Linux, in characters here."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a path ends once every link is followed."""

    directory: str
    name: str
    """Empty where the path ends in the directory itself."""
    status: os.stat_result
    is_link: bool
    """The last component of the path as named is a link."""

    @property
    def resolved(self) -> str:
        """The path without links."""
        return join(self.directory, self.name) if self.name else self.directory


@dataclass(slots=True)
class Walk:
    """A path on its way; its methods raise what Directories raises."""

    directories: Directories
    pending: list[str]
    """The components still to go, the next one last."""
    at: str = "/"
    links: int = 0
    trail: list[str] = field(default_factory=lambda: ["/"])
    """Every directory on the way so far."""

    def approach(self) -> None:
        """Go on until only the last component is left, or nothing where that leads upwards."""
        while len(self.pending) > 1 or self.pending == [".."]:
            name = self.pending.pop()
            if name == "..":
                self.at = parent(self.at)  # entered on the way down, so there is nothing to look at
                continue
            try:
                self._move(join(self.at, name))
            except NotADirectoryError:
                self._expand(name)

    def arrive(self) -> Spot:
        """Go to the end, through the links of the last component too."""
        is_link = False
        while True:
            self.approach()
            if not self.pending:
                return Spot(self.at, "", os.fstat(self._move(self.at)), is_link)
            self._move(self.at)
            name = self.pending.pop()
            status = self.directories.status(self.at, name)
            if not stat.S_ISLNK(status.st_mode):
                return Spot(self.at, name, status, is_link)
            is_link = True
            self._expand(name)

    def _move(self, directory: str) -> int:
        descriptor = self.directories.enter(directory)
        self.at = directory
        self.trail.append(directory)
        return descriptor

    def _expand(self, name: str) -> None:
        self.links += 1
        if self.links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        try:
            target = os.readlink(name, dir_fd=self.directories.enter(self.at))
        except OSError as error:
            if error.errno == errno.EINVAL:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
            raise
        self.pending.extend(components(target))
        if target.startswith("/"):
            self._move("/")


def components(path: str) -> list[str]:
    """Split a path, the first component last; raise OSError where no file can have it."""
    if len(path) >= _LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


class Paths:
    """The paths followed in one pass; the directory part of a path is followed once."""

    def __init__(self, directories: Directories) -> None:
        self._directories = directories
        self._followed: dict[str, tuple[str, int]] = {}

    def forget(self) -> None:
        """Follow everything anew."""
        self._followed.clear()

    def find(self, path: str) -> Spot:
        """Follow an absolute path to its end."""
        directory, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            return self.walk(path).arrive()
        if (known := self._followed.get(directory)) is not None:
            return Walk(self._directories, [name], *known).arrive()
        walk = self.walk(path)
        walk.approach()
        self._followed[directory] = (walk.at, walk.links)
        return walk.arrive()

    def walk(self, path: str) -> Walk:
        """Begin a walk at the root; what is not absolute names nothing."""
        if not path.startswith("/"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return Walk(self._directories, components(path))
