"""The filters on top of a dashboard."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import CustomVariable, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards.panels import SOURCE
from dashboards.queries import AFTER

ALL: Final = VariableOption(selected=True, text=["All"], value=["$__all"])
ANY: Final = ".*"
"""Matches a label that is absent too, so that a Prometheus without ``cluster`` is not empty."""


def datasource() -> DatasourceVariable:
    """Choose the Prometheus to ask."""
    return (
        DatasourceVariable("datasource")
        .label("Data source")
        .description("A Prometheus that scrapes kube-pki-exporter.")
        .type("prometheus")
    )


def cluster() -> QueryVariable:
    """Choose clusters; there is nothing to choose where the label is absent."""
    return (
        _query("cluster", "Cluster", "label_values(kubepki_build_info, cluster)")
        .description("From the target label of that name; All where there is none.")
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(ALL)
    )


def nodes() -> QueryVariable:
    """Choose any number of nodes."""
    return (
        _query("node", "Node", 'label_values(kubepki_node_info{cluster=~"$cluster"}, node)')
        .description("From the target label that the shipped scrape configuration adds.")
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(ALL)
    )


def node() -> QueryVariable:
    """Choose one node."""
    return _query("node", "Node", 'label_values(kubepki_node_info{cluster=~"$cluster"}, node)').description(
        "The node to show in full."
    )


def role() -> QueryVariable:
    """Choose roles of certificates."""
    return (
        _query("role", "Role", f'label_values({AFTER}{{cluster=~"$cluster", node=~"$node"}}, role)')
        .description("What a certificate is for.")
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(ALL)
    )


def state() -> CustomVariable:
    """Choose states; leftovers are of interest only to who asks."""
    states = ("in_use", "superseded", "unreferenced")
    return (
        CustomVariable("state")
        .label("State")
        .description("Whether anything names the file; only what is in use alerts.")
        .values(",".join(states))
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(VariableOption(selected=True, text=["in_use"], value=["in_use"]))
        .options([VariableOption(selected=name == "in_use", text=name, value=name) for name in states])
    )


def _query(name: str, label: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": f"variable-{name}"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )
