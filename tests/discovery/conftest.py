"""Looks at a tree as the program does, and writes what is found as a table that people can read."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from exporter.discovery import discover
from exporter.host import Host
from exporter.model import Discovery, Process, Reference, Search
from exporter.sources.files import HostFiles

Discover = Callable[..., Discovery]
Write = Callable[..., None]


def files_of(root: Path) -> HostFiles:
    """The files below a root, in a new pass."""
    files = HostFiles(Host(str(root)), match_keys=True, max_files=5_000)
    files.begin()
    return files


@pytest.fixture
def look() -> Discover:
    """Discover what a tree's configuration tells."""

    def look(
        root: Path,
        processes: Sequence[Process] | None = None,
        *,
        watch: Sequence[Search] = (),
        node_name: str = "",
    ) -> Discovery:
        return discover(files_of(root), processes, watch=watch, node_name=node_name)

    return look


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of a tree below ``tmp_path`` with root's modes."""

    def write(path: str, content: str | bytes = "", mode: int = 0o600) -> None:
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        for directory in file.relative_to(tmp_path).parents:
            (tmp_path / directory).chmod(0o755)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    return write


def row(reference: Reference) -> str:
    """One reference in one line."""
    return " ".join(
        (
            f"{reference.component} {reference.setting}",
            f"{reference.part} {reference.role} {reference.path}",
            f"{reference.origin} {reference.requirement}",
        )
    )


def table(references: Iterable[Reference]) -> list[str]:
    """References, one a line."""
    return [row(reference) for reference in references]
