"""The host's processes, from HOST_ROOT/proc alone: what a container without capabilities can read there.

Every name is looked at, because any may be a component; more than its command line is read of few.
"""

import os
import re
from collections.abc import Iterator
from typing import Final

from exporter.model import Mount, Process

COMPONENTS: Final = frozenset(
    {
        *("kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd"),
        *("cloud-controller-manager", "konnectivity-server", "k3s", "rke2", "k0s", "kubelite"),
    }
)
"""Base names of programs worth a closer look."""

_COMMAND_LINE_BYTES: Final = 64 * 1024
_FILE_BYTES: Final = 1024 * 1024
_ARGUMENTS: Final = 1024
_CLOSER_LOOKS: Final = 1024
"""How many processes that look like a component are read whole."""
_MOUNTS: Final = 10_000
_POD_OF_API_SERVER: Final = re.compile(r"pod[0-9a-f]{8}[-_][0-9a-f]{4}[-_]")
"""Such a process is no evidence, and reading what it has mounted is dear."""
_ESCAPED: Final = re.compile(rb"\\([0-7]{3})")


def read_processes(host_root: str) -> tuple[Process, ...] | None:
    """Read the processes that look like a component, the first one and this one; None without a /proc."""
    proc = os.path.join(host_root, "proc")  # noqa: PTH118 - thousands of names a scan, plain strings are cheap
    pids, boot = _pids(proc), _boot_time(proc)
    if boot is None:
        return None
    own = _own_pid(proc)
    processes = []
    for pid in pids:
        if pid not in {own, 1} and not _looks_like_component(f"{proc}/{pid}"):
            continue
        process = _read(f"{proc}/{pid}", pid, boot, own_root=host_root if pid == own else None)
        if process is not None:
            processes.append(process)
        if len(processes) >= _CLOSER_LOOKS:
            break
    return tuple(processes)


class Turnover:
    """Tells whether a component was started or ended; a look lists one directory and reads new names.

    A program that restarts with another manifest or configuration leaves no trace in a watched directory.
    """

    def __init__(self, host_root: str) -> None:
        self._proc = os.path.join(host_root, "proc")  # noqa: PTH118 - as above
        self._known: frozenset[int] = frozenset()
        self._components: frozenset[int] = frozenset()
        self._young: frozenset[int] = frozenset()
        """Seen for the first time at the last look: what starts a component has another name for a moment."""
        self.has_changed()

    def has_changed(self) -> bool:
        """Look once more, and compare with the last look."""
        pids = frozenset(_pids(self._proc))
        fresh = pids - self._known
        looked_at = (fresh | self._young) & pids
        kept = self._components & (pids - looked_at)
        components = kept | {pid for pid in looked_at if _looks_like_component(f"{self._proc}/{pid}")}
        changed = components != self._components
        self._known, self._young, self._components = pids, fresh, components
        return changed


def _pids(proc: str) -> list[int]:
    try:
        names = os.listdir(proc)  # noqa: PTH208 - thousands of names a scan, plain strings are cheap
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def _own_pid(proc: str) -> int:
    """The number of this process in that /proc, maybe another name space's; 0 where it is not there."""
    try:
        return int(os.readlink(f"{proc}/self"))  # noqa: PTH115 - as above
    except (OSError, ValueError):
        return 0


def _looks_like_component(directory: str) -> bool:
    """Only argv[0] counts: the shortest look at a process that tells."""
    first = _bytes(f"{directory}/cmdline", 512).split(b"\0", 1)[0].split(b" ", 1)[0]
    return first.rsplit(b"/", 1)[-1].decode(errors="replace") in COMPONENTS


def _read(directory: str, pid: int, boot: float, *, own_root: str | None) -> Process | None:
    """One process; None where it ended meanwhile."""
    uid = _uid(_bytes(f"{directory}/status", 4096))
    if uid is None:
        return None
    cgroup = _cgroup(_bytes(f"{directory}/cgroup", 64 * 1024))
    in_foreign_pod = own_root is None and _POD_OF_API_SERVER.search(cgroup) is not None
    mounts = () if in_foreign_pod else tuple(_mounts(_bytes(f"{directory}/mountinfo", _FILE_BYTES)))
    return Process(
        pid=pid,
        uid=uid,
        arguments=_arguments(_bytes(f"{directory}/cmdline", _COMMAND_LINE_BYTES)),
        cgroup=cgroup,
        mounts=mounts if own_root is None else tuple(_below(own_root, mounts)),
        started=_started(_bytes(f"{directory}/stat", 4096), boot),
        is_own=own_root is not None,
    )


def _arguments(content: bytes) -> tuple[str, ...]:
    words = content.rstrip(b"\0").split(b"\0")[:_ARGUMENTS]
    return tuple(word.decode(errors="replace") for word in words) if any(words) else ()


def _uid(status: bytes) -> int | None:
    """The effective uid (proc_pid_status(5))."""
    for line in status.splitlines():
        if line.startswith(b"Uid:"):
            fields = line.split()
            return int(fields[2]) if len(fields) > 2 and fields[2].isdigit() else None  # noqa: PLR2004
    return None


def _cgroup(content: bytes) -> str:
    """The longest path of all hierarchies (cgroups(7)): version 1 may leave some at the root."""
    paths = (line.split(b":", 2)[-1] for line in content.splitlines() if line.count(b":") > 1)
    return max(paths, key=len, default=b"").decode(errors="replace")


def _mounts(content: bytes) -> Iterator[Mount]:
    for line in content.splitlines()[:_MOUNTS]:
        fields = line.split(b" ")
        if len(fields) > 5:  # noqa: PLR2004 - proc_pid_mountinfo(5), up to the mount options
            device, root, point = (
                fields[2].decode(errors="replace"),
                _unescaped(fields[3]),
                _unescaped(fields[4]),
            )
            yield Mount(device=device, root=root, point=point)


def _unescaped(field: bytes) -> str:
    """White space and backslashes stand there as octal numbers."""
    plain = _ESCAPED.sub(lambda octal: bytes([int(octal[1], 8) & 0xFF]), field)
    return plain.decode(errors="surrogateescape")


def _below(host_root: str, mounts: tuple[Mount, ...]) -> Iterator[Mount]:
    """This program's mounts that show the host, under the paths that the host has them."""
    root = os.path.realpath(host_root).rstrip("/")
    covering = [
        mount for mount in mounts if root == mount.point or root.startswith(mount.point.rstrip("/") + "/")
    ]
    if root and covering:
        deepest = max(covering, key=lambda mount: len(mount.point))
        inside = root[len(deepest.point.rstrip("/")) :]
        yield Mount(device=deepest.device, root=(deepest.root.rstrip("/") + inside) or "/", point="/")
    for mount in mounts:
        if not root:
            yield mount
        elif mount.point.startswith(f"{root}/"):
            yield Mount(device=mount.device, root=mount.root, point=mount.point[len(root) :])


def _started(stat: bytes, boot: float) -> float | None:
    """Field 22 of proc_pid_stat(5), in clock ticks after boot; the command name may hold anything."""
    fields = stat.rpartition(b")")[2].split()
    if len(fields) < 20 or not fields[19].isdigit():  # noqa: PLR2004 - the 20th after the command name
        return None
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _boot_time(proc: str) -> float | None:
    """When the system started (``btime`` of proc_stat(5)); None where there is no /proc."""
    for line in _bytes(f"{proc}/stat", _FILE_BYTES).splitlines():
        if line.startswith(b"btime ") and line[6:].strip().isdigit():
            return float(line[6:])
    return None


def _bytes(path: str, limit: int) -> bytes:
    """The start of a file of /proc; empty where it cannot be read, as a process may end at any time."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        content = b""
        while len(content) < limit and (more := os.read(descriptor, limit - len(content))):
            content += more
    except OSError:
        return b""
    else:
        return content
    finally:
        os.close(descriptor)
