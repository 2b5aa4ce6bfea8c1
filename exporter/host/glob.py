"""Files that a pattern names, found by a bounded walk that cannot run in circles."""

from contextlib import suppress
from typing import Final, NamedTuple, Protocol

from exporter.host.directories import Entry, is_directory, join, parent
from exporter.host.pattern import ANY_DEPTH, Parts, choose, is_wild, split
from exporter.model import Failure, FileStatus, Place, Reason

_MOST_ENTRIES: Final = 100_000
_DEEPEST: Final = 32
_NORMAL: Final = frozenset({Reason.NOT_FOUND, Reason.FORBIDDEN_DIRECTORY})
"""What a wildcard may run into without anybody having named it."""


class Tree(Protocol):
    """What a search needs of the host."""

    def status(self, path: str) -> FileStatus | Reason:
        """Look at the end of a path."""

    def names(self, directory: str) -> tuple[Entry, ...] | Reason:
        """List a directory."""


class _Turn(NamedTuple):
    directory: str
    parts: Parts
    depth: int


class _EnoughError(Exception):
    """A bound is reached."""


class Glob:
    """One search; ``found`` and ``failures`` are its result."""

    def __init__(self, tree: Tree, pattern: str, limit: int) -> None:
        self._tree = tree
        self._limit = limit
        self._entries = 0
        self._entered: set[tuple[int, int, Parts]] = set()
        self._turns: list[_Turn] = []
        self._linked: list[_Turn] = []
        self.found: dict[str, None] = {}
        self.failures: dict[Failure, None] = {}
        with suppress(_EnoughError):
            self._run(*split(pattern))

    def _run(self, base: str, parts: Parts) -> None:
        """Visit directories that are reached by a link only when all others are through."""
        self._go_on(_Turn(base, parts, 0))
        while self._turns or self._linked:
            self._visit((self._turns or self._linked).pop())

    def _go_on(self, turn: _Turn) -> None:
        """Take the way that a plain name leads; a directory at its end means everything below."""
        status = self._tree.status(turn.directory)
        if isinstance(status, Reason):
            if turn.depth == 0 or status not in _NORMAL:
                self._fail(turn.directory, status)
        elif is_directory(status.mode):
            self._turns.append(turn._replace(parts=turn.parts or (ANY_DEPTH,)))
        elif not turn.parts:
            self._find(turn.directory)

    def _visit(self, turn: _Turn) -> None:
        status = self._tree.status(turn.directory)
        if isinstance(status, Reason) or (status.device, status.inode, turn.parts) in self._entered:
            return
        self._entered.add((status.device, status.inode, turn.parts))
        if turn.depth > _DEEPEST:
            self._fail(turn.directory, Reason.TOO_MANY_FILES)
        elif is_wild(turn.parts[0]):
            self._list(turn)
        else:
            path = join(turn.directory, turn.parts[0])
            self._go_on(_Turn(path, turn.parts[1:], turn.depth + 1))

    def _list(self, turn: _Turn) -> None:
        entries = self._tree.names(turn.directory)
        if isinstance(entries, Reason):
            if turn.depth == 0 or entries not in _NORMAL:
                self._fail(turn.directory, entries)
            return
        self._entries += len(entries)
        if self._entries > _MOST_ENTRIES:
            self._give_up(turn.directory)
        part, *rest = turn.parts
        ahead = turn.parts if part == ANY_DEPTH else tuple(rest)
        if part == ANY_DEPTH and rest:
            self._turns.append(turn._replace(parts=tuple(rest)))
        onward: list[Entry] = []
        for entry in choose(entries, part):
            path = join(turn.directory, entry.name)
            if entry.is_directory or (entry.is_link and self._is_directory(path)):
                onward.append(entry)
            elif not rest:
                self._find(path)
        for entry in reversed(onward if ahead else ()):
            turns = self._linked if entry.is_link else self._turns
            turns.append(_Turn(join(turn.directory, entry.name), ahead, turn.depth + 1))

    def _is_directory(self, path: str) -> bool:
        status = self._tree.status(path)
        return not isinstance(status, Reason) and is_directory(status.mode)

    def _find(self, path: str) -> None:
        if len(self.found) >= self._limit and path not in self.found:
            self._give_up(parent(path))
        self.found[path] = None

    def _give_up(self, directory: str) -> None:
        self._fail(directory, Reason.TOO_MANY_FILES)
        raise _EnoughError

    def _fail(self, path: str, reason: Reason) -> None:
        self.failures[Failure(Place(path), reason)] = None
