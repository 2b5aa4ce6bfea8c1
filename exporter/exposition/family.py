"""A metric family as a row: what it is called and a pure function that makes its samples."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, Generic, TypeAlias, TypeVar

from exporter.exposition import text
from exporter.exposition.report import Report
from exporter.exposition.status import Status
from exporter.model import Occurrence

Facts = TypeVar("Facts")

Sample: TypeAlias = tuple[tuple[str, ...], float]
"""The label values in the order of the family's label names, and the value."""

PLACE: Final = ("path", "entry", "index")
_IDENTIFYING: Final = frozenset({"path", "entry", "directory"})
"""Labels without which two samples of one family could be one."""


class Kind(StrEnum):
    """The type of a family as OpenMetrics names it."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"


_SUFFIXES: Final = {"_total": Kind.COUNTER, "_info": Kind.INFO}


@dataclass(frozen=True)
class Family(Generic[Facts]):
    """Samples of one name; neither its name, type nor label names are the function's business."""

    name: str
    """As samples carry it; its suffix decides the type."""
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Facts], Iterable[Sample]]

    @cached_property
    def kind(self) -> Kind:
        """The type, as the suffix of the name says it."""
        return next((kind for suffix, kind in _SUFFIXES.items() if self.name.endswith(suffix)), Kind.GAUGE)

    @cached_property
    def stem(self) -> str:
        """The name by which OpenMetrics calls the family (1.0, "Counter" and "Info")."""
        return next((self.name.removesuffix(s) for s in _SUFFIXES if self.name.endswith(s)), self.name)

    def header(self, *, is_openmetrics: bool) -> bytes:
        """The lines above the samples, the only ones in which the two formats differ."""
        name = self.stem if is_openmetrics else self.name
        kind = Kind.GAUGE if self.kind is Kind.INFO and not is_openmetrics else self.kind
        return f"# HELP {name} {self.help}\n# TYPE {name} {kind}\n".encode()

    def lines(self, facts: Facts) -> bytes:
        """The sample lines; of samples with equal labels the first alone, since two would void a scrape."""
        lines: dict[tuple[str, ...], str] = {}
        for labels, value in self.samples(facts):
            written = tuple(write(label) for write, label in zip(self._writers, labels, strict=True))
            if written not in lines:
                lines[written] = self._template % (*written, text.number(value))
        return "".join(lines.values()).encode()

    @cached_property
    def _writers(self) -> tuple[Callable[[str], str], ...]:
        return tuple(text.identity if label in _IDENTIFYING else text.prose for label in self.labels)

    @cached_property
    def _template(self) -> str:
        labels = ",".join(f'{label}="%s"' for label in self.labels)
        return f"{self.name}{{{labels}}} %s\n" if labels else f"{self.name} %s\n"


class CertificateFamily(Family[Occurrence]):
    """One or more samples for each certificate in a place, and from it alone."""


class ReportFamily(Family[Report]):
    """Samples over the whole report."""


class LiveFamily(Family[Status]):
    """Samples that are made for each scrape."""


def per_certificate(
    name: str, meaning: str, labels: tuple[str, ...] = ()
) -> Callable[[Callable[[Occurrence], Iterable[Sample]]], CertificateFamily]:
    """Turn a function over one certificate into a family."""
    return lambda samples: CertificateFamily(name, meaning, labels, samples)


def family(
    name: str, meaning: str, labels: tuple[str, ...] = ()
) -> Callable[[Callable[[Report], Iterable[Sample]]], ReportFamily]:
    """Turn a function over the report into a family."""
    return lambda samples: ReportFamily(name, meaning, labels, samples)


def live(
    name: str, meaning: str, labels: tuple[str, ...] = ()
) -> Callable[[Callable[[Status], Iterable[Sample]]], LiveFamily]:
    """Turn a function over the status of the program into a family."""
    return lambda samples: LiveFamily(name, meaning, labels, samples)
