"""Programs of the system that some tests need."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kube-pki-exporter"
"""What takes minutes to build, and outlives a clone."""
PROGRAMS = CACHE / "bin"
"""Where ``scripts/install-tools`` puts what it builds."""


def require_tool(name: str, package: str) -> str:
    """Find a program; without it the test is skipped with the command that installs it, and fails in CI."""
    found = shutil.which(name)
    if found is None:
        _lack(f"{name} is missing: apt-get install {package}")
    return found


def require_helm() -> str:
    """Find Helm, which Debian does not have, as ``require_tool`` does."""
    found = shutil.which("helm", path=f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        _lack("helm is missing: scripts/install-tools")
    return found


def _lack(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
