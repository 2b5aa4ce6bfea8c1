"""The files of a node, parsed; what has not changed is neither read nor parsed again."""

import stat
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final

from exporter.host import Host
from exporter.host.pattern import is_wild
from exporter.model import Content, Document, Failure, File, FileStatus, Part, Place, Reason, Search
from exporter.parsing import parse
from exporter.parsing.keys import is_authority_key_path, is_private_key_path

_FRESH_NS: Final = 1_000_000_000
"""A file younger than this may change again without a change of its size and times (inode(7))."""

_Key = tuple[str, Part | None]
_Version = tuple[tuple[int, ...], Part | None]


class HostFiles:
    """Reads and parses a host's files pass by pass; what a pass does not ask for is forgotten.

    A private key of a CA, known as one by name or by ``seal``, is never opened, whatever link leads to it.
    """

    def __init__(
        self, host: Host, *, match_keys: bool, max_files: int, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._host = host
        self._clock_ns = clock_ns
        self._match_keys = match_keys
        self._max_files = max_files
        self._before: dict[_Key, File] = {}
        self._files: dict[_Key, File] = {}
        self._passing: set[_Key] = set()
        self._parsed: dict[_Version, Content] | None = None
        self._sealed: set[tuple[int, int]] = set()
        self._matched = 0
        self._failures: dict[Failure, None] = {}

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What searches and listings of this pass could not look at."""
        return tuple(self._failures)

    @property
    def directories(self) -> Mapping[str, FileStatus]:
        """Every directory that led to anything in this pass, by its path without links."""
        return self._host.entered

    def begin(self, sealed: Iterable[str] = ()) -> None:
        """Begin a pass in which the CA keys at the *sealed* paths are not opened."""
        self._host.begin()
        for key in self._passing:
            self._files.pop(key, None)
        self._before, self._files = self._files, {}
        self._passing.clear()
        self._parsed = None
        self._sealed.clear()
        self._matched = 0
        self._failures = {}
        self.seal(sealed)

    def seal(self, paths: Iterable[str]) -> None:
        """Do not open the CA keys at these paths from here on until the next pass."""
        for path in paths:
            status = self._host.status(path)
            if isinstance(status, FileStatus):
                self._sealed.add((status.device, status.inode))

    def end(self) -> None:
        """Let go of the host's directories, so that it can unmount them between passes."""
        self._host.close()

    def file(self, path: str, *, expected: Part | None = None) -> File:
        """Give a file with its content, or with the reason why there is none; the same all pass long."""
        key = (path, expected)
        if (file := self._files.get(key)) is not None:
            return file
        if len(self._files) >= self._max_files:
            return _failed(path, None, Reason.TOO_MANY_FILES)
        before = self._before.get(key)
        status = self._host.status(path, before.status if before else None)
        if before is None or status is not before.status or self._is_sealed(before.status):
            file = self._look(path, expected, status)
        else:
            file = before
        self._files[key] = file
        return file

    def text(self, path: str) -> bytes | Reason:
        """Give a configuration document; a CA's key is none."""
        status = self._host.status(path)
        if isinstance(status, Reason):
            return status
        if self._is_authority_key(status):
            return Reason.MALFORMED_CONFIGURATION
        read = self._host.read(path)
        return read if isinstance(read, Reason) else read[1]

    def names(self, directory: str) -> tuple[str, ...]:
        """Give the names of what is no directory itself in a directory, sorted."""
        entries = self._host.names(directory)
        if isinstance(entries, Reason):
            self._note(Failure(Place(directory), entries))
            return ()
        return tuple(entry.name for entry in entries if not entry.is_directory)

    def status(self, path: str) -> FileStatus | Reason:
        """Look at what is at a path without opening it."""
        return self._host.status(path)

    def match(self, search: Search) -> tuple[str, ...]:
        """Find the files of a search; a plain path of the operator's is one even where nothing is there."""
        room = self._max_files - max(self._matched, len(self._files))
        paths, failures = self._host.match(search.pattern, max(room, 0))
        self._matched += len(paths)
        for failure in failures:
            self._note(failure)
        if search.is_operators and not paths and not is_wild(search.pattern):
            return tuple(failure.place.path for failure in failures if failure.reason is Reason.NOT_FOUND)
        return tuple(paths)

    def _note(self, failure: Failure) -> None:
        if failure.reason is not Reason.NOT_FOUND:
            self._failures[failure] = None

    def _look(self, path: str, expected: Part | None, status: FileStatus | Reason) -> File:
        if isinstance(status, Reason):
            return self._pass(expected, _failed(path, None, status))
        if not stat.S_ISREG(status.mode):
            return self._pass(expected, _failed(path, status, Reason.NOT_REGULAR))
        if self._is_closed(status, expected):
            return self._pass(expected, File(path=path, status=status, is_closed=True))
        read = self._host.read(path)
        if isinstance(read, Reason):
            return self._pass(expected, _failed(path, status, read))
        status, content = read
        file = File(path=path, status=status, content=self._parse(status, content, expected))
        is_fresh = abs(self._clock_ns() - status.ctime_ns) < _FRESH_NS
        return self._pass(expected, file) if is_fresh else file

    def _pass(self, expected: Part | None, file: File) -> File:
        """Keep a file for this pass only: look again in the next one, changed or not."""
        self._passing.add((file.path, expected))
        return file

    def _parse(self, status: FileStatus, content: bytes, expected: Part | None) -> Content:
        """Parse what a file holds, once for all the paths that lead to it."""
        if self._parsed is None:
            self._parsed = {
                (file.status.version, part): file.content
                for (_, part), file in self._before.items()
                if file.status is not None
            }
        version = (status.version, expected)
        known = self._parsed.get(version)
        if known is None and expected is not Part.KUBECONFIG:
            known = self._as_found(status)
        if known is not None:
            return _moved(known, status.path)
        document = Document(path=status.path, content=content)
        parsed = parse(document, expected=expected, decode_keys=self._match_keys)
        self._parsed[version] = parsed
        return parsed

    def _as_found(self, status: FileStatus) -> Content | None:
        """Give what a search found in a file: certificates are the same whatever one expects there."""
        known = (self._parsed or {}).get((status.version, None))
        return known if known is not None and known.certificates else None

    def _is_closed(self, status: FileStatus, expected: Part | None) -> bool:
        """Tell a file that is only to be looked at from outside."""
        if self._is_authority_key(status):
            return True
        if self._match_keys:
            return False
        if expected is Part.PRIVATE_KEY:
            return True
        is_named_so = is_private_key_path(status.path) or is_private_key_path(status.resolved)
        return is_named_so and expected is not Part.KUBECONFIG

    def _is_authority_key(self, status: FileStatus) -> bool:
        return (
            self._is_sealed(status)
            or is_authority_key_path(status.path)
            or (status.resolved != status.path and is_authority_key_path(status.resolved))
        )

    def _is_sealed(self, status: FileStatus | None) -> bool:
        return status is not None and (status.device, status.inode) in self._sealed


def _failed(path: str, status: FileStatus | None, reason: Reason) -> File:
    return File(path=path, status=status, content=Content(failures=(Failure(Place(path), reason),)))


def _moved(content: Content, path: str) -> Content:
    """Give the same content at another path; of all it holds, only failures name a path."""
    if all(failure.place.path == path for failure in content.failures):
        return content
    failures = (replace(failure, place=replace(failure.place, path=path)) for failure in content.failures)
    return replace(content, failures=tuple(failures))
