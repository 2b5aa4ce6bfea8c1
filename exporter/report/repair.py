"""The command that repairs a finding on the distribution at hand."""

from exporter.model import Finding, Node


def repair_of(finding: Finding, node: Node) -> tuple[str, ...]:
    """Say in a line or two what to do; the runbook has the rest."""
    return ()
