"""Measures the budgets in one run, prints a table and writes build/bench.json.

PEER_CMD runs another exporter beside on the same files and prints ratios: a command with ``{root}`` for the
tree and ``{port}`` for the port of 127.0.0.1 to serve /metrics on. The 5,000 are in ``{root}/opt/pki``.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from bench.measures import Budget, Results, measure
from bench.trees import make_control_plane, make_many

OUTPUT = Path("build/bench.json")


def main() -> int:
    """Measure, print, write; return 1 where a budget is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS", help="how long to idle (60)")
    options = parser.parse_args()
    peer = os.environ.get("PEER_CMD", "")
    begun = _machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        _say("writing the trees")
        control_plane = make_control_plane(Path(directory, "control-plane"))
        many = make_many(Path(directory, "many"))
        results: list[Results] = []
        for name, command in (("this program", ""), *((("the peer", peer),) if peer else ())):
            found: Results = {}
            for part in measure(
                control_plane,
                many,
                peer=command,
                idle_seconds=options.idle,
                progress=lambda words, name=name: _say(f"{name}: {words}"),  # type: ignore[misc]
            ):
                found |= part
            results.append(found)
    print(_table(*results))
    print(" · ".join(f"{name} {value}" for name, value in begun.items()))
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(_report(begun, *results), indent=2) + "\n", encoding="utf-8")
    return int(any(not _holds(budget, value) for budget, value in results[0].items()))


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _machine() -> dict[str, str]:
    return {
        "cores": str(len(os.sched_getaffinity(0))),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": platform.machine(),
    }


def _holds(budget: Budget, value: float) -> bool:
    return value * budget.scale <= budget.most


def _table(ours: Results, peers: Results | None = None) -> str:
    headings = ("", "measured", "budget", "", *(("peer", "peer / ours") if peers else ()))
    rows = [headings, *(_row(budget, value, peers) for budget, value in ours.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _row(budget: Budget, value: float, peers: Results | None) -> tuple[str, ...]:
    shown = (
        budget.name,
        _number(value * budget.scale, budget.unit),
        _number(budget.most, budget.unit),
        "holds" if _holds(budget, value) else "MISSED",
    )
    if peers is None:
        return shown
    if budget not in peers:
        return (*shown, "", "")
    other = peers[budget]
    ratio = f"{other / value:.1f}" if value else ""
    return (*shown, _number(other * budget.scale, budget.unit), ratio)


def _number(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}"


def _report(machine: dict[str, str], ours: Results, peers: Results | None = None) -> dict[str, object]:
    return {
        "machine": machine,
        "results": [
            {
                "name": budget.name,
                "unit": budget.unit,
                "budget": budget.most,
                "measured": value * budget.scale,
                "holds": _holds(budget, value),
                "peer": peers[budget] * budget.scale if peers and budget in peers else None,
            }
            for budget, value in ours.items()
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
