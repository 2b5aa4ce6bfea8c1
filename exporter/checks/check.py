"""What a check is: a named judgement, how soon somebody has to act, and what it rests on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exporter.model import File, Finding, Inventory, Occurrence, Place, Role, Severity, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One defect in one place, in a sentence for people."""

    place: Place
    role: Role
    state: State
    detail: str

    @classmethod
    def to(cls, occurrence: Occurrence, detail: str) -> "Objection":
        """Object to a certificate in its place."""
        return cls(place=occurrence.place, role=occurrence.role, state=occurrence.state, detail=detail)


Judgement = Callable[[Inventory], Iterator[Objection]]


@dataclass(frozen=True, slots=True)
class Check:
    """A judgement under the name of the defect it finds."""

    name: str
    group: str
    """The module it stands in."""
    severity: Severity
    meaning: str
    """One sentence that is true when it objects."""
    cites: str
    """The standard, source or incident it rests on."""
    judge: Judgement
    waits: bool
    """A renewal in progress can look like this defect, so that it must stand at a second look."""

    def over(self, inventory: Inventory) -> Iterator[Finding]:
        """Yield a finding for each place that the judgement objects to."""
        for objection in self.judge(inventory):
            yield Finding(
                check=self.name,
                severity=self.severity,
                place=objection.place,
                role=objection.role,
                state=objection.state,
                detail=objection.detail,
            )


def check(*, severity: Severity, cites: str, waits: bool = False) -> Callable[[Judgement], Check]:
    """Turn a judgement over the inventory into the check of the same name."""

    def named(judge: Judgement) -> Check:
        return _named(judge, judge, severity, cites, waits)

    return named


def certificate_check(
    *, severity: Severity, cites: str, waits: bool = False
) -> Callable[[Callable[[Occurrence, Inventory], str | None]], Check]:
    """Turn a judgement over one certificate in use into the check of the same name."""

    def named(judge: Callable[[Occurrence, Inventory], str | None]) -> Check:
        def over_all(inventory: Inventory) -> Iterator[Objection]:
            for occurrence in inventory.occurrences:
                if occurrence.state is State.IN_USE and (detail := judge(occurrence, inventory)):
                    yield Objection.to(occurrence, detail)

        return _named(judge, over_all, severity, cites, waits)

    return named


def file_check(
    *, severity: Severity, cites: str, waits: bool = False
) -> Callable[[Callable[[File, Inventory], Iterator[Objection]]], Check]:
    """Turn a judgement over one file into the check of the same name."""

    def named(judge: Callable[[File, Inventory], Iterator[Objection]]) -> Check:
        def over_all(inventory: Inventory) -> Iterator[Objection]:
            for file in inventory.shown_files():
                yield from judge(file, inventory)

        return _named(judge, over_all, severity, cites, waits)

    return named


def _named(
    told: Callable[..., object], judge: Judgement, severity: Severity, cites: str, waits: bool
) -> Check:
    """Take name, group and meaning from the function, which so cannot mistype them."""
    return Check(
        name=told.__name__,
        group=told.__module__.rpartition(".")[2],
        severity=severity,
        meaning=(told.__doc__ or "").strip().partition("\n")[0],
        cites=cites,
        judge=judge,
        waits=waits,
    )
