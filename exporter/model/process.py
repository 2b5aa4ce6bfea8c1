"""A running process as /proc shows it to a container without capabilities."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of ``mountinfo`` (proc_pid_mountinfo(5))."""

    device: str
    """``major:minor``."""
    root: str
    """The path inside that file system which is mounted."""
    point: str
    """Where the process sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that may be evidence."""

    pid: int
    uid: int
    arguments: tuple[str, ...]
    cgroup: str
    """The longest path of its cgroup file; empty where it could not be read."""
    mounts: tuple[Mount, ...]
    """Empty where they could not be read."""
    started: float | None
    """Unix time; None where it could not be read."""
    is_own: bool = False
    """This program; its mounts are those below the host root, under the host's paths."""
