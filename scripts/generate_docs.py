"""Writes the generated parts of README.md and docs/ anew between their markers; --check only compares."""

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from exporter.checks import CHECKS
from exporter.exposition import FAMILIES, metrics_table

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Write what is stale; with --check return 1 instead."""
    stale = []
    for page, blocks in _pages().items():
        path = ROOT / page
        before = after = path.read_text(encoding="utf-8")
        for name, content in blocks.items():
            after = _replaced(after, name, content)
        if after != before:
            stale.append(page)
            if "--check" not in sys.argv:
                path.write_text(after, encoding="utf-8")
    print(f"differ from the code: {', '.join(stale)}" if stale else "the generated parts are current")
    return 1 if stale and "--check" in sys.argv else 0


def _pages() -> dict[str, dict[str, str]]:
    """Page to the content between each of its markers."""
    return {
        "README.md": {"checks": _checks_in_brief(), "metrics": _metrics_in_brief()},
        "docs/metrics.md": {"metrics": metrics_table()},
        "docs/checks.md": {"checks": _checks_table()},
        "docs/command-line.md": {command: _flags(command) for command in ("node", "check", "demo")},
    }


def _checks_in_brief() -> str:
    rows = [
        f"| {group} | {', '.join(f'`{check.name}`' for check in checks)} |"
        for group, checks in groupby(CHECKS, key=lambda check: check.group)
    ]
    return "\n".join(["| Group | Checks |", "|---|---|", *rows]) + "\n"


def _checks_table() -> str:
    rows = [
        f"| {check.group} | `{check.name}` | {check.severity} | {check.meaning} | {check.cites} |"
        for check in CHECKS
    ]
    head = ["| Group | Check | Severity | It objects when this is true | Rests on |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _metrics_in_brief() -> str:
    return ", ".join(f"`{family.name}`" for family in FAMILIES) + "\n"


def _flags(command: str) -> str:
    printed = subprocess.run(
        [sys.executable, "-m", "exporter", command, "--help"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
        cwd=ROOT,
    ).stdout
    return f"```\n{printed}```\n"


def _replaced(text: str, name: str, content: str) -> str:
    begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
    head, found, rest = text.partition(begin)
    _, ended, tail = rest.partition(end)
    if not (found and ended):
        message = f"no markers for {name}"
        raise SystemExit(message)
    return f"{head}{begin}{content}{end}{tail}"


if __name__ == "__main__":
    sys.exit(main())
