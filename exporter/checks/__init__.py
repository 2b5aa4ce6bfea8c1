"""The checks this version makes, in the order of the documentation."""

from collections.abc import Iterable
from typing import Final

from exporter.checks.check import Check, Objection, certificate_check, check, file_check
from exporter.model import Finding, Inventory

__all__ = ["CHECKS", "Check", "Objection", "certificate_check", "check", "evaluate", "file_check"]

CHECKS: Final[tuple[Check, ...]] = ()


def evaluate(inventory: Inventory, checks: Iterable[Check] = CHECKS) -> tuple[Finding, ...]:
    """Make every check and list what they object to, each place once per check."""
    found = {(finding.check, finding.place): finding for made in checks for finding in made.over(inventory)}
    return tuple(found.values())
