"""The budgets of the project, each with how it is measured."""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bench.exporters import Exporter, started
from bench.trees import MANY_PATTERN, Tree

GIVEN_UP = 10.0
"""Seconds after which a change counts as not seen."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A number that was measured, and what it may be at most."""

    name: str
    unit: str
    most: float
    scale: float = 1.0
    """From the unit of measuring to the unit shown."""


MEMORY = Budget("resident memory, control-plane node, after 5,000 scrapes", "MiB", 40)
MEMORY_MANY = Budget("resident memory, 5,000 certificates", "MiB", 90)
SCRAPE = Budget("scrape, control-plane node, gzip, median", "ms", 1.0, 1e3)
SCRAPE_PLAIN = Budget("scrape, control-plane node, plain, median", "ms", 1.0, 1e3)
SCRAPE_MANY = Budget("scrape, 5,000 certificates, gzip, median", "ms", 5.0, 1e3)
SCRAPE_MANY_PLAIN = Budget("scrape, 5,000 certificates, plain, median", "ms", 5.0, 1e3)
CHANGE = Budget("change on disk to /metrics, median of 100", "s", 0.5)
CHANGE_MOST = Budget("change on disk to /metrics, longest of 100", "s", 1.0)
ONE_OF_MANY = Budget("processor time of one changed file among 5,000", "s", 0.3)
READY = Budget("start to ready, control-plane node, median of 5", "s", 1.0)
IDLE = Budget("idle processor use", "% of a core", 0.1, 100)

Results = dict[Budget, float]
Progress = Callable[[str], None]


def measure(
    control_plane: Tree, many: Tree, *, peer: str, idle_seconds: float, progress: Progress
) -> Iterator[Results]:
    """Measure one exporter on both trees, ours where *peer* is empty."""
    progress("start to ready")
    yield {READY: statistics.median(_starts(control_plane, peer))}
    with started(control_plane.root, peer=peer) as exporter:
        progress("scrapes of the control-plane node")
        yield {SCRAPE: _scrapes(exporter, 500), SCRAPE_PLAIN: _scrapes(exporter, 500, compressed=False)}
        progress("5,000 scrapes")
        for _ in range(4_000):
            exporter.scrape()
        yield {MEMORY: exporter.resident_mib}
        progress(f"nothing for {idle_seconds:.0f} s")
        before = exporter.processor_seconds
        time.sleep(idle_seconds)
        yield {IDLE: (exporter.processor_seconds - before) / idle_seconds}
        progress("100 changes")
        latencies = list(_latencies(exporter, control_plane, 100 if not peer else 3))
        yield {CHANGE: statistics.median(latencies), CHANGE_MOST: max(latencies)}
    progress("5,000 certificates")
    with started(many.root, "--watch", MANY_PATTERN, peer=peer) as exporter:
        yield {SCRAPE_MANY: _scrapes(exporter, 100), MEMORY_MANY: exporter.resident_mib}
        yield {SCRAPE_MANY_PLAIN: _scrapes(exporter, 100, compressed=False)}
        if not peer:
            progress("changes among 5,000")
            yield {ONE_OF_MANY: statistics.mean(_costs(exporter, many, 10))}


def _starts(tree: Tree, peer: str) -> Iterator[float]:
    for _ in range(5):
        with started(tree.root, peer=peer) as exporter:
            yield exporter.seconds_to_ready


def _scrapes(exporter: Exporter, count: int, *, compressed: bool = True) -> float:
    """Scrape so often, each from the request to the last byte, and give the median."""
    return statistics.median(_timed(lambda: exporter.scrape(compressed=compressed), count))


def _timed(act: Callable[[], object], count: int) -> Iterable[float]:
    for _ in range(count):
        begun = time.perf_counter()
        act()
        yield time.perf_counter() - begun


def _latencies(exporter: Exporter, tree: Tree, count: int) -> Iterator[float]:
    """Renew a certificate so often, each until a scrape shows it."""
    for _ in range(count):
        moment = tree.renew()
        changed = time.monotonic()
        while not exporter.shows(moment) and time.monotonic() - changed < GIVEN_UP:
            time.sleep(0.005)
        yield time.monotonic() - changed
        time.sleep(0.05)


def _costs(exporter: Exporter, tree: Tree, count: int) -> Iterator[float]:
    """Renew one file, wait until all is done, and scrape, so often; give the processor time of each."""
    for _ in range(count):
        before = exporter.processor_seconds
        moment = tree.renew()
        latest = time.monotonic() + GIVEN_UP
        time.sleep(2.5)
        while not exporter.shows(moment) and time.monotonic() < latest:
            time.sleep(0.5)
        yield exporter.processor_seconds - before
