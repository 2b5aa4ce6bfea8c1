"""Sample lines of a report, with the lines of certificates that did not change taken from before."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, TypeAlias

from exporter.exposition.families import RENDERED
from exporter.exposition.family import CertificateFamily, ReportFamily
from exporter.exposition.report import Report
from exporter.model import Occurrence


@dataclass(frozen=True, slots=True)
class Block:
    """The sample lines of one family."""

    family: CertificateFamily | ReportFamily
    lines: bytes = field(repr=False)
    sizes: "array[int]" = field(default_factory=lambda: array("Q"), repr=False)
    """For a family of certificates: how many bytes each occurrence has in ``lines``, in order."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """All blocks in order, each line held once."""

    blocks: tuple[Block, ...] = ()
    occurrences: tuple[Occurrence, ...] = ()
    """In the order of the lines, one for each place."""


NOTHING: Final = Rendering()
"""What was written before the first report."""

_Plan: TypeAlias = Sequence[Occurrence | range]
"""What to write anew, and which runs of earlier occurrences to take over."""


def render(report: Report, previous: Rendering) -> Rendering:
    """Write a report, taking over what *previous* has of the same occurrences."""
    unique = {occurrence.place: occurrence for occurrence in report.inventory.occurrences}
    occurrences = tuple(unique.values())
    plan = tuple(_plan(occurrences, previous.occurrences))
    earlier = {block.family.name: block for block in previous.blocks}
    blocks = []
    for family in RENDERED:
        if isinstance(family, ReportFamily):
            blocks.append(Block(family, family.lines(report)))
        else:
            blocks.append(_certificates(family, plan, earlier.get(family.name) or Block(family, b"")))
    return Rendering(tuple(blocks), occurrences)


def _plan(occurrences: Sequence[Occurrence], earlier: Sequence[Occurrence]) -> Iterator[Occurrence | range]:
    positions = {occurrence.place: position for position, occurrence in enumerate(earlier)}
    run = range(0)
    for occurrence in occurrences:
        position = positions.get(occurrence.place, -1)
        is_unchanged = position >= 0 and earlier[position] == occurrence
        if is_unchanged and position == run.stop:
            run = range(run.start, position + 1)
            continue
        if run:
            yield run
        run = range(position, position + 1) if is_unchanged else range(0)
        if not is_unchanged:
            yield occurrence
    if run:
        yield run


def _certificates(family: CertificateFamily, plan: _Plan, earlier: Block) -> Block:
    ends = (0, *accumulate(earlier.sizes))
    lines = memoryview(earlier.lines)
    chunks: list[bytes | memoryview] = []
    sizes = array("Q")
    for step in plan:
        if isinstance(step, range):
            chunks.append(lines[ends[step.start] : ends[step.stop]])
            sizes.extend(earlier.sizes[step.start : step.stop])
        else:
            chunks.append(family.lines(step))
            sizes.append(len(chunks[-1]))
    return Block(family, b"".join(chunks), sizes)
