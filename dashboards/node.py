"""The dashboard of one node in full."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import certificates, columns, health, usage, variables
from dashboards.board import board, rows_of
from dashboards.findings import node_findings, node_unreadable
from dashboards.tiles import node_tiles


def node() -> Dashboard:
    """Build the dashboard."""
    dashboard = board(
        columns.NODE_UID,
        "Kubernetes PKI / Node",
        "One node in full: its certificates, who uses and trusts what, what is wrong, and its exporter.",
        [variables.datasource(), variables.cluster(), variables.node()],
    )
    return rows_of(
        dashboard,
        {
            "Node": [*node_tiles(), node_findings(), node_unreadable()],
            "Certificates": [certificates.certificates(), certificates.names()],
            "Use": [usage.references()],
            "Trust": [usage.anchors(), usage.service_account_keys(), usage.listeners()],
            "Identities": [certificates.identities()],
            "Exporter": [*health.tiles(), *health.graphs(), health.sources()],
        },
    )
