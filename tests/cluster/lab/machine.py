"""What the nodes share with the machine: cgroups, interfaces and kernel settings."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.cluster.lab.waiting import wait_for

CGROUPS = Path("/sys/fs/cgroup")
SYSCTLS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""What a kubelet sets for the whole machine."""


def hierarchies() -> list[Path]:
    """List the mounted cgroup v1 hierarchies, each once."""
    return [path for path in sorted(CGROUPS.iterdir()) if path.is_mount() and not path.is_symlink()]


def unfit() -> str:
    """Say why this machine cannot carry a cluster; empty where it can."""
    if os.geteuid() != 0:
        return "it needs root"
    if not (CGROUPS / "pids").is_dir():
        return "it needs cgroup v1 at /sys/fs/cgroup (version 2 was not tried)"
    return ""


def make_cgroups(prefix: str, node: str) -> None:
    """Give a node its own cgroups; a new cpuset is empty and takes no process until it is given CPUs."""
    for hierarchy in hierarchies():
        for folder in (hierarchy / prefix, hierarchy / prefix / node):
            folder.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (folder / name).exists():
                    (folder / name).write_text((hierarchy / name).read_text())
    home_cgroup(prefix, node).mkdir(exist_ok=True)


def home_cgroup(prefix: str, node: str) -> Path:
    """The cgroup in which all that is no pod starts, so that nothing has to be guessed by name."""
    return CGROUPS / "pids" / prefix / node / "host"


def members(prefix: str) -> set[int]:
    """List every process of the cluster."""
    found: set[int] = set()
    for folder, _, _ in os.walk(CGROUPS / "pids" / prefix):
        with suppress(OSError):
            found |= {int(line) for line in Path(folder, "cgroup.procs").read_text().split()}
    return found


def kill_members(prefix: str) -> None:
    """End every process of the cluster; GaveUpError if one stays."""

    def ended() -> bool:
        left = members(prefix)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    wait_for("the end of the cluster's processes", ended, seconds=30, every=0.1)


def remove_cgroups(prefix: str) -> None:
    """Remove the cluster's cgroups; a just emptied one is busy for a moment."""

    def removed() -> bool:
        for hierarchy in hierarchies():
            for folder, _, _ in os.walk(hierarchy / prefix, topdown=False):
                Path(folder).rmdir()
        return True

    wait_for("the removal of the cgroups", removed, seconds=20)


def ip(*arguments: str, check: bool = True) -> str:
    """Run ``ip``."""
    done = subprocess.run(("ip", *arguments), capture_output=True, text=True, check=check, timeout=30)
    return done.stdout


def interfaces() -> set[str]:
    """Name the machine's network interfaces."""
    return {path.name for path in Path("/sys/class/net").iterdir()}


def network_namespaces(prefix: str) -> list[str]:
    """Name the cluster's network namespaces."""
    found = Path("/run/netns")
    return [path.name for path in sorted(found.glob(f"{prefix}-*"))] if found.is_dir() else []


def remove_network(prefix: str) -> None:
    """Remove the cluster's network namespaces and interfaces."""
    for name in network_namespaces(prefix):
        ip("netns", "del", name)
    begun = time.monotonic()
    while left := [name for name in interfaces() if name.startswith(f"{prefix}-")]:
        for name in left:
            ip("link", "del", name, check=False)
        if time.monotonic() > begun + 20:
            message = f"interfaces {left} cannot be removed"
            raise RuntimeError(message)


def mounts_below(folder: Path) -> list[str]:
    """List what is mounted below a folder, seen from the machine."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [point for line in lines if (point := line.split()[4]).startswith(f"{folder}/")]


def missing_folders(paths: Iterable[str]) -> list[str]:
    """List the folders, with those on the way to them, that this machine does not have yet."""
    wanted = {str(each) for path in paths for each in (Path(path), *Path(path).parents)}
    return sorted((path for path in wanted if not Path(path).exists()), key=len)


def remove_folders(paths: Iterable[str]) -> None:
    """Remove folders that are still empty, the deepest first."""
    for path in sorted(paths, key=len, reverse=True):
        with suppress(OSError):
            Path(path).rmdir()


def read_sysctls() -> Iterator[tuple[str, str]]:
    """Read the kernel settings that a kubelet changes."""
    for name in SYSCTLS:
        with suppress(OSError):
            yield name, Path("/proc/sys", name).read_text()


def write_sysctl(name: str, value: str) -> None:
    """Set a kernel setting, where that is allowed."""
    with suppress(OSError):
        Path("/proc/sys", name).write_text(value)
