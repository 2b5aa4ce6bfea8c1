"""What both dashboards share: name, links, layout and numbering."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, Row
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableModel,
)

from dashboards.columns import RUNBOOKS

TAG: Final = "kubernetes-pki"


def board(uid: str, title: str, description: str, variables: Sequence[Builder[VariableModel]]) -> Dashboard:
    """Start a dashboard that links to the other one and to the runbooks."""
    others = DashboardLink("Kubernetes PKI").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    runbooks = DashboardLink("Runbooks").type(DashboardLinkType.LINK).url(RUNBOOKS).icon("doc")
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG, "kube-pki-exporter"])
        .time("now-24h", "now")
        .timezone("browser")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .editable()
        .links([others.keep_time(True), runbooks.target_blank(True).tooltip("What each alert asks for")])
        .variables(list(variables))
    )


def rows_of(dashboard: Dashboard, rows: Mapping[str, Sequence[Builder[Panel]]]) -> Dashboard:
    """Lay panels out from left to right below their headings, and number them in that order."""
    for title, panels in rows.items():
        dashboard.with_row(Row(title))
        for panel in panels:
            dashboard.with_panel(panel)
    return dashboard


def document(dashboard: Dashboard) -> dict[str, Any]:
    """Make the document that Grafana imports."""
    built = dashboard.build()
    for number, panel in enumerate(built.panels or (), start=1):
        panel.id_val = number
    return built.to_json()
