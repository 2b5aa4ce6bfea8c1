"""The small part that is made for each scrape: what the program itself is doing, and its process."""

import sys
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest as generate_text
from prometheus_client.openmetrics.exposition import ALLOWUTF8
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from exporter import __version__
from exporter.exposition.family import LiveFamily, Sample, live
from exporter.exposition.status import Status
from exporter.exposition.text import visible

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
    """One sample for each trigger, from the start."""
    for trigger in TRIGGERS:
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
    "Whether changes of files are seen at once (1), or the interval alone keeps the data fresh (0).",
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
)

_PROCESS: Final = ProcessCollector(registry=None)


class _StatusCollector(Collector):
    """Makes the live families of one status."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield each family that has a sample."""
        for family in LIVE:
            metric = Metric(family.stem, family.help, family.kind)
            samples = {tuple(map(visible, labels)): value for labels, value in family.samples(self._status)}
            for labels, value in samples.items():
                metric.add_sample(family.name, dict(zip(family.labels, labels, strict=True)), value)
            if metric.samples:
                yield metric


def encode(status: Status, *, is_openmetrics: bool, has_process: bool = True) -> bytes:
    """Write the live part; as OpenMetrics it ends the exposition."""
    registry = CollectorRegistry()
    registry.register(_StatusCollector(status))
    if has_process:
        registry.register(_PROCESS)
    generate = generate_openmetrics if is_openmetrics else generate_text
    return generate(registry, escaping=ALLOWUTF8)


def _known(value: float | None) -> Iterator[Sample]:
    if value is not None:
        yield (), value
