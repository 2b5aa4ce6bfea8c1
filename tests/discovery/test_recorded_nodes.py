"""What discovery finds on each recorded node, reference by reference."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.discovery.node_files import is_below_any
from exporter.model import Distribution, Listener, NodeType, Origin, Requirement
from tests.conftest import RECORDED
from tests.discovery.conftest import Discover, files_of, table

TABLES = Path(__file__).parent / "references"
Unpack = Callable[[str], Path]


@pytest.mark.parametrize("recorded", RECORDED)
def test_every_reference_is_found_by_name(recorded: str, unpacked: Unpack, look: Discover) -> None:
    """Component, setting, part, role, path, origin and requirement of every reference are as written down."""
    expected = (TABLES / f"{recorded}.txt").read_text().splitlines()
    assert table(look(unpacked(recorded)).references) == expected
