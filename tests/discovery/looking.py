"""Looks at a tree as the program does, and writes what is found as a table that people can read."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from exporter.discovery import discover
from exporter.host import Host
from exporter.model import Discovery, Process, Reference, Search
from exporter.sources.files import HostFiles


def files_of(root: Path) -> HostFiles:
    """The files below a root, in a new pass."""
    files = HostFiles(Host(str(root)), match_keys=True, max_files=5_000)
    files.begin()
    return files


def look(
    root: Path,
    processes: Sequence[Process] | None = None,
    *,
    watch: Sequence[Search] = (),
    node_name: str = "",
) -> Discovery:
    """Discover what a tree's configuration tells."""
    return discover(files_of(root), processes, watch=watch, node_name=node_name)


def plant(root: Path, tree: Mapping[str, str | bytes]) -> Path:
    """Write files below a root with root's modes; a path that ends in ``/`` is an empty directory."""
    for path, content in tree.items():
        file = root / path.lstrip("/")
        directory = file if path.endswith("/") else file.parent
        directory.mkdir(parents=True, exist_ok=True)
        for parent in (directory, *directory.parents):
            if parent.is_relative_to(root):
                parent.chmod(0o755)
        if not path.endswith("/"):
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            file.chmod(0o600)
    return root


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
