"""The committed JSON: as the code makes it, and as Grafana and people need it."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.generate import generated
from exporter.checks import CHECKS
from exporter.exposition import FAMILIES
from tests.dashboards.grafana import Board

ALERTS = Path(__file__).parents[2] / "alerts"
FOREIGN = {
    "kube_node_info", "up", "process_resident_memory_bytes", "process_cpu_seconds_total"
}  # fmt: skip
"""Metrics of others, and of the process itself."""
RUNBOOKS = "https://github.com/kube-pki-exporter/kube-pki-exporter/blob/main/docs/runbooks"
UNITS = {"none", "s", "bytes", "percentunit", "dtdurations", "dateTimeAsIso"}
"""Those of Grafana's that are used; a misspelt one is shown as text behind the number."""


@pytest.fixture(params=["fleet_board", "node_board"])
def board(request: pytest.FixtureRequest) -> Board:
    """Each of the dashboards."""
    found: Board = request.getfixturevalue(request.param)
    return found


def test_the_committed_json_is_what_the_code_makes() -> None:
    """Who changes the code runs ``python -m dashboards.generate`` and commits both."""
    for path, text in generated().items():
        assert path.read_text("utf-8") == text, path.name


def test_the_tile_of_nodes_counts_those_that_the_alert_names(fleet_board: Board) -> None:
    """All of the alert but that some exporter is there, for the clusters and nodes chosen."""
    rules = yaml.safe_load((ALERTS / "exporter.yaml").read_text("utf-8"))["groups"][0]["rules"]
    (alert,) = (rule["expr"] for rule in rules if rule["alert"] == "KubePKINodeNotCovered")
    (_, tile) = (query.expr for query in fleet_board.queries("Nodes"))
    chosen = 'cluster=~"$cluster", node=~"$node", '

    assert "".join(alert.partition("and on ()")[0].split()) in "".join(tile.replace(chosen, "").split())


def test_panels_are_told_apart(board: Board) -> None:
    """Identifiers are unique, rows included; titles are unique among panels."""
    identifiers = [panel["id"] for panel in board.document["panels"]]
    titles = [panel["title"] for panel in board.panels]

    assert len(set(identifiers)) == len(identifiers)
    assert len(set(titles)) == len(titles)


def test_no_two_panels_overlap(board: Board) -> None:
    """Every panel has its own cells of a grid that is 24 wide."""
    cells = [set(_cells(panel["gridPos"])) for panel in board.document["panels"]]

    assert all(0 <= x < 24 for each in cells for x, _ in each)
    assert not any(a & b for a, b in combinations(cells, 2))


def test_lines_of_panels_are_full(board: Board) -> None:
    """No gap is left at the right of a line."""
    width: dict[int, int] = {}
    for panel in board.document["panels"]:
        width[panel["gridPos"]["y"]] = width.get(panel["gridPos"]["y"], 0) + panel["gridPos"]["w"]

    assert set(width.values()) == {24}


def test_everything_is_explained(board: Board) -> None:
    """Dashboard, panels and variables have a description, in whole sentences where it is a panel's."""
    assert board.document["description"]
    assert all(panel["description"].endswith(".") for panel in board.panels)
    assert all(variable["description"] for variable in board.variables.values())


def test_every_query_goes_to_the_chosen_data_source(board: Board) -> None:
    """No panel, query or variable names a data source of its own; no two queries share a letter."""
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in board.panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert panel["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in panel["targets"])
        assert len(set(letters)) == len(letters)
    asked = [variable for variable in board.variables.values() if variable["type"] == "query"]
    assert all(variable["datasource"] == chosen for variable in asked)
    assert board.variables["datasource"]["query"] == "prometheus"


def test_filters_match_series_without_the_label() -> None:
    """All is ``.*``: in PromQL it also matches where there is no ``cluster``."""
    for text in generated().values():
        for variable in json.loads(text)["templating"]["list"]:
            if variable.get("includeAll"):
                assert variable["allValue"] == ".*"


def test_every_query_is_filtered(board: Board) -> None:
    """Each metric of ours is selected by cluster and node, at least on one side of a join."""
    for query in board.queries():
        assert 'cluster=~"$cluster"' in query.expr, query.name
        assert 'node=~"$node"' in query.expr, query.name


def test_only_metrics_and_variables_that_exist_are_used(board: Board) -> None:
    """A renamed metric or a variable that is not there fails here, not at 3 a.m."""
    known = {family.name for family in FAMILIES} | FOREIGN
    for query in board.queries():
        used = set(re.findall(r"\b(?:kubepki|kube|process)_\w+|\bup\b", query.expr))
        variables = set(re.findall(r"\$([a-z]\w*)", query.expr))
        assert used <= known, query.name
        assert variables <= board.variables.keys(), query.name


def test_numbers_have_units(board: Board) -> None:
    """Each value is shown in a unit of Grafana's or as a word."""
    for panel in board.panels:
        configuration = panel["fieldConfig"]
        units = list(_values(configuration, "unit"))
        assert set(units) <= UNITS, panel["title"]
        if panel["type"] != "table":
            assert "unit" in configuration["defaults"], panel["title"]
            continue
        organize = panel["transformations"][-1]["options"]["renameByName"]
        titles = {title for field, title in organize.items() if field.startswith("Value")}
        for override in configuration["overrides"]:
            if override["matcher"]["options"] in titles:
                properties = {each["id"] for each in override["properties"]}
                assert properties & {"unit", "mappings"}, override


def test_tables_have_named_columns_and_say_what_being_empty_means(board: Board) -> None:
    """No label is a heading, every override fits a column, time is hidden, the column to sort by exists."""
    for panel in board.panels:
        if panel["type"] != "table":
            continue
        organize = panel["transformations"][-1]["options"]
        titles = set(organize["renameByName"].values())
        overridden = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert overridden <= titles | {"/.*/"}, panel["title"]
        assert all(title[0].isupper() or title in {"#", "etcd"} for title in titles), panel["title"]
        assert organize["excludeByName"]["Time"], panel["title"]
        assert {each["displayName"] for each in panel["options"]["sortBy"]} <= titles, panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"]
        assert len(panel["transformations"]) == 1 + (len(panel["targets"]) > 1), panel["title"]
        assert all(target["format"] == "table" and target["instant"] for target in panel["targets"])


def test_urgency_has_the_thresholds_of_the_alerts() -> None:
    """Shares of a life and days stand in the rules too; whoever changes them there changes them here."""
    rules = (ALERTS / "certificates.yaml").read_text("utf-8")
    of_rules = {
        (float(share), int(days) * 86400)
        for share, days in re.findall(r"clamp_max\(\S+ \* (0\.\d+), (\d+) \* 86400\)", rules)
    }
    of_panels = {
        (float(share), int(seconds))
        for text in generated().values()
        for share, seconds in re.findall(r"clamp_max\((0\.\d+) \* \(.*?\), (\d+)\)", text)
    }

    assert len(of_panels) == 4
    assert of_panels <= of_rules


def test_links_lead_from_fleet_to_node_to_runbook(fleet_board: Board, node_board: Board) -> None:
    """A node's name leads to its dashboard, a check's name to its section of the runbook."""
    to_node = list(_values(fleet_board.panel("What expires next"), "url"))
    to_runbook = [
        url for board in (fleet_board, node_board) for url in _values(board.panel("Findings"), "url")
    ]

    filters = "${datasource:queryparam}&${cluster:queryparam}&var-node=${__value.text}"
    assert to_node == [f"/d/{node_board.document['uid']}?{filters}"]
    assert to_runbook.count(f"{RUNBOOKS}/KubePKIFinding.md#${{__value.text}}") == 2
    assert all(re.fullmatch("[a-z_]+", check.name) for check in CHECKS)
    assert {link["type"] for link in fleet_board.document["links"]} == {"dashboards", "link"}


def _cells(position: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(position["x"], position["x"] + position["w"]):
        for y in range(position["y"], position["y"] + position["h"]):
            yield x, y


def _values(document: Any, key: str) -> Iterator[Any]:  # noqa: ANN401 - JSON
    match document:
        case {"id": identifier, "value": value} if identifier == key:
            yield value
        case dict():
            for name, value in document.items():
                yield from [value] if name == key and isinstance(value, str) else _values(value, key)
        case list():
            for each in document:
                yield from _values(each, key)
