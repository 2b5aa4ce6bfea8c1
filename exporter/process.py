"""What this process costs, and how it costs less.

Told under the names that every exporter uses (prometheus.io/docs, "Process metrics"), and read here because
``prometheus_client`` would cost 3 MB of the 40 MB that a node may spend.
"""

import contextlib
import ctypes
import os
import resource
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_SELF = Path("/proc/self")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def share_one_heap() -> None:
    """Let threads wait for one heap: one for each would cost more. Only glibc has several (mallopt(3))."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return what is free to the system, in about 0.2 ms; only glibc keeps it (malloc_trim(3))."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def usage() -> Mapping[str, float]:
    """Name without ``process_`` to value; what cannot be read is left out."""
    found: dict[str, float] = {"max_fds": float(resource.getrlimit(resource.RLIMIT_NOFILE)[0])}
    with contextlib.suppress(OSError, ValueError, IndexError):
        # proc_pid_stat(5): the second field is the name, in parentheses that it may hold itself.
        fields = (_SELF / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        found["cpu_seconds_total"] = (int(fields[11]) + int(fields[12])) / _TICK
        found["virtual_memory_bytes"] = float(fields[20])
        found["resident_memory_bytes"] = float(int(fields[21]) * _PAGE)
        found["start_time_seconds"] = _booted() + int(fields[19]) / _TICK
    with contextlib.suppress(OSError):
        found["open_fds"] = float(sum(1 for _ in (_SELF / "fd").iterdir()) - 1)
    return found


@cache
def _booted() -> float:
    """Unix time of the machine's start."""
    lines = Path("/proc/stat").read_text(encoding="ascii", errors="replace").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("btime "))
