"""What a check objects to."""

from dataclasses import dataclass
from enum import StrEnum

from exporter.model.place import Place
from exporter.model.role import Role, State


class Severity(StrEnum):
    """How soon somebody has to act."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One objection of one check."""

    check: str
    severity: Severity
    place: Place
    role: Role
    state: State
    detail: str
    """For the table, the page and the log; never a label."""
