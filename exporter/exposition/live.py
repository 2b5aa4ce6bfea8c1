"""The small part that is made for each scrape: what the program itself is doing, and its process."""

import sys
from collections.abc import Iterator
from typing import Final

from exporter import __version__
from exporter.exposition.family import LiveFamily, Sample, live
from exporter.exposition.status import Status

TRIGGERS: Final = ("start", "change", "interval", "signal")
"""Every reason for a scan; each is counted from 0."""

_PYTHON: Final = ".".join(map(str, sys.version_info[:3]))


@live("kubepki_source_up", "Whether the source could be consulted in the last scan (1 or 0).", ("source",))
def source_up(status: Status) -> Iterator[Sample]:
    """One sample for each source."""
    for reading in status.readings:
        yield (reading.source,), reading.is_up


@live("kubepki_source_documents", "How many documents the source had in the last scan.", ("source",))
def source_documents(status: Status) -> Iterator[Sample]:
    """One sample for each source."""
    for reading in status.readings:
        yield (reading.source,), reading.documents


@live(
    "kubepki_source_read_duration_seconds",
    "How long the source took in the last scan, in seconds.",
    ("source",),
)
def source_read_duration(status: Status) -> Iterator[Sample]:
    """One sample for each source."""
    for reading in status.readings:
        yield (reading.source,), reading.seconds


@live(
    "kubepki_source_last_success_timestamp_seconds",
    "Unix time of the last scan in which the source was up.",
    ("source",),
)
def source_last_success(status: Status) -> Iterator[Sample]:
    """One sample for each source that was ever up."""
    for reading in status.readings:
        if reading.last_success is not None:
            yield (reading.source,), reading.last_success


@live("kubepki_scans_total", "How many scans were made, by what triggered them.", ("trigger",))
def scans(status: Status) -> Iterator[Sample]:
    """One sample for each trigger where scans repeat, from the start."""
    for trigger in TRIGGERS if status.scans else ():
        yield (trigger,), status.scans.get(trigger, 0)


@live("kubepki_scan_duration_seconds", "How long the last scan took, in seconds.")
def scan_duration(status: Status) -> Iterator[Sample]:
    """One sample after the first scan."""
    return _known(status.scan_seconds)


@live("kubepki_last_scan_timestamp_seconds", "Unix time at which the last scan ended.")
def last_scan(status: Status) -> Iterator[Sample]:
    """One sample after the first scan."""
    return _known(status.last_scan)


@live(
    "kubepki_scan_interval_seconds", "How often a scan is made although nothing seems to change, in seconds."
)
def scan_interval(status: Status) -> Iterator[Sample]:
    """One sample where scans repeat."""
    return _known(status.interval)


@live(
    "kubepki_watch_up",
    "Whether changes of files are seen at once (1), or by a scan every 30 seconds until they are again (0).",
)
def watch_up(status: Status) -> Iterator[Sample]:
    """One sample where there is a watch."""
    return _known(status.watch_up)


@live("kubepki_watched_directories", "How many directories are watched.")
def watched_directories(status: Status) -> Iterator[Sample]:
    """One sample where there is a watch."""
    return _known(status.watched_directories)


@live("kubepki_watch_events_total", "How many changes in watched directories were seen.")
def watch_events(status: Status) -> Iterator[Sample]:
    """One sample where there is a watch."""
    return _known(status.watch_events)


@live(
    "kubepki_web_config_last_reload_successful",
    "Whether the last reload of the web configuration succeeded (1) or the one before is still in force (0).",
)
def web_config_last_reload_successful(status: Status) -> Iterator[Sample]:
    """One sample where there is a web configuration."""
    return _known(status.web_config_reloaded)


@live(
    "kubepki_web_config_last_reload_success_timestamp_seconds",
    "Unix time of the last successful reload of the web configuration.",
)
def web_config_last_reload_success(status: Status) -> Iterator[Sample]:
    """One sample where there is a web configuration."""
    return _known(status.web_config_last_success)


@live("kubepki_build_info", "The running program, always 1.", ("command", "version", "python_version"))
def build_info(status: Status) -> Iterator[Sample]:
    """One sample."""
    yield (status.command, __version__, _PYTHON), 1


def _of_process(name: str, meaning: str) -> LiveFamily:
    @live(f"process_{name}", meaning)
    def value(status: Status) -> Iterator[Sample]:
        return _known(status.process.get(name))

    return value


PROCESS: Final[tuple[LiveFamily, ...]] = (
    _of_process("cpu_seconds_total", "Total user and system CPU time spent in seconds."),
    _of_process("open_fds", "Number of open file descriptors."),
    _of_process("max_fds", "Maximum number of open file descriptors."),
    _of_process("virtual_memory_bytes", "Virtual memory size in bytes."),
    _of_process("resident_memory_bytes", "Resident memory size in bytes."),
    _of_process("start_time_seconds", "Start time of the process since unix epoch in seconds."),
)
"""The words of the Prometheus client libraries."""

LIVE: Final[tuple[LiveFamily, ...]] = (
    source_up,
    source_documents,
    source_read_duration,
    source_last_success,
    scans,
    scan_duration,
    last_scan,
    scan_interval,
    watch_up,
    watched_directories,
    watch_events,
    web_config_last_reload_successful,
    web_config_last_reload_success,
    build_info,
    *PROCESS,
)


def encode(status: Status, *, is_openmetrics: bool) -> bytes:
    """Write the live part; as OpenMetrics it ends the exposition."""
    chunks: list[bytes] = []
    for family in LIVE:
        if lines := family.lines(status):
            chunks += family.header(is_openmetrics=is_openmetrics), lines
    return b"".join((*chunks, b"# EOF\n" if is_openmetrics else b""))


def _known(value: float | None) -> Iterator[Sample]:
    if value is not None:
        yield (), value
