"""What can be done from inside the exporter's container; runs there, says what it found as JSON."""
# ruff: noqa: PTH101, PTH110, PTH114, PTH116, PTH118, PTH123, PTH208, SIM115 - it tries system calls

import ctypes
import json
import os
import sys
from collections.abc import Callable
from functools import partial

ROOT = "/host"
AT_FDCWD = -100
HANDLE_BYTES = 128


class Handle(ctypes.Structure):
    """The kernel's struct file_handle."""

    _fields_ = (
        ("bytes", ctypes.c_uint),
        ("type", ctypes.c_int),
        ("handle", ctypes.c_ubyte * HANDLE_BYTES),
    )


def outcome(attempt: Callable[[], object]) -> str:
    """Try something and name how it was refused; empty where it was not."""
    try:
        attempt()
    except OSError as error:
        return os.strerror(error.errno or 0)
    return ""


def touch(path: str, flags: int) -> None:
    """Open a file and let it go."""
    os.close(os.open(path, flags))


def set_mode(path: str) -> None:
    """Give a file the mode that it has."""
    os.chmod(path, os.stat(path).st_mode)


def writes() -> dict[str, str]:
    """Try to create in every directory of the host and to change every file, but no content."""
    found = {}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if os.path.join(folder, name) != f"{ROOT}/proc"]
        probe = os.path.join(folder, "probe")
        found[probe] = outcome(partial(touch, probe, os.O_CREAT | os.O_WRONLY))
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                found[path] = outcome(partial(touch, path, os.O_WRONLY | os.O_APPEND))
                found[f"{path} mode"] = outcome(partial(set_mode, path))
    for path in ("/probe", "/tmp/probe", "/opt/probe"):
        found[path] = outcome(partial(touch, path, os.O_CREAT | os.O_WRONLY))
    for path in (
        f"{ROOT}/proc/sys/kernel/hostname",
        f"{ROOT}/proc/sysrq-trigger",
        f"{ROOT}/proc/1/oom_score_adj",
    ):
        found[path] = outcome(partial(touch, path, os.O_WRONLY))
    return found


def open_by_handle() -> str:
    """Ask for a file by handle, as the way out of a mount goes."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = Handle(bytes=HANDLE_BYTES)
    mount = ctypes.c_int()
    path = f"{ROOT}/etc/kubernetes".encode()
    libc.name_to_handle_at(
        AT_FDCWD, path, ctypes.byref(handle), ctypes.byref(mount), 0
    )  # may itself be refused
    directory = os.open(f"{ROOT}/etc/kubernetes", os.O_RDONLY)
    if libc.open_by_handle_at(directory, ctypes.byref(handle), os.O_RDONLY) < 0:
        return os.strerror(ctypes.get_errno())
    return ""


def process_secrets() -> dict[str, str]:
    """Try what the process table holds beyond the public part."""
    reads = ("environ", "root/etc/hostname", "mem", "fd/0", "cwd/etc/hostname")
    return {name: outcome(partial(touch, f"{ROOT}/proc/1/{name}", os.O_RDONLY)) for name in reads}


def main() -> None:
    """Say everything."""
    status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line)
    mounts = [line.split()[4:6] for line in open("/proc/self/mountinfo").read().splitlines()]
    below = [(point, options) for point, options in mounts if point.startswith(f"{ROOT}/")]
    json.dump(
        {
            "status": {
                name: status[name].strip()
                for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
            },
            "writes": writes(),
            "open_by_handle_at": open_by_handle(),
            "process": process_secrets(),
            "tokens": [path for path in ("/var/run/secrets", "/run/secrets") if os.path.exists(path)],
            "mounts": below,
            "top": sorted(os.listdir(ROOT)),
            "variables": sorted(name for name in os.environ if "KUBERNETES" in name),
        },
        sys.stdout,
    )


main()
