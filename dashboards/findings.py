"""What is wrong: findings of the checks, and files that cannot be read or are missing."""

from grafana_foundation_sdk.builders.table import Panel as Grid

from dashboards import columns, panels, queries
from dashboards.queries import CERTIFICATE, FILTER


def fleet_findings() -> Grid:
    """List what the checks object to on any node."""
    return _findings((columns.text("cluster", "Cluster", 120), columns.node()), FILTER).height(9)


def node_findings() -> Grid:
    """List what the checks object to on one node."""
    return _findings((columns.hidden("cluster"), columns.hidden("node")), ()).height(8).span(16)


def fleet_unreadable() -> Grid:
    """List what could not be read on any node."""
    where = (columns.text("cluster", "Cluster", 120), columns.node(), columns.text("role", "Role", 190))
    return _unreadable(where, FILTER).span(12)


def node_unreadable() -> Grid:
    """List what could not be read on one node."""
    return _unreadable(tuple(map(columns.hidden, ("cluster", "node", "role"))), ()).span(8)


def fleet_missing() -> Grid:
    """List files that a component needs and that are not there."""
    return panels.grid(
        "Missing files",
        "Files that a component is configured to use and needs, and that are not there.",
        [queries.missing("component, setting, role, cluster, node, path", FILTER[0])],
        [
            columns.text("cluster", "Cluster", 120),
            columns.node(),
            columns.text("component", "Component", 180),
            columns.text("setting", "Setting", 180),
            columns.text("role", "Role", 160),
            columns.missing_path(),
        ],
        sort="Node",
        empty="No file is missing",
    ).span(12)


def _findings(where: tuple[columns.Column, ...], matchers: tuple[str, ...]) -> Grid:
    return panels.grid(
        "Findings",
        "What the checks object to, the critical first. A check leads to its part of the runbook.",
        [queries.findings(*matchers)],
        [
            *where,
            columns.words("Value", "Severity", columns.SEVERITY, width=100),
            columns.check(),
            columns.text("meaning", "Meaning", 420),
            columns.text("role", "Role", 190),
            columns.text("path", "Path", 360),
            columns.text("entry", "Entry"),
            columns.hidden("index"),
        ],
        sort="Severity",
        empty="No findings",
    )


def _unreadable(where: tuple[columns.Column, ...], matchers: tuple[str, ...]) -> Grid:
    return panels.grid(
        "Unreadable files",
        "What could not be read or understood, and why: nothing warns when what it holds expires.",
        [queries.failures(f"{CERTIFICATE}, state, reason", *matchers)],
        [
            *where,
            columns.reason(),
            columns.text("state", "State", 100),
            columns.text("path", "Path"),
            columns.text("entry", "Entry", 110),
            columns.hidden("index"),
        ],
        sort="Path",
        empty="No failures",
    )
