"""One pass over the node: discovery, files, inventory, checks."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from exporter.checks import CHECKS, evaluate
from exporter.discovery import authority_keys, certificates_named_by, discover
from exporter.host import Host
from exporter.inventory import build
from exporter.model import (
    Content,
    Discovery,
    Failure,
    File,
    Finding,
    Inventory,
    Part,
    Place,
    Process,
    Reading,
)
from exporter.settings import Settings
from exporter.settle import Suspicions, is_worse, last_good
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
    _shown: Mapping[str, File] = field(init=False, default_factory=dict)
    _inventory: Inventory | None = field(init=False, default=None)
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
            return self._scan()
        finally:
            self._files.end()

    def _scan(self) -> Look:
        processes = self._read_processes()
        discovery = self._discover(processes)
        shown = self._settle_files(self._read_files(discovery))
        inventory = build(
            discovery,
            shown,
            self._files.directories,
            previous=self._inventory,
            now=self.clock(),
            readings=tuple(self._readings.values()),
        )
        findings = self._settle_findings(evaluate(inventory))
        self._shown, self._inventory = shown, inventory
        now = self.monotonic()
        waits = (self._bad_files.second_look_in(now), self._bad_findings.second_look_in(now))
        prefix = self.settings.host_root.rstrip("/")
        return Look(
            picture=Picture(inventory=inventory, findings=findings),
            directories=frozenset(
                prefix + path for path in (*self._files.directories, *discovery.directories)
            ),
            second_look_in=min((wait for wait in waits if wait is not None), default=None),
        )

    def _read_processes(self) -> tuple[Process, ...] | None:
        began = self.monotonic()
        processes = read_processes(self.settings.host_root)
        self._note("processes", began, None if processes is None else len(processes))
        return processes

    def _discover(self, processes: tuple[Process, ...] | None) -> Discovery:
        began = self.monotonic()
        discovery = discover(
            self._files, processes, watch=self.settings.watch, node_name=self.settings.node_name
        )
        self._note("configuration", began, len({reference.path for reference in discovery.references}))
        return discovery

    def _read_files(self, discovery: Discovery) -> dict[str, File]:
        """Read what is referenced, what the searches match, and what kubeconfigs among those name."""
        began = self.monotonic()
        self._files.seal(authority_keys(discovery.references))
        untrusted = {failure.place.path for failure in discovery.failures}
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
        self._note("files", began, len(files))
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
