"""One pass over the node: discovery, files, inventory, checks."""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace

from exporter.checks import CHECKS, evaluate
from exporter.discovery import authority_keys, certificates_named_by, discover
from exporter.host import Host
from exporter.inventory import build
from exporter.model import (
    Content,
    Discovery,
    Failure,
    File,
    FileStatus,
    Finding,
    Inventory,
    Part,
    Place,
    Process,
    Reading,
    Reason,
)
from exporter.settings import Settings
from exporter.settle import Suspicions, is_worse, last_good, losses
from exporter.sources.files import HostFiles
from exporter.sources.processes import read_processes

_PRECEDENCE = (Part.PRIVATE_KEY, Part.KUBECONFIG, Part.TRUST, Part.CERTIFICATE)
"""Of the parts that one file plays, the last decides what is expected in it."""

_WAITING = frozenset(check.name for check in CHECKS if check.waits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What one scan saw."""

    inventory: Inventory
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A picture, and what it takes to keep it true."""

    picture: Picture
    directories: frozenset[str]
    """Directories whose changes can change the picture, as this process reaches them."""
    second_look_in: float | None
    """Seconds until bad news that is held back has to be looked at again."""


@dataclass(slots=True, kw_only=True)
class Scanner:
    """Looks at one node again and again, and remembers the last good look."""

    settings: Settings
    host: Host
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    _files: HostFiles = field(init=False)
    _readings: dict[str, Reading] = field(init=False, default_factory=dict)
    _processes: tuple[Process, ...] | None = field(init=False, default=None)
    _discovery: Discovery | None = field(init=False, default=None)
    _shown: Mapping[str, File] = field(init=False, default_factory=dict)
    _look: Look | None = field(init=False, default=None)
    _bad_configuration: Suspicions[Hashable] = field(init=False, default_factory=Suspicions)
    _bad_files: Suspicions[str] = field(init=False, default_factory=Suspicions)
    _bad_findings: Suspicions[tuple[str, Place]] = field(init=False, default_factory=Suspicions)

    def __post_init__(self) -> None:
        self._files = HostFiles(
            self.host, match_keys=self.settings.match_keys, max_files=self.settings.max_files
        )

    def scan(self) -> Look:
        """Look at everything once and settle it with what was seen before."""
        self._files.begin()
        try:
            self._look = self._scan()
        finally:
            self._files.end()
        return self._look

    def _scan(self) -> Look:
        root = self.host.status("/")
        is_reached = isinstance(root, FileStatus)
        self._read_processes()
        if self._look is not None and not is_reached and root is not Reason.MOUNT_STALE:
            return self._without_root(self._look)
        seen = self._discover(is_reached=is_reached)
        discovery = self._settle_discovery(seen)
        shown = self._settle_files(self._read_files(discovery, seen, is_reached=is_reached))
        before = self._look.picture.inventory if self._look else None
        inventory = build(
            discovery,
            shown,
            self._settle_directories(before),
            previous=before,
            now=self.clock(),
            readings=tuple(self._readings.values()),
        )
        findings = self._settle_findings(evaluate(inventory))
        self._shown = shown
        now = self.monotonic()
        waits = (
            self._bad_configuration.second_look_in(now),
            self._bad_files.second_look_in(now),
            self._bad_findings.second_look_in(now),
        )
        prefix = self.settings.host_root.rstrip("/")
        return Look(
            picture=Picture(inventory=inventory, findings=findings),
            directories=frozenset(
                prefix + path
                for path in (*self._files.directories, *seen.directories, *discovery.directories)
            ),
            second_look_in=min((wait for wait in waits if wait is not None), default=None),
        )

    def _without_root(self, before: Look) -> Look:
        """Keep the facts of the look before while nothing below the host root can be looked at."""
        for source in ("configuration", "files"):
            self._note(source, self.monotonic(), None)
        inventory = replace(before.picture.inventory, readings=tuple(self._readings.values()))
        return replace(before, picture=replace(before.picture, inventory=inventory), second_look_in=None)

    def _read_processes(self) -> None:
        """Read the processes, or keep those of the last look that found a /proc."""
        began = self.monotonic()
        processes = read_processes(self.settings.host_root)
        self._note("processes", began, None if processes is None else len(processes))
        if processes is not None:
            self._processes = processes

    def _discover(self, *, is_reached: bool) -> Discovery:
        began = self.monotonic()
        discovery = discover(
            self._files, self._processes, watch=self.settings.watch, node_name=self.settings.node_name
        )
        paths = {reference.path for reference in discovery.references}
        self._note("configuration", began, len(paths) if is_reached else None)
        return discovery

    def _settle_discovery(self, seen: Discovery) -> Discovery:
        """Believe what the configuration says less at a second look; until then all of it stays as it was."""
        now = self.monotonic()
        self._bad_configuration = self._bad_configuration.look(losses(self._discovery, seen), now)
        if self._bad_configuration.second_look_in(now) is not None:
            return self._discovery or replace(seen, failures=())
        self._discovery = seen
        return seen

    def _read_files(self, discovery: Discovery, seen: Discovery, *, is_reached: bool) -> dict[str, File]:
        """Read what is referenced, what the searches match, and what kubeconfigs among those name.

        What was *seen* only now, and waits, is not read yet, but must not be opened where it forbids that.
        """
        began = self.monotonic()
        self._files.seal(authority_keys((*discovery.references, *seen.references)))
        untrusted = {failure.place.path for failure in discovery.failures} | {
            failure.place.path for failure in seen.failures if failure.reason is Reason.UNTRUSTED_REFERENCE
        }
        expected = {
            reference.path: reference.part
            for reference in sorted(discovery.references, key=lambda found: _PRECEDENCE.index(found.part))
            if reference.path not in untrusted
        }
        files = {path: self._files.file(path, expected=part) for path, part in expected.items()}
        for search in discovery.searches:
            for path in self._files.match(search):
                if path not in files and path not in untrusted:
                    files[path] = self._files.file(path)
        for path in [
            named for file in list(files.values()) for named in certificates_named_by(self._files, file)
        ]:
            if path not in files and path not in untrusted:
                files[path] = self._files.file(path)
        for failure in self._files.failures:
            files.setdefault(failure.place.path, _failed(failure))
        self._note("files", began, len(files) if is_reached else None)
        return files

    def _settle_files(self, seen: dict[str, File]) -> dict[str, File]:
        """Show good news at once, bad news when it still stands at a second look."""
        now = self.monotonic()
        gone = {
            path: before
            for path, before in self._shown.items()
            if path not in seen and before.content.certificates
        }
        worse = [path for path, file in seen.items() if is_worse(self._shown.get(path), file)]
        self._bad_files = self._bad_files.look([*worse, *gone], now)
        waiting = {path for path in self._bad_files.since if not self._bad_files.is_confirmed(path, now)}
        return {path: before for path, before in gone.items() if path in waiting} | {
            path: last_good(self._shown.get(path), file) if path in waiting else file
            for path, file in seen.items()
        }

    def _settle_directories(self, before: Inventory | None) -> Mapping[str, FileStatus]:
        """Keep those on the way to what is kept."""
        now = self.monotonic()
        waits = (self._bad_configuration.second_look_in(now), self._bad_files.second_look_in(now))
        if before is None or waits == (None, None):
            return self._files.directories
        return {**before.directories, **self._files.directories}

    def _settle_findings(self, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        now = self.monotonic()
        doubtful = [(finding.check, finding.place) for finding in found if finding.check in _WAITING]
        self._bad_findings = self._bad_findings.look(doubtful, now)
        return tuple(
            finding
            for finding in found
            if finding.check not in _WAITING
            or self._bad_findings.is_confirmed((finding.check, finding.place), now)
        )

    def _note(self, source: str, began: float, documents: int | None) -> None:
        """Record what a source did; *documents* is None where it could not be consulted."""
        before = self._readings.get(source)
        is_up = documents is not None
        self._readings[source] = Reading(
            source=source,
            is_up=is_up,
            documents=documents or 0,
            seconds=self.monotonic() - began,
            last_success=self.clock() if is_up else before.last_success if before else None,
        )


def _failed(failure: Failure) -> File:
    return File(path=failure.place.path, status=None, content=Content(failures=(failure,)))
