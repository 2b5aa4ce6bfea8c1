#!/usr/bin/env python3
"""Collect a Python environment and everything it needs to run into an otherwise empty root.

Run by the interpreter of the base image: ``python3 assemble.py ENVIRONMENT ROOT``.
"""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

UNUSED = frozenset(
    {
        "__phello__",
        "__pycache__",
        "dist-packages",
        "distutils",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "test",
        "tests",
        "tkinter",
        "turtledemo",
        "venv",
    }
)
"""Folders of the standard library, and of packages, that no running program needs."""

UNUSED_MODULES = ("_curses", "_dbm", "_gdbm", "_test", "_tkinter", "_xx", "nis", "readline", "xx")
"""How the names of extension modules begin that bring libraries for nothing."""

LOADED_LATER = ("libgcc_s.so.1",)
"""What glibc opens by itself, when a thread ends."""

ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def place(path: Path, root: Path) -> None:
    """Copy a file to the same path below *root*, with each link on the way to it."""
    done = Path("/")
    parts = list(path.absolute().parts[1:])
    while parts:
        step = done / parts.pop(0)
        copy = root / step.relative_to("/")
        if step.is_symlink():
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.is_symlink():
                copy.symlink_to(step.readlink())
            target = Path(os.path.normpath(step.parent / step.readlink()))
            parts, done = [*target.parts[1:], *parts], Path("/")
            continue
        if not parts:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(step, copy)
        done = step


def files(folder: Path) -> Iterator[Path]:
    """Yield the files that a running program may need."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in UNUSED and not name.startswith("config-"))
        kept = (name for name in sorted(names) if not name.endswith((".a", ".pyi", ".exe")))
        if Path(parent).name == "lib-dynload":
            kept = (name for name in kept if not name.startswith(UNUSED_MODULES))
        yield from (Path(parent, name) for name in kept)


def libraries(binaries: list[Path]) -> set[Path]:
    """List the shared libraries of some programs and extension modules, the loader included."""
    found: set[Path] = set()
    for binary in binaries:
        listing = subprocess.run(  # noqa: S603 the interpreter and modules of the image being made
            ["/usr/bin/ldd", binary],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", listing)}
    for name in LOADED_LATER:
        found |= {beside for path in found if (beside := path.with_name(name)).exists()}
    return found


def packages(environment: Path) -> Path:
    """Find the folder of an environment that holds its packages."""
    return next(environment.glob("lib/python3*/site-packages"))


def assemble(environment: Path, root: Path) -> None:
    """Copy the interpreter, its library, the environment and the shared libraries of all of them."""
    library = Path(sysconfig.get_path("stdlib"))
    binaries = [Path(sys.executable)]
    installed = packages(environment)
    wanted = [environment / "pyvenv.cfg", environment / "bin/kube-pki-exporter"]
    wanted += [environment / "bin" / name for name in ("python", "python3")]
    wanted += [path for path in files(library) if path.exists()]
    wanted += [path for path in files(installed) if path.exists()]
    for path in wanted:
        place(path, root)
        if re.search(r"\.so(\.|$)", path.name):
            binaries.append(path)
    for path in sorted(libraries(binaries)):
        place(path, root)


def finish(root: Path) -> None:
    """Compile what was copied, add the accounts, and take away every right to write."""
    compileall.compile_dir(
        str(root),
        quiet=1,
        stripdir=str(root),
        prependdir="/",
        workers=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    for name, text in ACCOUNTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "tmp").mkdir()
    for path in root.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o555 | 0o444)
    (root / "tmp").chmod(0o1777)


def main() -> None:
    """Assemble and finish."""
    environment, root = map(Path, sys.argv[1:])
    assemble(environment, root)
    finish(root)


if __name__ == "__main__":
    main()
