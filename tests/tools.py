"""Programs of the system that some tests need."""

import os
import shutil

import pytest


def require_tool(name: str, package: str) -> str:
    """Find a program; without it the test is skipped with the command that installs it, and fails in CI."""
    if found := shutil.which(name):
        return found
    reason = f"{name} is missing: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
