"""Ring when a directory changes: the only door to watchdog.

A ring carries no data. The scan is the truth, so a lost event costs at most one interval.
"""

import contextlib
import errno
import itertools
import logging
import os
from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeAlias

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

_logger = logging.getLogger(__name__)

CHANGES: Final = Mask(
    InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)
"""What rings. Reading does not; unmount and overflow are always sent (inotify(7))."""

PAUSE_SECONDS: Final = 0.02
"""Between two reads of the events, so that a storm costs a few large reads a second."""

_Watch: TypeAlias = tuple[WatchDescriptor, CallbackId]


class _Reader(InotifyFD):
    """One inotify instance and the thread that drains it, started by construction.

    watchdog's own observer has two threads and a fixed mask for each path; this layer of it takes many
    paths and any mask. Raises OSError, RuntimeError or ValueError where there is no instance or thread.
    """

    def __init__(self, heard: Callable[[int], None]) -> None:
        self._heard = heard
        self._ids = itertools.count()
        self._events = 0
        try:
            super().__init__()
            self.name = "watch"
            self.start()
        except (OSError, RuntimeError, ValueError):
            self._abandon()
            raise

    def run(self) -> None:
        """Tell how many events each read brought, until stopped."""
        while self.should_keep_running():
            self._events = 0
            for event in self.read_events():
                self.handle_event(event)
            if self._events:
                self._heard(self._events)
            self.stopped_event.wait(PAUSE_SECONDS)

    def handle_event(self, event: InotifyEvent) -> None:
        """Dispatch, but take an overflow without watchdog's warning for each: a storm has many."""
        if event.is_queue_overflow:
            self.on_queue_overflow()
        else:
            super().handle_event(event)

    def on_event(self, event: InotifyEvent) -> None:  # noqa: ARG002 - any event is as good as another
        """Count a change."""
        self._events += 1

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:  # noqa: ARG002 - part of watchdog's interface
        """Count the end of a directory."""
        self._events += 1

    def on_queue_overflow(self) -> None:
        """Count an overflow: whatever was lost, the scan finds it."""
        self._events += 1

    def watch(self, directory: str) -> _Watch:
        """Watch what is at that path now; raises OSError, or ValueError for a path that cannot be encoded.

        The kernel gives a directory that is watched already its old descriptor, so this also finds out
        whether another directory took its place.
        """
        identity = CallbackId(next(self._ids))
        descriptor = self.add_callback(os.fsencode(directory), CHANGES, self, identity)
        if descriptor < 0:  # watchdog does not raise for a missing permission
            self.remove_callbacks([(descriptor, identity)])
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), directory)
        return descriptor, identity

    def forget(self, watches: Iterable[_Watch | None]) -> None:
        """End these watches; one that another path still needs goes on."""
        self.remove_callbacks([watch for watch in watches if watch is not None])

    def _abandon(self) -> None:
        for name in ("_inotify_fd", "_kill_r", "_kill_w"):
            with contextlib.suppress(KeyError, OSError):
                os.close(vars(self)[name])


class Watcher:
    """Rings for each change in the directories that it follows.

    One thread may call ``start``, ``follow`` and ``stop``; any may read the properties.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._reader: _Reader | None = None
        self._watches: dict[str, _Watch | None] = {}
        self._is_started = False
        self._trouble = ""
        self._events_total = 0

    @property
    def is_up(self) -> bool:
        """Every directory that can be watched is watched, and there is one."""
        reader = self._reader
        return reader is not None and reader.is_alive() and not self._trouble

    @property
    def directories(self) -> int:
        """How many directories are watched."""
        return sum(watch is not None for watch in self._watches.values())

    @property
    def events_total(self) -> int:
        """Events since construction; the kernel merges equal ones that follow each other."""
        return self._events_total

    def start(self) -> None:
        """Begin; where inotify is unavailable the next ``follow`` tries again."""
        self._is_started = True
        self._open()

    def follow(self, directories: Collection[str]) -> bool:
        """Watch exactly these directories, and ring if one is new, replaced or newly out of reach.

        That ring makes the scan look once more at what may have changed before the watch began. Returns
        whether it is up.
        """
        if not self._is_started:
            return False
        if self._reader is None or not self._reader.is_alive():
            self._open()
        reader = self._reader
        if reader is None:
            return False
        wanted, before = frozenset(directories), self._watches
        reader.forget(watch for path, watch in before.items() if path not in wanted)
        after, trouble = _watched(reader, sorted(wanted))
        reader.forget(before[path] for path in wanted & before.keys())
        self._watches = after
        self._report(trouble)
        if any(path not in before or _moved(before[path], watch) for path, watch in after.items()):
            self._ring()
        return self.is_up

    def stop(self) -> None:
        """End the thread and every watch, for good."""
        self._is_started = False
        self._close()

    def _open(self) -> None:
        self._close()
        try:
            self._reader = _Reader(self._heard)
        except (OSError, RuntimeError, ValueError) as error:
            self._report(str(error))

    def _close(self) -> None:
        reader, self._reader, self._watches = self._reader, None, {}
        if reader is not None:
            reader.stop()
            reader.join(timeout=1)

    def _heard(self, events: int) -> None:
        self._events_total += events
        self._ring()

    def _report(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _logger.warning("changes are seen late", extra={"reason": trouble})
        elif self._trouble and not trouble:
            _logger.info("changes are seen at once again")
        self._trouble = trouble


def _watched(reader: _Reader, directories: Iterable[str]) -> tuple[dict[str, _Watch | None], str]:
    """Watch each directory; return the watches and why changes may not ring.

    A directory that is gone or out of reach by now is no trouble, as long as one above it is watched and
    rings when that changes.
    """
    watches: dict[str, _Watch | None] = {}
    trouble = ""
    for directory in directories:
        watches[directory] = None
        try:
            watches[directory] = reader.watch(directory)
        except ValueError:
            continue
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.ENOMEM}:
                trouble = str(error)
    if watches and not any(watches.values()):
        trouble = trouble or "no directory can be watched"
    return watches, trouble


def _moved(before: _Watch | None, after: _Watch | None) -> bool:
    """Tell whether a path leads to another directory than before."""
    return (before and before[0]) != (after and after[0])
