"""What the families print: an inventory and what the checks say about it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from exporter.inventory.identity import client_authorities
from exporter.model import Finding, Fingerprint, Inventory, Severity


class CheckRow(Protocol):
    """A check as the exposition needs it."""

    @property
    def name(self) -> str:
        """The defect, as the value of the ``check`` label."""

    @property
    def severity(self) -> Severity:
        """The same for each of its findings."""

    @property
    def meaning(self) -> str:
        """One sentence."""

    @property
    def cites(self) -> str:
        """The standard, source or incident that it rests on."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One inventory, judged."""

    inventory: Inventory
    findings: tuple[Finding, ...] = ()
    checks: tuple[CheckRow, ...] = ()
    """Every check that was made, whether it objected or not."""

    @cached_property
    def client_authorities(self) -> frozenset[Fingerprint] | None:
        """See there; computed once for all certificates."""
        return client_authorities(self.inventory)
