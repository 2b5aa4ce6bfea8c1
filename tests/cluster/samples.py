"""What an exporter says, as values to compare."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Sample:
    """One series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Samples:
    """One scrape."""

    all: tuple[Sample, ...]

    @classmethod
    def read(cls, text: str) -> "Samples":
        """Read the text format."""
        return cls(
            tuple(
                Sample(sample.name, sample.labels, sample.value)
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            )
        )

    def of(self, name: str, **labels: str) -> Iterator[Sample]:
        """Yield the samples of a metric that have these labels."""
        for sample in self.all:
            if sample.name == name and labels.items() <= sample.labels.items():
                yield sample

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the only such sample; None where there is none, ValueError where there are several."""
        found = list(self.of(name, **labels))
        if len(found) > 1:
            message = f"{len(found)} samples of {name} {labels}"
            raise ValueError(message)
        return found[0].value if found else None

    def findings(self) -> set[tuple[str, str]]:
        """Each finding as check and path."""
        return {(each.labels["check"], each.labels["path"]) for each in self.of("kubepki_finding")}

    def expiry(self, **labels: str) -> dict[str, float]:
        """The end of each certificate with these labels, by path and entry."""
        found = self.of("kubepki_certificate_not_after_timestamp_seconds", **labels)
        return {f"{each.labels['path']} {each.labels['entry']}".strip(): each.value for each in found}

    def fingerprints(self, **labels: str) -> dict[str, str]:
        """The fingerprint of each certificate with these labels, by path, entry and index."""
        found = self.of("kubepki_certificate_info", **labels)
        return {
            f"{each.labels['path']} {each.labels['entry']} {each.labels['index']}": each.labels["fingerprint"]
            for each in found
        }
