"""One file, one place: which of several paths to an inode it is shown under, and whether it is used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import basename, dirname

from exporter.model import Content, Discovery, File, KubeletPair, Origin, Reference, State

SUPERSEDED_SHOWN = 3
"""How many old dated pairs of a directory are shown as certificates."""

_STRENGTH = {origin: strength for strength, origin in enumerate(Origin)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFile:
    """A file under the one path it is shown under."""

    path: str
    state: State
    references: tuple[Reference, ...]
    """To any path of the same inode, the strongest evidence first."""
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """All files to show, and how many old dated pairs each directory holds."""

    files: tuple[PlacedFile, ...]
    superseded: Mapping[str, int]


def place_files(files: Mapping[str, File], discovery: Discovery) -> Placed:
    """Group paths by inode, choose the place of each and tell what is in use."""
    references = _by_path(discovery.references)
    placed, dated = [], dict[str, list[PlacedFile]]()
    for group in _by_inode(files.values()):
        file = _place(group, references)
        if file.state is State.SUPERSEDED:
            dated.setdefault(dirname(file.path), []).append(file)
        else:
            placed.append(file)
    for pairs in dated.values():
        placed += sorted(pairs, key=lambda pair: _written(pair.path), reverse=True)[:SUPERSEDED_SHOWN]
    return Placed(
        files=tuple(placed), superseded={directory: len(pairs) for directory, pairs in sorted(dated.items())}
    )


def _place(group: list[File], references: Mapping[str, list[Reference]]) -> PlacedFile:
    named = sorted(
        (reference for file in group for reference in references.get(file.path, ())),
        key=lambda reference: _STRENGTH[reference.origin],
    )
    shown = min(group, key=lambda file: _preference(file, references))
    if named:
        state = State.IN_USE
    elif _written(shown.path):
        state = State.SUPERSEDED
    else:
        state = State.UNREFERENCED
    return PlacedFile(path=shown.path, state=state, references=tuple(named), content=shown.content)


def _preference(file: File, references: Mapping[str, list[Reference]]) -> tuple[int, bool, str]:
    """Prefer what the strongest evidence names, then a link over its target, then the first by name."""
    strengths = [_STRENGTH[reference.origin] for reference in references.get(file.path, ())]
    reached_directly = file.status is None or file.status.resolved == file.path
    return min(strengths, default=len(Origin)), reached_directly, file.path


def _by_inode(files: Iterable[File]) -> list[list[File]]:
    groups: dict[object, list[File]] = {}
    for file in files:
        key = (file.status.device, file.status.inode) if file.status else file.path
        groups.setdefault(key, []).append(file)
    return list(groups.values())


def _by_path(references: tuple[Reference, ...]) -> Mapping[str, list[Reference]]:
    paths: dict[str, list[Reference]] = {}
    for reference in references:
        paths.setdefault(reference.path, []).append(reference)
    return paths


def _written(path: str) -> str:
    """When the kubelet wrote a pair, by its dated name; empty for any other."""
    pair = KubeletPair.of(basename(path))
    return "" if pair is None or pair.is_current else pair.written
