"""What discovery needs of the node's file system, and how far a document there can be believed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from posixpath import dirname, normpath
from typing import Protocol

from exporter.model import Failure, File, FileStatus, Part, Place, Reason, Search
from exporter.parsing import yaml

_KEPT = 64 * 1024
"""Documents up to this size (bytes) stay parsed from scan to scan."""
_PATH_LIMIT = 4096
"""PATH_MAX of Linux; no longer path can be opened."""
_WRITABLE_BY_GROUP = 0o020
_WRITABLE_BY_ALL = 0o002
_STICKY = 0o1000
_DOCUMENT_SEPARATOR = re.compile(rb"^---(?:[ \t\r].*)?$", re.MULTILINE)


class NodeFiles(Protocol):
    """The files of one node; every path is one of the host, and no method raises."""

    def file(self, path: str, *, expected: Part | None = None) -> File:
        """The file with its parsed content, or with the reason why there is none."""

    def seal(self, paths: Iterable[str]) -> None:
        """Have the CA keys at these paths opened no more, whatever path leads to them."""

    def text(self, path: str) -> bytes | Reason:
        """The bytes of a configuration document."""

    def names(self, directory: str) -> tuple[str, ...]:
        """What a directory holds; empty where there is none."""

    def status(self, path: str) -> FileStatus | Reason:
        """What is at a path, without opening it for reading."""

    def match(self, search: Search) -> tuple[str, ...]:
        """The files that a pattern matches."""


def absolute(path: str) -> str | None:
    """Reduce an absolute path to one spelling; None for what is no absolute path."""
    if not path.startswith("/") or "\0" in path or len(path) > _PATH_LIMIT:
        return None
    return "/" + normpath(path).lstrip("/")


def normalized(path: str) -> str | None:
    """Do the same for a path of a command line; None too for a variable that nobody expanded."""
    return None if "$" in path else absolute(path)


def is_below(path: str, directory: str) -> bool:
    """The path is the directory or something in it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def is_below_any(path: str, directories: Iterable[str]) -> bool:
    """The path is one of the directories or in one of them."""
    return any(is_below(path, directory) for directory in directories)


def at(document: object, *keys: str) -> object:
    """The value under a chain of keys; None where the document has another shape."""
    for key in keys:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def text_at(document: object, *keys: str) -> str:
    """The string under a chain of keys; empty where there is none."""
    value = at(document, *keys)
    return value if isinstance(value, str) else ""


def items_at(document: object, *keys: str) -> tuple[object, ...]:
    """The list under a chain of keys; empty where there is none."""
    value = at(document, *keys)
    return tuple(value) if isinstance(value, list) else ()


def documents_of(content: bytes) -> tuple[bytes, ...]:
    """The YAML documents of a file that holds several."""
    return tuple(part for part in _DOCUMENT_SEPARATOR.split(content) if part.strip())


@lru_cache(maxsize=32)
def _loaded(content: bytes) -> object | None:
    return yaml.load(content)


def load(content: bytes) -> object | None:
    """The first YAML or JSON document of the bytes; None where it is malformed or empty."""
    return _loaded(content) if len(content) <= _KEPT else _loaded.__wrapped__(content)


@dataclass(slots=True)
class Documents:
    """Reads configuration documents and remembers what failed and what to watch."""

    files: NodeFiles
    failures: dict[str, Failure] = field(default_factory=dict)
    directories: dict[str, None] = field(default_factory=dict)

    def text(self, path: str) -> bytes | None:
        """The bytes of a document; None where it is absent, which is no failure, or unreadable."""
        self.directories[dirname(path)] = None
        content = self.files.text(path)
        if isinstance(content, bytes):
            return content
        if content is not Reason.NOT_FOUND:
            self.fail(path, content)
        return None

    def load(self, path: str) -> object | None:
        """The first YAML or JSON document at a path; None where there is none that can be understood."""
        content = self.text(path)
        if content is None:
            return None
        document = load(content)
        if not isinstance(document, Mapping):
            self.fail(path, Reason.MALFORMED_CONFIGURATION)
            return None
        return document

    def fail(self, path: str, reason: Reason) -> None:
        """Note that a document could not be used."""
        self.failures.setdefault(path, Failure(Place(path), reason))

    def exists(self, path: str) -> bool:
        """Something is at the path."""
        return isinstance(self.files.status(path), FileStatus)

    def resolved(self, path: str) -> str:
        """The path after links; the path itself where nothing is there."""
        status = self.files.status(path)
        return status.resolved if isinstance(status, FileStatus) else path

    def is_trusted(self, path: str) -> bool:
        """Only root can change what the path says: by its owner and mode, and by its directory's."""
        return _is_roots(self.files.status(path)) and _is_roots(self.files.status(dirname(path)))


def _is_roots(status: FileStatus | Reason) -> bool:
    if isinstance(status, Reason):
        return True
    mask = _WRITABLE_BY_ALL if status.gid == 0 else _WRITABLE_BY_ALL | _WRITABLE_BY_GROUP
    is_loose = status.permissions & mask and not status.permissions & _STICKY
    return status.uid == 0 and not is_loose
