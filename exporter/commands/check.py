"""``check``: one scan for a person, a cron job or CI."""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from exporter.checks import CHECKS
from exporter.exposition import Exposition, Report, Status
from exporter.host import Host
from exporter.report.document import Assessment, Narrowing, assess, document, narrowed
from exporter.report.table import Style, table
from exporter.report.verdict import Thresholds
from exporter.scan import Picture, Scanner
from exporter.settings import Settings

UNUSABLE = 3
"""The exit code where the check itself could not be made."""

MOST_LOOKS = 3
"""A node whose files change all the time is reported as it is then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What ``check`` is asked for beyond the common settings."""

    output_format: str = "table"
    output: str = ""
    """The file to write; empty for standard output."""
    narrowing: Narrowing
    thresholds: Thresholds


def check(settings: Settings, options: CheckOptions) -> int:
    """Scan, print, and return the exit code of DESIGN: 0 well, 1 look at it, 2 broken, 3 not made."""
    if not (options.output or sys.stdout):
        print("kube-pki-exporter: standard output is closed", file=sys.stderr)
        return UNUSABLE
    scanner = Scanner(settings=settings, host=Host(settings.host_root, max_size=settings.max_file_size))
    picture = _settled(scanner)
    assessment = assess(
        picture.inventory,
        picture.findings,
        now=datetime.fromtimestamp(time.time(), UTC),
        thresholds=options.thresholds,
        narrowing=options.narrowing,
    )
    asked_about = Picture(
        inventory=narrowed(picture.inventory, options.narrowing), findings=assessment.findings
    )
    if not _print(asked_about, assessment, options, sys.stdout):
        return UNUSABLE
    if assessment.is_empty and (options.narrowing.names or not picture.inventory.occurrences):
        sought = f"named {' or '.join(options.narrowing.names)} " if options.narrowing.names else ""
        print(f"kube-pki-exporter: no certificate {sought}below {settings.host_root!r}", file=sys.stderr)
        return UNUSABLE
    return assessment.urgency


def _print(picture: Picture, assessment: Assessment, options: CheckOptions, stream: TextIO) -> bool:
    """Write the report where it is wanted; tell whether it got there or nobody wanted to read it."""
    write = _FORMATS[options.output_format]
    try:
        if options.output:
            _write_file(Path(options.output), write(picture, assessment, Style()))
        else:
            stream.write(write(picture, assessment, _style(stream)))
            stream.flush()
    except BrokenPipeError:
        _abandon(stream)
    except OSError as error:
        print(f"kube-pki-exporter: {options.output or 'standard output'}: {error.strerror}", file=sys.stderr)
        if not options.output:
            _abandon(stream)
        return False
    return True


def _style(stream: TextIO) -> Style:
    """Bars and colour for a terminal; NO_COLOR as https://no-color.org has it, escapes for its encoding."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    return Style(has_bars=is_terminal, has_colour=is_terminal and not os.environ.get("NO_COLOR"))


def _abandon(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that the interpreter's own flush at the end does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _settled(scanner: Scanner) -> Picture:
    """Look a second time where the first look saw something that a renewal in progress could explain."""
    look = scanner.scan()
    for _ in range(MOST_LOOKS - 1):
        if look.second_look_in is None:
            break
        time.sleep(look.second_look_in)
        look = scanner.scan()
    return look.picture


def _table(_picture: Picture, assessment: Assessment, style: Style) -> str:
    return table(assessment, style)


def _json(_picture: Picture, assessment: Assessment, _style: Style) -> str:
    return json.dumps(document(assessment), indent=2, ensure_ascii=True) + "\n"


def _prometheus(picture: Picture, _assessment: Assessment, _style: Style) -> str:
    report = Report(inventory=picture.inventory, findings=picture.findings, checks=CHECKS)
    status = Status(command="check", readings=picture.inventory.readings, last_scan=time.time())
    return Exposition(report).textfile(status).decode()


_FORMATS: dict[str, Callable[[Picture, Assessment, Style], str]] = {
    "table": _table,
    "json": _json,
    "prometheus": _prometheus,
}


def _write_file(path: Path, text: str) -> None:
    """Replace the file in one step, so that a collector never reads half of it; readable by all.

    A link stays one, and a device or pipe is written to. Raises OSError.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("x", encoding="utf-8") as file:
            file.write(text)
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
