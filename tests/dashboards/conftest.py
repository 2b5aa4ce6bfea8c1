"""The dashboards, and a fleet of nodes that a real Prometheus scraped."""

import json
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.dashboards.grafana import Board
from tests.dashboards.observed import Fleet, exporters, make_trees, scraping
from tests.tools import require_tool

DASHBOARDS = Path(__file__).parents[2] / "dashboards"
NODES = Path(__file__).parents[1] / "nodes"


@pytest.fixture(scope="session")
def fleet_board() -> Board:
    """The dashboard of the fleet, as it is committed."""
    return Board(json.loads((DASHBOARDS / "kubernetes-pki-fleet.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def node_board() -> Board:
    """The dashboard of a node, as it is committed."""
    return Board(json.loads((DASHBOARDS / "kubernetes-pki-node.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three nodes, one broken and one that stopped rotating, scraped some times."""
    program = require_tool("prometheus", "prometheus")
    directory = tmp_path_factory.mktemp("fleet")
    now = datetime.fromtimestamp(time.time(), UTC).replace(microsecond=0)

    def unpack(recorded: str) -> Path:
        with tarfile.open(NODES / f"{recorded}.tar.gz") as archive:
            archive.extractall(directory / recorded, numeric_owner=True, filter="fully_trusted")
        return directory / recorded

    trees = make_trees(directory, unpack, now)
    with exporters(trees, directory) as ports, scraping(program, ports, directory) as prometheus:
        yield Fleet(prometheus, trees, now)
