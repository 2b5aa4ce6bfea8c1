"""What is handed out between a scan and the next."""

from pathlib import Path

import pytest

from exporter.commands.node import Board
from exporter.exposition import Status
from exporter.host import Host
from exporter.scan import Scanner
from exporter.settings import Settings


def test_a_scrape_waits_for_the_end_of_the_first_scan(tmp_path: Path) -> None:
    """Else it lacks when the last scan was, for the moment until the loop has counted it."""
    board = Board()
    board.show(Scanner(settings=Settings(), host=Host(str(tmp_path))).scan().picture)

    with pytest.raises(LookupError, match="no scan yet"):
        board.body("", "", Status(command="node"))

    body = board.body("", "", Status(command="node", last_scan=1.5))
    assert b"kubepki_last_scan_timestamp_seconds 1.5\n" in body.content
