"""Every query of every panel and variable, asked of a Prometheus that scraped real exporters."""

import re
from collections.abc import Iterator

import pytest

from tests.dashboards.grafana import Board, Choice, answers
from tests.dashboards.observed import Fleet

pytestmark = pytest.mark.xdist_group("dashboards")

CHOICES: dict[str, Choice] = {
    "defaults": {},
    "one node": {"node": "broken"},
    "two nodes": {"node": ["broken", "stuck"], "cluster": "east", "state": "$__all"},
    "some roles": {"role": ["apiserver", "etcd-server"], "state": ["in_use", "superseded"]},
}
EMPTY_WHERE = {
    "some roles": {"Certificate authorities", "Unreadable files", "Missing files", "Findings"},
    "stuck": {"Findings", "Unreadable files", "Missing files"},
    "k3s": {"Findings", "Unreadable files", "Missing files", "Service account keys", "etcd listeners"},
}
"""Panels that rightly have nothing to say there, and say so in words."""


@pytest.mark.parametrize("choice", CHOICES)
def test_the_fleet_has_an_answer_to_every_query(fleet: Fleet, fleet_board: Board, choice: str) -> None:
    """No query fails, whatever is chosen, and none is empty where the nodes have such data."""
    silent = _silent(fleet, fleet_board, CHOICES[choice])

    assert silent <= EMPTY_WHERE.get(choice, set())


@pytest.mark.parametrize("node", ["broken", "stuck", "k3s"])
def test_a_node_has_an_answer_to_every_query(fleet: Fleet, node_board: Board, node: str) -> None:
    """No query fails on any node, and on a node with defects no panel is empty."""
    silent = _silent(fleet, node_board, {"node": node})

    assert silent <= EMPTY_WHERE.get(node, set())


def test_variables_offer_what_there_is(fleet: Fleet, fleet_board: Board, node_board: Board) -> None:
    """Each variable lists the values of the label that it filters by."""
    offered = {
        (board.document["uid"], name): fleet.prometheus.label_values(
            board.interpolated(selector, {"node": ".*"} if board is node_board else {}), label
        )
        for board in (fleet_board, node_board)
        for name, selector, label in _label_queries(board)
    }

    for uid in ("kubernetes-pki-fleet", "kubernetes-pki-node"):
        assert offered[uid, "cluster"] == ["east"]
        assert offered[uid, "node"] == ["broken", "k3s", "stuck"]
    assert {"ca", "apiserver", "kubelet-client", "supervisor-server"} <= {
        *offered["kubernetes-pki-fleet", "role"]
    }
    assert len(offered) == 5


@pytest.mark.parametrize("board_name", ["fleet_board", "node_board"])
def test_the_columns_of_a_table_are_what_its_queries_give(
    fleet: Fleet, board_name: str, request: pytest.FixtureRequest
) -> None:
    """All queries of a table give the same rows, so that they merge; a column has a name or is hidden."""
    board: Board = request.getfixturevalue(board_name)
    choice: Choice = {"node": "broken"} if board_name == "node_board" else {}

    for panel in board.panels:
        if panel["type"] != "table":
            continue
        rows = [
            {frozenset(series.labels.items()) for series in answers(board, fleet.prometheus, query, choice)}
            for query in board.queries(panel["title"])
        ]
        organize = panel["transformations"][-1]["options"]
        labels = {name for row in rows[0] for name, _ in row}
        maybe = {"cluster", "entry"}
        assert all(each == rows[0] for each in rows), panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        values = {f"Value #{letter}" for letter in letters} if len(letters) > 1 else {"Value"}
        handled = organize["renameByName"].keys() | organize["excludeByName"].keys()
        assert labels | values | {"Time"} <= handled, panel["title"]
        assert organize["renameByName"].keys() <= labels | values | maybe, panel["title"]


def _silent(fleet: Fleet, board: Board, choice: Choice) -> set[str]:
    return {query.panel for query in board.queries() if not answers(board, fleet.prometheus, query, choice)}


def _label_queries(board: Board) -> Iterator[tuple[str, str, str]]:
    for name, variable in board.variables.items():
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert found
            yield name, found[1], found[2]
