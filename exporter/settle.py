"""Bad news waits for a second look: files are renewed in steps, and a step is no defect."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from exporter.model import Content, Discovery, Distribution, File, NodeType, Origin, Reason, Reference

SECOND_LOOK = 1.0
"""Seconds for which bad news must stand; kubeadm needs 1 ms between key and certificate (CHECKS 5)."""

_News = TypeVar("_News", bound=Hashable)
_STRENGTH = {origin: strength for strength, origin in enumerate(Origin)}


@dataclass(frozen=True, slots=True)
class Suspicions(Generic[_News]):
    """Bad news and the moment each was first seen."""

    since: Mapping[_News, float] = field(default_factory=dict)

    def look(self, bad: Iterable[_News], now: float) -> "Suspicions[_News]":
        """Keep what is bad still and start the clock of what is new; *now* is monotonic."""
        return Suspicions({news: self.since.get(news, now) for news in bad})

    def is_confirmed(self, news: _News, now: float) -> bool:
        """It has stood for long enough."""
        return now - self.since[news] >= SECOND_LOOK

    def second_look_in(self, now: float) -> float | None:
        """Seconds until the next of them is due; None where none is waiting."""
        waits = [left for first in self.since.values() if (left := first + SECOND_LOOK - now) > 0]
        return min(waits, default=None)


def is_worse(before: File | None, after: File) -> bool:
    """A look at a file shows less than the look before: a failure, fewer certificates, or fewer keys."""
    if before is None:
        return any(failure.reason is not Reason.NOT_FOUND for failure in after.content.failures)
    if before.content is after.content:
        return False
    known = set(before.content.failures)
    return (
        any(failure not in known for failure in after.content.failures)
        or len(after.content.certificates) < len(before.content.certificates)
        or _decoded_keys(after) < _decoded_keys(before)
        or (before.content.kubeconfig is not None and after.content.kubeconfig is None)
    )


def _decoded_keys(file: File) -> int:
    return sum(key.spki_sha256 is not None for key in file.content.keys)


def last_good(before: File | None, after: File) -> File:
    """What to show of a file while its bad news waits: the last good facts, else what is good in it."""
    if before is not None:
        return before
    content = after.content
    return File(
        path=after.path,
        status=after.status,
        content=Content(certificates=content.certificates, keys=content.keys, kubeconfig=content.kubeconfig),
    )


def losses(before: Discovery | None, after: Discovery) -> frozenset[Hashable]:
    """What a look at the configuration shows less: a new failure, a lost reference, another kind of node."""
    if before is None:
        return frozenset(after.failures)
    origins = {_use(reference): reference.origin for reference in after.references}
    lost = {
        reference
        for reference in before.references
        if (origin := origins.get(_use(reference))) is None or _STRENGTH[origin] > _STRENGTH[reference.origin]
    }
    failed = set(after.failures) - set(before.failures)
    return frozenset(lost | failed | (_kinds(before) - _kinds(after)))


def _use(reference: Reference) -> tuple[str, ...]:
    return reference.component, reference.setting, reference.part, reference.role, reference.path


def _kinds(discovery: Discovery) -> set[Distribution | NodeType]:
    """What the node is known to be; what nothing tells of is no knowledge."""
    node = discovery.node
    kinds: set[Distribution | NodeType] = {node.distribution, node.type}
    return kinds - {Distribution.UNKNOWN, NodeType.WORKER}
