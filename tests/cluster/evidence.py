"""The report: one line for each thing that was shown, written as it is shown."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was shown."""

    section: str
    statement: str
    after: float
    """Seconds since the report began."""


@dataclass(slots=True)
class Evidence:
    """What this run has shown so far."""

    begun: float = field(default_factory=time.monotonic)
    facts: dict[str, str] = field(default_factory=dict)
    """Versions, sizes and times of the run."""
    lines: list[Line] = field(default_factory=list)

    def show(self, section: str, statement: str) -> None:
        """Add a line; the assertion stands before it."""
        self.lines.append(Line(section, statement, round(time.monotonic() - self.begun, 1)))

    def text(self) -> str:
        """Write the report for people."""
        rows = [f"{name}: {value}" for name, value in self.facts.items()]
        section = ""
        for line in self.lines:
            if line.section != section:
                section = line.section
                rows += ["", section]
            rows.append(f"  [{line.after:6.1f} s] {line.statement}")
        return "\n".join(rows) + "\n"

    def write(self, folder: Path) -> None:
        """Write the report for people and for programs."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cluster-report.txt").write_text(self.text(), encoding="utf-8")
        document = {"facts": self.facts, "lines": [asdict(line) for line in self.lines]}
        (folder / "cluster-report.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
