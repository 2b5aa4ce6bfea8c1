"""Which processes are evidence: any pod can look like etcd, and nested nodes show components of their own.

A process counts if its uid is 0 or the distribution's for a component, if it runs in no pod or in a static
one (the kubelet gives those 32 hex digits for a uid, ``pkg/kubelet/config/common.go``; the API server gives
dashed ones), and if what it sees under the paths it names is what this program sees of the host
(proc_pid_mountinfo(5)).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import basename, dirname

from exporter.discovery.command import Command, Locate
from exporter.discovery.components import COMPONENTS, MULTIPLE
from exporter.discovery.distributions import KNOWN_DIRECTORIES
from exporter.discovery.flags import Flags, parse_flags
from exporter.discovery.node_files import is_below, is_below_any, normalized
from exporter.model import Mount, Origin, Process

PROCESSES_LIMIT = 32
FLAGS_LIMIT = 64
"""Flags with a path, for each process."""

_POD = re.compile(r"(?:^|[/-])pod(?P<uid>[0-9a-f]{8}[0-9a-f_-]{24,28})(?=[./]|$)")
_STATIC = re.compile(r"[0-9a-f]{32}")
_CONTAINER = re.compile(r"[0-9a-f]{64}")
"""The id that container runtimes give."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process that runs several components."""

    arguments: tuple[str, ...]
    started: float | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The processes that are evidence, and how many look like it but are not."""

    commands: tuple[Command, ...] = ()
    programs: Mapping[str, Program] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)


class _View:
    """What one process, or the host, sees at each path."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        self._by_point = {mount.point: mount for mount in mounts}
        """Of several mounts at one point the last covers the others."""

    def source(self, path: str) -> tuple[str, str] | None:
        """The device and the path inside its file system; None where nothing is mounted."""
        point = path
        while (mount := self._by_point.get(point)) is None:
            if point == "/":
                return None
            point = dirname(point)
        return mount.device, normalized(f"{mount.root}/{path[len(point) :]}") or "/"

    def paths_of(self, device: str, inside: str) -> Iterator[str]:
        """The paths at which a place in a file system is to be seen."""
        for mount in self._by_point.values():
            if mount.device == device and is_below(inside, mount.root):
                rest = inside[len(mount.root.rstrip("/")) :]
                if (path := normalized(f"{mount.point}/{rest}")) and self.source(path) == (device, inside):
                    yield path


def programs_of(processes: Iterable[Process]) -> frozenset[str]:
    """The names of root's processes outside pods and containers: enough to tell a distribution."""
    return frozenset(
        name
        for process in processes
        if process.uid == 0 and not _is_in_container(process) and (name := _name(process))
    )


def counted(processes: Sequence[Process], uids: frozenset[int]) -> Counted:
    """Select the processes that are evidence; *uids* are those of the distribution's component users."""
    views = [process.mounts for process in processes if process.is_own]
    views += [process.mounts for process in processes if process.pid == 1]
    host = _View(next((mounts for mounts in views if mounts), ()))
    ignored: Counter[str] = Counter()
    commands: list[Command] = []
    programs: dict[str, Program] = {}
    looking = [process for process in processes if _name(process)]
    for process in sorted(looking, key=lambda process: process.pid):
        name = _name(process)
        reason = _objection(process, uids)
        if reason is None and len(commands) + len(programs) >= PROCESSES_LIMIT:
            reason = "too_many"
        if reason is None and name in MULTIPLE and _is_in_container(process):
            reason = "foreign_mounts"
        elif reason is None and name in MULTIPLE:
            programs.setdefault(name, Program(_arguments(process), process.started))
        elif reason is None:
            command = _command(process, host)
            if command is None:
                reason = "foreign_mounts"
            else:
                commands.append(command)
        if reason is not None:
            ignored[reason] += 1
    return Counted(tuple(commands), programs, dict(sorted(ignored.items())))


def _name(process: Process) -> str:
    """The component that a process looks like; empty where it looks like none."""
    words = process.arguments[0].split() if process.arguments else []
    name = basename(words[0]) if words else ""
    return name if name in COMPONENTS or name in MULTIPLE else ""


def _arguments(process: Process) -> tuple[str, ...]:
    """The words after the program; k3s writes its subcommand into the first (``k3s server``)."""
    return (*process.arguments[0].split()[1:], *(word for word in process.arguments[1:] if word))


def _is_in_container(process: Process) -> bool:
    return bool(_pods(process)) or _CONTAINER.search(process.cgroup) is not None


def _pods(process: Process) -> list[str]:
    return [match["uid"] for match in _POD.finditer(process.cgroup)]


def _objection(process: Process, uids: frozenset[int]) -> str | None:
    if process.uid != 0 and process.uid not in uids:
        return "user"
    pods = _pods(process)
    if not process.cgroup or not all(_STATIC.fullmatch(pod) for pod in pods):
        return "pod"
    if "kubepods" in process.cgroup and not pods:
        return "pod"
    return None if process.mounts else "mounts_unreadable"


def _command(process: Process, host: _View) -> Command | None:
    """The command of a process; None where it names only others' paths, or none from inside a container."""
    locate, seen = _locates(process, host)
    command = Command(
        component=_name(process),
        flags=Flags(dict(_limited(parse_flags(_arguments(process)).values))),
        origin=Origin.PROCESS,
        locate=locate,
        seen=seen,
        is_trusted=process.uid == 0,
        is_complete=False,
        started=process.started,
    )
    paths = command.paths()
    is_own = any(seen(path) is not None for path in paths) if paths else not _is_in_container(process)
    return command if is_own else None


def _limited(values: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The flags, those with paths up to the limit."""
    left = FLAGS_LIMIT
    for name, given in values.items():
        if any("/" in value for value in given):
            if left < len(given):
                continue
            left -= len(given)
        yield name, given


def _locates(process: Process, host: _View) -> tuple[Locate, Locate]:
    """From a process's paths to the host's, to be believed at once and to be believed with a manifest.

    At once: the same path where both see the same, and by device into a PKI directory for a process in a pod.
    """
    view = _View(process.mounts)
    in_pod = bool(_pods(process))

    def candidates(written: str) -> list[str]:
        path = normalized(written)
        source = None if path is None else view.source(path)
        if path is None or source is None:
            return []
        if host.source(path) == source:
            return [path]
        found = host.paths_of(*source) if in_pod else ()
        return sorted(found, key=lambda path: (path != source[1], len(path)))

    def locate(written: str) -> str | None:
        found = candidates(written)
        known = (
            path for path in found if path == normalized(written) or is_below_any(path, KNOWN_DIRECTORIES)
        )
        return next(known, None)

    return locate, lambda written: next(iter(candidates(written)), None)
